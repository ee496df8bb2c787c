//! Generated traffic is what its model says: held against etherparse, which reads every frame by
//! itself, and against the arithmetic of the shares.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

#[path = "traffic/reader.rs"]
mod reader;

use reader::{Seen, see};
use sekisho::loadgen::traffic::{
    Among, Bots, Direction, Encapsulation, Generator, Guise, Hostile, Kind, Made, Model, Network,
    Protocols, Sizes, Synthetic, Totals, Way, Wrapping,
};
use sekisho::policy::{Program, load_with};
use sekisho::wire::Family;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

const POLICY: &str = "\
isp: here
time_zone: Asia/Tokyo
plans:
  home:    { kind: dynamic }
  office:  { kind: fixed }
  mobile:  { kind: shared }
subscribers:
  - { plan: home,   prefixes: [198.18.0.0/16, 2001:db8:4000::/36] }
  - { plan: office, prefixes: [198.18.7.0/24, 2001:db8:4000:100::/56] }
  - { plan: mobile, prefixes: [198.19.0.0/17] }
destinations:
  own:   { prefixes: [192.0.2.0/28, 2001:db8:ff00::/48] }
  rival: { prefixes: [203.0.113.0/24] }
rules:
  - { name: others, plans: [home, mobile], to-other-than: [own], action: drop }
";

fn network() -> &'static Network {
    static NETWORK: OnceLock<Network> = OnceLock::new();
    NETWORK.get_or_init(|| {
        let now = "2026-11-01T00:00:00Z".parse().unwrap();
        let loaded = load_with(&["policy.yaml".to_owned()], now, &|_| Ok(POLICY.into()));
        let errors = format!("{:?}", loaded.diagnostics);
        let resolved = loaded.resolved.unwrap_or_else(|| panic!("{errors}"));
        let program = Program::compile(Arc::new(resolved)).unwrap();
        Network::of(Arc::new(program), now).unwrap()
    })
}

fn model() -> Model {
    Model {
        among: Among::Addresses,
        ..Model::default()
    }
}

/// Makes frames, and hands out each with what it was made as.
fn each(model: &Model, frames: usize, mut look: impl FnMut(&[u8], &Made)) -> Totals {
    let mut generator = Generator::new(model, network(), 1).unwrap();
    let mut tally = Totals::default();
    let mut frame = Vec::new();
    for _ in 0..frames {
        frame.clear();
        let made = generator.append_frame(&mut frame);
        assert_eq!(made.octets, frame.len());
        tally.add(&made);
        look(&frame, &made);
    }
    tally
}

/// Every kind of frame there is, in every guise and wrapping, both ways.
fn everything() -> Model {
    Model {
        direction: Direction::Both,
        ipv6: 0.4,
        port_25: 0.1,
        bots: Bots {
            count: 3,
            share: 0.1,
        },
        protocols: Protocols {
            tcp: 0.4,
            udp: 0.2,
            icmp: 0.2,
            esp: 0.2,
        },
        encapsulation: Encapsulation::Mixed,
        classes: BTreeMap::from([("own".to_owned(), 0.3)]),
        hostile: Hostile {
            spoofed: 0.1,
            options: 0.1,
            chain: 0.1,
            tiny_fragments: 0.1,
            four_tags: 0.1,
            source_routed: 0.1,
        },
        ..model()
    }
}

/// Within five standard deviations of a binomial draw.
fn assert_share(what: &str, count: u64, of: u64, share: f64) {
    let (count, of) = (count as f64, of as f64);
    let deviation = (of * share * (1.0 - share)).sqrt();
    assert!(
        (count - of * share).abs() <= 5.0 * deviation + 1e-6,
        "{what}: {count} of {of}, where {} is expected, give or take {deviation}",
        of * share
    );
}

