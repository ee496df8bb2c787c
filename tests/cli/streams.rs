//! Standard streams that end, are full, or were never there.

use crate::program::{ALPHA, CASES, DAY, Folder, Run, STRICT, command, root, typed_from};
use rustix::process::{Pid, Signal};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Every command that writes to stdout.
fn writing() -> [String; 11] {
    [
        format!("check {ALPHA} --cases {CASES} --print-effective"),
        format!("explain --policy {ALPHA} --plan ftth_std --class own"),
        format!("matrix --policy {ALPHA}"),
        format!("diff {ALPHA} {STRICT}"),
        format!("replay --policy {ALPHA} {DAY}"),
        format!("replay --policy {ALPHA} --output json {DAY}"),
        format!("replay --policy {ALPHA} --verdicts - {DAY}"),
        format!("replay --policy {ALPHA} --forwarded - {DAY}"),
        format!("gen --policy {ALPHA} --frames 10000 -o -"),
        "completions zsh".to_owned(),
        "man".to_owned(),
    ]
}

#[test]
fn a_closed_pipe_ends_quietly() {
    for line in writing() {
        let run = with_closed_stdout(&line);
        assert_eq!(run.code, 0, "{line}: {run:?}");
        assert!(!run.stderr.contains("error: "), "{line}: {run:?}");
    }
}

/// The other output would be missing, and nobody would know.
#[test]
fn a_closed_pipe_beside_another_output_is_told() {
    let folder = Folder::new();
    let dropped = folder.arg("dropped.pcap");
    let run = with_closed_stdout(&format!(
        "replay --policy {ALPHA} --verdicts - --dropped {dropped} {DAY}"
    ));
    assert_eq!(run.code, 74, "{run:?}");
    assert_eq!(
        run.complaint(),
        "error: stdout: cannot be written: Broken pipe (os error 32)\n"
    );
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn a_full_device_is_an_output_error() {
    for line in writing() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run = Run::of(command(line.split_whitespace()).stdout(full));
        assert_eq!(run.code, 74, "{line}: {run:?}");
        assert!(
            run.stderr.contains("No space left on device"),
            "{line}: {run:?}"
        );
    }
    for line in ["--help", "replay --help", "--version"] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run = Run::of(command(line.split_whitespace()).stdout(full));
        assert_eq!(run.code, 74, "{line}: {run:?}");
    }
    for option in ["--forwarded", "--dropped", "--verdicts"] {
        let run =
            crate::program::typed(&format!("replay --policy {ALPHA} {option} /dev/full {DAY}"));
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (74, ""),
            "{option}: {run:?}"
        );
        let said = "error: /dev/full: cannot be written: No space left on device (os error 28)\n";
        assert_eq!(run.complaint(), said, "{option}");
    }
}

#[test]
fn messages_that_cannot_be_told_stop_nothing() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = Run::of(command(["replay", "--policy", ALPHA, "nofile.pcap", DAY]).stderr(full));
    assert_eq!(run.code, 74, "{run:?}");
    assert!(run.stdout.contains("balance   rx 3752 = "), "{run:?}");
}

#[test]
fn a_capture_comes_through_stdin_packed_or_plain() {
    let line = format!("replay --policy {STRICT} --output json -");
    let run = typed_from(&line, &root().join(DAY));
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.json()["balance"]["rx"], 3752);
    // Twice is once too often: the second finds nothing.
    let run = typed_from(&format!("{line} -"), &root().join(DAY));
    assert_eq!(run.code, 74, "{run:?}");
    assert_eq!(
        run.complaint(),
        "error: stdin: is empty, where a capture has a file header\n"
    );
}

