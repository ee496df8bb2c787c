//! The frames that everyone decides: IPv4 and TCP, 60 octets, each from the beginning of a cache
//! line on, as in a ring of receive buffers.

use crate::random::Random;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// A 64-byte frame without its check sequence.
const OCTETS: usize = 60;

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// What traffic looks like; shares are of all frames.
#[derive(Clone, Copy)]
pub(crate) struct Traffic {
    pub(crate) name: &'static str,
    /// SYN without ACK to port 25. Half as many frames go to port 25 with ACK.
    pub(crate) port_25: f64,
    /// From anywhere; the others come from a subscriber, each prefix as likely as any other.
    pub(crate) strangers: f64,
}

#[repr(align(64))]
#[derive(Clone, Copy)]
struct Line([u8; 64]);

pub(crate) struct Frames(Vec<Line>);

impl Frames {
    pub(crate) fn new(
        count: usize,
        traffic: Traffic,
        subscribers: &[Ipv4Net],
        macs: [[u8; 6]; 2],
        destination: Ipv4Net,
    ) -> Self {
        let mut random = Random(25);
        let frame = |_| {
            let source = loop {
                let source = if random.chance(traffic.strangers) {
                    random.next() as u32
                } else {
                    any(random.pick(subscribers), &mut random)
                };
                if is_forwarded(source.into()) {
                    break source;
                }
            };
            let (port, flags) = if random.chance(traffic.port_25) {
                (25, SYN)
            } else if random.chance(traffic.port_25 / 2.0) {
                (25, ACK)
            } else {
                (443, random.pick(&[SYN, ACK]))
            };
            let ends = [source, any(destination, &mut random)];
            let ports = [1024 + random.below(60_000) as u16, port];
            Line(tcp(macs, ends, ports, flags))
        };
        Self((0..count).map(frame).collect())
    }

    pub(crate) fn list(&self) -> Vec<&[u8]> {
        self.0
            .iter()
            .filter_map(|line| line.0.get(..OCTETS))
            .collect()
    }
}

/// Whether Linux forwards what comes from there.
fn is_forwarded(source: Ipv4Addr) -> bool {
    let [first, ..] = source.octets();
    (1..224).contains(&first) && !source.is_loopback() && !source.is_documentation()
}

fn any(net: Ipv4Net, random: &mut Random) -> u32 {
    let host = random.next() as u32 & u32::from(net.hostmask());
    u32::from(net.network()) | host
}

fn tcp([to, from]: [[u8; 6]; 2], ends: [u32; 2], ports: [u16; 2], flags: u8) -> [u8; 64] {
    let mut frame = Vec::with_capacity(64);
    frame.extend(to);
    frame.extend(from);
    frame.extend([0x08, 0x00]);
    let mut header = vec![0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0];
    for end in ends {
        header.extend(Ipv4Addr::from(end).octets());
    }
    let sum = header.chunks(2).fold(0_u32, |sum, word| match *word {
        [high, low] => sum + u32::from(u16::from_be_bytes([high, low])),
        _ => sum,
    });
    let folded = (sum & 0xffff) + (sum >> 16);
    let check = !((folded & 0xffff) + (folded >> 16)) as u16;
    header.splice(10..12, check.to_be_bytes());
    frame.extend(header);
    for port in ports {
        frame.extend(port.to_be_bytes());
    }
    frame.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    frame.resize(64, 0);
    let mut line = [0; 64];
    line.copy_from_slice(&frame);
    line
}
