//! An IP packet from its words: etherparse's headers where they fit, plain octets where a fact is
//! about a header that is wrong.

use crate::case::{FrameSpec, number, octets};
use crate::{route, tunnel};
use etherparse::{
    IpFragOffset, IpNumber, Ipv4Header, Ipv4Options, Ipv6FlowLabel, Ipv6FragmentHeader, Ipv6Header,
    TcpHeader, UdpHeader,
};
use std::net::IpAddr;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;

/// The packet and the ethertype that announces it.
pub(crate) fn build(spec: &FrameSpec) -> Result<(u16, Vec<u8>), String> {
    let ends = Ends::of(spec)?;
    let (mut protocol, mut body) = upper_layer(spec, ends)?;
    for header in spec.chain.iter().rev() {
        body = [extension(header, protocol, &mut protocol)?, body].concat();
    }
    body.truncate(spec.ip_payload_octets.unwrap_or(body.len()));
    let (ethertype, mut header) = match ends {
        Ends::V4(source, destination) => (
            ETHERTYPE_IPV4,
            ipv4(spec, source, destination, protocol, body.len())?,
        ),
        Ends::V6(source, destination) => (
            ETHERTYPE_IPV6,
            ipv6(spec, source, destination, protocol, body.len())?,
        ),
    };
    if let (Some(hex), Some(first)) = (&spec.first_octet, header.first_mut()) {
        *first = *octets(hex)?.first().ok_or("first-octet is empty")?;
    }
    Ok((ethertype, [header, body].concat()))
}

#[derive(Clone, Copy)]
enum Ends {
    V4([u8; 4], [u8; 4]),
    V6([u8; 16], [u8; 16]),
}

impl Ends {
    fn of(spec: &FrameSpec) -> Result<Self, String> {
        let text = spec
            .ip
            .as_deref()
            .ok_or("a packet needs `ip: source > destination`")?;
        let parsed = text
            .split_once(" > ")
            .and_then(|(s, d)| Some((s.parse::<IpAddr>().ok()?, d.parse::<IpAddr>().ok()?)));
        match parsed {
            Some((IpAddr::V4(s), IpAddr::V4(d))) => Ok(Self::V4(s.octets(), d.octets())),
            Some((IpAddr::V6(s), IpAddr::V6(d))) => Ok(Self::V6(s.octets(), d.octets())),
            _ => Err(format!("ip: {text:?} is not two addresses of one family")),
        }
    }

    /// What a transport's checksum is over, beside itself.
    fn pseudo_header(self, protocol: u8, octets: usize) -> Vec<u8> {
        let len = (octets as u32).to_be_bytes();
        let (source, destination) = match self {
            Self::V4(s, d) => (s.to_vec(), d.to_vec()),
            Self::V6(s, d) => (s.to_vec(), d.to_vec()),
        };
        [source, destination, len.to_vec(), vec![0, 0, 0, protocol]].concat()
    }
}

impl FrameSpec {
    /// What a checksum is changed by.
    fn wrong_by(&self, name: &str) -> u16 {
        u16::from(self.broken.iter().any(|broken| broken == name))
    }
}

fn ipv4(
    spec: &FrameSpec,
    source: [u8; 4],
    destination: [u8; 4],
    protocol: u8,
    payload_octets: usize,
) -> Result<Vec<u8>, String> {
    let options = match &spec.source_route {
        Some(words) => route::option(words)?,
        None => octets(spec.ip_options.as_deref().unwrap_or(""))?,
    };
    let (offset, more) = fragment_words(spec.fragment.as_deref().unwrap_or("0"))?;
    let mut header = Ipv4Header {
        identification: 0x1905,
        dont_fragment: spec.fragment.is_none(),
        more_fragments: more,
        fragment_offset: IpFragOffset::try_new(offset).map_err(|e| e.to_string())?,
        time_to_live: spec.hops.unwrap_or(64),
        protocol: IpNumber(protocol),
        source,
        destination,
        options: Ipv4Options::try_from(&options[..]).map_err(|e| e.to_string())?,
        ..Ipv4Header::default()
    };
    header
        .set_payload_len(payload_octets)
        .map_err(|e| e.to_string())?;
    header.total_len = spec.length.unwrap_or(header.total_len);
    let mut written = header.to_bytes().to_vec();
    written[1] = service(spec)?;
    if let Some(hex) = &spec.fragment_word {
        written[6..8].copy_from_slice(&octets(hex)?);
    }
    written[10..12].fill(0);
    let checksum = internet_checksum(&written) ^ spec.wrong_by("ip-checksum");
    written[10..12].copy_from_slice(&checksum.to_be_bytes());
    Ok(written)
}

fn service(spec: &FrameSpec) -> Result<u8, String> {
    let octets = octets(spec.service.as_deref().unwrap_or("00"))?;
    octets
        .first()
        .copied()
        .ok_or_else(|| "service is empty".into())
}

