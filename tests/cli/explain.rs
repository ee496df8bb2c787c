//! `explain`: the questions that make no sense, and the two languages.

use crate::program::{ALPHA, DAY, Folder, root, sekisho, typed, typed_from};
use insta::assert_snapshot;

#[test]
fn the_support_desk_gets_one_answer_in_two_languages() {
    let ask = format!(
        "explain --policy {ALPHA} --plan ftth_std --class other --at 2024-01-15 --output json"
    );
    let english = typed(&ask).json();
    let japanese = typed(&format!("{ask} --lang ja")).json();
    for fact in [
        "verdict",
        "reason",
        "rule",
        "plan",
        "peer_class",
        "direction",
        "at",
    ] {
        assert_eq!(english[fact], japanese[fact], "{fact}");
    }
    assert_snapshot!(english["customer"].as_str().unwrap(), @r#"
    Mail to other providers' mail servers on port 25 has been blocked on FTTH接続サービス スタンダード since 2006-12-01; use port 587 (submission) of that server or of our mail server.
    "#);
    assert_snapshot!(japanese["customer"].as_str().unwrap(), @"「FTTH接続サービス スタンダード」では、2006年12月1日から他社のメールサーバーの25番ポートへのメール送信を遮断していますので、そのサーバーまたは当社メールサーバーの587番ポート(サブミッションポート)をご利用ください。");
}

/// `--local-port 25` asks about calls: the peer's port and the flags follow.
#[test]
fn calls_to_hosts_and_subscribers_are_asked_with_the_local_port() {
    let ask = |what: &str| {
        let ask = "explain --policy config/ip25b.yaml --at 2024-05-01 --output json";
        typed(&format!("{ask} {what}")).json()
    };
    for (what, verdict, reason, rule) in [
        (
            "--plan submission --class other",
            "drop",
            "inbound-submission",
            "ip25b",
        ),
        (
            "--plan submission --class partners",
            "forward",
            "not-candidate",
            "",
        ),
        ("--plan mx --class other", "forward", "not-candidate", ""),
        (
            "--plan home --class other",
            "drop",
            "inbound-to-subscriber",
            "no-server-at-home",
        ),
    ] {
        let found = ask(&format!("{what} --direction in --local-port 25"));
        assert_eq!(found["verdict"], verdict, "{what}");
        assert_eq!(found["reason"], reason, "{what}");
        assert_eq!(found["rule"].as_str().unwrap_or(""), rule, "{what}");
    }
    let passes = ask("--plan mx --class other --direction in --local-port 25");
    assert_snapshot!(passes["customer"].as_str().unwrap(), @"Connections from other networks to port 25 of 受信メールサーバー are not blocked.");
    let answers = ask("--plan home --class other --direction in");
    assert_eq!(answers["reason"], "port25-return");
}

#[test]
fn questions_without_an_answer_say_why() {
    let questions = [
        "--from 203.0.113.65",
        "--plan ftth_std",
        "--plan gold --class own",
        "--plan ftth_std --class gold",
        "--plan other-isp/ftth_std --class own",
        "--from 203.0.113.65 --to 2001:db8::1",
        "--plan ftth_std --ip 4 --to 2001:db8::1",
        "--from 203.0.113.65 --to 192.0.2.1 --flags XYZ",
        "--from 203.0.113.65 --to 192.0.2.1 --at 2024-02-30",
    ];
    let mut said = String::new();
    for question in questions {
        let run = typed(&format!("explain --policy {ALPHA} {question}"));
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (2, ""),
            "{question}: {run:?}"
        );
        said += run.complaint().lines().next().unwrap();
        said += "\n";
    }
    assert_snapshot!(said, @r#"
    error: --to or --class is needed
    error: --to or --class is needed
    error: no policy has a plan gold
    error: the policy has no destination class gold
    error: no policy has a plan other-isp/ftth_std
    error: 203.0.113.65 and 2001:db8::1 are of different IP versions
    error: 203.0.113.81 and 2001:db8::1 are of different IP versions
    error: --flags XYZ: expected letters of SFRPAUECN, such as SA
    error: invalid value '2024-02-30' for '--at <TIME>': expected `now`, a date (2006-12-01), a time in the policy's zone (2006-12-01T09:00:00), or one with an offset (2006-12-01T09:00:00+09:00)
    "#);
}

#[test]
fn options_that_would_do_nothing_are_refused() {
    let questions = [
        "--from 203.0.113.65 --ip 4 --class own".to_owned(),
        "--from 203.0.113.65 --plan ftth_std --class own".to_owned(),
        "--from 203.0.113.65 --class own --to 192.0.2.1".to_owned(),
        "--from 203.0.113.65 --class own --frame 1".to_owned(),
        "--plan ftth_std --class own --frame 1".to_owned(),
        format!("--pcap {DAY}"),
        format!("--pcap {DAY} --frame 1 --from 203.0.113.65"),
        format!("--pcap {DAY} --frame 1 --to 203.0.113.65"),
        format!("--pcap {DAY} --frame 1 --class own"),
        format!("--pcap {DAY} --frame 1 --ip 4"),
        format!("--pcap {DAY} --frame 1 --port 25"),
        format!("--pcap {DAY} --frame 1 --source-port 25"),
        format!("--pcap {DAY} --frame 1 --flags S"),
        format!("--pcap {DAY} --frame 0"),
        format!("--pcap {DAY} --frame 18446744073709551616"),
    ];
    for question in questions {
        let run = typed(&format!("explain --policy {ALPHA} {question}"));
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (2, ""),
            "{question}: {run:?}"
        );
    }
}

#[test]
fn a_frame_beyond_the_end_is_a_question_that_makes_no_sense() {
    for frame in ["3753", "18446744073709551615"] {
        let run = typed(&format!(
            "explain --policy {ALPHA} --pcap {DAY} --frame {frame}"
        ));
        assert_eq!(run.code, 2, "{run:?}");
        let said = format!("error: {DAY} has 3752 frames, not {frame}\n");
        assert_eq!(run.complaint(), said);
    }
}

#[test]
fn a_cut_capture_answers_for_the_frames_before_the_cut() {
    let folder = Folder::new();
    let whole = std::fs::read(root().join(DAY)).unwrap();
    let cut = folder.file("cut.pcap", &whole[..1000]);
    let ask = |frame| {
        sekisho([
            "explain", "--policy", ALPHA, "--pcap", &cut, "--frame", frame,
        ])
    };
    assert_eq!(ask("3").code, 0);
    let beyond = ask("300");
    assert_eq!(beyond.code, 74, "{beyond:?}");
    assert_snapshot!(folder.without_path(&beyond.complaint()), @r#"
    error: cut.pcap: record 11, at byte 987: cut: it takes 16 bytes, and 13 are left
    "#);
}

#[test]
fn the_capture_may_come_through_stdin() {
    let line = format!("explain --policy {ALPHA} --pcap - --frame 3752 --output json");
    let run = typed_from(&line, &root().join(DAY));
    assert_eq!(run.json()["plan"], "mobile_std", "{run:?}");
}
