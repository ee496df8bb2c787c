//! The table of token buckets, from outside: against exact buckets, under many threads, under floods.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use proptest::prelude::*;
use sekisho::limit::{Buckets, Key, Moment, Rate, Taken};

const SECOND_NS: u64 = 1_000_000_000;
const MINUTE_NS: u64 = 60 * SECOND_NS;
const DAY_NS: u64 = 1_440 * MINUTE_NS;

/// The table's clock, as it is documented.
const TICK_NS: u64 = 65_536;

/// How far moments may go back, and mean no other stretch of time.
const MOST_BACK_NS: u64 = MINUTE_NS - 2 * TICK_NS;

/// In the year 2026, as captures count.
const START_NS: u64 = 1_767_225_600 * SECOND_NS;

fn subscriber(address: u128) -> Key {
    Key {
        rule: 7,
        path: 0,
        family: u8::from(address > u128::from(u32::MAX)),
        subscriber: address,
    }
}

fn rate(per_minute: u32, burst: u32) -> Rate {
    Rate { per_minute, burst }
}

fn take(buckets: &Buckets, key: Key, rate: Rate, ns: u64) -> Taken {
    buckets.take(key, rate, Moment(ns))
}

/// A bucket kept exactly: in parts of a token, of which there are as many as nanoseconds a minute.
/// It is told what the table gave, and says whether that could be.
struct Exact {
    per_minute: i128,
    capacity: i128,
    level: i128,
    last_ns: u64,
}

const TOKEN: i128 = MINUTE_NS as i128;

impl Exact {
    /// Fills by `per_minute` parts each nanosecond, up to `capacity` parts.
    fn full(per_minute: i128, capacity: i128, now_ns: u64) -> Self {
        Self {
            per_minute,
            capacity,
            level: capacity,
            last_ns: now_ns,
        }
    }

    /// Time that goes back adds nothing, and nothing until it has come back.
    fn fill(&mut self, now_ns: u64) {
        let passed = now_ns.saturating_sub(self.last_ns);
        self.level += i128::from(passed) * self.per_minute;
        self.level = self.level.min(self.capacity);
        self.last_ns = self.last_ns.max(now_ns);
    }
}

/// The most that may be given: two ticks' worth beyond the exact bucket.
fn most(rate: Rate, now_ns: u64) -> Exact {
    let per_minute = i128::from(rate.per_minute);
    let slack = 2 * i128::from(TICK_NS) * per_minute;
    let capacity = i128::from(rate.burst) * TOKEN + slack;
    Exact::full(per_minute, capacity, now_ns)
}

/// The least: each token may take a tick longer, and the clock may be a tick behind.
fn least(rate: Rate, now_ns: u64) -> Exact {
    let exact = i128::from(rate.per_minute);
    let slower = TOKEN * exact / (TOKEN + i128::from(TICK_NS) * exact);
    let slack = 2 * i128::from(TICK_NS) * exact;
    let capacity = i128::from(rate.burst) * TOKEN - slack;
    Exact::full(slower, capacity, now_ns)
}

/// One wish: whose, and how long after the one before it (or before, if negative).
type Wish = (u128, i64);

fn rates() -> impl Strategy<Value = Rate> {
    (1_u32..=2_000, 1_u32..=200)
        .prop_map(|(per_minute, burst)| rate(per_minute, burst))
        .prop_filter("such a rate", |rate| rate.check().is_ok())
}

/// Gaps of all magnitudes, from nanoseconds to days.
fn gap_ns() -> impl Strategy<Value = i64> {
    (0_u32..48, any::<u64>()).prop_map(|(bits, raw)| (raw >> 16 & ((1 << bits) - 1)) as i64)
}

fn wishes(gap_ns: impl Strategy<Value = i64>) -> impl Strategy<Value = Vec<Wish>> {
    prop::collection::vec((0_u128..5, gap_ns), 1..600)
}

