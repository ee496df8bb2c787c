//! `gen`: what it writes is what it says, and what `replay` finds.

use crate::program::{ALPHA, DAY, Folder, STRICT, command, root, typed, typed_from};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

/// The frames of a pcap: nanoseconds, and octets.
fn frames(pcap: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let word = |at: usize| u64::from(u32::from_le_bytes(pcap[at..at + 4].try_into().unwrap()));
    assert_eq!(
        (word(0), word(20)),
        (0xa1b2_3c4d, 1),
        "nanoseconds, Ethernet"
    );
    let mut at = 24;
    let mut found = Vec::new();
    while at < pcap.len() {
        let len = word(at + 8) as usize;
        let time_ns = word(at) * 1_000_000_000 + word(at + 4);
        found.push((time_ns, pcap[at + 16..at + 16 + len].to_vec()));
        at += 16 + len;
    }
    found
}

#[test]
fn replay_finds_what_gen_says_it_made() {
    let folder = Folder::new();
    let pcap = folder.arg("made.pcap");
    let line = format!(
        "gen --policy {ALPHA} --frames 20000 --ipv6 0.3 --port25 0.05 --bots 0.02 \
         --encapsulation mixed --class own=0.2 -o {pcap} --output json"
    );
    let made = typed(&line).json();
    let replay = typed(&format!(
        "replay --policy {ALPHA} --at capture {pcap} --output json"
    ));
    let found = replay.json();
    assert_eq!(found["balance"]["rx"], 20_000);
    let count = |name: &str| found["counters"][name]["frames"].as_u64().unwrap_or(0);
    let syns = count("forward-port25-syn") + count("drop-port25-syn");
    assert_eq!(made["port25_syns"], syns);
    assert_eq!(
        made["made"]["kind"]["bot-syn"].as_u64().unwrap()
            + made["made"]["kind"]["port25-syn"].as_u64().unwrap(),
        syns
    );
    let plans = made["plans"].as_array().unwrap();
    assert_eq!(plans.len(), found["plans"].as_array().unwrap().len());
    for plan in plans {
        let of_replay = found["plans"].as_array().unwrap();
        let row = of_replay
            .iter()
            .find(|row| row["name"] == plan["plan"])
            .unwrap();
        let counts = row["counts"].as_object().unwrap().values();
        let frames: u64 = counts.map(|count| count["frames"].as_u64().unwrap()).sum();
        assert_eq!(plan["frames"], frames, "{}", plan["plan"]);
    }
}

#[test]
fn a_pipe_leads_from_gen_to_replay() {
    let folder = Folder::new();
    let line = format!("gen --policy {STRICT} --frames 5000 --port25 1 -o -");
    let made = command(line.split_whitespace()).output().unwrap();
    assert!(
        String::from_utf8(made.stderr)
            .unwrap()
            .contains("5,000 SYN outbound")
    );
    folder.file("made.pcap", made.stdout);
    let line = format!("replay --policy {STRICT} --output json -");
    let found = typed_from(&line, &folder.path("made.pcap")).json();
    assert_eq!(found["balance"]["drop"], 5_000);
}

#[test]
fn the_answers_from_port_25_are_mirrored() {
    let folder = Folder::new();
    let pcap = folder.arg("made.pcap");
    let line = format!(
        "gen --policy {STRICT} --frames 4000 --port25 1 --direction both -o {pcap} --output json"
    );
    let made = typed(&line).json();
    // Under the strictest policy every address is a subscriber's: the way has to be told.
    let found = typed(&format!("replay --policy {STRICT} {pcap} --output json")).json();
    assert_eq!(
        found["counters"]["drop-port25-syn"]["frames"],
        made["port25_syns"]
    );
    let answers = &made["made"]["kind"]["port25-syn-ack"];
    assert_eq!(found["counters"]["drop-port25-return"]["frames"], *answers);
}

#[test]
fn the_same_seed_writes_the_same_file() {
    let folder = Folder::new();
    let write = |name: &str, options: &str| {
        let line = format!(
            "gen --network dense-10k --frames 2000 -o {} {options}",
            folder.arg(name)
        );
        typed(&line).good();
        fs::read(folder.path(name)).unwrap()
    };
    let first = write("a.pcap", "--seed 7 --zipf 1.1 --ipv6 0.5");
    assert_eq!(first, write("b.pcap", "--seed 7 --zipf 1.1 --ipv6 0.5"));
    assert_ne!(first, write("c.pcap", "--seed 8 --zipf 1.1 --ipv6 0.5"));
}

#[test]
fn frames_are_evenly_spaced_from_the_time_that_is_given() {
    let folder = Folder::new();
    let pcap = folder.arg("made.pcap");
    let line = format!(
        "gen --policy {ALPHA} --seconds 0.5 --pps 300 --at 2024-01-15T09:00:00+09:00 -o {pcap}"
    );
    typed(&line).good();
    let found = frames(&fs::read(&pcap).unwrap());
    assert_eq!(found.len(), 150);
    for (index, (time_ns, _)) in (0..).zip(&found) {
        let since_ns = index * 1_000_000_000 / 300;
        assert_eq!(*time_ns, 1_705_276_800_000_000_000 + since_ns);
    }
}

