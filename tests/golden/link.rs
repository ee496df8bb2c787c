//! What stands in front of IP: link headers, tags, labels, PPPoE.

use crate::case::{FrameSpec, number, octets};
use crate::packet;
use etherparse::{ArpEthIpv4Packet, ArpOperation};
use serde::Deserialize;

/// The link types, by the names that cases use.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LinkKind {
    #[default]
    Ethernet,
    Null,
    Ppp,
    RawBsd,
    RawOpenbsd,
    PppHdlc,
    Raw,
    CiscoHdlc,
    Loop,
    LinuxSll,
    Ipv4,
    Ipv6,
    LinuxSll2,
}

impl LinkKind {
    /// The number in a capture file.
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Null => 0,
            Self::Ethernet => 1,
            Self::Ppp => 9,
            Self::RawBsd => 12,
            Self::RawOpenbsd => 14,
            Self::PppHdlc => 50,
            Self::Raw => 101,
            Self::CiscoHdlc => 104,
            Self::Loop => 108,
            Self::LinuxSll => 113,
            Self::Ipv4 => 228,
            Self::Ipv6 => 229,
            Self::LinuxSll2 => 276,
        }
    }
}

/// Locally administered, so nobody's.
const ACCESS_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x0a];
const NETWORK_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x0b];

const IPV6: u16 = 0x86dd;
const MPLS: u16 = 0x8847;

/// The frame as it was on the wire.
pub(crate) fn build(spec: &FrameSpec, link: LinkKind) -> Result<Vec<u8>, String> {
    let (mut announced, mut bytes) = innermost(spec)?;
    for layer in spec.stack.iter().rev() {
        (announced, bytes) = wrap(layer, announced, bytes)?;
    }
    let header = link_header(spec, link, announced)?;
    Ok([header, bytes, vec![0; spec.padding]].concat())
}

/// What the link carries in the end, and the ethertype that announces it.
fn innermost(spec: &FrameSpec) -> Result<(u16, Vec<u8>), String> {
    let ethertype = match &spec.ethertype {
        Some(hex) => Some(u16::from_str_radix(hex, 16).map_err(|_| format!("ethertype: {hex}"))?),
        None => None,
    };
    if let Some(words) = &spec.arp {
        return Ok((0x0806, arp(words)?));
    }
    if spec.ip.is_some() {
        let (own, packet) = packet::build(spec)?;
        return Ok((ethertype.unwrap_or(own), packet));
    }
    let ethertype = ethertype.ok_or("none of ip, arp, ethertype")?;
    Ok((ethertype, octets(spec.payload.as_deref().unwrap_or(""))?))
}

fn arp(words: &str) -> Result<Vec<u8>, String> {
    let (asker, asked) = words
        .split_once(" asks ")
        .ok_or_else(|| format!("arp: {words:?} is not A asks B"))?;
    let address = |text: &str| {
        text.parse::<std::net::Ipv4Addr>()
            .map_err(|e| format!("arp: {text:?}: {e}"))
    };
    let question = ArpEthIpv4Packet {
        operation: ArpOperation::REQUEST,
        sender_mac: ACCESS_MAC,
        sender_ipv4: address(asker)?.octets(),
        target_mac: [0; 6],
        target_ipv4: address(asked)?.octets(),
    };
    Ok(question.to_bytes().to_vec())
}

/// One layer around what is there.
fn wrap(layer: &str, announced: u16, bytes: Vec<u8>) -> Result<(u16, Vec<u8>), String> {
    let words: Vec<&str> = layer.split_whitespace().collect();
    let tagged = |tpid: u16, id: &str, priority: &str| -> Result<(u16, Vec<u8>), String> {
        let tci = number::<u16>(priority)? << 13 | number::<u16>(id)?;
        Ok((
            tpid,
            [&tci.to_be_bytes()[..], &announced.to_be_bytes(), &bytes].concat(),
        ))
    };
    match words[..] {
        ["vlan", id] => tagged(0x8100, id, "0"),
        ["vlan", id, "priority", priority] => tagged(0x8100, id, priority),
        ["tag", tpid, id] => tagged(
            u16::from_str_radix(tpid, 16).map_err(|_| format!("tag {tpid}"))?,
            id,
            "0",
        ),
        ["mpls", label] => {
            let bottom = u32::from(announced != MPLS) << 8;
            let entry = number::<u32>(label)? << 12 | bottom | 64;
            Ok((MPLS, [&entry.to_be_bytes()[..], &bytes].concat()))
        }
        ["backbone", service] => {
            let service = number::<u32>(service)?.to_be_bytes();
            let type_inside = announced.to_be_bytes();
            let inside = [&NETWORK_MAC[..], &ACCESS_MAC, &type_inside, &bytes].concat();
            Ok((0x88e7, [&service[..], &inside].concat()))
        }
        ["llc-snap", ref stated @ ..] => {
            let snap = [0xaa, 0xaa, 0x03, 0, 0, 0];
            let inside = [&snap[..], &announced.to_be_bytes(), &bytes].concat();
            let length = match stated {
                ["length", length] => number(length)?,
                _ => u16::try_from(inside.len()).map_err(|e| e.to_string())?,
            };
            Ok((length, inside))
        }
        ["pppoe", ref words @ ..] => pppoe(words, ppp_protocol(announced), &bytes),
        _ => Err(format!("stack: {layer:?} is no layer known here")),
    }
}

