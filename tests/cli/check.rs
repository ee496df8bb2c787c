//! `check`: findings, `--strict`, `--print-effective`, and large policies.

use crate::program::{ALPHA, Folder, sekisho, typed};
use flate2::{Compression, write::GzEncoder};
use std::fmt::Write as _;
use std::io::Write as _;

#[test]
fn warnings_count_under_strict_only() {
    assert_eq!(typed(&format!("check {ALPHA}")).code, 0);
    let strict = typed(&format!("check {ALPHA} --strict --output json"));
    assert_eq!(strict.code, 1, "{strict:?}");
    assert_eq!(strict.json()["ok"], false);
    let clean = typed("check config/nmtnet.yaml --strict");
    assert_eq!(clean.code, 0, "{clean:?}");
    assert_eq!(clean.stderr, "");
}

#[test]
fn errors_are_told_once_as_text_and_once_as_json() {
    let text = typed("check tests/policies/bad-date.yaml tests/policies/bad-name.yaml");
    assert_eq!((text.code, text.stdout.as_str()), (78, ""), "{text:?}");
    assert!(text.stderr.contains("error[bad-date]"), "{text:?}");
    assert!(text.stderr.contains("error[bad-name]"), "{text:?}");

    let json = typed("check tests/policies/bad-date.yaml nofile.yaml --output json");
    assert_eq!((json.code, json.stderr.as_str()), (78, ""), "{json:?}");
    let found = json.json();
    assert_eq!(
        (&found["schema"], &found["ok"]),
        (&"sekisho.check/1".into(), &false.into())
    );
    let codes: Vec<_> = found["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| &d["code"])
        .collect();
    assert!(codes.contains(&&"bad-date".into()) && codes.contains(&&"unreadable-file".into()));
}

/// What is in force, printed, is a policy of the same effect.
#[test]
fn the_effective_policy_is_a_policy() {
    let run = typed(&format!("check {ALPHA} --print-effective"));
    let (_, yaml) = run
        .good()
        .split_once("---\n")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    for default in ["return-path: mirror", "memory-limit-mib: 1024", "mode: syn"] {
        assert!(yaml.contains(default), "{default} is not in\n{yaml}");
    }
    let folder = Folder::new();
    let file = folder.file("effective.yaml", yaml);
    let diff = sekisho(["diff", ALPHA, &file]);
    assert_eq!(diff.code, 0, "{diff:?}");
    assert!(
        diff.stdout.contains("nobody: no verdict changes"),
        "{diff:?}"
    );
}

#[test]
fn several_effective_policies_are_several_documents() {
    let run = typed("check config/nmtnet.yaml config/ipc-tokai.yaml --print-effective");
    let stdout = run.good();
    assert_eq!(stdout.lines().filter(|line| *line == "---").count(), 2);
}

#[test]
fn thousands_of_prefixes_are_no_trouble() {
    const PREFIXES: usize = 6000;
    let folder = Folder::new();
    let mut lines = String::new();
    for n in 0..PREFIXES {
        writeln!(lines, "2001:db8:{n:x}::/48").unwrap();
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(lines.as_bytes()).unwrap();
    folder.file("lines.txt.gz", gzip.finish().unwrap());
    let policy = folder.file(
        "many.yaml",
        "isp: many\ntime_zone: UTC\nplans: { home: { kind: dynamic } }\n\
         subscribers: [{ plan: home, file: lines.txt.gz }]\nrules: [{ name: all, action: drop }]\n",
    );
    let run = sekisho(["check", &policy, "--output", "json"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.json()["policies"][0]["subscriber_prefixes"], PREFIXES);
    let last = format!("2001:db8:{:x}::1", PREFIXES - 1);
    let args = [
        "explain",
        "--policy",
        &policy,
        "--from",
        &last,
        "--to",
        "2001:db8:ffff::1",
    ];
    let told = sekisho(args.iter().chain(&["--output", "json"]));
    assert_eq!(told.json()["plan"], "home", "{told:?}");
}

#[test]
fn colour_is_for_those_who_want_it() {
    let mut command = crate::program::command(["check", "tests/policies/bad-date.yaml"]);
    let coloured = crate::program::Run::of(command.env("CLICOLOR_FORCE", "1"));
    assert!(coloured.stderr.contains('\u{1b}'), "{coloured:?}");
    let plain = crate::program::Run::of(command.env("NO_COLOR", "1"));
    assert!(!plain.stderr.contains('\u{1b}'), "{plain:?}");
    assert!(
        !typed("check tests/policies/bad-date.yaml")
            .stderr
            .contains('\u{1b}')
    );
}
