//! What `replay` writes, and what it must never overwrite.

use crate::capture::{ETHERNET, RAW, frames, link_type, pcap, raw_syn, syn};
use crate::program::{ALPHA, DAY, Folder, Run, STRICT, command, root, sekisho, typed, typed_from};
use insta::assert_snapshot;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Stdio;

const AT: [&str; 2] = ["--at", "2024-01-15"];

#[test]
fn every_frame_is_in_one_output_byte_for_byte() {
    let folder = Folder::new();
    let (forwarded, dropped) = (folder.arg("forwarded.pcap"), folder.arg("dropped.pcap"));
    let args = [
        "replay",
        "--policy",
        ALPHA,
        "--forwarded",
        &forwarded,
        "--dropped",
        &dropped,
        DAY,
    ];
    sekisho(args.iter().chain(&AT)).good();
    let [whole, forwarded, dropped] =
        [root().join(DAY), forwarded.into(), dropped.into()].map(|path| fs::read(path).unwrap());
    let (mut left, mut right) = (frames(&forwarded).into_iter(), frames(&dropped).into_iter());
    let (mut next_left, mut next_right) = (left.next(), right.next());
    for frame in frames(&whole) {
        if next_left == Some(frame) {
            next_left = left.next();
        } else {
            assert_eq!(next_right, Some(frame));
            next_right = right.next();
        }
    }
    assert_eq!((next_left, next_right), (None, None));
}

/// Each way to name a file that the run reads; none of them may cost the user that file.
#[test]
fn an_output_never_replaces_what_is_read() {
    let folder = Folder::new();
    let whole = fs::read(root().join(DAY)).unwrap();
    let input = folder.file("in.pcap", &whole);
    let strict = fs::read(root().join(STRICT)).unwrap();
    let policy = folder.file("policy.yaml", &strict);
    symlink(&input, folder.path("link.pcap")).unwrap();
    fs::hard_link(&input, folder.path("hard.pcap")).unwrap();
    fs::create_dir(folder.path("sub")).unwrap();
    let names = [
        "in.pcap",
        "./in.pcap",
        "sub/../in.pcap",
        "link.pcap",
        "hard.pcap",
        "policy.yaml",
    ];
    for option in ["--forwarded", "--dropped", "--verdicts"] {
        for name in names {
            let output = folder.arg(name);
            let run = sekisho(["replay", "--policy", &policy, option, &output, &input]);
            assert_eq!(run.code, 2, "{option} {name}: {run:?}");
            let said = format!("error: {output} is read by this run: write to another file\n");
            assert_eq!(run.complaint(), said);
        }
    }
    let line = format!("replay --policy {STRICT} --forwarded {input} -");
    let run = typed_from(&line, &folder.path("in.pcap"));
    assert_eq!(run.code, 2, "from stdin: {run:?}");
    assert!(fs::read(&input).unwrap() == whole && fs::read(&policy).unwrap() == strict);
    assert_eq!(
        folder.names(),
        ["hard.pcap", "in.pcap", "link.pcap", "policy.yaml", "sub"]
    );
}

#[test]
fn an_output_never_replaces_a_prefix_file_of_the_policy() {
    let folder = Folder::new();
    let policy = "isp: a\ntime_zone: UTC\nplans: { p: { kind: dynamic } }\n\
                  subscribers: [{ plan: p, file: list.txt }]\n";
    let policy = folder.file("policy.yaml", policy);
    let list = folder.file("list.txt", "192.0.2.0/24\n");
    let run = sekisho(["replay", "--policy", &policy, "--dropped", &list, DAY]);
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(fs::read_to_string(&list).unwrap(), "192.0.2.0/24\n");
}

#[test]
fn one_file_is_not_two_outputs() {
    let folder = Folder::new();
    fs::create_dir(folder.path("sub")).unwrap();
    folder.file("there.pcap", "x");
    symlink(folder.path("there.pcap"), folder.path("link.pcap")).unwrap();
    let pairs = [
        (folder.arg("new"), folder.arg("new")),
        (folder.arg("new"), folder.arg("./new")),
        (folder.arg("new"), folder.arg("sub/../new")),
        (folder.arg("there.pcap"), folder.arg("link.pcap")),
        ("-".to_owned(), "-".to_owned()),
        ("-".to_owned(), "/dev/stdout".to_owned()),
    ];
    for (one, other) in pairs {
        let run = sekisho([
            "replay",
            "--policy",
            STRICT,
            "--dropped",
            &one,
            "--verdicts",
            &other,
            DAY,
        ]);
        assert_eq!(run.code, 2, "{one} {other}: {run:?}");
        let said = format!("error: {other} is named for two outputs\n");
        assert_eq!(run.complaint(), said);
    }
    assert_eq!(folder.names(), ["link.pcap", "sub", "there.pcap"]);
    assert_eq!(fs::read(folder.path("there.pcap")).unwrap(), b"x");
    // Where nothing is kept, nothing is lost.
    typed(&format!(
        "replay --policy {STRICT} --forwarded /dev/null --dropped /dev/null {DAY}"
    ))
    .good();
}

