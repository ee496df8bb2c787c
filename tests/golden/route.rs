//! Source routes: the IPv4 option, and the IPv6 routing header with addresses.

use crate::case::number;
use std::net::{Ipv4Addr, Ipv6Addr};

/// `loose|strict [visited N] via A B …`, filled up to a multiple of four octets.
pub(crate) fn option(words: &str) -> Result<Vec<u8>, String> {
    let (head, list) = parts(words)?;
    let kind = match head.first() {
        Some(&"loose") => 131,
        Some(&"strict") => 137,
        _ => {
            return Err(format!(
                "source-route: {words:?} is neither loose nor strict"
            ));
        }
    };
    let visited: u8 = after(&head, "visited")?.unwrap_or(0);
    let addresses = list.iter().map(|text| text.parse::<Ipv4Addr>());
    let addresses: Vec<_> = addresses
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    let length = u8::try_from(3 + 4 * addresses.len()).map_err(|e| e.to_string())?;
    let mut octets = vec![kind, length, 4 + 4 * visited];
    octets.extend(addresses.iter().flat_map(|address| address.octets()));
    octets.resize(octets.len().next_multiple_of(4), 0);
    Ok(octets)
}

/// `TYPE left N via A B …`: a routing header in front of `next`.
pub(crate) fn header(next: u8, words: &str) -> Result<Vec<u8>, String> {
    let (head, list) = parts(words)?;
    let kind: u8 = number(head.first().unwrap_or(&""))?;
    let left: u8 = after(&head, "left")?.unwrap_or(0);
    let addresses = list.iter().map(|text| text.parse::<Ipv6Addr>());
    let addresses: Vec<_> = addresses
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    let count = u8::try_from(addresses.len()).map_err(|e| e.to_string())?;
    // A segment routing header says which segment is the last.
    let last = if kind == 4 {
        count.saturating_sub(1)
    } else {
        0
    };
    let mut octets = vec![next, 2 * count, kind, left, last, 0, 0, 0];
    octets.extend(addresses.iter().flat_map(|address| address.octets()));
    Ok(octets)
}

/// The words before `via`, and those behind it.
fn parts(words: &str) -> Result<(Vec<&str>, Vec<&str>), String> {
    let (head, list) = words
        .split_once("via")
        .ok_or_else(|| format!("{words:?} has no `via`"))?;
    Ok((
        head.split_whitespace().collect(),
        list.split_whitespace().collect(),
    ))
}

fn after(words: &[&str], name: &str) -> Result<Option<u8>, String> {
    let at = words.iter().position(|word| *word == name);
    at.and_then(|at| words.get(at + 1))
        .map(|text| number(text))
        .transpose()
}