fn ipv6(
    spec: &FrameSpec,
    source: [u8; 16],
    destination: [u8; 16],
    next_header: u8,
    payload_octets: usize,
) -> Result<Vec<u8>, String> {
    let ipv4_only = [
        &spec.fragment,
        &spec.fragment_word,
        &spec.ip_options,
        &spec.source_route,
    ];
    if ipv4_only.iter().any(|key| key.is_some()) {
        return Err("fragments, options and source routes stand in `chain` in IPv6".to_owned());
    }
    let mut header = Ipv6Header {
        traffic_class: service(spec)?,
        flow_label: Ipv6FlowLabel::ZERO,
        payload_length: 0,
        next_header: IpNumber(next_header),
        hop_limit: spec.hops.unwrap_or(64),
        source,
        destination,
    };
    header
        .set_payload_length(payload_octets)
        .map_err(|e| e.to_string())?;
    header.payload_length = spec.length.unwrap_or(header.payload_length);
    Ok(header.to_bytes().to_vec())
}

/// One extension header in front of `next`; `protocol` becomes its own number.
fn extension(words: &str, next: u8, protocol: &mut u8) -> Result<Vec<u8>, String> {
    let (name, rest) = words.split_once(' ').unwrap_or((words, ""));
    let (number, header) = match name {
        "hop-by-hop" => (0, options_header(next, rest)?),
        "routing" => (43, options_header(next, rest)?),
        "routing-type" => (43, route::header(next, rest)?),
        "encapsulation-limit" => (60, vec![next, 0, 4, 1, 4, 1, 1, 0]),
        "destination-options" => (60, options_header(next, rest)?),
        "fragment" => {
            let (offset, more) = fragment_words(rest)?;
            let offset = IpFragOffset::try_new(offset).map_err(|e| e.to_string())?;
            let header = Ipv6FragmentHeader::new(IpNumber(next), offset, more, 0x1905);
            (44, header.to_bytes().to_vec())
        }
        "ah" => (51, authentication_header(next)),
        _ => return Err(format!("chain: {words:?} is no header known here")),
    };
    *protocol = number;
    Ok(header)
}

/// Hop-by-hop, destination options (zero octets are Pad1 options) or a routing header of type 0
/// with no segment left, `octets_text` long (eight where it says nothing).
fn options_header(next: u8, octets_text: &str) -> Result<Vec<u8>, String> {
    let octets: usize = if octets_text.is_empty() {
        8
    } else {
        number(octets_text)?
    };
    let units = octets
        .checked_div(8)
        .filter(|units| units * 8 == octets && *units > 0);
    let units = units.ok_or_else(|| format!("{octets} octets are no multiple of eight"))?;
    let length = u8::try_from(units - 1).map_err(|e| e.to_string())?;
    let mut header = vec![0; octets];
    header[0] = next;
    header[1] = length;
    Ok(header)
}

/// 24 octets with an integrity check value of 12; its length field counts units of four, less two.
fn authentication_header(next: u8) -> Vec<u8> {
    let fixed = [next, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    [fixed, [0x5e; 12]].concat()
}

/// `OFFSET [more]`.
fn fragment_words(text: &str) -> Result<(u16, bool), String> {
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        [offset] => Ok((number(offset)?, false)),
        [offset, "more"] => Ok((number(offset)?, true)),
        _ => Err(format!("{text:?} is not OFFSET [more]")),
    }
}

/// The upper layer's number and octets.
fn upper_layer(spec: &FrameSpec, ends: Ends) -> Result<(u8, Vec<u8>), String> {
    if let Some(words) = &spec.tcp {
        return Ok((6, tcp(spec, words, ends)?));
    }
    if let Some(words) = &spec.udp {
        return Ok((17, udp(spec, words, ends)?));
    }
    if let Some(quoted) = &spec.icmp_quotes {
        let (_, packet) = build(quoted)?;
        return Ok(match ends {
            Ends::V4(..) => (1, icmp([3, 13], &packet, &[])),
            Ends::V6(source, destination) => {
                let octets = u32::try_from(packet.len() + 8).map_err(|e| e.to_string())?;
                let pseudo = [
                    &source[..],
                    &destination,
                    &octets.to_be_bytes(),
                    &[0, 0, 0, 58],
                ];
                (58, icmp([1, 1], &packet, &pseudo.concat()))
            }
        });
    }
    if let Some(inner) = &spec.carries {
        let (ethertype, packet) = build(inner)?;
        return match &spec.through {
            Some(words) => tunnel::wrap(words, ethertype, packet, |ports, data| {
                udp_octets(ports, data, ends)
            }),
            None => Ok((if ethertype == ETHERTYPE_IPV4 { 4 } else { 41 }, packet)),
        };
    }
    let protocol = spec
        .protocol
        .ok_or("none of tcp, udp, icmp-quotes, carries, protocol")?;
    Ok((protocol, octets(spec.payload.as_deref().unwrap_or(""))?))
}

