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

/// A pipeline is checked with its own policies, and the policies of the command line as before.
#[test]
fn pipelines_are_told_from_policies_and_checked_with_their_own() {
    let replay = "pipelines/replay.yaml";
    let text = typed(&format!("check {replay} --cases config/cases.csv"));
    assert_eq!(text.code, 0, "{text:?}");
    let (first, rest) = text.stdout.split_once('\n').unwrap();
    assert!(first.starts_with("pipeline  replay (pipelines/replay.yaml): pcap between "));
    assert!(first.ends_with(", on lcore 0"), "{first}");
    assert!(rest.starts_with("policy    alpha-web (pipelines/../config/alpha-web.yaml): "));
    let of_policy = typed(&format!("check {ALPHA} --cases config/cases.csv"));
    let cases = |stdout: &str| stdout.lines().last().unwrap().to_owned();
    assert_eq!(cases(&text.stdout), cases(&of_policy.stdout));

    let line = format!("check {replay} config/nmtnet.yaml --output json --print-effective");
    let both = typed(&line).json();
    assert_eq!(both["ok"], true);
    assert_eq!(both["policies"][0]["isp"], "nmtnet");
    assert_eq!(both["effective"].as_array().unwrap().len(), 1);
    let one = &both["pipelines"][0];
    assert_eq!(
        (&one["pipeline"], &one["driver"]),
        (&"replay".into(), &"pcap".into())
    );
    assert_eq!(one["policies"][0]["isp"], "alpha-web");
    assert_eq!(one["effective_pipeline"]["watchdog"]["stall-ms"], 1000);
    assert_eq!(one["effective"][0]["isp"], "alpha-web");
    assert_eq!(both["pipelines"].as_array().unwrap().len(), 1);
    assert_eq!(
        typed(&format!("check {ALPHA} --output json"))
            .json()
            .get("pipelines"),
        None
    );
}

#[test]
fn what_is_wrong_with_a_pipeline_and_with_its_policies_is_told_together() {
    let folder = Folder::new();
    folder.file("bad.yaml", "isp: bad\n");
    let pipeline = folder.file(
        "box.yaml",
        "policies: [bad.yaml, gone.yaml]\ndriver: pcap\naccess: { read: in.pcap }\n\
         network: {}\nlcores: [0, 1]\n",
    );
    let text = sekisho(["check", &pipeline]);
    assert_eq!((text.code, text.stdout.as_str()), (78, ""), "{text:?}");
    let codes = ["policy-unreadable", "one-lcore-only", "missing-key"];
    for code in codes {
        assert!(
            text.stderr.contains(&format!("error[{code}]: ")),
            "{code}: {text:?}"
        );
    }
    let json = sekisho(["check", &pipeline, "--output", "json"]);
    let found = json.json();
    let told: Vec<_> = found["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| &d["code"])
        .collect();
    assert!(
        codes.iter().all(|code| told.contains(&&(*code).into())),
        "{told:?}"
    );
    let effective = sekisho(["check", &pipeline, "--print-effective"]);
    assert_eq!(effective.stdout, "");
}

/// What is in force, printed, is a pipeline and a policy again.
#[test]
fn the_effective_pipeline_can_be_kept_anywhere() {
    let line = "check pipelines/bump-in-the-wire-afxdp.yaml --print-effective";
    let shown = typed(line).good();
    let mut documents = shown.split("---\n").skip(1);
    let folder = Folder::new();
    let pipeline = folder.file("again.yaml", documents.next().unwrap());
    let again = sekisho(["check", &pipeline, "--print-effective"]);
    let printed = again.good();
    let (_, same) = printed.split_once("---\n").unwrap();
    let (_, first) = shown.split_once("---\n").unwrap();
    assert_eq!(same, first);
}

/// A pipe can be read only once, and is taken for a policy.
#[test]
fn a_policy_may_come_from_a_pipe() {
    let folder = Folder::new();
    let policy = folder.file(
        "p.yaml",
        "isp: piped\ntime_zone: UTC\nplans: { home: { kind: fixed } }\n\
         subscribers: [{ plan: home, prefixes: [192.0.2.0/24] }]\nrules: [{ name: all, action: drop }]\n",
    );
    let from_file = crate::program::typed_from("check /dev/stdin", folder.path("p.yaml").as_path());
    let script = format!("cat {policy} | \"$0\" check /dev/stdin");
    let mut bash = std::process::Command::new("bash");
    let bash = bash.args(["-c", &script, env!("CARGO_BIN_EXE_sekisho")]);
    let from_pipe = crate::program::Run::of(bash);
    for run in [from_file, from_pipe] {
        assert!(
            run.stdout
                .starts_with("policy    piped (/dev/stdin): 1 plans"),
            "{run:?}"
        );
    }
}