/// Gives what the table gives to exact buckets, one for each key; says how many tokens that was.
fn held_against_exact(rate: Rate, wishes: &[Wish], and_not_too_little: bool) -> usize {
    let buckets = Buckets::new(1_000);
    let mut exact: HashMap<u128, [Exact; 2]> = HashMap::new();
    let (mut now_ns, mut latest_ns, mut tokens) = (START_NS, START_NS, 0);
    for (number, (address, gap)) in wishes.iter().enumerate() {
        now_ns = now_ns
            .saturating_add_signed(*gap)
            .max(latest_ns - MOST_BACK_NS);
        latest_ns = latest_ns.max(now_ns);
        let taken = take(&buckets, subscriber(*address), rate, now_ns);
        let [most, least] = exact
            .entry(*address)
            .or_insert_with(|| [most(rate, now_ns), least(rate, now_ns)]);
        most.fill(now_ns);
        least.fill(now_ns);
        match taken {
            Taken::Token => {
                assert!(most.level >= TOKEN, "wish {number}: a token too many");
                most.level -= TOKEN;
                least.level -= TOKEN;
                tokens += 1;
            }
            Taken::Empty if and_not_too_little => {
                assert!(least.level < TOKEN, "wish {number}: a token too few");
            }
            Taken::Empty => {}
            Taken::TableFull => panic!("wish {number}: there is room"),
        }
    }
    tokens
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tokens_come_as_from_an_exact_bucket(rate in rates(), wishes in wishes(gap_ns())) {
        held_against_exact(rate, &wishes, true);
    }

    /// As from workers whose moments are a little apart, and from captures that are not in order.
    #[test]
    fn moments_that_go_back_add_nothing(
        rate in rates(),
        wishes in wishes((gap_ns(), -50_i64..=50).prop_map(|(gap, back)| {
            gap / 1_000_000 - back * SECOND_NS as i64 / 10
        })),
    ) {
        held_against_exact(rate, &wishes, false);
    }

    /// However far back: no more than what fills in all the time that went forward.
    #[test]
    fn leaps_of_a_year_are_survived(
        rate in rates(),
        leaps in prop::collection::vec((0..365 * DAY_NS, 1_u64..100, 0..MINUTE_NS), 1..20),
    ) {
        let buckets = Buckets::new(10);
        let (mut tokens, mut forward_ns, mut before_ns) = (0_u128, 0_u128, START_NS);
        for (leap_ns, wishes, gap_ns) in leaps {
            for wish in 0..wishes {
                let now_ns = START_NS + leap_ns + wish * gap_ns;
                forward_ns += u128::from(now_ns.saturating_sub(before_ns) + 2 * TICK_NS);
                before_ns = now_ns;
                let taken = take(&buckets, subscriber(1), rate, now_ns);
                prop_assert_ne!(taken, Taken::TableFull);
                tokens += u128::from(taken == Taken::Token);
            }
        }
        let filled = forward_ns * u128::from(rate.per_minute) / u128::from(MINUTE_NS);
        prop_assert!(tokens <= u128::from(rate.burst) + filled);
    }
}

#[test]
fn a_bucket_holds_its_burst_and_then_fills_at_its_rate() {
    let (buckets, rate) = (Buckets::new(10), rate(30, 10));
    let tokens_at = |ns| {
        (0..100)
            .filter(|_| take(&buckets, subscriber(1), rate, ns) == Taken::Token)
            .count()
    };
    assert_eq!(tokens_at(START_NS), 10);
    assert_eq!(tokens_at(START_NS + SECOND_NS), 0);
    assert_eq!(tokens_at(START_NS + 2 * SECOND_NS + TICK_NS), 1);
    assert_eq!(tokens_at(START_NS + MINUTE_NS), 10);
    assert_eq!(
        tokens_at(START_NS + 100 * 365 * DAY_NS / 20),
        10,
        "five years later"
    );
}

#[test]
fn rule_direction_family_and_address_make_different_buckets() {
    let (buckets, rate) = (Buckets::new(100), rate(1, 1));
    let one = subscriber(1);
    let keys = [
        one,
        Key { rule: 8, ..one },
        Key { path: 1, ..one },
        Key { family: 1, ..one },
        Key {
            subscriber: 2,
            ..one
        },
    ];
    for expected in [Taken::Token, Taken::Empty] {
        for key in keys {
            assert_eq!(take(&buckets, key, rate, START_NS), expected, "{key:?}");
        }
    }
    assert_eq!(buckets.in_use(Moment(START_NS)), keys.len());
}

#[test]
fn another_rate_after_a_reload_neither_refills_nor_locks_out() {
    let (slow, quick) = (rate(1, 1_440), rate(60, 10));
    let buckets = Buckets::new(10);
    let key = subscriber(1);
    while take(&buckets, key, slow, START_NS) == Taken::Token {}
    // A day's debt under the old rate; an empty bucket under the new one.
    assert_eq!(take(&buckets, key, quick, START_NS), Taken::Empty);
    let later_ns = START_NS + SECOND_NS + 2 * TICK_NS;
    assert_eq!(take(&buckets, key, quick, later_ns), Taken::Token);
    assert_eq!(take(&buckets, key, quick, later_ns), Taken::Empty);
    // Nine tokens are missing, of a second each: under the old rate nine seconds are no token.
    assert_eq!(take(&buckets, key, slow, later_ns), Taken::Token);
}

