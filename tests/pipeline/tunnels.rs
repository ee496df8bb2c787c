//! Tunnels: what is read of them, and what cannot be one.

use crate::support::{EVERY_TUNNEL, LEAST, good, refused};
use insta::assert_snapshot;
use sekisho::control::pipeline::{Pipeline, TunnelKind};
use sekisho::wire::{self, InterfaceId, MapRule, Subscriber};

fn with(unwrap: &str) -> String {
    format!("{}{unwrap}", LEAST[0])
}

fn every_tunnel() -> Pipeline {
    good(&with(EVERY_TUNNEL))
}

#[test]
fn each_kind_is_read_and_opened_as_what_wraps_it() {
    use wire::TunnelKind::{Gre, GtpU, Ipv4InIpv6, Ipv6InIpv4, L2tp, Vxlan};
    let pipeline = every_tunnel();
    let kinds: Vec<_> = pipeline.unwrap.iter().map(|tunnel| tunnel.kind).collect();
    let mut all = TunnelKind::ALL.to_vec();
    all.insert(0, TunnelKind::MapE);
    assert_eq!(kinds, all);
    let opens = pipeline.opens();
    let opened: Vec<_> = opens
        .tunnels()
        .map(|tunnel| (tunnel.kind, tunnel.subscriber))
        .collect();
    let expected = [
        (Ipv4InIpv6, Subscriber::PortSet),
        (Ipv4InIpv6, Subscriber::Outer),
        (Ipv4InIpv6, Subscriber::Outer),
        (Ipv6InIpv4, Subscriber::Outer),
        (L2tp, Subscriber::Inner),
        (Gre, Subscriber::Inner),
        (Vxlan, Subscriber::Inner),
        (GtpU, Subscriber::Inner),
    ];
    assert_eq!(opened, expected);
    assert!(good(LEAST[0]).opens().is_empty());
}

#[test]
fn rules_are_read_as_the_relay_has_them() {
    let pipeline = every_tunnel();
    let rule = |ipv6: &str, ipv4: &str, ea_bits, offset, length| {
        let rule = MapRule::new(
            ipv6.parse().unwrap(),
            ipv4.parse().unwrap(),
            ea_bits,
            offset,
            Some(length),
        );
        rule.unwrap().checking(InterfaceId::Draft03)
    };
    let rules = &pipeline.unwrap[0].rules;
    let expected = [
        rule("2001:db8:5400::/45", "203.0.113.112/29", 11, 4, 8),
        rule("2001:db8:5500::/48", "198.51.100.0/24", 16, 6, 8),
    ];
    assert_eq!(*rules, expected);
    let ignored = EVERY_TUNNEL.replace("draft-03", "ignore");
    let rules = &good(&with(&ignored)).unwrap[0].rules;
    assert!(rules.iter().all(|rule| rule.interface_id().is_none()));
}

/// What makes every lengths' sum come out just so is taken, and one more is not.
#[test]
fn lengths_are_taken_up_to_their_bounds() {
    let rule = |ipv6: u8, ipv4: u8, ea_bits: u8, offset: u8| {
        with(&format!(
            "unwrap:\n- kind: map-e\n  endpoints: [2001:db8:ffff::1]\n  rules:\n  \
             - {{ ipv6: 2001:db8::/{ipv6}, ipv4: 192.0.0.0/{ipv4}, ea-bits: {ea_bits}, \
             psid-offset: {offset} }}\n"
        ))
    };
    for (ipv6, ipv4, ea_bits, offset, psid) in [
        (40, 24, 24, 0, 16), // a /64 each, one port each
        (40, 24, 8, 6, 0),   // an address each
        (40, 24, 4, 6, 0),   // a /28 each
        (32, 32, 0, 15, 0),  // all of it one subscriber
        (32, 32, 1, 15, 1),
    ] {
        let pipeline = good(&rule(ipv6, ipv4, ea_bits, offset));
        assert_eq!(pipeline.unwrap[0].rules[0].psid_bits(), psid);
    }
    for (ipv6, ipv4, ea_bits, offset) in [(41, 24, 24, 0), (40, 24, 24, 1), (40, 24, 23, 2)] {
        let told = refused(&rule(ipv6, ipv4, ea_bits, offset));
        assert_eq!(told.matches("error[bad-map-rule]").count(), 1, "{told}");
    }
}

