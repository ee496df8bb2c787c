//! Tables that change while they are at work, held against a plain list of prefixes.

use ipnet::IpNet;
use jiff::Timestamp;
use proptest::prelude::*;
use sekisho::lpm::Readers;
use sekisho::policy::{Live, NoSuchPlan, PlanId, Program, Question, load_with};
use sekisho::policy::{Path, PeerSetId};
use sekisho::wire::Family;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

const POLICY: &str = "
isp: here
time_zone: UTC
plans: { a: { kind: dynamic }, b: { kind: fixed }, c: { kind: dialup } }
subscribers:
  - { plan: a, prefixes: [198.51.100.0/24, 2001:db8::/40] }
  - { plan: b, prefixes: [198.51.100.16/28, 2001:db8:1::/48] }
  - { plan: c, prefixes: [198.51.100.17/32, 2001:db8:1:100::/56], expires: 2026-01-01 }
  - { plan: b, prefixes: [203.0.113.0/24], expires: 2026-01-02 }
rules:
  - { name: first, plans: [a], from: 2026-01-03, action: drop }
";

fn program() -> Arc<Program> {
    let read = |_: &_| Ok(POLICY.as_bytes().to_vec());
    let loaded = load_with(&["p.yaml".to_owned()], Timestamp::UNIX_EPOCH, &read);
    Arc::new(Program::compile(Arc::new(loaded.resolved.unwrap())).unwrap())
}

/// Each prefix of the file, its plan, and the first instant at which it has that no longer.
fn file() -> Vec<(IpNet, u8, Option<Timestamp>)> {
    let net = |text: &str| text.parse().unwrap();
    let (two, three) = (Some(day(2)), Some(day(3)));
    vec![
        (net("198.51.100.0/24"), 1, None),
        (net("2001:db8::/40"), 1, None),
        (net("198.51.100.16/28"), 2, None),
        (net("2001:db8:1::/48"), 2, None),
        (net("198.51.100.17/32"), 3, two),
        (net("2001:db8:1:100::/56"), 3, two),
        (net("203.0.113.0/24"), 2, three),
    ]
}

fn day(day: u8) -> Timestamp {
    format!("2026-01-0{day}T00:00:00Z").parse().unwrap()
}

fn expected(address: IpAddr, at: Timestamp, above: &HashMap<IpNet, u8>) -> u8 {
    let from_file = file()
        .into_iter()
        .filter(|(net, _, until)| !above.contains_key(net) && until.is_none_or(|until| at < until));
    let all = from_file.map(|(net, plan, _)| (net, plan));
    let all = all.chain(above.iter().map(|(net, plan)| (*net, *plan)));
    let longest = all
        .filter(|(net, _)| net.contains(&address))
        .max_by_key(|(net, _)| net.prefix_len());
    longest.map_or(0, |(_, plan)| plan)
}

#[derive(Clone, Debug)]
enum Step {
    Set(IpNet, u8),
    Unset(IpNet),
    Advance(u8),
}

fn prefix() -> impl Strategy<Value = IpNet> {
    let v4 =
        (0..64_u32, 24..=32_u8).prop_map(|(host, length)| format!("198.51.100.{host}/{length}"));
    let other = Just("203.0.113.0/24".to_owned());
    let v6 = (0..4_u32, 0..4_u32, 44..=72_u8)
        .prop_map(|(high, low, length)| format!("2001:db8:{high}:{low}00::/{length}"));
    prop_oneof![4 => v4, 1 => other, 4 => v6]
        .prop_map(|text| text.parse::<IpNet>().unwrap().trunc())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (prefix(), 1..=3_u8).prop_map(|(net, plan)| Step::Set(net, plan)),
        4 => prefix().prop_map(Step::Unset),
        1 => (1..=5_u8).prop_map(Step::Advance),
    ]
}

fn addresses() -> Vec<IpAddr> {
    let v4 = (0..=65).map(|host| format!("198.51.100.{host}"));
    let v6 = (0..5).flat_map(|high| (0..5).map(move |low| format!("2001:db8:{high}:{low}00::1")));
    let other = ["203.0.113.9", "203.0.114.1", "2001:db9::1"].map(str::to_owned);
    v4.chain(v6)
        .chain(other)
        .map(|text| text.parse().unwrap())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_address_has_the_plan_of_the_longest_prefix_that_holds(
        steps in prop::collection::vec(step(), 1..40),
        begin in prop::collection::vec((prefix(), 1..=3_u8), 0..4),
    ) {
        let mut above: HashMap<IpNet, u8> = begin.into_iter().collect();
        let given = above.iter().map(|(net, plan)| (*net, PlanId(*plan))).collect();
        let mut at = day(1);
        let mut live = Live::new(program(), at, given, &Readers::new()).unwrap();
        let addresses = addresses();
        for step in steps {
            match step {
                Step::Set(net, plan) => {
                    live.set(net, PlanId(plan)).unwrap();
                    above.insert(net, plan);
                }
                Step::Unset(net) => {
                    live.unset(net).unwrap();
                    above.remove(&net);
                }
                Step::Advance(to) => {
                    live.advance(day(to)).unwrap();
                    at = at.max(day(to));
                }
            }
            prop_assert_eq!(live.as_of(), at);
            for address in &addresses {
                let plan = live.plan_of(*address).0;
                prop_assert_eq!(plan, expected(*address, at, &above), "{} at {}", address, at);
            }
        }
    }
}

#[test]
fn the_clock_changes_rules_and_who_is_on_net_and_never_goes_back() {
    let mut live = Live::new(program(), day(1), HashMap::new(), &Readers::new()).unwrap();
    let question = Question {
        family: Family::V4,
        path: Path::Outbound,
        opening: true,
        plan: PlanId(1),
        peer_set: PeerSetId::OTHER,
    };
    let pool = 0xCB00_7109; // 203.0.113.9
    assert_eq!(live.next_event(), Some(day(2)));
    assert_eq!(live.tables().rule(question).0, 0);
    assert_ne!(live.tables().peer_set(Family::V4, pool), PeerSetId::OTHER);
    live.advance(day(3)).unwrap();
    assert_eq!(live.tables().rule(question).0, 1);
    assert_eq!(live.tables().peer_set(Family::V4, pool), PeerSetId::OTHER);
    assert_eq!(live.next_event(), None);
    live.advance(day(1)).unwrap();
    assert_eq!(live.tables().rule(question).0, 1);
}

#[test]
fn a_plan_is_one_of_the_provider_whose_subscriber_the_prefix_is() {
    let program = program();
    let plan = |prefix: &str, plan| program.plan_for(prefix.parse().unwrap(), plan);
    assert_eq!(plan("198.51.100.77/32", "c"), Ok(PlanId(3)));
    assert_eq!(plan("198.51.100.0/24", "b"), Ok(PlanId(2)));
    let stranger: IpNet = "192.0.2.0/24".parse().unwrap();
    assert_eq!(
        plan("192.0.2.0/24", "b"),
        Err(NoSuchPlan::NotASubscriber(stranger))
    );
    assert!(
        plan("198.51.0.0/16", "b").is_err(),
        "wider than what is theirs"
    );
    let unknown = plan("198.51.100.77/32", "d").unwrap_err().to_string();
    assert_eq!(
        unknown,
        "`here`, whose subscriber 198.51.100.77/32 is, has no plan `d`"
    );
}