#[test]
fn a_file_of_a_given_size_is_as_full_as_it_can_be() {
    let folder = Folder::new();
    let pcap = folder.arg("made.pcap");
    let line = format!("gen --policy {ALPHA} --bytes 100K -o {pcap} --output json");
    let run = typed(&line);
    let size = fs::metadata(&pcap).unwrap().len();
    assert!((98_000..=100_000).contains(&size), "{size}");
    assert_eq!(run.json()["capture"]["bytes"], size);
    let sizes = frames(&fs::read(&pcap).unwrap());
    let sizes: Vec<_> = sizes.iter().map(|(_, octets)| octets.len() + 4).collect();
    let imix = [64, 594, 64, 64, 594, 64, 64, 594, 64, 64, 594, 1_518];
    assert!(sizes.iter().zip(imix.iter().cycle()).all(|(a, b)| a == b));
    let line = format!("gen --policy {ALPHA} --bytes 24 -o {pcap}");
    typed(&line).good();
    assert_eq!(
        fs::metadata(&pcap).unwrap().len(),
        24,
        "a capture without frames"
    );
}

#[test]
fn models_that_cannot_be_are_usage_errors_and_leave_no_file() {
    let folder = Folder::new();
    let pcap = folder.arg("made.pcap");
    let wrong = [
        (
            "--port25 1.5",
            "port 25 and bots: a share is a number from 0 to 1, not 1.5",
        ),
        ("--port25 0.9 --bots 0.2", "the shares make 1.1 together"),
        (
            "--share gold=0.5",
            "there is no plan `gold`: there are alpha-web/adsl_std",
        ),
        (
            "--share ftth_std=0.2,ftth_std=0.3",
            "--share: `ftth_std` twice",
        ),
        ("--class abroad=0.5", "there is no class `abroad`"),
        (
            "--sizes 0",
            "a frame has 64 to 9216 octets with its check sequence, not 0",
        ),
        (
            "--protocols tcp=0.5",
            "protocols: the shares make 0.5 together, where 1 is needed",
        ),
        (
            "--protocols gre=1",
            "--protocols: `gre` is none of tcp, udp, icmp, esp",
        ),
        ("--hostile fire=1", "--hostile: `fire` is none of spoofed"),
        (
            "--zipf=-1",
            "the exponent of a Zipf law is a number from 0 to 20, not -1",
        ),
        (
            "--bots 0.1 --bot-count 0",
            "bots with a share of the frames need a count above 0",
        ),
        (
            "--at 1969-12-31",
            "--at: a pcap file holds times from 1970 to 2106",
        ),
        ("--share half", "expected a name and a share"),
    ];
    for (options, said) in wrong {
        let run = typed(&format!(
            "gen --policy {ALPHA} --frames 10 -o {pcap} {options}"
        ));
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (2, ""),
            "{options}: {run:?}"
        );
        assert!(run.stderr.contains(said), "{options}: {}", run.stderr);
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn the_policy_is_not_overwritten() {
    let folder = Folder::new();
    let policy = folder.file("strict.yaml", fs::read(root().join(STRICT)).unwrap());
    let run = typed(&format!("gen --policy {policy} --frames 1 -o {policy}"));
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("is read by this run"), "{run:?}");
}

#[test]
fn a_signal_leaves_no_capture() {
    let folder = Folder::new();
    let pcap = folder.arg("made.pcap");
    let line = format!("gen --policy {STRICT} --bytes 1000G -o {pcap}");
    let mut child = Command::new("env")
        .arg("--default-signal=INT")
        .arg(env!("CARGO_BIN_EXE_sekisho"))
        .args(line.split_whitespace())
        .current_dir(root())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..1000 {
        if !folder.names().is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(folder.names().len(), 1, "it grows under another name");
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let ended = child.wait().unwrap();
    assert!(ended.signal().is_some(), "{ended:?}");
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn help_states_the_model() {
    let help = typed("gen --help").good();
    for stated in [
        "64,594,64,64,594,64,64,594,64,64,594,1518",
        "check sequence",
        "[default: tcp=0.8,udp=0.18,icmp=0.01,esp=0.01]",
        "special ranges",
    ] {
        assert!(help.contains(stated), "{stated}: {help}");
    }
}

#[test]
fn an_older_capture_is_replaced_whole() {
    let folder = Folder::new();
    let pcap = folder.file("made.pcap", fs::read(root().join(DAY)).unwrap());
    let line = format!("gen --policy {ALPHA} --frames 3 -o {pcap}");
    typed(&line).good();
    assert_eq!(frames(&fs::read(&pcap).unwrap()).len(), 3);
}
