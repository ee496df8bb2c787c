//! What Linux itself puts between two links: a bridge, with nftables rules or without.

use crate::line::Line;
use std::io::Write;
use std::process::Stdio;

/// Joins the two links in the middle of a line.
pub(crate) fn bridge(line: &Line) {
    let middle = &line.middle;
    middle.ip(&["link", "add", "name", "br0", "type", "bridge"]);
    for (key, value) in [("forward_delay", "0"), ("mcast_snooping", "0")] {
        middle.ip(&["link", "set", "dev", "br0", "type", "bridge", key, value]);
    }
    for link in ["access", "network"] {
        middle.ip(&["link", "set", "dev", link, "master", "br0"]);
    }
    middle.ip(&["link", "set", "dev", "br0", "up"]);
}

/// Gives it rules, in the language of `nft`.
pub(crate) fn filter(line: &Line, rules: &str) {
    let mut nft = line.middle.command("nft");
    let mut child = nft.args(["-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(rules.as_bytes()).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success(), "nft refuses:\n{rules}");
}
