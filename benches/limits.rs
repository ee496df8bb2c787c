//! A token from a subscriber's bucket: the table that workers share, beside `dashmap` with the same
//! arithmetic, of one thread, and of one beside which a second does the same.
//!
//! `cargo bench --bench limits`; how to read it: `benches/README.md`; what it said:
//! `docs/decisions/2026-11-22-limits.md`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]

mod ledger;

use criterion::Criterion;
use dashmap::DashMap;
use ledger::Ledger;
use sekisho::limit::{Buckets, Key, Moment, Rate, Taken};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Keys of one pass.
const PASS: usize = 8_192;

const SUBSCRIBERS: u32 = 1 << 20;

const RATE: Rate = Rate {
    per_minute: 600,
    burst: 100,
};

const TOKEN_NS: u64 = 60_000_000_000 / RATE.per_minute as u64;
const FULL_NS: u64 = TOKEN_NS * RATE.burst as u64;

/// What gives tokens.
trait Limiter: Sync {
    const NAME: &'static str;

    fn take(&self, key: Key, now: Moment) -> Taken;

    /// All buckets have filled: what forgets nothing by itself is made to.
    fn forget(&self) {}
}

impl Limiter for Buckets {
    const NAME: &'static str = "buckets";

    fn take(&self, key: Key, now: Moment) -> Taken {
        self.take(key, RATE, now)
    }
}

/// For each key, when its bucket is full.
struct Dash(DashMap<Key, u64>);

impl Limiter for Dash {
    const NAME: &'static str = "dashmap";

    fn take(&self, key: Key, now: Moment) -> Taken {
        let mut full = self.0.entry(key).or_insert(0);
        let next = (*full).max(now.0) + TOKEN_NS;
        if next > now.0 + FULL_NS {
            return Taken::Empty;
        }
        *full = next;
        Taken::Token
    }

    fn forget(&self) {
        self.0.clear();
    }
}

/// Which keys come, one behind the other.
#[derive(Clone, Copy)]
enum Keys {
    /// The same one.
    One,
    /// So many that are there, in random order.
    There(u32),
    /// Nobody who was there before.
    New,
}

const CASES: [(&str, Keys); 4] = [
    ("one key", Keys::One),
    ("4,096 keys", Keys::There(4_096)),
    ("1,048,576 keys", Keys::There(SUBSCRIBERS)),
    ("new keys", Keys::New),
];

fn main() {
    let mut criterion = ledger::criterion();
    let mut ledger = Ledger::default();
    for (case, keys) in CASES {
        for threads in [1, 2] {
            let case = format!("{case}, {threads} thread(s)");
            let buckets = Buckets::new(SUBSCRIBERS);
            one(&mut criterion, &mut ledger, &case, keys, threads, &buckets);
            let dash = Dash(DashMap::with_capacity(SUBSCRIBERS as usize));
            one(&mut criterion, &mut ledger, &case, keys, threads, &dash);
        }
    }
    ledger.tell();
    println!(
        "\nThe table of {SUBSCRIBERS} subscribers takes {} bytes.",
        Buckets::new(SUBSCRIBERS).memory_bytes()
    );
    criterion.final_summary();
}

fn one<L: Limiter>(
    criterion: &mut Criterion,
    ledger: &mut Ledger,
    case: &str,
    keys: Keys,
    threads: usize,
    limiter: &L,
) {
    let clock = AtomicU64::new(0);
    if let Keys::There(count) = keys {
        (0..count).for_each(|number| {
            limiter.take(key(0, number.into()), Moment(FULL_NS));
        });
    }
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 1..threads as u64 {
            let (over, clock) = (&over, &clock);
            scope.spawn(move || {
                let mut passes = Passes::new(keys, thread);
                while !over.load(Ordering::Relaxed) {
                    passes.pass(limiter, clock);
                }
            });
        }
        let mut passes = Passes::new(keys, 0);
        let mut group = criterion.benchmark_group("take");
        ledger.measure(&mut group, case, L::NAME, PASS, || {
            passes.pass(limiter, &clock);
        });
        group.finish();
        over.store(true, Ordering::Relaxed);
    });
}

/// One thread's keys.
struct Passes {
    keys: Keys,
    state: u64,
    number: u64,
    thread: u64,
}

impl Passes {
    fn new(keys: Keys, thread: u64) -> Self {
        Self {
            keys,
            state: thread + 1,
            number: 0,
            thread,
        }
    }

    /// Takes once for each key of a pass. Time goes on so that about half of the wishes for one key
    /// are refused, and that there is always room for new keys.
    fn pass<L: Limiter>(&mut self, limiter: &L, clock: &AtomicU64) {
        self.number += 1;
        let step_ns = match self.keys {
            Keys::One => PASS as u64 * TOKEN_NS / 2,
            Keys::There(_) => PASS as u64 * 1_000,
            Keys::New => FULL_NS,
        };
        let now = Moment(2 * FULL_NS + clock.fetch_add(step_ns, Ordering::Relaxed));
        for place in 0..PASS as u64 {
            let key = match self.keys {
                Keys::One => key(0, 0),
                Keys::There(count) => key(0, self.random() % u64::from(count)),
                Keys::New => key(self.number << 1 | self.thread, place),
            };
            black_box(limiter.take(key, now));
        }
        if matches!(self.keys, Keys::New) && self.thread == 0 && self.number.is_multiple_of(64) {
            limiter.forget();
        }
    }

    /// xorshift64.
    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}

fn key(rule: u64, subscriber: u64) -> Key {
    Key {
        rule,
        path: 0,
        family: 0,
        subscriber: subscriber.into(),
    }
}
