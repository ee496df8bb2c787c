//! Whole bursts against frames taken one by one.

use sekisho::limit::Moment;
use sekisho::loadgen::traffic::{Direction, Encapsulation, Generator, Hostile, Model, Network};
use sekisho::stage::{Account, Burst, Facing, Settings, Trail};
use sekisho::stats::{Count, Tally};
use sekisho::wire::{BURST, Frame, LinkType};
use std::collections::BTreeMap;

/// Every kind of frame that can be generated, some of them cut, some of another link type.
fn traffic(network: &Network, count: usize) -> Vec<(Vec<u8>, u32, LinkType)> {
    let model = Model {
        ipv6: 0.4,
        direction: Direction::Both,
        encapsulation: Encapsulation::Mixed,
        port_25: 0.2,
        hostile: Hostile {
            source_routed: 0.02,
            spoofed: 0.1,
            options: 0.05,
            chain: 0.05,
            tiny_fragments: 0.05,
            four_tags: 0.05,
        },
        ..Model::default()
    };
    let mut generator = Generator::new(&model, network, 25).unwrap();
    let frame = |number: usize| {
        let mut bytes = Vec::new();
        generator.append_frame(&mut bytes);
        let original_len = bytes.len() as u32;
        match number % 16 {
            3 => bytes.truncate(number / 16 % 100),
            5 => return (bytes, original_len, LinkType::RAW),
            _ => {}
        }
        (bytes, original_len, LinkType::ETHERNET)
    };
    (0..count).map(frame).collect()
}

/// By reason, rule and plan: what frames taken one by one sum up to.
#[derive(Default)]
struct Sums(BTreeMap<(&'static str, String, usize), Count>);

impl Sums {
    fn add(&mut self, trail: &Trail, bytes: u32) {
        let decision = &trail.decision;
        let verdict = decision.verdict;
        for (table, row) in [
            ("reason", decision.reason.to_string()),
            ("rule", decision.rule.0.to_string()),
            ("plan", decision.plan.0.to_string()),
        ] {
            *self.0.entry((table, row, verdict as usize)).or_default() += Count::of(bytes);
        }
    }

    fn of(tally: &mut Tally) -> Self {
        let counters = tally.counters();
        let mut sums = Self::default();
        for (verdict, reason, count) in counters.reasons() {
            let key = ("reason", reason.to_string(), verdict as usize);
            sums.0.insert(key, count);
        }
        for (table, rows) in [("rule", counters.rules()), ("plan", counters.plans())] {
            for (row, by_verdict) in rows.iter().enumerate() {
                for (verdict, count) in by_verdict.iter().enumerate() {
                    if count.frames > 0 {
                        sums.0.insert((table, row.to_string(), verdict), *count);
                    }
                }
            }
        }
        sums
    }
}

#[test]
fn a_burst_decides_and_counts_as_its_frames_do_alone() {
    let network = Network::synthetic(&"strewn-10k".parse().unwrap()).unwrap();
    let tables = network.tables();
    let octets = traffic(&network, 20_000);
    let frames: Vec<_> = octets
        .iter()
        .map(|(bytes, original_len, link_type)| Frame {
            bytes,
            original_len: *original_len,
            link_type: *link_type,
        })
        .collect();
    for facing in [Facing::Auto, Facing::Out, Facing::In] {
        for account in [Account::EveryFrame, Account::Candidates] {
            let mut whole = Burst::new(facing, Settings::new(account));
            let mut tally = network.tally();
            let mut sums = Sums::default();
            let mut rest = &frames[..];
            let mut len = 0;
            while !rest.is_empty() {
                len = len % BURST + 1;
                let (burst, later) = rest.split_at(len.min(rest.len()));
                rest = later;
                whole.run(burst, tables, Moment::default());
                whole.count(burst, &mut tally);
                let decided: Vec<_> = whole.decisions().collect();
                assert_eq!(decided.len(), burst.len());
                let trails: Vec<_> = whole.trails(burst, tables).collect();
                for ((frame, decision), trail) in burst.iter().zip(decided).zip(trails) {
                    let mut alone = Burst::new(facing, Settings::new(Account::EveryFrame));
                    alone.run(&[*frame], tables, Moment::default());
                    assert_eq!(alone.trails(&[*frame], tables).next(), Some(trail));
                    let (found, expected) = (decision, trail.decision);
                    assert_eq!(
                        (found.verdict, found.reason, found.rule),
                        (expected.verdict, expected.reason, expected.rule),
                        "{frame:?}"
                    );
                    sums.add(&trail, frame.original_len);
                }
            }
            let counted = Sums::of(&mut tally);
            for (key, count) in &sums.0 {
                // Under `Candidates`, plans are those of frames that a rule may speak of.
                if account == Account::EveryFrame || key.0 != "plan" {
                    assert_eq!(counted.0.get(key), Some(count), "{facing:?} {key:?}");
                }
            }
            let frames_in = |table| {
                let rows = counted.0.iter().filter(|((of, ..), _)| *of == table);
                rows.map(|(_, count)| count.frames).sum::<u64>()
            };
            for table in ["reason", "rule", "plan"] {
                assert_eq!(frames_in(table), frames.len() as u64, "{table}");
            }
        }
    }
}
