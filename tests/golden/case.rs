//! What a `case.yaml` says: a policy, frames in words, and what must become of each.

use crate::link::LinkKind;
use serde::Deserialize;

/// One fact.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Case {
    /// The fact, as a sentence.
    pub(crate) proves: String,
    /// The policy file, from the root of the repository.
    pub(crate) policy: String,
    /// A pipeline file, where the case is about what it sets.
    pub(crate) pipeline: Option<String>,
    /// An instant, or `capture`: each frame is judged at its own time stamp.
    pub(crate) at: String,
    /// `auto`, `out` or `in`.
    pub(crate) direction: String,
    /// What the first octet of each frame belongs to.
    #[serde(default)]
    pub(crate) link_type: LinkKind,
    /// The rule behind every verdict but `forward`, where the frame names none.
    pub(crate) rule: Option<String>,
    /// The plan in every frame, where the frame names none.
    pub(crate) plan: Option<String>,
    /// In the order of the capture.
    pub(crate) frames: Vec<FrameSpec>,
}

/// One frame, from the outside in, and its fate.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FrameSpec {
    /// When, if not one millisecond after the frame before.
    pub(crate) time: Option<String>,

    /// How the link header deviates: `from-network` (Ethernet), `family 28`, `big-endian` (BSD
    /// loopback), `no-address`, `short-protocol` (PPP).
    pub(crate) link: Vec<String>,
    /// Between the link header and IP, outermost first: `vlan 100`, `vlan 0 priority 5`,
    /// `tag 88a8 100`, `llc-snap`, `llc-snap length 0`, `mpls 16`, `pppoe` with any of
    /// `address-control`, `short-protocol` and `length 30` behind it.
    pub(crate) stack: Vec<String>,
    /// Instead of IP: a question, as in `198.51.100.1 asks 198.51.100.2`.
    pub(crate) arp: Option<String>,
    /// Instead of IP: an ethertype (or PPP protocol) in hexadecimal, and `payload` is what follows.
    /// Beside IP: what the packet is announced as.
    pub(crate) ethertype: Option<String>,

    /// `source > destination`; the addresses tell the version.
    pub(crate) ip: Option<String>,
    /// The first octet of the IP header as written, in hexadecimal: version and header length.
    pub(crate) first_octet: Option<String>,
    /// IPv4 total length or IPv6 payload length as written.
    pub(crate) length: Option<u16>,
    /// IPv4 options, in hexadecimal.
    pub(crate) ip_options: Option<String>,
    /// IPv4: a source route, `loose` or `strict`, and how many of its addresses were visited, if
    /// any: `loose via 203.0.113.1 203.0.113.2`, `strict visited 1 via 203.0.113.1`.
    pub(crate) source_route: Option<String>,
    /// IPv4: offset in units of eight octets, and `more`: `0 more`, `185`.
    pub(crate) fragment: Option<String>,
    /// IPv4: the word of flags and offset as written, in hexadecimal.
    pub(crate) fragment_word: Option<String>,
    /// IPv6 extension headers and AH in both families, in order: `hop-by-hop`, `routing`,
    /// `destination-options`, each with a length in octets (`hop-by-hop 64`), `ah`,
    /// `fragment 0 more`, `encapsulation-limit`, and routing headers with addresses:
    /// `routing-type 4 left 1 via 2001:db8::1`.
    pub(crate) chain: Vec<String>,
    /// Type of service or traffic class, in hexadecimal.
    pub(crate) service: Option<String>,
    /// Time to live or hop limit, where it is not 64.
    pub(crate) hops: Option<u8>,
    /// What is wrong by one: `ip-checksum`, `tcp-checksum`.
    pub(crate) broken: Vec<String>,
    /// Octets that are left behind the fixed IP header; the length field follows.
    pub(crate) ip_payload_octets: Option<usize>,

    /// `source port > destination port FLAGS`.
    pub(crate) tcp: Option<String>,
    /// TCP sequence number.
    pub(crate) seq: u32,
    /// TCP acknowledgment number.
    pub(crate) ack: u32,
    /// TCP options, in hexadecimal.
    pub(crate) tcp_options: Option<String>,
    /// Bits that are set beside the flags, in octets 12 and 13 of TCP, in hexadecimal.
    pub(crate) tcp_bits: Option<String>,
    /// TCP data offset as written, in units of four octets.
    pub(crate) data_offset: Option<u8>,
    /// `source port > destination port`.
    pub(crate) udp: Option<String>,
    /// An ICMP "administratively prohibited" that quotes this packet.
    pub(crate) icmp_quotes: Option<Box<FrameSpec>>,
    /// A packet inside this one: IP in IP, or what `through` says.
    pub(crate) carries: Option<Box<FrameSpec>>,
    /// What stands between this packet's IP header and the one that it carries: `gre`, `gre key`,
    /// `vxlan`, `gtp-u`, `l2tp`; behind `l2tp`, the bits that are set (`L`, `S`, `O`), and
    /// `no-address`, `short-protocol` for PPP: `l2tp L S O no-address`.
    pub(crate) through: Option<String>,
    /// Any other upper layer, by number.
    pub(crate) protocol: Option<u8>,
    /// What TCP or UDP carries, as text.
    pub(crate) data: Option<String>,
    /// What `protocol` or `ethertype` carries, in hexadecimal.
    pub(crate) payload: Option<String>,

    /// Zero octets behind it all, as Ethernet pads short frames.
    pub(crate) padding: usize,
    /// Octets that the capture kept.
    pub(crate) captured: Option<usize>,

    /// `VERDICT REASON`, or `VERDICT REASON by RULE`; `by none` where no rule had a part.
    pub(crate) expect: String,
    /// The subscriber's plan; `none` where there is none.
    pub(crate) plan: Option<String>,
    /// The peer's class, where the case is about it.
    pub(crate) class: Option<String>,
    /// Which way the frame goes (`out`, `in`, `both`, `unknown`), where the case is about it.
    pub(crate) way: Option<String>,
}

