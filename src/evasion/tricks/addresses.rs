//! Addresses that are somebody else's, or nobody's.

use crate::evasion::build::{Ends, Ip, Segment, TCP};
use crate::evasion::scene::{Party, SYN, Scene, v4};
use crate::evasion::{Attempt, Fate, Setting, Trick};
use crate::stats::Reason;
use std::net::{IpAddr, Ipv6Addr};

pub(super) const TRICKS: &[Trick] = &[
    Trick {
        number: 22,
        name: "source-of-nobody",
        tries: "a source that no subscriber has, from the access side: forwarded, or dropped with `source: known`",
        source: "RFC 2827; RFC 6890",
        case: "a-source-of-nobody-is-dropped-where-only-known-ones-may-send",
        frames: |scene| {
            let ipv4 = [
                [203, 0, 113, 77],
                [127, 0, 0, 1],
                [10, 0, 0, 1],
                [224, 0, 0, 1],
                [255; 4],
            ];
            let ipv6 = [
                "2001:db8:c00::77",
                "::1",
                "fc00::1",
                "ff02::1",
                "::ffff:192.0.2.1",
            ];
            let from = listed(scene, &ipv4, &ipv6);
            let refused = Fate::Refused(Reason::SpoofedSource);
            let fates = [
                (Setting::Plain, Fate::Harmless),
                (Setting::KnownSources, refused),
            ];
            let each = fates.into_iter().flat_map(|(setting, fate)| {
                let from = from.iter();
                from.map(move |from| syn(scene, (*from, scene.peer()), fate).under(setting))
            });
            each.filter(|_| scene.is_out()).collect()
        },
    },
    Trick {
        number: 79,
        name: "destination-of-nobody",
        tries: "a SYN to a broadcast, multicast, loopback, private or unspecified address: strangers, like any other",
        source: "RFC 6890",
        case: "a-strange-destination-is-another-provider",
        frames: |scene| {
            let ipv4 = [
                [255; 4],
                [224, 0, 0, 1],
                [127, 0, 0, 1],
                [10, 0, 0, 1],
                [0; 4],
                [240, 0, 0, 1],
            ];
            let ipv6 = ["ff02::1", "::1", "fe80::1", "fc00::1", "::", "100::1"];
            toward(scene, &ipv4, &ipv6)
        },
    },
    Trick {
        number: 80,
        name: "destination-behind-a-translator",
        tries: "IPv6 addresses that hold an IPv4 server's: mapped, compatible, 6to4, NAT64, Teredo",
        source: "RFC 4291; RFC 3056; RFC 6052; RFC 4380",
        case: "a-strange-destination-is-another-provider",
        frames: |scene| {
            // Each of them holds the own server's address: that opens nothing.
            let ipv6 = [
                "::ffff:198.51.100.25",
                "::198.51.100.25",
                "2002:c633:6419::1",
                "64:ff9b::198.51.100.25",
                "64:ff9b:1::198.51.100.25",
                "2001:0:c633:6419::1",
            ];
            toward(scene, &[], &ipv6)
        },
    },
    Trick {
        number: 81,
        name: "everybodys-ports",
        tries: "a SYN from the subscriber to itself, and to a neighbour: on-net is no exemption",
        source: "the field's lists; \"land\" attacks",
        case: "between-two-subscribers-either-one-can-be-turned-back",
        frames: |scene| {
            let neighbour = match scene.subscriber() {
                IpAddr::V4(_) => v4([192, 0, 2, 33]),
                IpAddr::V6(_) => "2001:db8:b00::77".parse().unwrap_or(scene.subscriber()),
            };
            [scene.subscriber(), neighbour]
                .into_iter()
                .filter(|_| scene.is_out() && scene.party == Party::Blocked)
                .map(|to| syn(scene, (scene.subscriber(), to), Fate::Seen))
                .collect()
        },
    },
];

/// SYNs from the subscriber to addresses that no class names; its own server's are another matter.
fn toward(scene: &Scene, ipv4: &[[u8; 4]], ipv6: &[&str]) -> Vec<Attempt> {
    if !scene.is_out() || scene.party == Party::OwnServer {
        return Vec::new();
    }
    let from = scene.subscriber();
    let some = listed(scene, ipv4, ipv6).into_iter();
    some.map(|to| syn(scene, (from, to), Fate::Seen)).collect()
}

/// The addresses of the scene's family.
fn listed(scene: &Scene, ipv4: &[[u8; 4]], ipv6: &[&str]) -> Vec<IpAddr> {
    if scene.is_v4() {
        return ipv4.iter().map(|octets| v4(*octets)).collect();
    }
    let parse = |text: &&str| text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    ipv6.iter().filter_map(parse).collect()
}

fn syn(scene: &Scene, ends: Ends, fate: Fate) -> Attempt {
    let octets = Segment::new(49_152, 25, SYN).octets(ends);
    scene.attempt(&Ip::new(ends, TCP, octets), fate)
}
