//! Frames from the inside out, as hosts send them: lengths and checksums are right.

use sekisho::wire::{Answer, Frame, LinkType, Reply, Unwrap, reply};

/// 192.0.2.77, a subscriber
pub const SUBSCRIBER4: [u8; 4] = [192, 0, 2, 77];
/// 198.51.100.25, a peer
pub const PEER4: [u8; 4] = [198, 51, 100, 25];
/// 2001:db8:1::77
pub const SUBSCRIBER6: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77];
/// 2001:db8:2::25
pub const PEER6: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x25];

pub const IP4: u16 = 0x0800;
pub const IP6: u16 = 0x86dd;
pub const TCP: u8 = 6;

pub const SYN: u8 = 0x02;
pub const FIN: u8 = 0x01;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

/// From the subscriber's router to the peer's.
const ADDRESSES: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

/// Both answers; an error from an address of this family only.
pub fn answers(family: u8) -> [Answer; 2] {
    let sources = match family {
        4 => (Some([203, 0, 113, 1].into()), None),
        _ => (None, Some([0x2001, 0x0db8, 0xffff, 0, 0, 0, 0, 1].into())),
    };
    [Answer::Icmp { sources }, Answer::Rst]
}

/// What a whole frame is answered with, where no tunnel is opened.
pub fn answer(frame: &[u8], answer: Answer) -> Option<Reply> {
    answer_in(frame, answer, &Unwrap::default())
}

/// The same where these tunnels are.
pub fn answer_in(frame: &[u8], answer: Answer, unwrap: &Unwrap) -> Option<Reply> {
    let frame = Frame {
        bytes: frame,
        original_len: frame.len() as u32,
        link_type: LinkType::ETHERNET,
    };
    reply(frame, unwrap, answer)
}

/// Ones' complement of the ones' complement sum of 16-bit words (RFC 1071), a word at a time.
pub fn checksum(octets: &[u8]) -> u16 {
    let words = octets.chunks(2).map(|word| match *word {
        [high, low] => u32::from(high) << 8 | u32::from(low),
        [high] => u32::from(high) << 8,
        _ => 0,
    });
    let sum = words.fold(0, |sum, word| {
        let sum = sum + word;
        (sum & 0xffff) + (sum >> 16)
    });
    !(sum as u16)
}

/// What the checksums of upper layers cover before the upper layer itself.
pub fn pseudo(addresses: &[u8], protocol: u8, upper: &[u8]) -> Vec<u8> {
    let len = upper.len() as u32;
    [addresses, &len.to_be_bytes(), &[0, 0, 0, protocol], upper].concat()
}

pub fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&ADDRESSES, &ether_type.to_be_bytes()[..], payload].concat()
}

/// A segment from port 40000 to port 25, with data.
pub fn segment(addresses: &[u8], flags: u8, data: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x9c, 0x40, 0, 25, 1, 2, 3, 4, 0xa, 0xb, 0xc, 0xd];
    if flags & ACK == 0 {
        octets[8..12].fill(0);
    }
    octets.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    octets.extend(data);
    let sum = checksum(&pseudo(addresses, TCP, &octets));
    octets[16..18].copy_from_slice(&sum.to_be_bytes());
    octets
}

pub fn ipv4_of(
    src: [u8; 4],
    dst: [u8; 4],
    protocol: u8,
    options: &[u8],
    payload: &[u8],
) -> Vec<u8> {
    let header_len = 20 + options.len();
    let [high, low] = ((header_len + payload.len()) as u16).to_be_bytes();
    let mut octets = vec![0x40 | (header_len / 4) as u8, 0, high, low];
    octets.extend([0x12, 0x34, 0x40, 0, 64, protocol, 0, 0]);
    octets.extend([src, dst].concat());
    octets.extend(options);
    resum(&mut octets, 0);
    octets.extend(payload);
    octets
}

/// Mends the checksum of an IPv4 header that begins here.
pub fn resum(octets: &mut [u8], at: usize) {
    let len = usize::from(octets[at] & 0x0f) * 4;
    octets[at + 10..at + 12].fill(0);
    let sum = checksum(&octets[at..at + len]).to_be_bytes();
    octets[at + 10..at + 12].copy_from_slice(&sum);
}

pub fn ipv6_of(src: [u8; 16], dst: [u8; 16], next: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    let fixed = [0x60, 0, 0, 0, high, low, next, 64];
    [&fixed, &src[..], &dst, payload].concat()
}

pub fn ipv4(flags: u8, data: &[u8]) -> Vec<u8> {
    let addresses = [SUBSCRIBER4, PEER4].concat();
    ipv4_of(
        SUBSCRIBER4,
        PEER4,
        TCP,
        &[],
        &segment(&addresses, flags, data),
    )
}

pub fn ipv6(flags: u8, data: &[u8]) -> Vec<u8> {
    let addresses = [SUBSCRIBER6, PEER6].concat();
    ipv6_of(SUBSCRIBER6, PEER6, TCP, &segment(&addresses, flags, data))
}