/// An ICMP error of this type and code, its checksum over `pseudo_header` and itself.
fn icmp(type_and_code: [u8; 2], quoted: &[u8], pseudo_header: &[u8]) -> Vec<u8> {
    let mut message = [&type_and_code[..], &[0; 6], quoted].concat();
    let checksum = internet_checksum(&[pseudo_header, &message].concat());
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// The one's complement of the one's complement sum of 16-bit words.
fn internet_checksum(octets: &[u8]) -> u16 {
    let words = octets
        .chunks(2)
        .map(|pair| [pair[0], *pair.get(1).unwrap_or(&0)]);
    let sum: u32 = words.map(|word| u32::from(u16::from_be_bytes(word))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !(((folded & 0xffff) + (folded >> 16)) as u16)
}

fn tcp(spec: &FrameSpec, words: &str, ends: Ends) -> Result<Vec<u8>, String> {
    let (ports, flags) = match words.split_whitespace().collect::<Vec<_>>()[..] {
        [source, ">", destination] => ((number(source)?, number(destination)?), ""),
        [source, ">", destination, flags] => ((number(source)?, number(destination)?), flags),
        _ => return Err(format!("tcp: {words:?} is not SOURCE > DESTINATION FLAGS")),
    };
    let mut header = TcpHeader::new(ports.0, ports.1, spec.seq, 64240);
    header.acknowledgment_number = spec.ack;
    for letter in flags.chars() {
        *match letter {
            'S' => &mut header.syn,
            'F' => &mut header.fin,
            'R' => &mut header.rst,
            'P' => &mut header.psh,
            'A' => &mut header.ack,
            'U' => &mut header.urg,
            'E' => &mut header.ece,
            'C' => &mut header.cwr,
            'N' => &mut header.ns,
            _ => return Err(format!("tcp: no flag {letter:?}")),
        } = true;
    }
    let options = octets(spec.tcp_options.as_deref().unwrap_or(""))?;
    header
        .set_options_raw(&options)
        .map_err(|e| e.to_string())?;
    let data = spec.data.as_deref().unwrap_or("").as_bytes();
    header.checksum = match ends {
        Ends::V4(s, d) => header.calc_checksum_ipv4_raw(s, d, data),
        Ends::V6(s, d) => header.calc_checksum_ipv6_raw(s, d, data),
    }
    .map_err(|e| e.to_string())?;
    let mut segment = [&header.to_bytes()[..], data].concat();
    if let Some(offset) = spec.data_offset {
        // The checksum stays right: it is the sum that changes by what the octet changes.
        let before = u16::from_be_bytes([segment[12], 0]);
        segment[12] = segment[12] & 0x0f | offset << 4;
        let after = u16::from_be_bytes([segment[12], 0]);
        let sum = [
            (!header.checksum).to_be_bytes(),
            (!before).to_be_bytes(),
            after.to_be_bytes(),
        ];
        let checksum = internet_checksum(&sum.concat());
        segment[16..18].copy_from_slice(&checksum.to_be_bytes());
    }
    if let Some(hex) = &spec.tcp_bits {
        for (octet, bits) in segment[12..14].iter_mut().zip(octets(hex)?) {
            *octet |= bits;
        }
        segment[16..18].fill(0);
        let sum =
            internet_checksum(&[ends.pseudo_header(6, segment.len()), segment.clone()].concat());
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
    }
    segment[17] ^= spec.wrong_by("tcp-checksum") as u8;
    Ok(segment)
}

fn udp(spec: &FrameSpec, words: &str, ends: Ends) -> Result<Vec<u8>, String> {
    let (source, destination) = words
        .split_once(" > ")
        .ok_or_else(|| format!("udp: {words:?} is not A > B"))?;
    let (source, destination) = (number(source)?, number(destination)?);
    let data = match &spec.data {
        Some(text) => text.as_bytes().to_vec(),
        None => octets(spec.payload.as_deref().unwrap_or(""))?,
    };
    udp_octets((source, destination), &data, ends)
}

fn udp_octets(
    (source, destination): (u16, u16),
    data: &[u8],
    ends: Ends,
) -> Result<Vec<u8>, String> {
    let length = u16::try_from(data.len() + 8).map_err(|e| e.to_string())?;
    let mut header = UdpHeader {
        source_port: source,
        destination_port: destination,
        length,
        checksum: 0,
    };
    header.checksum = match ends {
        Ends::V4(s, d) => header.calc_checksum_ipv4_raw(s, d, data),
        Ends::V6(s, d) => header.calc_checksum_ipv6_raw(s, d, data),
    }
    .map_err(|e| e.to_string())?;
    Ok([&header.to_bytes()[..], data].concat())
}
