//! What a pipeline makes of captures, through `sekisho replay --pipeline`.

use crate::frames::{behind_options, capture, ethernet, in_ipv6, ip, l2tp, tcp, udp};
use crate::support::root;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const MAP_E: &str = "--pipeline pipelines/map-e-border.yaml";
const L2TP: &str = "--pipeline pipelines/wholesale-l2tp.yaml";

/// The subscriber's end of the tunnel and its shared address, reckoned by hand from the rule of
/// `map-e-border.yaml`: the third address of the /29 is 010, PSID 0x34 is 00110100, and both stand
/// behind the /45. A port of the set is 0001 00110100 0101.
const GATEWAY: &str = "2001:db8:5402:3400::1";
const SHARED: (&str, u16) = ("203.0.113.114", 0x1345);
const NEIGHBOURS_PORT: (&str, u16) = ("203.0.113.114", 0x1355);
const RELAY: &str = "2001:db8:ffff::1";
/// Fixed addresses have a relay of their own, and are exempt.
const FIXED: (&str, u16) = ("203.0.113.121", 2000);
const FIXED_RELAY: &str = "2001:db8:ffff::2";
const THIRD_PARTY: &str = "2001:db8:beef::1";
const PEER: (&str, u16) = ("198.51.100.9", 25);

/// A folder with a capture, and what becomes of its frames.
struct Tried {
    folder: TempDir,
}

impl Tried {
    fn new(frames: &[Vec<u8>]) -> Self {
        let spaced = (0..).map(|n| n * 1000).zip(frames.iter().cloned());
        Self::at(&spaced.collect::<Vec<_>>())
    }

