//! What stands between Ethernet and IP on the way to the box.

const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];
const PPPOE_SESSION: [u8; 2] = [0x88, 0x64];
const ADDRESSES: usize = 12;
const VLAN: [u8; 4] = [0x81, 0x00, 0x00, 0x64];
/// A service tag, then a customer tag.
const QINQ: [u8; 8] = [0x88, 0xa8, 0x00, 0xc8, 0x81, 0x00, 0x00, 0x2a];
/// Two tags of the same type.
const STACKED: [u8; 8] = [0x81, 0x00, 0x00, 0xc8, 0x81, 0x00, 0x00, 0x2a];
const SESSION: [u8; 2] = [0x12, 0x34];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// Nothing.
    Plain,
    /// One tag.
    Vlan,
    /// Two tags; IP in a PPPoE session, everything else right behind the tags.
    QinqPppoe,
    /// The same with an outer tag of the inner one's type. net_af_packet turns a service tag into
    /// such a one: the kernel takes the outer tag off, and the driver puts it back with a fixed type.
    StackedPppoe,
}

impl Wrapping {
    /// The octets that follow the addresses of every frame.
    pub(crate) fn tags(self) -> &'static [u8] {
        match self {
            Self::Plain => &[],
            Self::Vlan => &VLAN,
            Self::QinqPppoe => &QINQ,
            Self::StackedPppoe => &STACKED,
        }
    }

    fn has_sessions(self) -> bool {
        matches!(self, Self::QinqPppoe | Self::StackedPppoe)
    }

    /// The frame that a host sent, as it is on the wire of the box.
    pub(crate) fn wrap(self, frame: &[u8]) -> Vec<u8> {
        let (addresses, rest) = frame.split_at(ADDRESSES);
        let (kind, packet) = rest.split_at(2);
        let protocol = match kind {
            _ if !self.has_sessions() => None,
            kind if kind == IPV4 => Some([0x00, 0x21]),
            kind if kind == IPV6 => Some([0x00, 0x57]),
            _ => None,
        };
        let Some(protocol) = protocol else {
            return [addresses, self.tags(), rest].concat();
        };
        let length = u16::try_from(packet.len() + protocol.len()).unwrap();
        [
            addresses,
            self.tags(),
            &PPPOE_SESSION,
            &[0x11, 0x00],
            &SESSION,
            &length.to_be_bytes(),
            &protocol,
            packet,
        ]
        .concat()
    }

    /// The frame that a host gets, if one on the wire of the box is for it.
    pub(crate) fn unwrap(self, frame: &[u8]) -> Option<Vec<u8>> {
        let (addresses, rest) = frame.split_at_checked(ADDRESSES)?;
        let rest = rest.strip_prefix(self.tags())?;
        let Some(session) = rest.strip_prefix(&PPPOE_SESSION) else {
            return Some([addresses, rest].concat());
        };
        let (header, packet) = session.split_at_checked(8)?;
        let kind = match header[6..] {
            [0x00, 0x21] => IPV4,
            [0x00, 0x57] => IPV6,
            _ => return None,
        };
        let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
        let packet = packet.get(..length.checked_sub(2)?)?;
        Some([addresses, &kind, packet].concat())
    }
}

#[test]
fn what_is_wrapped_is_unwrapped_to_the_same() {
    let ends = ["198.51.100.9", "203.0.113.25"].map(|address| address.parse().unwrap());
    let mut ip = Vec::new();
    let syn = crate::load::Numbered::syn(ends[0], ends[1], 25, Wrapping::Plain);
    crate::load::Frames::new(vec![syn]).write(7, &mut ip);
    let mut arp = [2_u8; 42];
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    for wrapping in [
        Wrapping::Plain,
        Wrapping::Vlan,
        Wrapping::QinqPppoe,
        Wrapping::StackedPppoe,
    ] {
        for frame in [&ip[..], &arp] {
            let wrapped = wrapping.wrap(frame);
            assert_eq!(wrapping.unwrap(&wrapped).as_deref(), Some(frame));
            let extra = if frame == arp || !wrapping.has_sessions() {
                0
            } else {
                8
            };
            assert_eq!(wrapped.len(), frame.len() + wrapping.tags().len() + extra);
        }
    }
    assert_eq!(Wrapping::Vlan.unwrap(&ip), None);
}
