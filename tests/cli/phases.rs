//! Time: zones, phases, and stamps that go backwards.

use crate::capture::{ETHERNET, pcap, syn};
use crate::program::{ALPHA, FIVE, Folder, sekisho};
use insta::assert_snapshot;

/// 2006-12-01T00:00:00+09:00, when αWeb's rule for everybody begins.
const PHASE_BEGINS: u32 = 1_164_898_800;
const SUBSCRIBER: [u8; 4] = [203, 0, 113, 65];
const ELSEWHERE: [u8; 4] = [8, 8, 8, 8];

const NEW_YORK: &str = "isp: ny\ntime_zone: America/New_York\nplans: { home: { kind: dynamic } }\n\
    subscribers: [{ plan: home, prefixes: [10.0.0.0/8] }]\n\
    rules: [{ name: op25b, from: 2024-06-01, before: 2024-11-03T12:00:00, action: drop }]\n";

#[test]
fn each_frame_is_judged_at_its_own_time_also_when_stamps_go_backwards() {
    // More than one burst of them.
    let steps = [0, -1, 0, 1, -86_400, 86_400, -1].repeat(40);
    let frame = |step: &i32| {
        let seconds = PHASE_BEGINS.checked_add_signed(*step).unwrap();
        (seconds, syn(SUBSCRIBER, ELSEWHERE))
    };
    let records: Vec<_> = steps.iter().map(frame).collect();
    let folder = Folder::new();
    let capture = folder.file("in.pcap", pcap(ETHERNET, &records));
    let csv = folder.arg("v.csv");
    // Several tenants have several events.
    let policies = FIVE.iter().flat_map(|policy| ["--policy", policy]);
    let args = ["replay", "--at", "capture", "--verdicts", &csv, &capture];
    sekisho(args.into_iter().chain(policies)).good();
    let mut reader = csv::Reader::from_path(csv).unwrap();
    let found: Vec<_> = reader
        .records()
        .map(|row| row.unwrap()[2].to_owned())
        .collect();
    let expected = steps
        .iter()
        .map(|step| if *step < 0 { "forward" } else { "drop" });
    assert_eq!(found, expected.collect::<Vec<_>>());
}

#[test]
fn dates_are_those_of_the_policys_zone() {
    let folder = Folder::new();
    let policy = folder.file("ny.yaml", NEW_YORK);
    for (at, verdict) in [
        ("2024-05-31T23:59:59", "forward"),
        ("2024-06-01", "drop"),
        ("2024-06-01T00:00:00", "drop"),
        ("2024-06-01T03:59:59Z", "forward"),
        ("2024-06-01T04:00:00Z", "drop"),
        ("2024-06-01T13:00:00+09:00", "drop"),
        ("2024-06-01T00:00:00[Europe/Berlin]", "forward"),
        // Summer time has ended by then.
        ("2024-11-03T16:59:59Z", "drop"),
        ("2024-11-03T17:00:00Z", "forward"),
    ] {
        let args = [
            "explain",
            "--policy",
            &policy,
            "--from",
            "10.0.0.1",
            "--to",
            "192.0.2.1",
        ];
        let run = sekisho(args.iter().chain(&["--at", at, "--output", "json"]));
        assert_eq!(run.json()["verdict"], verdict, "{at}: {run:?}");
    }
}

#[test]
fn a_time_that_the_clocks_show_twice_or_never_needs_an_offset() {
    let folder = Folder::new();
    let policy = folder.file("ny.yaml", NEW_YORK);
    let mut said = String::new();
    for at in ["2024-11-03T01:30:00", "2024-03-10T02:30:00"] {
        let run = sekisho(["matrix", "--policy", &policy, "--at", at]);
        assert_eq!(run.code, 2, "{at}: {run:?}");
        said += &run.complaint();
    }
    assert_snapshot!(said, @r#"
    error: --at: datetime is ambiguous since it falls into a fold between offsets -04 and -05
    error: --at: datetime is ambiguous since it falls into a gap between offsets -05 and -04
    "#);
}

#[test]
fn policies_of_different_zones_need_a_time_with_an_offset() {
    let folder = Folder::new();
    let other = folder.file("ny.yaml", NEW_YORK);
    let of_both = [
        vec!["matrix", "--policy", ALPHA, "--policy", &other],
        vec!["diff", ALPHA, &other],
    ];
    for args in of_both {
        let run = sekisho(args.iter().chain(&["--at", "2024-01-15"]));
        assert_eq!(run.code, 2, "{run:?}");
        assert_eq!(
            run.complaint(),
            "error: --at: the policies' time zones differ: give a time with an offset\n"
        );
        sekisho(args.iter().chain(&["--at", "2024-01-15T00:00:00Z"])).good();
        sekisho(args).good();
    }
}