#[test]
fn mixed_link_types_fit_no_single_pcap() {
    let folder = Folder::new();
    let (src, dst) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let ethernet = folder.file("ethernet.pcap", pcap(ETHERNET, &[(0, syn(src, dst))]));
    let raw = folder.file("raw.pcap", pcap(RAW, &[(0, raw_syn(src, dst))]));
    let old = folder.file("dropped.pcap", "what was there");
    let verdicts = folder.arg("v.csv");
    let args = [
        "replay",
        "--policy",
        STRICT,
        "--dropped",
        &old,
        "--verdicts",
        &verdicts,
    ];
    let run = sekisho(args.iter().chain(&[&*ethernet, &*raw]));
    assert_eq!(run.code, 74, "{run:?}");
    assert_snapshot!(folder.without_path(&run.complaint()), @r#"
    error: dropped.pcap: record 2 is of link type 101, and the records before it of 1: a pcap file holds one link type, so write them to different files
    "#);
    // Nothing half-done is left, and what was there is.
    assert_eq!(
        folder.names(),
        ["dropped.pcap", "ethernet.pcap", "raw.pcap"]
    );
    assert_eq!(fs::read(&old).unwrap(), b"what was there");
    // Without a pcap to write, the two go together.
    let run = sekisho([
        "replay", "--policy", STRICT, &ethernet, &raw, "--output", "json",
    ]);
    assert_eq!(run.json()["balance"]["drop"], 2, "{run:?}");
}

#[test]
fn an_empty_output_has_the_link_type_of_what_was_read() {
    let folder = Folder::new();
    let raw = folder.file(
        "raw.pcap",
        pcap(RAW, &[(0, raw_syn([192, 0, 2, 1], [192, 0, 2, 2]))]),
    );
    let forwarded = folder.arg("forwarded.pcap");
    sekisho([
        "replay",
        "--policy",
        STRICT,
        "--forwarded",
        &forwarded,
        &raw,
    ])
    .good();
    let written = fs::read(forwarded).unwrap();
    assert_eq!((link_type(&written), frames(&written).len()), (RAW, 0));
}

#[test]
fn outputs_that_cannot_be_written_end_the_run() {
    let folder = Folder::new();
    fs::create_dir(folder.path("folder")).unwrap();
    folder.file("file", "x");
    for name in ["nofolder/out", "folder", "folder/", "file/out", "new/"] {
        for option in ["--forwarded", "--dropped", "--verdicts"] {
            let run = sekisho(["replay", "--policy", STRICT, option, &folder.arg(name), DAY]);
            assert_eq!(
                (run.code, run.stdout.as_str()),
                (74, ""),
                "{option} {name}: {run:?}"
            );
            assert!(run.stderr.contains("cannot be written: "), "{run:?}");
        }
    }
    assert_eq!(folder.names(), ["file", "folder"]);
}

#[test]
fn a_cut_capture_still_gives_its_whole_frames() {
    let folder = Folder::new();
    let whole = fs::read(root().join(DAY)).unwrap();
    let cut = folder.file("cut.pcap", &whole[..whole.len() - 1]);
    let (forwarded, verdicts) = (folder.arg("forwarded.pcap"), folder.arg("v.csv"));
    let args = [
        "replay",
        "--policy",
        ALPHA,
        "--forwarded",
        &forwarded,
        "--verdicts",
        &verdicts,
        &cut,
    ];
    let run = sekisho(args.iter().chain(&AT));
    assert_eq!(run.code, 74, "{run:?}");
    assert!(
        run.stdout.contains("3,751 frames, then a fault ended it"),
        "{run:?}"
    );
    let rows = csv::Reader::from_path(verdicts)
        .unwrap()
        .into_records()
        .count();
    assert_eq!(rows, 3751);
    assert!(frames(&fs::read(forwarded).unwrap()).len() > 2000);
}

#[test]
fn runs_at_once_leave_one_whole_output() {
    let folder = Folder::new();
    let args = |name: &str| {
        let output = folder.arg(name);
        [
            "replay",
            "--policy",
            ALPHA,
            "--at",
            "2024-01-15",
            "--forwarded",
            &output,
            DAY,
        ]
        .map(str::to_owned)
    };
    sekisho(args("alone.pcap")).good();
    let running: Vec<_> = (0..4)
        .map(|_| {
            command(args("shared.pcap"))
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
        })
        .collect();
    for child in running {
        let run = Run::from(child.unwrap().wait_with_output().unwrap());
        assert_eq!(run.code, 0, "{run:?}");
    }
    assert_eq!(folder.names(), ["alone.pcap", "shared.pcap"]);
    let [alone, shared] =
        ["alone.pcap", "shared.pcap"].map(|name| fs::read(folder.path(name)).unwrap());
    assert!(alone == shared);
}

/// The report makes room on stdout for the output that is there.
#[test]
fn an_output_on_stdout_has_it_to_itself() {
    let run = typed(&format!("replay --policy {STRICT} --verdicts - {DAY}"));
    assert_eq!(run.code, 0);
    assert_eq!(run.stdout.lines().count(), 1 + 3752);
    assert!(
        run.stderr.contains("\nbalance   rx 3752 = "),
        "{}",
        run.stderr
    );
}

#[test]
fn a_file_name_may_hold_anything() {
    let folder = Folder::new();
    let name = "a \"quoted\", name\nof two lines.pcap";
    let capture = folder.file(
        name,
        pcap(ETHERNET, &[(0, syn([192, 0, 2, 1], [192, 0, 2, 2]))]),
    );
    let verdicts = folder.arg("v.csv");
    sekisho([
        "replay",
        "--policy",
        STRICT,
        "--verdicts",
        &verdicts,
        &capture,
    ])
    .good();
    let mut reader = csv::Reader::from_path(verdicts).unwrap();
    assert_eq!(&reader.records().next().unwrap().unwrap()[0], capture);
}
