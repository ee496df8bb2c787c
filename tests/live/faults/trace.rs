use crate::net::{Namespace, run};
use crate::program::Pipeline;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

/// Everything that a run may leave: how the two links are set, and which files there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    links: BTreeMap<&'static str, Vec<String>>,
    pub(super) files: Vec<String>,
}

impl Trace {
    pub(super) fn of(middle: &Namespace, pipeline: &Pipeline) -> Self {
        let links = ["access", "network"].map(|link| (link, link_lines(middle, link)));
        Self {
            links: links.into(),
            files: ["ctl.sock", "run"]
                .iter()
                .flat_map(|name| files(pipeline, name))
                .collect(),
        }
    }

    /// How one link is set.
    pub(super) fn of_link(&self, link: &str) -> &[String] {
        &self.links[link]
    }

    /// Whether an XDP program is attached.
    pub(super) fn has_program(&self) -> bool {
        self.links
            .values()
            .flatten()
            .any(|line| line.contains("prog/xdp"))
    }

    /// What another one has that this one has not.
    pub(super) fn difference(&self, other: &Self) -> String {
        let mut text = String::new();
        for (link, lines) in &other.links {
            for line in lines.iter().filter(|line| !self.links[link].contains(line)) {
                let _ = writeln!(text, "  {link}: {line}");
            }
        }
        for file in other.files.iter().filter(|file| !self.files.contains(file)) {
            let _ = writeln!(text, "  file {file}");
        }
        text
    }
}

/// What `ip`, `ethtool` and the kernel's settings say of a link; nothing if it is not there.
fn link_lines(namespace: &Namespace, link: &str) -> Vec<String> {
    let there = namespace.ip(&["-br", "link"]);
    if !there
        .lines()
        .any(|line| line.starts_with(&format!("{link}@")))
    {
        return Vec::new();
    }
    let mut text = namespace.ip(&["-d", "link", "show", "dev", link]);
    text += &run(namespace.command("ethtool").args(["-k", link]));
    let settings = format!("/proc/sys/net/ipv6/conf/{link}");
    for key in ["disable_ipv6", "accept_ra", "autoconf", "addr_gen_mode"] {
        let found = namespace.enter(|| fs::read_to_string(format!("{settings}/{key}")));
        let _ = writeln!(text, "{key} = {}", found.unwrap().trim());
    }
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// A file by itself, or all in a folder.
fn files(pipeline: &Pipeline, name: &str) -> Vec<String> {
    let place = pipeline.place(name);
    match fs::read_dir(&place) {
        Ok(inside) => {
            let names = inside.map(|entry| entry.unwrap().file_name());
            names
                .map(|found| format!("{name}/{}", found.display()))
                .collect()
        }
        Err(_) if place.exists() => vec![name.to_owned()],
        Err(_) => Vec::new(),
    }
}