    fn at(frames: &[(u64, Vec<u8>)]) -> Self {
        let tried = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        capture(&tried.path("in.pcap"), frames);
        tried
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Replays, and says of each frame `verdict reason rule`.
    fn verdicts(&self, options: &str) -> Vec<String> {
        let ran = self.replay(options);
        assert!(ran.status.success(), "{}", said(&ran));
        let mut rows = csv::Reader::from_path(self.path("verdicts.csv")).unwrap();
        let rows = rows.records().map(|row| {
            let row = row.unwrap();
            [&row[2], &row[3], &row[4]].join(" ").trim_end().to_owned()
        });
        rows.collect()
    }

    fn replay(&self, options: &str) -> Output {
        let forwarded = self.path("forwarded.pcap");
        let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
        command.current_dir(root()).arg("replay");
        command.args(options.split_whitespace());
        if !options.contains("--at") {
            command.args(["--at", "2024-01-15T12:00:00+09:00"]);
        }
        command.arg("--forwarded").arg(forwarded);
        command.arg("--verdicts").arg(self.path("verdicts.csv"));
        command.arg(self.path("in.pcap")).output().unwrap()
    }

    /// The frames of a capture that was written, octet for octet.
    fn written(&self, name: &str) -> Vec<Vec<u8>> {
        let file = fs::read(self.path(name)).unwrap();
        let mut rest = &file[24..];
        let mut frames = Vec::new();
        while let [_, _, _, _, _, _, _, _, a, b, c, d, _, _, _, _, behind @ ..] = rest {
            let octets = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            frames.push(behind[..octets].to_vec());
            rest = &behind[octets..];
        }
        frames
    }
}

fn said(ran: &Output) -> String {
    String::from_utf8_lossy(&ran.stderr).into_owned()
}

/// IPv4 in IPv6.
fn tunnelled(src: &str, dst: &str, frame: &[u8]) -> Vec<u8> {
    in_ipv6(src, dst, 4, &ip(frame))
}

#[test]
fn a_border_relays_tunnel_is_judged_by_what_is_inside() {
    let syn = tcp(SHARED, PEER, "S");
    let frames = [
        tunnelled(GATEWAY, RELAY, &syn),
        in_ipv6(GATEWAY, RELAY, 60, &behind_options(4, &ip(&syn))),
        tunnelled(GATEWAY, RELAY, &tcp(SHARED, ("198.51.100.9", 587), "S")),
        tunnelled(GATEWAY, RELAY, &tcp(NEIGHBOURS_PORT, PEER, "S")),
        tunnelled(GATEWAY, FIXED_RELAY, &tcp(FIXED, PEER, "S")),
        tunnelled(GATEWAY, THIRD_PARTY, &syn),
    ];
    let tried = Tried::new(&frames);
    let found = tried.verdicts(&format!("{MAP_E} --direction out"));
    assert_eq!(
        found,
        [
            "drop port25-syn v6plus",
            "drop port25-syn v6plus",
            "forward not-candidate",
            "drop spoofed-port-set",
            "forward port25-syn",
            "forward not-candidate",
        ]
    );
    let [_, _, submission, _, exempt, closed] = frames.clone();
    assert_eq!(
        tried.written("forwarded.pcap"),
        [submission, exempt, closed]
    );
    // Without the pipeline all of them stay closed, and pass untouched.
    let found = tried.verdicts("--policy config/alpha-web.yaml --direction out");
    assert_eq!(found, ["forward not-candidate"; 6]);
    assert_eq!(tried.written("forwarded.pcap"), frames);
}

#[test]
fn what_comes_from_the_relay_is_its_mirror() {
    let answer = |to, flags| tcp(PEER, to, flags);
    let tried = Tried::new(&[
        tunnelled(RELAY, GATEWAY, &answer(SHARED, "SA")),
        tunnelled(RELAY, GATEWAY, &answer(SHARED, "S")),
        tunnelled(RELAY, GATEWAY, &answer(SHARED, "A")),
        tunnelled(FIXED_RELAY, GATEWAY, &answer(FIXED, "SA")),
        tunnelled(THIRD_PARTY, GATEWAY, &answer(SHARED, "SA")),
    ]);
    for direction in ["in", "auto"] {
        assert_eq!(
            tried.verdicts(&format!("{MAP_E} --direction {direction}")),
            [
                "drop port25-return v6plus",
                "drop port25-return v6plus",
                "forward not-candidate",
                "forward port25-return",
                "forward not-candidate",
            ],
            "{direction}"
        );
    }
}

#[test]
fn each_line_in_l2tp_is_judged_by_its_own_provider() {
    let in_l2tp = |lns: &str, line: &str| {
        let lac = if lns.contains(':') {
            "2001:db8:aaaa::1"
        } else {
            "100.64.0.1"
        };
        let packet = ip(&tcp((line, 40_000), ("100.64.9.9", 25), "S"));
        udp((lac, 1701), (lns, 1701), &l2tp(&packet))
    };
    let tried = Tried::new(&[
        in_l2tp("192.0.2.241", "203.0.113.65"),
        in_l2tp("192.0.2.242", "198.51.100.193"),
        in_l2tp("192.0.2.242", "198.51.100.241"),
        in_l2tp("2001:db8:ffff::3", "203.0.113.1"),
        in_l2tp("2001:db8:ffff::3", "203.0.113.49"),
        // Not one of these LNSs: somebody's own tunnel.
        in_l2tp("192.0.2.243", "203.0.113.65"),
    ]);
    assert_eq!(
        tried.verdicts(&format!("{L2TP} --direction out")),
        [
            "drop port25-syn everyone-else",
            "drop port25-syn op25b",
            "forward port25-syn",
            "drop port25-syn everyone-else",
            "forward port25-syn",
            "forward not-candidate",
        ]
    );
}

/// What `replay` says of a pipeline is what its workers do.
#[test]
fn workers_look_into_the_same_tunnels() {
    let map_e = fs::read_to_string(root().join("pipelines/map-e-border.yaml")).unwrap();
    let (_, unwrap) = map_e.split_once("\nunwrap:").unwrap();
    let (unwrap, _) = unwrap.split_once("\nlcores:").unwrap();
    let lines =
        format!("unwrap:{unwrap}\nunparsed: drop\naccess: {{ read: in.pcap, source: known }}\n");
    let blocked = tunnelled(GATEWAY, RELAY, &tcp(SHARED, PEER, "S"));
    let exempt = tunnelled(GATEWAY, FIXED_RELAY, &tcp(FIXED, PEER, "S"));
    let closed = tunnelled(GATEWAY, THIRD_PARTY, &tcp(SHARED, PEER, "S"));
    let stranger = tcp(("198.51.100.7", 40_000), ("192.0.2.1", 443), "S");
    let mut short_header = tcp(("203.0.113.65", 40_000), PEER, "S");
    short_header[14] = 0x44;
    let frames = [
        blocked,
        exempt.clone(),
        closed.clone(),
        stranger,
        short_header,
    ];
    let tried = Tried::new(&frames);
    of_alpha_web(&tried, &lines);
    let text = fs::read_to_string(tried.path("here.yaml")).unwrap();
    tried.write(
        "here.yaml",
        &text.replace("network: {}", "network: { write: out.pcap }"),
    );
    let ran = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .arg("run")
        .arg(tried.path("here.yaml"))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", said(&ran));
    assert_eq!(tried.written("out.pcap"), [exempt, closed]);
}

/// The policies beside a pipeline are taken only if none is named.
#[test]
fn policies_that_are_named_hold_in_place_of_the_pipelines() {
    let frame = tunnelled(GATEWAY, RELAY, &tcp(SHARED, PEER, "S"));
    let tried = Tried::new(&[frame]);
    let map_e = fs::read_to_string(root().join("pipelines/map-e-border.yaml")).unwrap();
    let away = tried.write("away.yaml", &map_e.replace("../config", "/nowhere"));
    let away = away.to_str().unwrap();
    let mine = format!("--direction out --policy config/alpha-web.yaml --pipeline {away}");
    assert_eq!(tried.verdicts(&mine), ["drop port25-syn v6plus"]);
    let nobodys = format!("--direction out --policy config/bb-east.yaml --pipeline {away}");
    assert_eq!(tried.verdicts(&nobodys), ["forward no-subscriber"]);
    let ran = tried.replay(&format!("--pipeline {away}"));
    assert_eq!(ran.status.code(), Some(78));
    assert!(
        said(&ran).contains("error[policy-unreadable]"),
        "{}",
        said(&ran)
    );
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let tried = Tried::new(&[]);
    let pipeline = tried.write(
        "pipeline.yaml",
        "driver: pcap\nunparsed: maybe\nunwrap: [{}]\n",
    );
    let policy = tried.write("policy.yaml", "isp: x\nrules: [{ name: a }]\n");
    let (pipeline, policy) = (pipeline.to_str().unwrap(), policy.to_str().unwrap());
    let ran = tried.replay(&format!("--policy {policy} --pipeline {pipeline}"));
    assert_eq!(ran.status.code(), Some(78));
    let said_by_replay = said(&ran);
    for part in [
        "`maybe`",
        "needs `kind`",
        "needs `endpoints`",
        "needs `lcores`",
        "needs `time_zone`",
        "needs `action`",
    ] {
        assert!(said_by_replay.contains(part), "{part}: {said_by_replay}");
    }
    // Two pipelines, each with its own mistakes.
    let other = tried.write("other.yaml", "driver: dpdk\nreplies: 5\n");
    let ran = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .args(["check", pipeline, other.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(78));
    for part in [
        "`maybe`",
        "needs `kind`",
        "the number `5`",
        "other.yaml",
        "pipeline.yaml",
    ] {
        assert!(said(&ran).contains(part), "{part}: {}", said(&ran));
    }
    assert!(!tried.path("verdicts.csv").exists());
}

/// A pipeline of αWeb's subscribers, with such lines.
fn of_alpha_web(tried: &Tried, lines: &str) -> String {
    let policy = root().join("config/alpha-web.yaml");
    let text = format!(
        "policies: [{}]\ndriver: pcap\nnetwork: {{}}\nlcores: [0]\n{lines}",
        policy.display()
    );
    let path = tried.write("here.yaml", &text);
    format!("--pipeline {} --direction out", path.display())
}

#[test]
fn what_cannot_be_read_is_dropped_where_the_pipeline_says_so() {
    let syn = tcp(("203.0.113.65", 40_000), PEER, "S");
    let mut short_header = syn.clone();
    short_header[14] = 0x44;
    let tags = |count: usize| {
        let mut behind = ip(&syn);
        behind.splice(..0, [0x08, 0x00]);
        for _ in 1..count {
            behind.splice(..0, [0x81, 0x00, 0, 1]);
        }
        behind.splice(..0, [0, 1]);
        ethernet(0x8100, &behind)
    };
    let arp = ethernet(0x0806, &[0; 46]);
    let tried = Tried::new(&[short_header, tags(5), tags(4), arp]);
    let access = "access: { read: in.pcap }\n";
    assert_eq!(
        tried.verdicts(&of_alpha_web(&tried, access)),
        [
            "forward unparsed",
            "forward encapsulation-limit",
            "drop port25-syn everyone-else",
            "forward not-ip",
        ]
    );
    let drop = format!("{access}unparsed: drop\n");
    assert_eq!(
        tried.verdicts(&of_alpha_web(&tried, &drop)),
        [
            "drop unparsed",
            "drop encapsulation-limit",
            "drop port25-syn everyone-else",
            "forward not-ip",
        ]
    );
}

/// Of nobody's addresses nothing is taken but what hosts send before they have one.
#[test]
fn unknown_sources_are_dropped_and_hosts_still_get_addresses() {
    let neighbour_discovery = [0x87, 0, 0, 0, 0, 0, 0, 0];
    let tried = Tried::new(&[
        tcp(("198.51.100.7", 40_000), ("192.0.2.1", 443), "S"),
        udp(("2001:db8:eeee::1", 53), ("2001:db8::1", 53), b"?"),
        tcp(("203.0.113.65", 40_000), ("192.0.2.1", 443), "S"),
        udp(("2001:db8:5000::1", 53), ("2001:db8::1", 53), b"?"),
        udp(("0.0.0.0", 68), ("255.255.255.255", 67), b"discover"),
        in_ipv6("fe80::1", "ff02::1:ff00:1", 58, &neighbour_discovery),
        in_ipv6("::", "ff02::1:ff00:1", 58, &neighbour_discovery),
        udp(("fe80::1", 546), ("ff02::1:2", 547), b"solicit"),
        ethernet(0x0806, &[0; 46]),
    ]);
    let any = of_alpha_web(&tried, "access: { read: in.pcap }\n");
    let found = tried.verdicts(&any);
    assert!(
        found.iter().all(|found| found.starts_with("forward ")),
        "{found:?}"
    );
    let known = of_alpha_web(&tried, "access: { read: in.pcap, source: known }\n");
    let found = tried.verdicts(&known);
    let (strangers, others) = found.split_at(2);
    assert_eq!(strangers, ["drop spoofed-source"; 2]);
    assert!(
        others.iter().all(|found| found.starts_with("forward ")),
        "{others:?}"
    );
    // Nothing is known of the other side's sources.
    let inward = known.replace("--direction out", "--direction in");
    assert!(
        tried
            .verdicts(&inward)
            .iter()
            .all(|found| found.starts_with("forward "))
    );
}

const A_RATE: &str = "isp: x\ntime_zone: Asia/Tokyo\nplans: { home: { kind: dynamic } }\n\
    subscribers: [{ plan: home, prefixes: [10.0.0.0/8] }]\n\
    rules: [{ name: slow, ip: 4, action: { limit: { rate: 60, burst: 2 } } }]\n";

/// A rate of one a second, by the capture's own time.
#[test]
fn rates_go_by_the_frames_own_time() {
    let syn = |subscriber: &str| tcp((subscriber, 40_000), PEER, "S");
    let tried = Tried::at(&[
        (0, syn("10.0.0.1")),
        (1, syn("10.0.0.1")),
        (2, syn("10.0.0.1")),
        (3, syn("10.0.0.2")),
        (1_100, syn("10.0.0.1")),
        (1_101, syn("10.0.0.1")),
        (60_000, syn("10.0.0.1")),
    ]);
    let policy = tried.write("policy.yaml", A_RATE);
    let expected = [
        "forward port25-syn slow",
        "forward port25-syn slow",
        "limit above-rate slow",
        "forward port25-syn slow",
        "forward port25-syn slow",
        "limit above-rate slow",
        "forward port25-syn slow",
    ];
    let options = format!("--policy {} --direction out", policy.display());
    assert_eq!(tried.verdicts(&options), expected);
    for at in ["capture", "2001-01-01"] {
        assert_eq!(
            tried.verdicts(&format!("{options} --at {at}")),
            expected,
            "{at}"
        );
    }
}

/// As many subscribers are remembered as the pipeline says, and nobody beyond them is let through.
#[test]
fn a_flood_of_subscribers_finds_the_table_full() {
    let flood: Vec<_> = (0..4_000_u32)
        .map(|n| {
            (
                1,
                tcp(
                    (&format!("10.1.{}.{}", n / 250, n % 250), 40_000),
                    PEER,
                    "S",
                ),
            )
        })
        .collect();
    let tried = Tried::at(&flood);
    tried.write("policy.yaml", A_RATE);
    let pipeline = "policies: [policy.yaml]\ndriver: pcap\naccess: { read: in.pcap }\nnetwork: {}\n\
                    lcores: [0]\n";
    let full = |pipeline: &str| {
        let path = tried.write("here.yaml", pipeline);
        let found = tried.verdicts(&format!("--pipeline {} --direction out", path.display()));
        let full = |found: &&String| **found == "limit limit-table-full slow";
        found.iter().filter(full).count()
    };
    assert_eq!(full(pipeline), 0);
    // 1,792 slots, two lines of seven for each.
    let refused = full(&format!("{pipeline}limit-subscribers: 1024\n"));
    assert!((4_000 - 1_792..3_000).contains(&refused), "{refused}");
    let checked = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .arg("check")
        .arg(tried.path("here.yaml"))
        .output()
        .unwrap();
    let text = String::from_utf8(checked.stdout).unwrap();
    assert!(
        text.contains("limit     room for 1,024 subscribers: 16,"),
        "{text}"
    );
}

#[test]
fn a_pipeline_is_read_by_explain_and_by_diff() {
    let tried = Tried::new(&[tunnelled(GATEWAY, RELAY, &tcp(SHARED, PEER, "S"))]);
    let sekisho = |line: &str, path: &Path| {
        let ran = Command::new(env!("CARGO_BIN_EXE_sekisho"))
            .current_dir(root())
            .args(line.split_whitespace())
            .arg(path)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", said(&ran));
        String::from_utf8(ran.stdout).unwrap()
    };
    let explained = sekisho(
        &format!("explain {MAP_E} --frame 1 --pcap"),
        &tried.path("in.pcap"),
    );
    for part in [
        "203.0.113.114:4933 → 198.51.100.9:25",
        "v6plus_std",
        "drop-port25-syn",
    ] {
        assert!(explained.contains(part), "{part}: {explained}");
    }
    let policies = "diff config/bb-east.yaml config/alpha-web.yaml";
    let with = sekisho(&format!("{policies} {MAP_E}"), &tried.path("in.pcap"));
    assert!(with.contains("frames    1 of 1 change verdict"), "{with}");
    let without = sekisho(policies, &tried.path("in.pcap"));
    assert!(
        without.contains("frames    0 of 1 change verdict"),
        "{without}"
    );
}
