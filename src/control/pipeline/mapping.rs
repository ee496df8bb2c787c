//! The mapping rules of MAP-E (RFC 7597), as a border relay has them.

use super::findings::{BAD_MAP_RULE, MAP_RULES_OVERLAP};
use super::read::{Reader, number};
use super::tunnels::{nobodys, overlap};
use crate::policy::Origin;
use crate::policy::document::{Diagnostic, Node, Text};
use crate::wire::{InterfaceId, MapRule};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const IPV4_BITS: u8 = 32;
const PORT_BITS: u8 = 16;
/// A subscriber has a /64 at least.
const SUBSCRIBER_BITS: u8 = 64;

/// A rule's two prefixes, and where each stands.
struct Placed {
    prefixes: [(IpNet, Origin); 2],
}

/// The numbers of a rule, as they are written.
struct Lengths {
    ea_bits: u8,
    psid_offset: u8,
    psid_length: Option<u8>,
}

impl Reader<'_> {
    pub(super) fn map_rules(&mut self, tunnel: &Node, layout: Option<InterfaceId>) -> Vec<MapRule> {
        let mut placed: Vec<Placed> = Vec::new();
        let mut rules = Vec::new();
        for node in tunnel.get_list("rules").unwrap_or(&[]) {
            let ipv6 = self.prefix_of(node, "ipv6", "IPv6", |prefix| match prefix {
                IpNet::V6(prefix) => Some(prefix),
                IpNet::V4(_) => None,
            });
            let ipv4 = self.prefix_of(node, "ipv4", "IPv4", |prefix| match prefix {
                IpNet::V4(prefix) => Some(prefix),
                IpNet::V6(_) => None,
            });
            let (Some((ipv6, v6_text)), Some((ipv4, v4_text))) = (ipv6, ipv4) else {
                continue;
            };
            let prefixes = [
                (IpNet::V6(ipv6), v6_text.origin),
                (IpNet::V4(ipv4), v4_text.origin),
            ];
            for (prefix, origin) in &prefixes {
                self.not_twice(prefix, origin, &placed);
            }
            placed.push(Placed { prefixes });
            let rule = self.map_rule(node, ipv6, ipv4);
            rules.extend(rule.map(|rule| match layout {
                Some(layout) => rule.checking(layout),
                None => rule,
            }));
        }
        rules
    }

    /// The lengths of a rule: prefix and EA bits make a subscriber's prefix, the EA bits are what is
    /// missing of the address and then the PSID, and that stands in a port behind the offset.
    fn map_rule(&mut self, node: &Node, ipv6: Ipv6Net, ipv4: Ipv4Net) -> Option<MapRule> {
        let Lengths {
            ea_bits,
            psid_offset,
            psid_length,
        } = lengths(node)?;
        let whole = ipv6.prefix_len() + ea_bits;
        if whole > SUBSCRIBER_BITS {
            let message = format!(
                "a prefix of /{} with {ea_bits} EA bits makes a subscriber's /{whole}",
                ipv6.prefix_len()
            );
            let room = SUBSCRIBER_BITS.saturating_sub(ipv6.prefix_len());
            let help = format!("{room} EA bits at most: a subscriber has a /64 or more");
            self.wrong(node, "ea-bits", message, &help);
        }
        let missing = IPV4_BITS - ipv4.prefix_len();
        let left = ea_bits.saturating_sub(missing);
        let length = psid_length.unwrap_or(left);
        if length != left {
            let message = format!(
                "{ea_bits} EA bits leave {left} for the PSID behind the {missing} that {ipv4} \
                 lacks of an address, not {length}"
            );
            let help = format!("`psid-length: {left}`, or `ea-bits: {}`", missing + length);
            self.wrong(node, "psid-length", message, &help);
        }
        if psid_offset + length > PORT_BITS {
            let message =
                format!("a PSID of {length} bits behind {psid_offset} is more than a port has");
            let help = format!("{PORT_BITS} bits together, at most");
            self.wrong(node, "psid-offset", message, &help);
        }
        // What is wrong with it has been said.
        MapRule::new(ipv6, ipv4, ea_bits, psid_offset, psid_length).ok()
    }

    fn prefix_of<P>(
        &mut self,
        node: &Node,
        key: &str,
        family: &str,
        of_family: impl Fn(IpNet) -> Option<P>,
    ) -> Option<(P, Text)> {
        let text = node.get_text(key)?;
        let prefix = self.prefix(&text)?;
        if let Some(what) = nobodys(&prefix) {
            let message = format!("no subscriber has {what} address");
            let help = format!("an {family} prefix of subscribers");
            self.complain(BAD_MAP_RULE, &text, message, &help);
        }
        let found = of_family(prefix);
        if found.is_none() {
            let message = format!("`{prefix}` is no {family} prefix");
            let help = format!("an {family} prefix of subscribers");
            self.complain(BAD_MAP_RULE, &text, message, &help);
        }
        Some((found?, text))
    }

    /// Two rules for one address would give it two port sets, or two subscribers.
    fn not_twice(&mut self, prefix: &IpNet, origin: &Origin, placed: &[Placed]) {
        let before = placed.iter().flat_map(|placed| &placed.prefixes);
        let Some((other, first)) = before.into_iter().find(|(other, _)| overlap(other, prefix))
        else {
            return;
        };
        let message = format!("`{prefix}` overlaps with `{other}` of an earlier rule");
        let found = Diagnostic::new(MAP_RULES_OVERLAP, message, origin, "this one");
        let found = found.label(first, "and that one");
        self.push(
            found.help("an address belongs to one rule: split one of the two, or leave it out"),
        );
    }

    fn wrong(&mut self, node: &Node, key: &str, message: String, expected: &str) {
        let place = node.get_scalar(key).or_else(|| node.get_scalar("ea-bits"));
        if let Some(place) = place {
            self.complain(BAD_MAP_RULE, &place, message, expected);
        }
    }
}

/// What the table of keys let pass.
fn lengths(node: &Node) -> Option<Lengths> {
    let small = |key, most: u8| {
        let number = number(node, key)?;
        u8::try_from(number).ok().filter(|number| *number <= most)
    };
    Some(Lengths {
        ea_bits: small("ea-bits", 48)?,
        psid_offset: small("psid-offset", 15)?,
        psid_length: match node.get("psid-length") {
            Some(_) => Some(small("psid-length", PORT_BITS)?),
            None => None,
        },
    })
}