const WRONG: &[(&str, &str)] = &[
    (
        "keys and words",
        "unwrap:\n- { kind: mape, endpoints: [2001:db8::1] }\n- { endpoint: 2001:db8::1 }\n\
         - { kind: gre, endpoints: [] }\nunparsed: reject\nlimit-subscribers: 1\n\
         replies: { per-second: 0, bursts: 4 }\n",
    ),
    (
        "endpoints are addresses of the kind's family",
        "unwrap:\n- { kind: map-e, endpoints: [br.example.jp, 192.0.2.1, 2001:db8::1/64] }\n\
         - { kind: 6rd, endpoints: [2001:db8::1, 6.0.0.0/7] }\n\
         - { kind: l2tp, endpoints: ['::/0', 0.0.0.0/0] }\n",
    ),
    (
        "where no tunnel ends",
        "unwrap:\n- { kind: gre, endpoints: [127.0.0.1, 224.0.0.5, 255.255.255.255, 0.0.0.0] }\n\
         - { kind: vxlan, endpoints: ['::1', 'ff02::1', 'fe80::1', '::'] }\n",
    ),
    (
        "one endpoint in two entries, or twice in one",
        "unwrap:\n- { kind: map-e, endpoints: [2001:db8:1::/64, 2001:db8:2::1] }\n\
         - { kind: ds-lite, endpoints: [2001:db8:1::5] }\n\
         - { kind: gre, endpoints: [192.0.2.1, 192.0.2.0/24] }\n",
    ),
    (
        "what other kinds of tunnel have",
        "unwrap:\n- { kind: ds-lite, endpoints: [2001:db8::1], subscriber: inner }\n\
         - kind: l2tp\n  endpoints: [192.0.2.1]\n  subscriber: outer\n  interface-id: rfc7597\n  \
         rules:\n  - { ipv6: 2001:db8::/40, ipv4: 192.0.2.0/24, ea-bits: 16, psid-offset: 6 }\n\
         - { kind: 6rd, endpoints: [192.0.2.1], subscriber: port-set }\n",
    ),
    (
        "what only rules can tell",
        "unwrap:\n- { kind: map-e, endpoints: [2001:db8::1], subscriber: port-set, interface-id: rfc7597 }\n\
         - { kind: map-e, endpoints: [2001:db8::2], interface-id: ignore }\n",
    ),
    (
        "rules that do not add up",
        "unwrap:\n- kind: map-e\n  endpoints: [2001:db8::1]\n  rules:\n  \
         - { ipv6: 2001:db8:5400::/40, ipv4: 203.0.113.112/29, ea-bits: 16, psid-offset: 4, psid-length: 8 }\n  \
         - { ipv6: 2001:db8:1::/56, ipv4: 192.0.2.0/30, ea-bits: 16, psid-offset: 6, psid-length: 14 }\n  \
         - { ipv6: 192.0.2.4/30, ipv4: 2001:db8::/32, ea-bits: 16, psid-offset: 6 }\n  \
         - { ipv6: 'ff00::/40', ipv4: 127.0.0.0/8, ea-bits: 24, psid-offset: 6 }\n  \
         - { ipv6: 2001:db8:2::/48, ipv4: 192.0.2.9/30, ea-bits: 49, psid-offset: 16 }\n",
    ),
    (
        "rules that speak of the same addresses",
        "unwrap:\n- kind: map-e\n  endpoints: [2001:db8::1]\n  rules:\n  \
         - { ipv6: 2001:db8:1000::/40, ipv4: 192.0.2.0/25, ea-bits: 15, psid-offset: 6 }\n  \
         - { ipv6: 2001:db8:1080::/41, ipv4: 192.0.2.128/25, ea-bits: 15, psid-offset: 6 }\n  \
         - { ipv6: 2001:db8:2000::/40, ipv4: 192.0.2.64/26, ea-bits: 14, psid-offset: 6 }\n",
    ),
    (
        "sources are asked for where subscribers are",
        "network: { device: eth1, source: known }\n",
    ),
];

#[test]
fn every_mistake_is_said_with_its_place() {
    let told: Vec<_> = WRONG
        .iter()
        .map(|(what, unwrap)| {
            let least = match unwrap.starts_with("network") {
                true => LEAST[0].replace("network: { device: eth1 }\n", ""),
                false => LEAST[0].to_owned(),
            };
            format!("=== {what}\n\n{}", refused(&(least + unwrap)))
        })
        .collect();
    assert_snapshot!(told.join("\n"));
}

/// What is said of tunnels; the list of all findings is held against it.
pub(crate) fn all_told() -> String {
    WRONG
        .iter()
        .filter(|(_, unwrap)| unwrap.starts_with("unwrap"))
        .map(|(_, unwrap)| refused(&with(unwrap)))
        .collect()
}