#[test]
fn every_frame_reads_as_what_it_was_made_as() {
    let tally = each(&everything(), 20_000, |frame, made| {
        let seen = see(frame);
        let expected = Seen {
            wrapping: made.wrapping,
            family: made.family,
            way: made.way,
            kind: match (made.kind, made.guise) {
                (_, Guise::TinyFragment) => Kind::Ack,
                (Kind::BotSyn, _) => Kind::Port25Syn,
                (kind, _) => kind,
            },
            guise: match made.guise {
                // Nothing in the frame itself tells these two.
                Guise::Spoofed | Guise::FourTags => Guise::Plain,
                other => other,
            },
            checksums: true,
            ..seen
        };
        assert_eq!(seen, expected, "{made:?}: {frame:02x?}");
    });
    assert!(tally.kinds.iter().all(|count| *count > 0), "{tally:?}");
    assert!(tally.guises.iter().all(|count| *count > 0), "{tally:?}");
    // A tunnel is in no mix.
    let mut mixed = tally.wrappings.iter().zip(Wrapping::ALL);
    let seen = |(count, wrapping): (&u64, Wrapping)| (*count > 0) != (wrapping == Wrapping::MapE);
    assert!(mixed.all(seen), "{tally:?}");
}

#[test]
fn subscribers_are_of_their_plans_and_peers_where_they_should_be() {
    let tables = network().tables();
    each(&everything(), 20_000, |frame, made| {
        let seen = see(frame);
        let (subscriber, peer) = match made.way {
            Way::Out => (seen.source, seen.destination),
            Way::In => (seen.destination, seen.source),
        };
        assert_eq!(tables.plan(made.family, subscriber), made.plan, "{made:?}");
        if made.kind == Kind::BotSyn && made.guise != Guise::Spoofed {
            assert_ne!(network().plan_name(made.plan), "office", "{made:?}");
        }
        let set = tables.peer_set(made.family, peer);
        let class = network().legend().class(0, set).unwrap();
        let class = network().legend().tenants()[0].classes[class].name.as_str();
        let fine = match made.kind {
            Kind::BotSyn => class == "other",
            _ => ["own", "other"].contains(&class),
        };
        assert!(fine, "{made:?} with {class}");
    });
}

#[test]
fn sizes_repeat_exactly() {
    let sizes = [64, 594, 64, 64, 594, 64, 64, 594, 64, 64, 594, 1_518];
    assert_eq!("imix".parse::<Sizes>().unwrap().octets(), sizes);
    let mut expected = sizes.iter().cycle();
    each(&model(), 1_000, |frame, made| {
        assert_eq!(
            frame.len() + 4,
            usize::from(*expected.next().unwrap()),
            "{made:?}"
        );
        assert!(!made.enlarged);
    });
    let written: Sizes = "64,1518,9000".parse().unwrap();
    assert_eq!(written, "agi".parse().unwrap());
    assert_eq!(written.to_string(), "64,1518,9000");
    let wrong = [
        "", "0", "63", "9217", "99999999", "64,,65", "imi", "64;65", "-1",
    ];
    for text in wrong {
        assert!(text.parse::<Sizes>().is_err(), "{text}");
    }
}

/// The least sizes that hold the headers, with the check sequence.
#[test]
fn what_does_not_fit_is_enlarged_and_counted() {
    let tcp = Protocols {
        tcp: 1.0,
        udp: 0.0,
        icmp: 0.0,
        esp: 0.0,
    };
    let least = |encapsulation, ipv6, hostile| {
        let model = Model {
            sizes: "64".parse().unwrap(),
            protocols: tcp,
            encapsulation,
            ipv6,
            hostile,
            ..model()
        };
        let mut sizes = std::collections::BTreeSet::new();
        let tally = each(&model, 100, |frame, made| {
            assert_eq!(made.enlarged, frame.len() > 60);
            sizes.insert(frame.len() + 4);
        });
        assert_eq!(tally.enlarged, if sizes.contains(&64) { 0 } else { 100 });
        assert_eq!(sizes.len(), 1, "{model:?}");
        sizes.pop_first().unwrap()
    };
    let none = Hostile::default();
    let pppoe = Encapsulation::QinqPppoe;
    assert_eq!(least(Encapsulation::None, 0.0, none), 64);
    assert_eq!(least(Encapsulation::None, 1.0, none), 78);
    assert_eq!(least(pppoe, 0.0, none), 74);
    assert_eq!(least(pppoe, 1.0, none), 94);
    let hostile = |change: fn(&mut Hostile)| {
        let mut hostile = none;
        change(&mut hostile);
        least(Encapsulation::None, 0.0, hostile)
    };
    assert_eq!(hostile(|h| h.options = 1.0), 98);
    assert_eq!(hostile(|h| h.tiny_fragments = 1.0), 64);
    assert_eq!(hostile(|h| h.four_tags = 1.0), 74);
    assert_eq!(hostile(|h| h.chain = 1.0), 14 + 40 + 256 + 20 + 4);
    assert_eq!(hostile(|h| h.source_routed = 1.0), 98);
}

