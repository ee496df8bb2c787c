//! What access networks put around a packet.

use super::Attempt;
use super::scene::{IPV4, IPV6};

/// What stands between the Ethernet addresses and a trick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wrap {
    /// Nothing.
    Bare,
    /// One 802.1Q tag.
    Tagged,
    /// A service tag and a customer tag.
    QinQ,
    /// A PPPoE session behind both tags.
    PppoeInQinQ,
    /// Two MPLS labels.
    Mpls,
}

pub(super) const MPLS: u16 = 0x8847;
pub(super) const PPPOE: u16 = 0x8864;
const CUSTOMER_TAG: u16 = 0x8100;
const SERVICE_TAG: u16 = 0x88a8;

/// Locally administered addresses: nobody's hardware.
const TO_FROM: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

impl Wrap {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Bare,
        Self::Tagged,
        Self::QinQ,
        Self::PppoeInQinQ,
        Self::Mpls,
    ];

    /// The words in outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Tagged => "802.1Q",
            Self::QinQ => "QinQ",
            Self::PppoeInQinQ => "PPPoE in QinQ",
            Self::Mpls => "MPLS",
        }
    }

    /// The frame of an attempt, where it can stand inside this, and its octets on the wire.
    pub(super) fn frame(self, attempt: &Attempt) -> Option<(Vec<u8>, u32)> {
        if self != Self::Bare && !attempt.wraps {
            return None;
        }
        let missing = attempt.missing_bytes;
        let inside = (attempt.announced, attempt.octets.clone());
        let (ethertype, octets) = match self {
            Self::Bare => inside,
            Self::Tagged => tag(CUSTOMER_TAG, 100, inside),
            Self::QinQ => qinq(inside),
            Self::PppoeInQinQ => qinq(pppoe(inside, missing)?),
            Self::Mpls => labels(inside)?,
        };
        let padding = vec![0; attempt.padding_bytes];
        let frame = [&TO_FROM[..], &ethertype.to_be_bytes(), &octets, &padding].concat();
        let original_len = frame.len() + missing;
        Some((frame, original_len as u32))
    }
}

/// What an ethertype announces, and the ethertype.
pub(super) type Carried = (u16, Vec<u8>);

pub(super) fn tag(ethertype: u16, control: u16, (announced, octets): Carried) -> Carried {
    let words = [control.to_be_bytes(), announced.to_be_bytes()].concat();
    (ethertype, [words, octets].concat())
}

fn qinq(inside: Carried) -> Carried {
    tag(SERVICE_TAG, 7, tag(CUSTOMER_TAG, 100, inside))
}

/// A session of which so many octets are left out by the capture.
fn pppoe((announced, octets): Carried, missing_bytes: usize) -> Option<Carried> {
    let protocol: u16 = match announced {
        IPV4 => 0x0021,
        IPV6 => 0x0057,
        MPLS => 0x0281,
        _ => return None,
    };
    let ppp = [&protocol.to_be_bytes()[..], &octets].concat();
    Some((PPPOE, session(&ppp, ppp.len() + missing_bytes)))
}

/// A PPPoE session header that promises so many octets of PPP, and these.
pub(super) fn session(ppp: &[u8], len_bytes: usize) -> Vec<u8> {
    let len = (len_bytes as u16).to_be_bytes();
    [&[0x11, 0x00, 0x00, 0x01][..], &len, ppp].concat()
}

fn labels((announced, octets): Carried) -> Option<Carried> {
    let bottom = match announced {
        IPV4 | IPV6 => 1,
        MPLS => 0,
        _ => return None,
    };
    let stack = [label(16, 0), label(17, bottom)].concat();
    Some((MPLS, [stack, octets].concat()))
}

/// One entry of a label stack.
pub(super) fn label(label: u32, bottom: u32) -> Vec<u8> {
    (label << 12 | bottom << 8 | 64).to_be_bytes().to_vec()
}
