//! What holds for every burst of frames, asked by the fuzz target and by ordinary tests.

use sekisho::limit::{Buckets, Moment};
use sekisho::policy::{self, Epoch, Program};
use sekisho::stage::{Account, Burst, Facing, Settings, Source, Trail, Unparsed};
use sekisho::stats::{Tally, Verdict};
use sekisho::wire::{BURST, Frame, LinkType};
use std::io;
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// Every action, every kind of rule, both families.
const POLICY: &str = include_str!("../config/ip25b.yaml");

/// Long after every date of the policy: 2026-11-22, 00:00 in UTC.
const NOW: jiff::Timestamp = jiff::Timestamp::constant(1_795_305_600, 0);

/// More than one input has frames for.
const SUBSCRIBERS: u32 = 1_024;

struct Compiled {
    program: Program,
    epoch: Epoch,
}

static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let names = ["ip25b.yaml".to_owned()];
    let read = |path: &Path| match path.to_str() {
        Some("ip25b.yaml") => Ok(POLICY.as_bytes().to_vec()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let loaded = policy::load_with(&names, NOW, &read);
    let resolved = loaded
        .resolved
        .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let program = Program::compile(Arc::new(resolved)).unwrap_or_else(|found| panic!("{found:?}"));
    let epoch = program.at(NOW).unwrap_or_else(|error| panic!("{error}"));
    Compiled { program, epoch }
});

/// The first octet chooses how frames are looked at. Then each frame: how many octets it has, how
/// many more it had on the wire, its link type, and the octets.
pub(super) fn check(input: &[u8]) {
    let Some((choice, rest)) = input.split_first() else {
        return;
    };
    let frames = frames(rest);
    for account in [Account::EveryFrame, Account::Candidates] {
        let settings = Settings {
            unparsed: if choice & 4 == 0 {
                Unparsed::Forward
            } else {
                Unparsed::Drop
            },
            source: if choice & 8 == 0 {
                Source::Any
            } else {
                Source::Known
            },
            ..Settings::new(account)
        };
        for facing in [Facing::Out, Facing::In, Facing::Auto] {
            together_as_alone(&frames, facing, &settings);
        }
    }
}

fn frames(mut rest: &[u8]) -> Vec<Frame<'_>> {
    let mut frames = Vec::new();
    while let Some(([len, missing, link_type], behind)) = rest.split_first_chunk() {
        let len = usize::from(*len).min(behind.len());
        let (bytes, behind) = behind.split_at(len);
        let slot = usize::from(*link_type);
        let link_type = LinkType::READ
            .get(slot)
            .map_or(LinkType::ETHERNET, |(read, _)| *read);
        frames.push(Frame {
            bytes,
            original_len: len as u32 + u32::from(*missing),
            link_type,
        });
        rest = behind;
    }
    frames
}

/// What is decided of a frame hangs on no frame beside it but through its rate; and every frame is
/// counted once.
fn together_as_alone(frames: &[Frame<'_>], facing: Facing, settings: &Settings) {
    let Compiled { program, epoch } = &*COMPILED;
    let tables = &epoch.tables;
    let legend = program.legend();
    let mut tally = Tally::new(legend.rule_ids().len(), legend.plan_ids().len());
    // Each with rates of its own.
    let own = || Settings {
        buckets: Arc::new(Buckets::new(SUBSCRIBERS)),
        ..settings.clone()
    };
    let mut whole = Burst::new(facing, own());
    let mut alone = Burst::new(facing, own());
    let mut seen = 0;
    for burst in frames.chunks(BURST) {
        whole.run(burst, tables, Moment::default());
        whole.count(burst, &mut tally);
        let forwarded = whole.which(|verdict| verdict == Verdict::Forward);
        let decisions: Vec<_> = whole.decisions().collect();
        let trails: Vec<_> = whole.trails(burst, tables).collect();
        assert_eq!((decisions.len(), trails.len()), (burst.len(), burst.len()));
        for (index, (frame, trail)) in burst.iter().zip(&trails).enumerate() {
            let frame = [*frame];
            alone.run(&frame, tables, Moment::default());
            assert_eq!(alone.trails(&frame, tables).next().as_ref(), Some(trail));
            let Trail { decision, .. } = trail;
            let found = decisions.get(index).map(|d| (d.verdict, d.reason, d.rule));
            assert_eq!(
                found,
                Some((decision.verdict, decision.reason, decision.rule))
            );
            let passes = decision.verdict == Verdict::Forward;
            assert_eq!(forwarded >> index & 1 == 1, passes);
            seen += 1;
        }
    }
    let counted = tally.counters().reasons().map(|(.., count)| count.frames);
    assert_eq!(counted.sum::<u64>(), seen);
}