#[test]
fn shares_are_what_the_model_says() {
    let model = everything();
    let frames = 40_000;
    let tally = each(&model, frames, |_, _| ());
    let frames = frames as u64;
    let of = |share| move |what: &str, count| assert_share(what, count, frames, share);
    of(0.1)("bots", tally.kinds[Kind::BotSyn as usize]);
    let [syn, answer] =
        [Kind::Port25Syn, Kind::Port25SynAck].map(|kind| tally.kinds[kind as usize]);
    of(0.1)("port 25", syn + answer);
    // Spoofed sources go out only.
    of(0.1 * (0.1 + 0.9 / 2.0))("port 25 outbound", syn);
    for guise in Guise::ALL.into_iter().skip(1) {
        of(0.1)(guise.label(), tally.guises[guise as usize]);
    }
    of(0.1 + 0.7 * 0.4)("IPv6", tally.families[1]);
    of(0.9 / 4.0)("no tag", tally.wrappings[Wrapping::None as usize]);
    let generator = Generator::new(&model, network(), 1).unwrap();
    let expected = generator.expected_plan_shares();
    assert!((expected.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    for (plan, share) in expected.iter().enumerate() {
        of(*share)(&format!("plan {plan}"), tally.plans[plan]);
    }
}

/// Without shares, plans have what they have of addresses, or of prefixes.
#[test]
fn plans_share_by_what_they_have() {
    let expected = |model: Model| {
        let generator = Generator::new(&model, network(), 1).unwrap();
        generator.expected_plan_shares()
    };
    let all = f64::from(65_536 + 32_768);
    let close = |found: Vec<f64>, by_hand: [f64; 4]| {
        let near = found
            .iter()
            .zip(by_hand)
            .all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(near, "{found:?} {by_hand:?}");
    };
    close(
        expected(model()),
        [0.0, (65_536.0 - 256.0) / all, 256.0 / all, 32_768.0 / all],
    );
    let third = 1.0 / 3.0;
    close(expected(Model::default()), [0.0, third, third, third]);
    let plans = BTreeMap::from([("here/office".to_owned(), 0.7)]);
    let named = Model {
        plans,
        ..Model::default()
    };
    close(expected(named), [0.0, 0.15, 0.7, 0.15]);
}

#[test]
fn a_zipf_law_makes_few_subscribers_send_most() {
    let mut model = Model {
        among: Among::Addresses,
        zipf: Some(1.0),
        plans: BTreeMap::from([("mobile".to_owned(), 1.0)]),
        ..Model::default()
    };
    let counts = |model: &Model| {
        let mut counts = BTreeMap::<u128, u64>::new();
        each(model, 20_000, |frame, _| {
            *counts.entry(see(frame).source).or_default() += 1
        });
        let mut counts: Vec<_> = counts.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts
    };
    // Of ranks up to n, rank k has 1/k of the harmonic number of n.
    let harmonic: f64 = (1..=32_768).map(|rank| 1.0 / f64::from(rank)).sum();
    let found = counts(&model);
    for (rank, count) in (1_u32..).zip(found.iter().take(3)) {
        assert_share("rank", *count, 20_000, 1.0 / f64::from(rank) / harmonic);
    }
    model.zipf = None;
    assert!(counts(&model)[0] < 10);
}

/// FNV-1a.
fn hash(octets: impl IntoIterator<Item = u8>) -> u64 {
    let basis = 0xcbf2_9ce4_8422_2325_u64;
    octets.into_iter().fold(basis, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What was measured on a made-up network can be measured again.
#[test]
fn a_made_up_network_is_the_same_on_every_machine() {
    let of = |name: &str| {
        let network: Synthetic = name.parse().unwrap();
        let prefixes = network.prefixes().into_iter();
        hash(prefixes.flat_map(|(net, plan)| format!("{net} {plan}").into_bytes()))
    };
    let first_seen = [4_274_177_515_322_430_487, 16_568_942_106_714_077_539];
    assert_eq!([of("dense-10k"), of("strewn-10k")], first_seen);
}

/// The octets of a capture are the same on every machine.
#[test]
fn the_same_seed_gives_the_same_octets() {
    let mut model = everything();
    // It came later than the hash below.
    model.hostile.source_routed = 0.0;
    let made = |seed| {
        let mut generator = Generator::new(&model, network(), seed).unwrap();
        let mut frames = Vec::new();
        for _ in 0..5_000 {
            generator.append_frame(&mut frames);
        }
        hash(frames)
    };
    assert_eq!(made(1), made(1));
    assert_ne!(made(1), made(2));
    let first_seen = 5_743_910_179_769_602_500;
    assert_eq!(made(1), first_seen, "the frames of seed 1 have changed");
}

#[test]
fn a_model_that_cannot_be_is_refused() {
    let refused = |change: fn(&mut Model)| {
        let mut model = model();
        change(&mut model);
        let error = Generator::new(&model, network(), 1).unwrap_err();
        error.to_string()
    };
    let said = [
        refused(|m| m.ipv6 = 1.5),
        refused(|m| m.port_25 = f64::NAN),
        refused(|m| {
            m.port_25 = 0.6;
            m.bots.share = 0.5;
        }),
        refused(|m| m.protocols.tcp = 0.5),
        refused(|m| m.tcp_flags.ack = 1.0),
        refused(|m| m.zipf = Some(-1.0)),
        refused(|m| {
            m.bots = Bots {
                count: 0,
                share: 0.1,
            }
        }),
        refused(|m| m.hostile.spoofed = -0.1),
        refused(|m| m.plans = BTreeMap::from([("gold".to_owned(), 0.5)])),
        refused(|m| m.plans = BTreeMap::from([("home".to_owned(), 2.0)])),
        refused(|m| {
            m.ipv6 = 1.0;
            m.plans = BTreeMap::from([("mobile".to_owned(), 0.5)]);
        }),
        refused(|m| m.classes = BTreeMap::from([("away".to_owned(), 0.5)])),
        refused(|m| {
            m.ipv6 = 0.5;
            m.classes = BTreeMap::from([("rival".to_owned(), 0.5)]);
        }),
    ];
    let expected = [
        "the IPv6 share: a share is a number from 0 to 1, not 1.5",
        "port 25 and bots: a share is a number from 0 to 1, not NaN",
        "port 25 and bots: the shares make 1.1 together, where at most 1 is possible",
        "protocols: the shares make 0.7 together, where 1 is needed",
        "TCP flags: the shares make 1.25 together, where at most 1 is possible",
        "the exponent of a Zipf law is a number from 0 to 20, not -1",
        "bots with a share of the frames need a count above 0",
        "hostile frames: a share is a number from 0 to 1, not -0.1",
        "there is no plan `gold`: there are here/home, here/office, here/mobile",
        "plans: `home`: a share is a number from 0 to 1, not 2",
        "the plan `mobile` has no subscribers in the IP versions of this traffic",
        "there is no class `away`: there are here/own, here/rival, here/on-net, here/other",
        "the class `rival` has no IPv6 addresses",
    ];
    assert_eq!(said, expected.map(str::to_owned));
}

/// Sources of the whole space have no plan, and special ranges no host.
#[test]
fn spoofed_sources_are_public_addresses() {
    let hostile = Hostile {
        spoofed: 1.0,
        ..Hostile::default()
    };
    let model = Model {
        hostile,
        ipv6: 0.5,
        ..model()
    };
    let tally = each(&model, 5_000, |frame, made| {
        let source = see(frame).source;
        match made.family {
            Family::V4 => {
                let source = std::net::Ipv4Addr::from(source as u32);
                let special = source.is_private()
                    || source.is_loopback()
                    || source.is_link_local()
                    || source.is_multicast()
                    || source.is_broadcast()
                    || source.is_documentation()
                    || source.octets()[0] == 0
                    || source.octets()[0] >= 240;
                assert!(!special, "{source}");
            }
            Family::V6 => assert_eq!(source >> 125, 1, "{source:x}"),
        }
    });
    assert_eq!(tally.plans, [5_000]);
}
