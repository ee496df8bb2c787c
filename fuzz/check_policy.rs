//! What holds for every policy, asked by the fuzz target and by ordinary tests.

use super::shown::{can_be_shown, keeps_its_promises};
use sekisho::policy::{
    self, Epoch, Interval, Loaded, Partition, Program, Resolved, Severity, Sources,
};
use sekisho::wire::Family;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Between the texts of one input, on a line of its own.
const SEPARATOR: &[u8] = b"====\n";

/// Small, so that tables too large for it are seen too: an IPv4 table takes 576 KiB at least.
const MOST_MEMORY_BYTES: u64 = 4 << 20;

/// How many instants of one program are looked at.
const MOST_INSTANTS: usize = 4;

/// A policy, what every prefix file says, and a second policy; the first is always there.
pub(super) fn check(input: &[u8]) {
    let texts = split(input);
    let loaded = load(&texts);
    keeps_its_promises(
        loaded.resolved.is_some(),
        &loaded.diagnostics,
        &loaded.sources,
    );
    same_again(&loaded, &load(&texts));
    if let Some(resolved) = loaded.resolved {
        is_in_force_as_printed(&resolved);
        compiles_or_says_why(resolved, &loaded.sources);
    }
}

fn split(input: &[u8]) -> Vec<&[u8]> {
    let mut texts = Vec::new();
    let mut rest = input;
    while texts.len() < 2
        && let Some(at) = rest.windows(SEPARATOR.len()).position(|w| w == SEPARATOR)
    {
        let (text, behind) = rest.split_at(at);
        texts.push(text);
        rest = behind.get(SEPARATOR.len()..).unwrap_or_default();
    }
    texts.push(rest);
    texts
}

fn load(texts: &[&[u8]]) -> Loaded {
    let policies = ["policy.yaml", "second.yaml"];
    let count = if texts.len() > 2 { 2 } else { 1 };
    let names: Vec<String> = policies
        .iter()
        .take(count)
        .map(ToString::to_string)
        .collect();
    load_named(&names, &|path: &Path| {
        let text = match path.to_str() {
            Some("policy.yaml") => texts.first(),
            Some("second.yaml") => texts.get(2),
            _ => texts.get(1),
        };
        let text = text.ok_or(io::Error::from(io::ErrorKind::NotFound))?;
        Ok(text.to_vec())
    })
}

fn load_named(names: &[String], read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Loaded {
    // A fixed day: 2026-11-22, 00:00 in UTC.
    let now = jiff::Timestamp::constant(1_795_305_600, 0);
    policy::load_with(names, now, read)
}

/// The same texts say the same, whatever order a hash map has.
fn same_again(first: &Loaded, second: &Loaded) {
    assert_eq!(first.diagnostics, second.diagnostics);
}

/// A policy that is printed as it is in force is a policy, and prints the same.
fn is_in_force_as_printed(resolved: &Resolved) {
    for tenant in &resolved.tenants {
        let alone = Resolved {
            tenants: vec![tenant.clone()],
            memory_limit_bytes: resolved.memory_limit_bytes,
        };
        let printed = policy::effective_yaml(&alone);
        let again = load_named(&["printed.yaml".to_owned()], &|_| {
            Ok(printed.clone().into_bytes())
        });
        let Some(resolved) = &again.resolved else {
            panic!("{printed}\n{:?}", again.diagnostics);
        };
        assert_eq!(policy::effective_yaml(resolved), printed);
    }
}

fn compiles_or_says_why(mut resolved: Resolved, sources: &Sources) {
    resolved.memory_limit_bytes = resolved.memory_limit_bytes.min(MOST_MEMORY_BYTES);
    let limit_bytes = resolved.memory_limit_bytes;
    let program = match Program::compile(Arc::new(resolved)) {
        Ok(program) => program,
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty());
            assert!(diagnostics.iter().all(|d| d.severity == Severity::Error));
            return can_be_shown(&diagnostics, sources);
        }
    };
    let memory = program.memory();
    assert!(memory.total_bytes() - memory.matrix_bytes <= limit_bytes);
    let events: Vec<_> = program.events().iter().map(|event| event.at).collect();
    assert!(events.is_sorted(), "{events:?}");
    let first = jiff::Timestamp::MIN;
    for at in std::iter::once(first).chain(events).take(MOST_INSTANTS) {
        if let Ok(epoch) = program.at(at) {
            assert!(epoch.holds(at), "{:?} to {:?}", epoch.since, epoch.until);
            looks_up_as_listed(&program, &epoch, at);
        }
    }
}

/// The tables say for the ends of every stretch of addresses what the list of stretches says.
fn looks_up_as_listed(program: &Program, epoch: &Epoch, at: jiff::Timestamp) {
    for family in [Family::V4, Family::V6] {
        let plans = program.subscriber_partition(family, at);
        fills_the_space(&plans, family);
        for (interval, plan) in plans {
            for address in [interval.start, interval.end] {
                assert_eq!(epoch.tables.plan(family, address), plan, "{address:x}");
            }
        }
        let peers = program.peer_partition(family, at);
        fills_the_space(&peers, family);
        for (interval, peer_set) in peers {
            for address in [interval.start, interval.end] {
                assert_eq!(
                    epoch.tables.peer_set(family, address),
                    peer_set,
                    "{address:x}"
                );
            }
        }
    }
}

fn fills_the_space<V>(partition: &Partition<V>, family: Family) {
    let mut next = Some(0);
    for (interval, _) in partition {
        assert_eq!(Some(interval.start), next);
        assert!(interval.start <= interval.end);
        next = interval.end.checked_add(1);
    }
    assert_eq!(next, Interval::whole(family).end.checked_add(1));
}