/// Threads with clocks of their own, which read the same hands: all on a few keys.
#[test]
fn the_rate_is_the_boxs_and_not_each_threads() {
    const THREADS: u64 = 4;
    const KEYS: u128 = 3;
    const WISHES: u64 = 60_000;
    let (buckets, rate) = (Buckets::new(2), rate(6_000, 20));
    let clock = AtomicU64::new(START_NS);
    let mut tokens = [0_u64; KEYS as usize];
    let one = || {
        let mut tokens = [0_u64; KEYS as usize];
        for wish in 0..WISHES {
            // A moment that is read, and used after others have read later ones.
            let now_ns = clock.fetch_add(40_000, Ordering::Relaxed);
            let address = u128::from(wish) % KEYS;
            match take(&buckets, subscriber(address), rate, now_ns) {
                Taken::Token => tokens[address as usize] += 1,
                Taken::Empty => {}
                Taken::TableFull => panic!("14 slots for three keys"),
            }
        }
        tokens
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(one)).collect();
        for thread in threads {
            let taken = thread.join().unwrap();
            tokens
                .iter_mut()
                .zip(taken)
                .for_each(|(all, one)| *all += one);
        }
    });
    let passed_ns = clock.into_inner() - START_NS;
    let exact = 20.0 + (passed_ns + 2 * TICK_NS) as f64 * 6_000.0 / MINUTE_NS as f64;
    for given in tokens.map(|given| given as f64) {
        assert!(given <= exact, "{given} tokens of {exact}");
        assert!(given >= exact * 0.97, "{given} tokens of {exact}");
    }
}

/// Sources, each of them new (ten million where the program is optimised), against a spammer who has emptied his bucket.
#[test]
fn a_flood_of_sources_neither_grows_the_table_nor_refills_a_bucket() {
    const SOURCES: u128 = if cfg!(debug_assertions) {
        1_000_000
    } else {
        10_000_000
    };
    let (buckets, rate) = (Buckets::new(100_000), rate(1, 10));
    let memory_bytes = buckets.memory_bytes();
    let spammer = subscriber(u128::MAX);
    while take(&buckets, spammer, rate, START_NS) == Taken::Token {}
    let mut refused = 0;
    // Ten seconds at the most: the time of no token.
    for source in 0..SOURCES {
        let now_ns = START_NS + source as u64 * 1_000;
        match take(&buckets, subscriber(source), rate, now_ns) {
            Taken::TableFull => refused += 1,
            Taken::Token | Taken::Empty => {}
        }
        if source % 1_000 == 0 {
            assert_eq!(take(&buckets, spammer, rate, now_ns), Taken::Empty);
        }
    }
    let end = Moment(START_NS + 10 * SECOND_NS);
    let in_use = buckets.in_use(end);
    println!(
        "{refused} of {SOURCES} refused, {in_use} of {} slots",
        buckets.slots()
    );
    assert_eq!(buckets.memory_bytes(), memory_bytes);
    assert!(memory_bytes as u64 <= 100_000 * 64 / 4 * 2 + 1_024);
    assert!(in_use > buckets.slots() * 99 / 100 && in_use <= buckets.slots());
    // All the others found no room, but for the few that share a bucket by chance.
    let expected = SOURCES as usize - buckets.slots();
    assert!((expected - 200..=expected + 200).contains(&refused));
    // A minute and a half later all is free again.
    let later_ns = START_NS + 100 * SECOND_NS;
    assert_eq!(
        take(&buckets, subscriber(SOURCES), rate, later_ns),
        Taken::Token
    );
    assert_eq!(
        take(&buckets, spammer, rate, later_ns),
        Taken::Token,
        "one a minute"
    );
    assert_eq!(take(&buckets, spammer, rate, later_ns), Taken::Empty);
}

/// How full the table may be before somebody finds no room.
#[test]
fn nobody_is_refused_while_the_table_holds_what_it_was_made_for() {
    let rate = rate(1, 1);
    for subscribers in [2, 100, 4_096, 100_000, 262_144] {
        let buckets = Buckets::new(subscribers);
        let first = (0..u128::from(u32::MAX)).find(|address| {
            take(&buckets, subscriber(*address), rate, START_NS) == Taken::TableFull
        });
        let in_use = buckets.in_use(Moment(START_NS));
        let share = in_use as f64 / buckets.slots() as f64;
        println!(
            "{subscribers}: the first is refused at {:?}, {share:.3} of all slots",
            first
        );
        assert!(in_use >= subscribers as usize, "{subscribers}: {in_use}");
        assert!(
            subscribers < 4_096 || share > 0.65,
            "{subscribers}: {share}"
        );
    }
}

#[test]
fn memory_is_what_it_says() {
    for (subscribers, bytes) in [(0, 128), (8, 128), (9, 256), (1 << 20, 16 << 20)] {
        let buckets = Buckets::new(subscribers);
        assert_eq!(buckets.memory_bytes(), bytes + size_of::<Buckets>());
        assert_eq!(buckets.slots(), bytes / 64 * 7);
    }
}
