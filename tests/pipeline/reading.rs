//! What is read, and what holds where nothing is written.

use crate::support::{EVERY_TUNNEL, LEAST, good, loaded, named, told};
use sekisho::control::pipeline::{
    AfXdp, Attach, Control, Dpdk, Driver, Framing, Idle, LinkLoss, OnExit, Pcap, Pipeline, Tunnel,
    TunnelKind, ZeroCopy, could_be_one, effective_yaml,
};
use sekisho::io::port::{CaptureFiles, Senders};
use sekisho::stage::{Account, Source, Unparsed};
use sekisho::wire::Subscriber;
use sekisho::worker::{Lcore, ReplyRate};
use std::path::PathBuf;

#[test]
fn everything_that_is_written_is_read() {
    let text = "
name: edge-7
policies: [../config/a.yaml, /etc/sekisho/b.yaml]
driver: af-xdp
access: { device: enp1s0f0, source: known }
network: { device: enp1s0f1 }
lcores: [4, 2, 6]
account: candidates
idle: spin
af-xdp: { attach: driver, zero-copy: require, ring-frames: 2048, umem-frames: 10000 }
frames: ethernet
unwrap: [{ kind: gre, endpoints: [192.0.2.9] }]
unparsed: drop
replies: { per-second: 20, burst: 7 }
limit-subscribers: 4096
control: { socket: s.sock, group: noc, journal: /srv/j, run-dir: ../run }
watchdog: { stall-ms: 250 }
link-loss: propagate
on-exit: kernel-bridge
record-destinations: { ticket: ABC-123 }
";
    let path = |text: &str| Some(PathBuf::from(text));
    assert_eq!(
        good(text),
        Pipeline {
            name: "edge-7".to_owned(),
            policies: vec![
                "pipelines/../config/a.yaml".into(),
                "/etc/sekisho/b.yaml".into()
            ],
            driver: Driver::AfXdp(AfXdp {
                access: "enp1s0f0".to_owned(),
                network: "enp1s0f1".to_owned(),
                attach: Attach::Driver,
                zero_copy: ZeroCopy::Require,
                ring_frames: 2048,
                umem_frames: 10_000,
            }),
            lcores: [4, 2, 6].map(Lcore).to_vec(),
            account: Account::Candidates,
            idle: Idle::Spin,
            frames: Framing::Ethernet,
            unwrap: vec![Tunnel {
                kind: TunnelKind::Gre,
                endpoints: vec!["192.0.2.9/32".parse().unwrap()],
                subscriber: Subscriber::Inner,
                rules: Vec::new(),
            }],
            unparsed: Unparsed::Drop,
            source: Source::Known,
            replies: ReplyRate {
                per_second: 20,
                burst: 7,
            },
            limit_subscribers: 4096,
            control: Control {
                socket: path("pipelines/s.sock"),
                group: Some("noc".to_owned()),
                journal: path("/srv/j"),
                run_dir: path("pipelines/../run"),
            },
            stall_ms: 250,
            link_loss: LinkLoss::Propagate,
            on_exit: OnExit::KernelBridge,
            record_destinations: Some("ABC-123".to_owned()),
        }
    );
}

#[test]
fn the_least_over_af_xdp_has_defaults_for_the_rest() {
    let path = |text: &str| Some(PathBuf::from(text));
    let expected = Pipeline {
        name: "here".to_owned(),
        policies: vec!["pipelines/alpha.yaml".into()],
        driver: Driver::AfXdp(AfXdp {
            access: "eth0".to_owned(),
            network: "eth1".to_owned(),
            attach: Attach::Auto,
            zero_copy: ZeroCopy::Auto,
            ring_frames: 32_768,
            umem_frames: 131_072,
        }),
        lcores: vec![Lcore(1)],
        account: Account::EveryFrame,
        idle: Idle::Sleep,
        frames: Framing::Ethernet,
        unwrap: Vec::new(),
        unparsed: Unparsed::Forward,
        source: Source::Any,
        replies: ReplyRate {
            per_second: 1000,
            burst: 100,
        },
        limit_subscribers: 1_048_576,
        control: Control {
            socket: path("/run/sekisho/here.sock"),
            group: None,
            journal: path("/var/lib/sekisho/here.journal"),
            run_dir: path("/run/sekisho"),
        },
        stall_ms: 1000,
        link_loss: LinkLoss::Ignore,
        on_exit: OnExit::Leave,
        record_destinations: None,
    };
    assert_eq!(good(LEAST[0]), expected);
}

#[test]
fn dpdk_spins_and_captures_leave_no_trace_in_the_system() {
    let dpdk = good(LEAST[1]);
    assert_eq!(dpdk.idle, Idle::Spin);
    assert_eq!(
        dpdk.driver,
        Driver::Dpdk(Dpdk {
            access: "0000:03:00.0".to_owned(),
            network: "0000:03:00.1".to_owned(),
            eal: Vec::new(),
            ring_frames: 4096,
            pool_frames: 32_768,
            mtu_bytes: 1500,
        })
    );
    let pcap = good(LEAST[2]);
    assert_eq!(pcap.idle, Idle::Sleep);
    assert_eq!(pcap.control, Control::default());
    let access = CaptureFiles {
        read: Some("pipelines/in.pcap".into()),
        ..CaptureFiles::default()
    };
    let network = CaptureFiles::default();
    assert_eq!(pcap.driver, Driver::Pcap(Pcap { access, network }));
}

