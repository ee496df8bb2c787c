//! Pipelines that cannot be used, each with what is said.

use crate::support::{LEAST, loaded, named, refused, root, shipped, told};
use insta::assert_snapshot;
use sekisho::control::pipeline::{FINDINGS, load, read};
use sekisho::policy::Severity;
use std::fmt::Write as _;
use std::io::ErrorKind;

const WRONG: &[(&str, &str)] = &[
    ("nothing at all", "# only a comment\n"),
    (
        "keys, words, forms",
        "polices: [a.yaml]\ndriver: afxdp\naccess: { device: eth0, divice: x }\nnetwork: eth1\n\
         lcores: [1, two]\nlcores: [3]\nwatchdog: { stall-ms: 5 }\n",
    ),
    (
        "a name for the socket and the journal",
        "name: My Box\npolicies: [a.yaml, \"\"]\ndriver: pcap\naccess: { read: '-' }\n\
         network: {}\nlcores: [1]\n",
    ),
    (
        "two interfaces that are one, no interface, and sections of other drivers",
        "policies: [a.yaml]\ndriver: af-xdp\naccess: { device: eth0 }\nnetwork: { device: eth0 }\n\
         lcores: [1]\ndpdk: { eal: [] }\n",
    ),
    (
        "no interface, or none that there can be",
        "policies: [a.yaml]\ndriver: af-xdp\naccess: { read: a.pcap }\n\
         network: { device: 0000:03:00.0 }\nlcores: [1]\n",
    ),
    (
        "DPDK takes no interface, and places no thread",
        "policies: [a.yaml]\ndriver: dpdk\naccess: { device: eth0 }\n\
         network: { device: net_null1 }\nlcores: [1]\n\
         dpdk: { eal: [-l, 1, --lcores=2, -c3, --log-level, 8] }\naf-xdp: {}\n\
         on-exit: kernel-bridge\n",
    ),
    (
        "a virtual device is itself whatever its arguments are",
        "policies: [a.yaml]\ndriver: dpdk\naccess: { device: net_null0 }\n\
         network: { device: \"net_null0,size=64\" }\nlcores: [1]\n",
    ),
    (
        "the same PCI address in two spellings",
        "policies: [a.yaml]\ndriver: dpdk\naccess: { device: 3B:00.0 }\n\
         network: { device: 0000:3b:00.0 }\nlcores: [1]\n",
    ),
    (
        "rings and memory",
        "policies: [a.yaml]\ndriver: af-xdp\naccess: { device: eth0 }\nnetwork: { device: eth1 }\n\
         lcores: [1, 2, 1]\n\
         af-xdp: { ring-frames: 1000, umem-frames: 300, attach: skb, zero-copy: require }\n",
    ),
    (
        "rings beyond what drivers have",
        "policies: [a.yaml]\ndriver: dpdk\naccess: { device: 03:00.0 }\n\
         network: { device: 03:00.1 }\nlcores: [1, 1024, -1]\ndpdk: { ring-frames: 131072 }\n",
    ),
    (
        "captures have no link, no device, one worker",
        "policies: [a.yaml]\ndriver: pcap\naccess: { read: a.pcap, write: b.pcap }\n\
         network: { device: eth0, read: b.pcap }\nlcores: [1, 2]\nlink-loss: propagate\n\
         on-exit: link-down\n",
    ),
    (
        "captures that nobody reads, and one that is written twice",
        "policies: [a.yaml]\ndriver: pcap\naccess: { write: out.pcap }\n\
         network: { write: out.pcap }\nlcores: [1]\n",
    ),
    (
        "senders",
        "policies: [a.yaml]\ndriver: pcap\naccess: { from: 02:00 }\n\
         network: { read: a.pcap, from: 02:00:00:00:00:0a, not-from: 02:00:00:00:00:0b }\n\
         lcores: [1]\n",
    ),
    (
        "what control takes",
        "policies: [a.yaml]\ndriver: af-xdp\naccess: { device: eth0 }\nnetwork: { device: eth1 }\n\
         lcores: [1]\ncontrol: { group: \"a b\", journal: '' }\n\
         record-destinations: { ticket: ' ' }\n",
    ),
];