#[test]
fn one_run_feeds_another() {
    let folder = Folder::new();
    let mut first = command(["replay", "--policy", STRICT, "--forwarded", "-", DAY]);
    let passed = first.output().unwrap();
    assert!(passed.status.success());
    folder.file("passed.pcap", passed.stdout);
    let line = format!("replay --policy {STRICT} --output json -");
    let second = typed_from(&line, &folder.path("passed.pcap"));
    assert_eq!(
        second.json()["balance"]["drop"],
        0,
        "what passed once passes again: {second:?}"
    );
}

/// Runs the program with a pipe as stdout whose reader goes away before anything is written.
fn with_closed_stdout(line: &str) -> Run {
    let mut command = command(line.split_whitespace());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Run::of(command.stdout(Stdio::from(writer)).stderr(Stdio::piped()))
}

/// The report goes where there is room for it, in the form that was asked for.
#[test]
fn a_report_beside_an_output_on_stdout_is_on_stderr() {
    let line = format!("replay --policy {ALPHA} --output json --verdicts - {DAY}");
    let run = Run::of(&mut command(line.split_whitespace()));
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.starts_with("file,frame,verdict,"));
    let report: serde_json::Value = serde_json::from_str(&run.complaint()).unwrap();
    assert_eq!(report["schema"], "sekisho.replay/1");
}

/// A run that waits for its capture is ended by a signal, at the instant at which its output is
/// seen to grow: nothing is left of it.
#[test]
fn a_signal_leaves_nothing_half_done() {
    let signals = [
        ("INT", Signal::INT),
        ("TERM", Signal::TERM),
        ("HUP", Signal::HUP),
    ];
    for (name, signal) in signals.into_iter().cycle().take(12) {
        let folder = Folder::new();
        let dropped = folder.arg("dropped.pcap");
        // Whoever runs the tests may have these signals ignored, and the program keeps that.
        let mut child = Command::new("env")
            .arg("--default-signal=INT,TERM,HUP")
            .arg(env!("CARGO_BIN_EXE_sekisho"))
            .args(["replay", "--policy", STRICT, "--dropped", &dropped, "-"])
            .current_dir(root())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Held open, so that the run goes on waiting.
        let _capture = child.stdin.take();
        let given_up = Instant::now() + Duration::from_secs(20);
        while folder.names().is_empty() {
            assert!(Instant::now() < given_up, "{name}: no output began");
        }
        let id = Pid::from_child(&child);
        rustix::process::kill_process(id, signal).unwrap();
        let ended = child.wait().unwrap();
        assert!(ended.signal().is_some(), "{name}: {ended:?}");
        assert_eq!(folder.names(), [""; 0], "{name}");
    }
}

/// However long a capture is: what was read is given up. What one run takes is its policy, and a
/// few stretches of half a MiB.
#[test]
fn a_capture_of_any_length_is_replayed_in_the_same_memory() {
    let line = format!("gen --policy {ALPHA} --frames 8000 --sizes 1518 -o -");
    let capture = command(line.split_whitespace()).output().unwrap().stdout;
    let (short, _) = replayed_from_a_pipe(&capture, 1);
    let (long, report) = replayed_from_a_pipe(&capture, 30);
    assert_eq!(report["balance"]["rx"], 30 * 8_000, "{report}");
    assert!(
        long <= short + (8 << 20),
        "{long} bytes after 365 MB, {short} after 12"
    );
}

/// Streams a capture with its records repeated: the most memory that the run has taken when it has
/// read all of it, and its report.
fn replayed_from_a_pipe(capture: &[u8], times: usize) -> (u64, serde_json::Value) {
    let line = format!("replay --policy {ALPHA} --output json -");
    let mut child = command(line.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let (header, records) = capture.split_at(24);
    stdin.write_all(header).unwrap();
    for _ in 0..times {
        stdin.write_all(records).unwrap();
    }
    // It still waits for more, so that it can be asked.
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = most.unwrap().trim().strip_suffix(" kB").unwrap();
    drop(stdin);
    let run = Run::from(child.wait_with_output().unwrap());
    (kib.parse::<u64>().unwrap() << 10, run.json())
}
