use crate::wrapping::Wrapping;
use etherparse::{PacketBuilder, TcpHeader};
use std::net::IpAddr;
use std::sync::Arc;

/// The frames of a load: number `n` is made from template `n` modulo their number.
#[derive(Clone, Debug)]
pub(crate) struct Frames(Arc<[Numbered]>);

/// One TCP SYN that carries a number.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    /// With 0 for a number.
    octets: Vec<u8>,
    /// Where the TCP checksum stands.
    checksum_at: usize,
}

/// Octets of the number, which are all that the segment carries.
const NUMBER_OCTETS: usize = size_of::<u64>();

impl Frames {
    pub(crate) fn new(templates: Vec<Numbered>) -> Self {
        assert!(!templates.is_empty());
        Self(templates.into())
    }

    /// Of one subscriber to one peer: even numbers to port 25, odd ones to port 587.
    pub(crate) fn alternating(wrapping: Wrapping) -> Self {
        let [from, to] = ["198.51.100.9", "203.0.113.25"].map(|address| address.parse().unwrap());
        Self::new(
            [25, 587]
                .map(|port| Numbered::syn(from, to, port, wrapping))
                .into(),
        )
    }

    /// Writes a frame over what stands in `out`.
    pub(crate) fn write(&self, number: u64, out: &mut Vec<u8>) {
        let template = usize::try_from(number % self.0.len() as u64).unwrap();
        self.0[template].write(number, out);
    }

    /// The number that a frame carries, if it is octet for octet the one that was sent under it.
    pub(crate) fn number(&self, frame: &[u8], scratch: &mut Vec<u8>) -> Option<u64> {
        let (_, number) = frame.split_last_chunk::<NUMBER_OCTETS>()?;
        let number = u64::from_be_bytes(*number);
        self.write(number, scratch);
        (scratch == frame).then_some(number)
    }
}

impl Numbered {
    /// A SYN with its number for data.
    pub(crate) fn syn(from: IpAddr, to: IpAddr, port: u16, wrapping: Wrapping) -> Self {
        let ethernet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        let ip = match (from, to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => ethernet.ipv4(from.octets(), to.octets(), 64),
            (IpAddr::V6(from), IpAddr::V6(to)) => ethernet.ipv6(from.octets(), to.octets(), 64),
            _ => panic!("{from} and {to} are of two families"),
        };
        let mut octets = Vec::new();
        ip.tcp(49_152, port, 1, 64_000)
            .syn()
            .write(&mut octets, &[0; NUMBER_OCTETS])
            .unwrap();
        let octets = wrapping.wrap(&octets);
        let tcp_at = octets.len() - NUMBER_OCTETS - TcpHeader::MIN_LEN;
        Self {
            octets,
            checksum_at: tcp_at + 16,
        }
    }

    /// Writes the frame with its number, and the checksum that goes with it.
    fn write(&self, number: u64, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.octets);
        let number = number.to_be_bytes();
        let (_, place) = out.split_last_chunk_mut::<NUMBER_OCTETS>().unwrap();
        *place = number;
        let checksum = &mut out[self.checksum_at..][..2];
        let mut sum = u32::from(!u16::from_be_bytes([checksum[0], checksum[1]]));
        for word in number.chunks_exact(2) {
            sum += u32::from(u16::from_be_bytes([word[0], word[1]]));
        }
        let folded = (sum & 0xffff) + (sum >> 16);
        let folded = u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap();
        checksum.copy_from_slice(&(!folded).to_be_bytes());
    }
}

/// etherparse reckons each frame anew.
#[test]
fn a_numbered_frame_is_one_that_a_host_would_send() {
    let pairs = [
        ["198.51.100.9", "203.0.113.25"],
        ["2001:db8::9", "2001:db8::25"],
    ];
    for [from, to] in pairs.map(|pair| pair.map(|address| address.parse::<IpAddr>().unwrap())) {
        let frames = Frames::new(vec![Numbered::syn(from, to, 25, Wrapping::Vlan)]);
        let (mut frame, mut scratch) = (Vec::new(), Vec::new());
        for number in [0, 1, 0xffff, 0x1_0000, 0xfffe_fffd_fffc, u64::MAX] {
            frames.write(number, &mut frame);
            let seen = etherparse::SlicedPacket::from_ethernet(&frame).unwrap();
            let Some(etherparse::TransportSlice::Tcp(tcp)) = seen.transport else {
                panic!("no TCP");
            };
            let checksum = match seen.net.unwrap() {
                etherparse::NetSlice::Ipv4(ip) => {
                    tcp.calc_checksum_ipv4(ip.header().source(), ip.header().destination())
                }
                etherparse::NetSlice::Ipv6(ip) => {
                    tcp.calc_checksum_ipv6(ip.header().source(), ip.header().destination())
                }
                etherparse::NetSlice::Arp(_) => panic!("no IP"),
            };
            assert_eq!(tcp.checksum(), checksum.unwrap(), "{number:#x}");
            assert_eq!(frames.number(&frame, &mut scratch), Some(number));
            let mut other = frame.clone();
            other[20] ^= 1;
            assert_eq!(frames.number(&other, &mut scratch), None);
        }
    }
}