#[test]
fn every_mistake_is_said_with_its_place() {
    let mut told = String::new();
    for (what, text) in WRONG {
        writeln!(told, "=== {what}\n\n{}", refused(text)).unwrap();
    }
    assert_snapshot!(told);
    let long = format!(
        "{}control: {{ socket: /{} }}\n",
        LEAST[0],
        "long/".repeat(30)
    );
    told += &refused(&long);
    told += &of_files();
    told += &crate::tunnels::all_told();
    let unsaid = |code: &&str| !told.contains(&format!("[{code}]"));
    let never: Vec<_> = FINDINGS
        .iter()
        .map(|code| code.name)
        .filter(unsaid)
        .collect();
    // The one warning has a test of its own.
    assert_eq!(never, ["not-spread-by-rss"]);
}

/// What is said of files that are not there.
fn of_files() -> String {
    let unreadable = read("gone.yaml", Err(ErrorKind::NotFound.into()), &|_| Ok(()));
    assert_eq!(unreadable.pipeline, None);
    let policies = "policies: [a.yaml, b.yaml]\ndriver: pcap\naccess: { read: x.pcap }\n\
                    network: {}\nlcores: [0]\n";
    let one_gone = read(
        "here.yaml",
        Ok(policies.into()),
        &|path| match path.to_str().unwrap() {
            "a.yaml" => Ok(()),
            _ => Err(ErrorKind::NotFound.into()),
        },
    );
    assert_eq!(one_gone.pipeline, None);
    assert_eq!(one_gone.policies, [std::path::Path::new("a.yaml")]);
    told(&unreadable) + &told(&one_gone)
}

#[test]
fn files_that_are_not_there_are_said() {
    assert_snapshot!(of_files());
    let loaded = load(&root().join("pipelines/no-such.yaml"));
    assert_eq!(loaded.diagnostics[0].code, "unreadable-file");
}

#[test]
fn a_path_too_long_for_a_socket_is_refused_before_it_is_bound() {
    let name = "x".repeat(64);
    let text = format!("name: {name}\n{}", LEAST[0]);
    assert!(named("p.yaml", &text).pipeline.is_some());
    let text = format!("{text}control: {{ run-dir: /{} }}\n", "y".repeat(40));
    assert_snapshot!(refused(&text));
}

#[test]
fn a_file_whose_name_cannot_name_the_run_needs_a_name() {
    assert_snapshot!(told(&named("pipelines/My Box.yaml", LEAST[0])));
}

/// Whatever is missing or torn: something is said, or the pipeline can be used.
#[test]
fn no_text_is_too_broken_to_be_read() {
    let texts = shipped().into_iter().map(std::fs::read_to_string);
    let keys = |text: &str| -> String {
        let line = |line: &&str| !line.is_empty() && !line.trim_start().starts_with('#');
        text.lines()
            .filter(line)
            .fold(String::new(), |all, line| all + line + "\n")
    };
    let mut used = 0;
    for text in texts
        .map(|text| keys(&text.unwrap()))
        .chain(LEAST.map(str::to_owned))
    {
        let lines: Vec<_> = text.lines().collect();
        let without = (0..lines.len()).map(|gone| {
            let kept = lines.iter().enumerate().filter(|(index, _)| *index != gone);
            kept.fold(String::new(), |all, (_, line)| all + line + "\n")
        });
        let cut = text.char_indices().map(|(at, _)| text[..at].to_owned());
        let torn = text.char_indices().map(|(at, letter)| {
            let with = if letter == ':' { "" } else { ": " };
            format!("{}{with}{}", &text[..at], &text[at + letter.len_utf8()..])
        });
        for broken in without.chain(cut).chain(torn) {
            let loaded = loaded(&broken);
            let said = loaded
                .diagnostics
                .iter()
                .any(|found| found.severity == Severity::Error);
            assert_eq!(loaded.pipeline.is_none(), said, "{broken}");
            assert_eq!(told(&loaded).is_empty(), loaded.diagnostics.is_empty());
            used += usize::from(!said);
        }
    }
    assert!(used > 50, "{used}: some of it is still a pipeline");
}