/// A PPPoE session header (version 1, type 1, code 0, session 1) and the PPP protocol field.
fn pppoe(words: &[&str], protocol: u16, bytes: &[u8]) -> Result<(u16, Vec<u8>), String> {
    let (mut front, mut stated) = (Vec::new(), None);
    let mut words = words.iter();
    let mut compressed = false;
    while let Some(word) = words.next() {
        match *word {
            "address-control" => front.extend([0xff, 0x03]),
            "short-protocol" => compressed = true,
            "length" => stated = Some(number(words.next().unwrap_or(&""))?),
            _ => return Err(format!("stack: pppoe {word:?} is nothing known here")),
        }
    }
    match compressed {
        true => front.extend(short(protocol)?),
        false => front.extend(protocol.to_be_bytes()),
    }
    let length = u16::try_from(front.len() + bytes.len()).map_err(|e| e.to_string())?;
    let length = stated.unwrap_or(length).to_be_bytes();
    let header = [&[0x11, 0x00, 0x00, 0x01][..], &length].concat();
    Ok((0x8864, [&header, &front, bytes].concat()))
}

/// PPP's number for what an ethertype announces; what has no other number keeps its own.
fn ppp_protocol(ethertype: u16) -> u16 {
    match ethertype {
        0x0800 => 0x0021,
        IPV6 => 0x0057,
        MPLS => 0x0281,
        other => other,
    }
}

/// A PPP protocol compressed to one octet.
fn short(protocol: u16) -> Result<Vec<u8>, String> {
    let octet = u8::try_from(protocol).map_err(|_| "this protocol needs two octets".to_owned())?;
    Ok(vec![octet])
}

fn link_header(spec: &FrameSpec, link: LinkKind, announced: u16) -> Result<Vec<u8>, String> {
    let ethertype = announced.to_be_bytes();
    Ok(match link {
        LinkKind::Ethernet if spec.says("from-network") => {
            [&ACCESS_MAC[..], &NETWORK_MAC, &ethertype].concat()
        }
        LinkKind::Ethernet => [&NETWORK_MAC[..], &ACCESS_MAC, &ethertype].concat(),
        LinkKind::Raw
        | LinkKind::RawBsd
        | LinkKind::RawOpenbsd
        | LinkKind::Ipv4
        | LinkKind::Ipv6 => vec![],
        LinkKind::Null if spec.says("big-endian") => family(spec, announced)?.to_be_bytes().into(),
        LinkKind::Null => family(spec, announced)?.to_le_bytes().into(),
        LinkKind::Loop => family(spec, announced)?.to_be_bytes().into(),
        LinkKind::Ppp | LinkKind::PppHdlc => {
            let address: &[u8] = if spec.says("no-address") {
                &[]
            } else {
                &[0xff, 0x03]
            };
            let protocol = ppp_protocol(announced);
            let protocol = match spec.says("short-protocol") {
                true => short(protocol)?,
                false => protocol.to_be_bytes().into(),
            };
            [address, &protocol].concat()
        }
        LinkKind::CiscoHdlc => [&[0x0f, 0x00][..], &ethertype].concat(),
        // Packet type 4 (sent by us), hardware type 1 (Ethernet), six octets of address in eight.
        LinkKind::LinuxSll => [&[0, 4, 0, 1, 0, 6][..], &ACCESS_MAC, &[0, 0], &ethertype].concat(),
        // The same in another order, behind the protocol and an interface index.
        LinkKind::LinuxSll2 => {
            let interface = [0, 0, 0, 0, 0, 2];
            [
                &ethertype[..],
                &interface,
                &[0, 1, 4, 6],
                &ACCESS_MAC,
                &[0, 0],
            ]
            .concat()
        }
    })
}

/// The address family of BSD's loopback: 2 for IPv4; IPv6 has a number for each BSD.
fn family(spec: &FrameSpec, announced: u16) -> Result<u32, String> {
    let written = spec
        .link
        .iter()
        .find_map(|word| word.strip_prefix("family "));
    match written {
        Some(text) => number(text),
        None => Ok(if announced == IPV6 { 30 } else { 2 }),
    }
}

impl FrameSpec {
    fn says(&self, word: &str) -> bool {
        self.link.iter().any(|said| said == word)
    }
}
