//! `man`, `completions` and `--help`.

use crate::program::{Folder, sekisho, typed};
use std::process::Command;

const COMMANDS: [&str; 13] = [
    "check",
    "explain",
    "matrix",
    "diff",
    "replay",
    "gen",
    "bench",
    "plan",
    "run",
    "selftest",
    "ctl",
    "completions",
    "man",
];

#[test]
fn every_command_has_help() {
    let help = typed("--help").good();
    for command in COMMANDS {
        assert!(
            help.contains(&format!("\n  {command} ")),
            "{command} is not in\n{help}"
        );
        let own = typed(&format!("{command} --help")).good();
        assert!(own.contains("Usage: sekisho "), "{own}");
        assert_eq!(own, typed(&format!("help {command}")).good());
    }
    assert!(help.contains("74 input or output"), "{help}");
}

#[test]
fn every_shell_gets_completions_and_bash_can_read_its_own() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = typed(&format!("completions {shell}")).good();
        for word in COMMANDS
            .iter()
            .chain(&["verdicts", "print-effective", "source-port"])
        {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let folder = Folder::new();
    let script = folder.file("sekisho.bash", typed("completions bash").good());
    let read = Command::new("bash").args(["-n", &script]).output().unwrap();
    assert!(read.status.success() && read.stderr.is_empty(), "{read:?}");
    // Two words into the command line, TAB offers the options that begin so.
    let ask = "source \"$1\"; COMP_WORDS=(sekisho replay --ver) COMP_CWORD=2; \
        _sekisho sekisho --ver replay; echo \"${COMPREPLY[@]}\"";
    let offered = Command::new("bash")
        .args(["-c", ask, "bash", &script])
        .output()
        .unwrap();
    let offered = String::from_utf8(offered.stdout).unwrap();
    assert!(
        offered.split_whitespace().any(|word| word == "--verdicts"),
        "{offered}"
    );
}

#[test]
fn the_man_pages_are_man_pages() {
    let folder = Folder::new();
    assert_eq!(sekisho(["man", "--folder", &folder.arg("")]).good(), "");
    let mut expected: Vec<_> = COMMANDS
        .iter()
        .map(|name| format!("sekisho-{name}.1"))
        .collect();
    let others = [
        "sekisho.1",
        "sekisho-bench-engine.1",
        "sekisho-bench-replay.1",
        "sekisho-ctl-stats.1",
        "sekisho-ctl-show-runtime.1",
        "sekisho-ctl-phases.1",
        "sekisho-ctl-reload.1",
        "sekisho-ctl-drain.1",
        "sekisho-ctl-plan.1",
        "sekisho-ctl-plan-set.1",
        "sekisho-ctl-plan-unset.1",
        "sekisho-ctl-plan-list.1",
        "sekisho-ctl-plan-apply.1",
        "sekisho-ctl-trace.1",
    ];
    expected.extend(others.map(str::to_owned));
    expected.sort();
    assert_eq!(folder.names(), expected);
    for name in expected {
        let page = std::fs::read_to_string(folder.path(&name)).unwrap();
        let title = page.lines().find(|line| line.starts_with(".TH"));
        assert!(title.is_some(), "{name} has no title");
        assert!(
            page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"),
            "{name}"
        );
        if let Some(text) = rendered(&folder.arg(&name)) {
            assert!(text.contains("SYNOPSIS"), "{name}: {text}");
        }
    }
    let main = std::fs::read_to_string(folder.path("sekisho.1")).unwrap();
    assert_eq!(typed("man").good(), main);
}

/// The page as a terminal shows it, where there is a `man` that can.
fn rendered(page: &str) -> Option<String> {
    let man = Command::new("man")
        .args(["--warnings", "-l", page])
        .env("MANPAGER", "cat")
        .output();
    let shown = man.ok().filter(|shown| shown.status.success())?;
    assert_eq!(String::from_utf8_lossy(&shown.stderr), "", "{page}");
    // Some systems have a `man` that only says that there are no manual pages.
    Some(String::from_utf8(shown.stdout).unwrap()).filter(|text| !text.contains("minimized"))
}
