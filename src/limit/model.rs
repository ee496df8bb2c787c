//! The table under loom, which runs each model in every order that the memory model allows (with at
//! most three preemptions). The code is the one that runs; only a line has one slot, so that a key
//! has two.

use std::sync::Arc;

use loom::thread;

use super::{Buckets, Key, Moment, Rate, Taken};

const SECOND_NS: u64 = 1_000_000_000;

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

fn key(rule: u64) -> Key {
    Key {
        rule,
        path: 0,
        family: 0,
        subscriber: 0,
    }
}

fn at(seconds: u64) -> Moment {
    Moment((100 + seconds) * SECOND_NS)
}

/// One token at once, one in ten seconds.
fn rate() -> Rate {
    Rate {
        per_minute: 6,
        burst: 1,
    }
}

/// What the threads get that take from these keys at these moments, one thread a list.
fn taken(buckets: &Arc<Buckets>, threads: &[&'static [(u64, u64)]]) -> Vec<Vec<Taken>> {
    let one = |wishes: &'static [(u64, u64)]| {
        let buckets = Arc::clone(buckets);
        move || -> Vec<Taken> {
            let take =
                |(rule, seconds): &(u64, u64)| buckets.take(key(*rule), rate(), at(*seconds));
            wishes.iter().map(take).collect()
        }
    };
    let (first, others) = threads.split_first().unwrap();
    let others: Vec<_> = others
        .iter()
        .map(|wishes| thread::spawn(one(wishes)))
        .collect();
    let mut all = vec![one(first)()];
    all.extend(others.into_iter().map(|thread| thread.join().unwrap()));
    all
}

fn tokens(taken: &[Vec<Taken>]) -> usize {
    taken
        .iter()
        .flatten()
        .filter(|taken| **taken == Taken::Token)
        .count()
}

#[test]
fn a_new_key_gets_one_bucket_whoever_comes_first() {
    check(|| {
        let buckets = Arc::new(Buckets::new(1));
        let taken = taken(&buckets, &[&[(1, 0), (1, 0)], &[(1, 0)]]);
        assert_eq!(tokens(&taken), 1, "{taken:?}");
        assert_eq!(buckets.in_use(at(0)), 1);
    });
}

/// One slot becomes free between the threads' moments: they do not see the same slots.
#[test]
fn a_slot_that_only_one_of_them_sees_free_makes_no_second_bucket() {
    check(|| {
        let buckets = Arc::new(Buckets::new(1));
        assert_eq!(buckets.take(key(1), rate(), at(0)), Taken::Token);
        let taken = taken(&buckets, &[&[(2, 9)], &[(2, 11)]]);
        assert_eq!(tokens(&taken), 1, "{taken:?}");
        let again = buckets.take(key(2), rate(), at(18));
        assert_eq!(again, Taken::Empty, "another bucket of the same key");
    });
}

#[test]
fn an_owner_and_a_newcomer_meet_at_a_slot() {
    check(|| {
        let buckets = Arc::new(Buckets::new(1));
        for old in [1, 2] {
            assert_eq!(buckets.take(key(old), rate(), at(0)), Taken::Token);
        }
        let taken = taken(&buckets, &[&[(1, 11), (1, 11)], &[(3, 11)], &[(2, 11)]]);
        let [first, third, second] = &*taken else {
            panic!("three threads");
        };
        let full = [first, second, third]
            .into_iter()
            .flatten()
            .filter(|taken| **taken == Taken::TableFull)
            .count();
        assert!(full <= 2, "{taken:?}");
        assert!(tokens(&[first.clone()]) <= 1, "{taken:?}");
        assert_eq!(buckets.in_use(at(11)), 2, "{taken:?}");
        assert_eq!(tokens(&taken), 2, "{taken:?}");
    });
}

#[test]
fn different_newcomers_do_not_lose_each_others_buckets() {
    check(|| {
        let buckets = Arc::new(Buckets::new(1));
        let taken = taken(&buckets, &[&[(1, 0), (1, 1)], &[(2, 0), (2, 1)]]);
        assert_eq!(tokens(&taken), 2, "{taken:?}");
        assert_eq!(buckets.in_use(at(1)), 2);
    });
}