#[test]
fn a_capture_of_a_link_is_taken_apart_by_senders() {
    let text = LEAST[2]
        .replace("in.pcap }", "in.pcap, from: 02:00:00:00:00:0a }")
        .replace(
            "network: {}",
            "network: { read: in.pcap, not-from: 02:00:00:00:00:10, write: out.pcap }",
        );
    let Driver::Pcap(pcap) = good(&text).driver else {
        panic!()
    };
    assert_eq!(pcap.access.senders, Senders::Only([2, 0, 0, 0, 0, 10]));
    assert_eq!(pcap.network.senders, Senders::AllBut([2, 0, 0, 0, 0, 16]));
    assert_eq!(pcap.network.write, Some("pipelines/out.pcap".into()));
    let printed = effective_yaml(&named("/p/here.yaml", &text).pipeline.unwrap());
    let again = named("/p/here.yaml", &printed).pipeline.unwrap();
    assert_eq!(effective_yaml(&again), printed);
    let Driver::Pcap(again) = again.driver else {
        panic!()
    };
    assert_eq!(again.network.senders, pcap.network.senders);
}

#[test]
fn what_one_key_says_others_follow() {
    let small = good(&format!("{}af-xdp: {{ ring-frames: 64 }}\n", LEAST[0]));
    let Driver::AfXdp(small) = small.driver else {
        panic!("{small:?}")
    };
    assert_eq!((small.ring_frames, small.umem_frames), (64, 256));
    let moved = good(&format!("{}control: {{ run-dir: /run/other }}\n", LEAST[0]));
    assert_eq!(moved.control.socket, Some("/run/other/here.sock".into()));
    let asked = good(&format!("{}control: {{ socket: /run/s }}\n", LEAST[2]));
    assert_eq!(asked.control.socket, Some("/run/s".into()));
    assert_eq!((asked.control.journal, asked.control.run_dir), (None, None));
}

#[test]
fn devices_of_dpdk_have_one_spelling_each() {
    let text = LEAST[1].replace("0000:03:00.0", "3B:00.0").replace(
        "{ device: 0000:03:00.1 }",
        "{ device: \"net_af_packet0,iface=eth0\" }",
    );
    let text = text + "dpdk: { eal: [--no-huge, -m, 256, --log-level=8] }\n";
    let Driver::Dpdk(dpdk) = good(&text).driver else {
        panic!()
    };
    assert_eq!(dpdk.access, "0000:3b:00.0");
    assert_eq!(dpdk.network, "net_af_packet0,iface=eth0");
    assert_eq!(dpdk.eal, ["--no-huge", "-m", "256", "--log-level=8"]);
}

/// What is in force, printed, is a pipeline that means the same, wherever it is kept.
#[test]
fn the_effective_pipeline_is_a_pipeline() {
    let more = "record-destinations: { ticket: T }\ncontrol: { group: g }\nname: n\nunparsed: drop\n\
                replies: { burst: 1 }\nlimit-subscribers: 2048\n";
    for text in LEAST {
        let text = text.replacen(" }", ", source: known }", 1) + more + EVERY_TUNNEL;
        let pipeline = named("/srv/p/here.yaml", &text).pipeline.unwrap();
        let printed = effective_yaml(&pipeline);
        let again = named("/elsewhere/x.yaml", &printed);
        assert_eq!(told(&again), "", "{printed}");
        assert_eq!(again.pipeline, Some(pipeline), "{printed}");
    }
}

#[test]
fn several_lcores_for_frames_that_are_not_hashed_are_warned_of() {
    let text = LEAST[0].replace("[1]", "[1, 2]") + "frames: qinq-pppoe\n";
    let loaded = loaded(&text);
    insta::assert_snapshot!(told(&loaded), @r"
    warning[not-spread-by-rss]: most network cards do not look behind PPPoE or two tags when they spread frames
     --> pipelines/here.yaml:6:9
      |
    6 | frames: qinq-pppoe
      |         ^^^^^^^^^^ all frames may come to one lcore, such as 1
      |
      = help: name one lcore; or, where `ctl show-runtime` shows that all of them have frames, write `frames: ethernet`
    ");
    assert_eq!(loaded.pipeline.unwrap().frames, Framing::QinqPppoe);
    good(&(LEAST[0].to_owned() + "frames: qinq-pppoe\n"));
}

#[test]
fn pipelines_and_policies_are_told_apart_by_their_keys() {
    for text in LEAST {
        assert!(could_be_one(text.as_bytes()), "{text}");
    }
    for (text, is_pipeline) in [
        ("# isp: x\n\ndrivr: pcap\nlcores: [1]\n", true),
        ("{driver: pcap, lcores: [1]}", true),
        ("\u{feff}\"driver\" : pcap", true),
        ("isp: x\nplans:\n  driver: { kind: fixed }\n", false),
        ("rules:\n- name: x\n", false),
        ("", false),
        ("\u{fffd}: \0\n- driver: x", false),
    ] {
        assert_eq!(could_be_one(text.as_bytes()), is_pipeline, "{text}");
    }
    assert!(!could_be_one(&[0xff, b':', b'\n', 0x1f]));
}
