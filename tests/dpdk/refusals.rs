use crate::support::{EAL, device, options};
use sekisho::io::dpdk::{Options, open};
use sekisho::io::port::{DeviceError, DeviceFault};
use std::process::Command;

#[test]
fn a_device_is_named_as_dpdk_names_it() {
    for name in ["eth0", "", "0000:03:00", "net ring"] {
        let error = refusal(name, "net_null90");
        assert_eq!(error.fault, DeviceFault::Missing, "{error}");
        assert!(error.remedy.unwrap().contains("0000:03:00.0"));
    }
}

#[test]
fn the_same_device_twice_is_refused() {
    let error = refusal("net_ring91", "net_ring91,nodeaction=x");
    assert_eq!(error.fault, DeviceFault::Shape, "{error}");
}

#[test]
fn a_missing_plugin_is_named_by_its_package() {
    let error = refusal("net_nosuch0", &device("net_null", ""));
    assert_eq!(error.fault, DeviceFault::Driver, "{error}");
    let remedy = error.remedy.unwrap();
    assert!(remedy.contains("librte-net-nosuch"), "{remedy}");
}

#[test]
fn a_missing_interface_is_named() {
    for driver in ["net_af_packet", "net_af_xdp", "net_pcap"] {
        let error = refusal(&device(driver, ",iface=nosuch"), &device("net_null", ""));
        assert_eq!(error.fault, DeviceFault::Missing, "{error}");
        assert!(error.message.contains("nosuch"), "{error}");
    }
}

#[test]
fn a_missing_file_is_told() {
    let pcap = device("net_pcap", ",rx_pcap=/nosuch.pcap");
    let error = refusal(&pcap, &device("net_null", ""));
    assert_eq!(error.fault, DeviceFault::System, "{error}");
    assert!(error.message.contains("/nosuch.pcap"), "{error}");
    assert!(!error.message.contains("not permitted"), "{error}");
}

#[test]
fn a_missing_pci_device_is_named() {
    let error = in_another_process("missing-pci");
    assert!(
        error.starts_with("Missing: there is no PCI device 0000:ff:1f.7"),
        "{error}"
    );
}

#[test]
fn too_few_queues_are_counted() {
    let options = Options {
        queues: 2,
        ..options(&device("net_null", ""), &device("net_tap", ",no-rx"))
    };
    let wanted = Options {
        network: device("net_pcap", ",tx_pcap=/dev/null"),
        ..options
    };
    let error = open(&wanted).unwrap_err();
    assert_eq!(error.fault, DeviceFault::Shape, "{error}");
    assert!(
        error.message.contains("offers 1 of the 2 queues"),
        "{error}"
    );
    for queues in [0, 128] {
        let error = open(&Options {
            queues,
            ..wanted.clone()
        })
        .unwrap_err();
        assert_eq!(error.fault, DeviceFault::Shape, "{error}");
    }
}

#[test]
fn an_mtu_out_of_reach_is_refused_with_the_number() {
    for mtu_bytes in [0, 67, 9_217, 65_536] {
        let options = Options {
            mtu_bytes,
            ..options(&device("net_null", ""), &device("net_null", ""))
        };
        let error = open(&options).unwrap_err();
        assert_eq!(error.fault, DeviceFault::Shape, "{error}");
        assert!(error.message.contains(&mtu_bytes.to_string()), "{error}");
    }
}

#[test]
fn a_pool_that_does_not_fit_says_how_much_it_needs() {
    let options = Options {
        pool_frames: 10_000_000,
        ..options(&device("net_null", ""), &device("net_null", ""))
    };
    let error = open(&options).unwrap_err();
    assert_eq!(error.fault, DeviceFault::Memory, "{error}");
    // Each has 128 octets before its frame, and as many and as many again for what DPDK keeps.
    let mib = 10_000_000_u64 * (2_048 + 3 * 128) / (1 << 20) + 1;
    assert!(error.message.contains(&format!("{mib} MiB")), "{error}");
}

#[test]
fn eal_runs_once_in_a_process() {
    let (access, network) = (device("net_null", ""), device("net_null", ""));
    drop(open(&options(&access, &network)).unwrap());
    let other = Options {
        eal: vec!["--no-huge".to_owned()],
        ..options(&access, &network)
    };
    let error = open(&other).unwrap_err();
    assert_eq!(error.fault, DeviceFault::Busy, "{error}");
}

#[test]
fn bad_arguments_are_told_in_our_words_and_nothing_else_is_printed() {
    let error = in_another_process("bad-argument");
    assert!(
        error.starts_with("System: DPDK does not take its arguments (")
            && error.contains("unrecognized option '--nosuch'")
            && !error.contains("Usage"),
        "{error}"
    );
}

#[test]
fn no_memory_is_told_with_what_reserves_it() {
    for case in ["no-hugepages", "no-memory"] {
        let error = in_another_process(case);
        assert!(
            error.starts_with("Memory: DPDK finds no memory: ") && error.contains("--no-huge"),
            "{error}"
        );
    }
}

#[test]
fn a_plugin_that_cannot_be_loaded_is_named() {
    let error = in_another_process("bad-plugin");
    assert!(
        error.starts_with("Driver: ") && error.contains("/nosuch.so"),
        "{error}"
    );
}

fn refusal(access: &str, network: &str) -> DeviceError {
    open(&options(access, network)).expect_err("it is refused")
}

/// Which case a process of its own is to try.
const CASE: &str = "SEKISHO_TEST_DPDK";

/// What a start of EAL that fails says: it is the only one of its process. All that is printed there
/// is one line, ours.
fn in_another_process(case: &str) -> String {
    let tests = std::env::current_exe().unwrap();
    let done = Command::new(tests)
        .args([
            "--exact",
            "refusals::the_other_process",
            "--nocapture",
            "--quiet",
        ])
        .env(CASE, case)
        .output()
        .unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    let errors = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{said}{errors}");
    assert_eq!(errors, "");
    let mut lines = said.lines().filter(|line| {
        let of_test = ["", "running 1 test", "."].contains(line);
        !of_test && !line.starts_with("test result: ")
    });
    let line = lines.next().expect("it says something").to_owned();
    assert_eq!(lines.next(), None, "{said}");
    line
}

/// Not a test: what [`in_another_process`] runs.
#[test]
fn the_other_process() {
    let Ok(case) = std::env::var(CASE) else {
        return;
    };
    let mut access = "net_null0";
    let eal: &[&str] = match case.as_str() {
        "bad-argument" => &["--no-huge", "--nosuch"],
        "no-hugepages" => &["-m", "99999999"],
        "no-memory" => &["--no-huge", "-m", "99999999"],
        "bad-plugin" => &["--no-huge", "-d", "/nosuch.so"],
        "missing-pci" => {
            access = "0000:ff:1f.7";
            &EAL
        }
        other => panic!("there is no case {other}"),
    };
    let options = Options {
        eal: eal.iter().map(|argument| (*argument).to_owned()).collect(),
        ..Options::new(access, "net_null1")
    };
    let error = open(&options).unwrap_err();
    println!("{:?}: {error}", error.fault);
}
