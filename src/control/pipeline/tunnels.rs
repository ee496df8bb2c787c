//! The tunnels that a pipeline lets be looked into.

use super::Tunnel;
use super::findings::{
    BAD_ENDPOINT, ENDPOINT_TOO_WIDE, ENDPOINT_TWICE, MAP_RULES_MISSING, NOT_OF_TUNNEL,
};
use super::read::{Reader, word};
use super::words::{self, TunnelKind};
use crate::policy::Origin;
use crate::policy::document::{Diagnostic, Node, Text, prefix};
use crate::wire::{self, Family, InterfaceId, Subscriber};
use ipnet::IpNet;
use std::net::IpAddr;

/// Shorter prefixes than these hold more than one provider's ends.
const WIDEST_IPV4: u8 = 8;
const WIDEST_IPV6: u8 = 16;

/// An endpoint that was named.
struct Named {
    wraps: wire::TunnelKind,
    prefix: IpNet,
    origin: Origin,
}

impl Reader<'_> {
    pub(super) fn tunnels(&mut self, root: &Node) -> Vec<Tunnel> {
        let mut named = Vec::new();
        let mut tunnels = Vec::new();
        for node in root.get_list("unwrap").unwrap_or(&[]) {
            let Some(kind) = word(node, "kind", TunnelKind::of) else {
                continue;
            };
            let endpoints = self.endpoints(node, kind, &mut named);
            let subscriber = self.subscriber(node, kind);
            let layout = word(node, "interface-id", words::interface_id).flatten();
            let rules = self.map_rules(node, layout);
            if kind == TunnelKind::MapE {
                self.rules_are_there(node, subscriber, layout);
            } else {
                for key in ["rules", "interface-id"] {
                    self.refuse_of_tunnel(node, key, kind);
                }
            }
            tunnels.push(Tunnel {
                kind,
                endpoints,
                subscriber,
                rules,
            });
        }
        tunnels
    }

    fn endpoints(&mut self, node: &Node, kind: TunnelKind, named: &mut Vec<Named>) -> Vec<IpNet> {
        let mut endpoints = Vec::new();
        for text in node.get_list("endpoints").unwrap_or(&[]) {
            let Some(text) = text.text() else { continue };
            let Some(prefix) = self.prefix(&text) else {
                continue;
            };
            self.fits(prefix, &text, kind);
            let wraps = kind.wraps();
            let before = named
                .iter()
                .find(|before| before.wraps == wraps && overlap(&before.prefix, &prefix));
            if let Some(before) = before {
                let message = format!("`{prefix}` is an endpoint of such a tunnel already");
                let found = Diagnostic::new(ENDPOINT_TWICE, message, &text.origin, "again here");
                let found = found.label(&before.origin, "first here");
                self.push(found.help("name each end in one entry, once"));
            }
            named.push(Named {
                wraps,
                prefix,
                origin: text.origin,
            });
            endpoints.push(prefix);
        }
        endpoints
    }

    /// Whether such tunnels can end there.
    fn fits(&mut self, prefix: IpNet, text: &Text, kind: TunnelKind) {
        let name = kind.label();
        let of = family(&prefix);
        if let Some(carrier) = kind.carrier().filter(|carrier| *carrier != of) {
            let message = format!(
                "`{prefix}` is {}, and {name} is carried by {}",
                of.label(),
                carrier.label()
            );
            let help = format!("{} addresses of the provider's own ends", carrier.label());
            self.complain(BAD_ENDPOINT, text, message, &help);
        } else if let Some(what) = nobodys(&prefix) {
            let message = format!("no tunnel ends at {what} address");
            let help = "addresses of the provider's own ends";
            self.complain(BAD_ENDPOINT, text, message, help);
        } else {
            let widest = match of {
                Family::V4 => WIDEST_IPV4,
                Family::V6 => WIDEST_IPV6,
            };
            if prefix.prefix_len() < widest {
                let message = format!("`{prefix}` would open other people's tunnels too");
                let help = format!(
                    "the provider's own ends: single addresses, or prefixes of /{widest} and longer"
                );
                self.complain(ENDPOINT_TOO_WIDE, text, message, &help);
            }
        }
    }

    fn subscriber(&mut self, node: &Node, kind: TunnelKind) -> Subscriber {
        let possible = kind.subscribers();
        let Some(wanted) = word(node, "subscriber", words::subscriber) else {
            return possible.first().copied().unwrap_or(Subscriber::Inner);
        };
        if let (false, Some(text)) = (possible.contains(&wanted), node.get_text("subscriber")) {
            let kind = kind.label();
            let message = format!(
                "with `kind: {kind}`, no subscriber is known by `{}`",
                text.text
            );
            let possible: Vec<_> = possible
                .iter()
                .map(|one| format!("`{}`", words::subscriber_label(*one)))
                .collect();
            self.complain(NOT_OF_TUNNEL, &text, message, &possible.join(" or "));
        }
        wanted
    }

    /// Nothing but the rules knows which ports and which interface identifiers are whose.
    fn rules_are_there(
        &mut self,
        node: &Node,
        subscriber: Subscriber,
        layout: Option<InterfaceId>,
    ) {
        if node.get("rules").is_some() {
            return;
        }
        for (asks, key) in [
            (subscriber == Subscriber::PortSet, "subscriber"),
            (layout.is_some(), "interface-id"),
        ] {
            if let (true, Some(text)) = (asks, node.get_text(key)) {
                let message = format!("`{key}: {}` needs mapping rules", text.text);
                let help = "`rules:` beside it, as the border relay has them";
                self.complain(MAP_RULES_MISSING, &text, message, help);
            }
        }
    }

    fn refuse_of_tunnel(&mut self, node: &Node, key: &str, kind: TunnelKind) {
        let Some(place) = node.place_of(key) else {
            return;
        };
        let name = kind.label();
        let message = format!("`{key}` means nothing with `kind: {name}`");
        let found = Diagnostic::new(NOT_OF_TUNNEL, message, place, "this is for `kind: map-e`");
        self.push(found.help("leave it out, or change `kind`"));
    }

    /// A prefix as it is written anywhere.
    pub(super) fn prefix(&mut self, text: &Text) -> Option<IpNet> {
        let read = prefix(&text.text, &text.origin);
        read.map_err(|found| self.push(found)).ok()
    }
}

pub(super) fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

pub(super) fn family(prefix: &IpNet) -> Family {
    match prefix {
        IpNet::V4(_) => Family::V4,
        IpNet::V6(_) => Family::V6,
    }
}

/// What makes a prefix begin with an address that belongs to no host.
pub(super) fn nobodys(prefix: &IpNet) -> Option<&'static str> {
    let unspecified = match prefix.addr() {
        IpAddr::V4(address) => address.octets().first() == Some(&0),
        IpAddr::V6(address) => address.is_unspecified(),
    };
    match prefix.addr() {
        // As wide as that is said of the width.
        _ if prefix.prefix_len() < WIDEST_IPV4 => None,
        _ if unspecified => Some("an unspecified"),
        address if address.is_loopback() => Some("a loopback"),
        address if address.is_multicast() => Some("a multicast"),
        IpAddr::V4(address) if address.octets().first() >= Some(&240) => Some("a reserved"),
        IpAddr::V6(address) if address.is_unicast_link_local() => Some("a link-local"),
        _ => None,
    }
}