/// What must become of a frame.
pub(crate) struct Expectation<'a> {
    pub(crate) verdict: &'a str,
    pub(crate) reason: &'a str,
    /// Empty: no rule.
    pub(crate) rule: &'a str,
    /// Empty: no plan.
    pub(crate) plan: &'a str,
    pub(crate) class: Option<&'a str>,
    pub(crate) way: Option<&'a str>,
}

impl Case {
    /// What must become of `frame`, with what the case says once for all of them.
    pub(crate) fn expectation<'a>(
        &'a self,
        frame: &'a FrameSpec,
    ) -> Result<Expectation<'a>, String> {
        let words: Vec<&str> = frame.expect.split_whitespace().collect();
        let (verdict, reason, rule) = match words[..] {
            [verdict, reason] => (verdict, reason, None),
            [verdict, reason, "by", rule] => (verdict, reason, Some(rule)),
            _ => {
                return Err(format!(
                    "expect: {:?} is not VERDICT REASON [by RULE]",
                    frame.expect
                ));
            }
        };
        let default = if verdict == "forward" {
            None
        } else {
            self.rule.as_deref()
        };
        let plan = frame.plan.as_deref().or(self.plan.as_deref());
        Ok(Expectation {
            verdict,
            reason,
            rule: rule
                .or(default)
                .filter(|rule| *rule != "none")
                .unwrap_or(""),
            plan: plan.filter(|plan| *plan != "none").unwrap_or(""),
            class: frame.class.as_deref(),
            way: frame.way.as_deref(),
        })
    }
}

/// Octets written in hexadecimal, with or without spaces.
pub(crate) fn octets(hex: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| {
            std::str::from_utf8(pair)
                .ok()
                .and_then(|p| u8::from_str_radix(p, 16).ok())
        })
        .collect::<Option<Vec<u8>>>()
        .filter(|_| digits.len().is_multiple_of(2))
        .ok_or_else(|| format!("{hex:?} is not hexadecimal octets"))
}

/// A number in a case.
pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is no number that fits here"))
}
