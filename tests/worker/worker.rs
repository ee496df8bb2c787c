//! One worker.

use super::support::*;
use sekisho::io::port::{MemoryPort, Pool, Recorded, Rounds};
use sekisho::loadgen::traffic::Direction;
use sekisho::lpm::{Ipv4Table, Ipv6Table, Readers};
use sekisho::policy::{PrefixTables, Tables};
use sekisho::stage::{Account, Facing, Settings};
use sekisho::stats::{Reason, Verdict};
use sekisho::worker::{Assignment, Order, Post, Report, TraceRoom, Worker};
use std::sync::Arc;

#[test]
fn what_is_forwarded_leaves_as_it_came_in_its_order() {
    // Not a multiple of a burst.
    let (up, down) = (
        traffic(Direction::Out, 10_001, 1),
        traffic(Direction::In, 7_003, 2),
    );
    let (up_arena, down_arena) = (arena(&up), arena(&down));
    let (up_pool, down_pool) = (Pool::new(&up_arena), Pool::new(&down_arena));
    let mut access = Recorded::new(once(&up_pool));
    let mut network = Recorded::new(once(&down_pool));
    let mut worker = Worker::new(
        post(),
        &Settings::new(Account::EveryFrame),
        &mut access,
        &mut network,
    );
    let mut received = 0;
    loop {
        match worker.poll_once() {
            0 => break,
            frames => received += frames,
        }
    }
    let done = worker.finish();
    assert_eq!(received, up.len() + down.len());
    assert_balances(&done.balance);
    assert_eq!(done.balance.rx, 17_004);
    assert_eq!(done.balance.held, 0);
    assert_eq!(done.tx_full.frames, 0);
    let tables = NETWORK.tables();
    let expected = [
        forwarded(&up, Facing::Out, tables),
        forwarded(&down, Facing::In, tables),
    ];
    assert!(network.sent() == expected[0], "outbound frames differ");
    assert!(access.sent() == expected[1], "inbound frames differ");
    let discarded = done.balance.rx - expected.iter().map(|sent| sent.len() as u64).sum::<u64>();
    assert_eq!(done.balance.discarded, discarded);
    assert_eq!(done.counters.verdict(Verdict::Drop).frames, discarded);
    assert!(discarded > 1_000, "{discarded} are few");
    for reason in [Reason::Port25Syn, Reason::Port25Return] {
        assert!(done.counters.reason(Verdict::Drop, reason).frames > 0);
    }
}

#[test]
fn frames_that_wait_in_a_ring_are_held_and_those_without_room_are_refused() {
    let frames = traffic(Direction::Out, 1_000, 3);
    let arena = arena(&frames);
    let (pool, none) = (Pool::new(&arena), Pool::default());
    let expected = forwarded(&frames, Facing::Out, NETWORK.tables());
    let mut network = Recorded::new(MemoryPort::new(&none, Rounds::Once, 100).with_link(0));
    let mut worker = Worker::new(
        post(),
        &Settings::new(Account::Candidates),
        once(&pool),
        &mut network,
    );
    while worker.poll_once() > 0 {}
    let done = worker.finish();
    assert_balances(&done.balance);
    assert_eq!(done.balance.held, 100);
    assert_eq!(done.balance.transmitted, 0);
    assert_eq!(done.tx_full.frames, expected.len() as u64 - 100);
    let refused = expected.iter().skip(100).map(|frame| frame.len() as u64);
    assert_eq!(done.tx_full.bytes, refused.sum::<u64>());
    assert_eq!(network.sent(), &expected[..100]);
    drop(network);
    assert_eq!(
        pool.held(),
        0,
        "a port that is closed gives its frames back"
    );
}

#[test]
fn a_slow_link_sends_what_it_can() {
    let frames = traffic(Direction::Out, 6_400, 4);
    let arena = arena(&frames);
    let (pool, none) = (Pool::new(&arena), Pool::default());
    let expected = forwarded(&frames, Facing::Out, NETWORK.tables()).len() as u64;
    let network = MemoryPort::new(&none, Rounds::Once, 64).with_link(16);
    let mut worker = Worker::new(
        post(),
        &Settings::new(Account::Candidates),
        once(&pool),
        network,
    );
    while worker.poll_once() > 0 {}
    let done = worker.finish();
    assert_balances(&done.balance);
    assert_eq!(done.balance.held, 0);
    assert!(done.tx_full.frames > 0);
    assert_eq!(done.balance.transmitted + done.tx_full.frames, expected);
}

#[test]
fn a_port_waits_for_frames_that_are_still_out() {
    // Nothing comes back from a link that is down, so that the pool runs dry.
    let frames = traffic(Direction::Out, 640, 5);
    let kept = forwarded(&frames, Facing::Out, NETWORK.tables()).len() as u64;
    let arena = arena(&frames);
    let (pool, none) = (Pool::new(&arena), Pool::default());
    let access = MemoryPort::new(&pool, Rounds::Endless, 1_024);
    let network = MemoryPort::new(&none, Rounds::Once, 1_024).with_link(0);
    let mut worker = Worker::new(post(), &Settings::new(Account::Candidates), access, network);
    let received: usize = (0..100).map(|_| worker.poll_once()).sum();
    assert!(received >= 640);
    let done = worker.finish();
    assert_balances(&done.balance);
    assert_eq!(done.balance.held, kept);
}

#[test]
fn other_tables_count_from_the_next_burst_on() {
    let frames = traffic(Direction::Out, 6_400, 6);
    let nobody = PrefixTables {
        v4_subscribers: Arc::new(Ipv4Table::build(&[], u64::MAX).unwrap()),
        v6_subscribers: Arc::new(Ipv6Table::build(&[], u64::MAX).unwrap()),
        v4_peers: Arc::new(Ipv4Table::build(&[], u64::MAX).unwrap()),
        v6_peers: Arc::new(Ipv6Table::build(&[], u64::MAX).unwrap()),
    };
    let forwarding = Tables {
        prefixes: Arc::new(nobody),
        ..(**NETWORK.tables()).clone()
    };
    let arena = arena(&frames);
    let (pool, none) = (Pool::new(&arena), Pool::default());
    let (post, mut orders) = Post::new(NETWORK.tables(), &Readers::new());
    let mut network = Recorded::new(once(&none));
    let mut worker = Worker::new(
        post,
        &Settings::new(Account::EveryFrame),
        once(&pool),
        &mut network,
    );
    for _ in 0..50 {
        assert_eq!(worker.poll_once(), 64);
    }
    let assignment = Assignment::new(&Arc::new(forwarding));
    orders.give(Order::Assign(assignment)).unwrap();
    assert!(!orders.is_done() && orders.take_back().is_none());
    while worker.poll_once() > 0 {}
    let Some(Order::Assign(mut before)) = orders.take_back() else {
        panic!("nothing came back");
    };
    assert!(Arc::ptr_eq(&before.tables, NETWORK.tables()));
    let counted = before.tally.as_mut().unwrap().counters();
    let (first, second) = frames.split_at(3_200);
    let mut expected = forwarded(first, Facing::Out, &before.tables);
    assert_eq!(
        counted.verdict(Verdict::Forward).frames,
        expected.len() as u64
    );
    let done = worker.finish();
    assert_balances(&done.balance);
    assert_eq!(done.counters.verdict(Verdict::Forward).frames, 3_200);
    expected.extend_from_slice(second);
    assert!(network.sent() == expected);
}

#[test]
fn a_report_balances_in_mid_stream_and_a_trace_keeps_the_next_frames() {
    let frames = traffic(Direction::Out, 640, 7);
    let arena = arena(&frames);
    let (pool, none) = (Pool::new(&arena), Pool::default());
    let (post, mut orders) = Post::new(NETWORK.tables(), &Readers::new());
    let network = MemoryPort::new(&none, Rounds::Once, 64).with_link(16);
    let mut worker = Worker::new(
        post,
        &Settings::new(Account::EveryFrame),
        once(&pool),
        network,
    );
    worker.poll_once();
    let room = Some(TraceRoom::new(100));
    orders.give(Order::Trace(room)).unwrap();
    let refused = orders.give(Order::Report(Report::room(&NETWORK.tables().legend)));
    assert!(refused.is_err(), "one order after the other");
    for _ in 0..3 {
        worker.poll_once();
    }
    assert!(matches!(orders.take_back(), Some(Order::Trace(None))));
    orders
        .give(Order::Report(Report::room(&NETWORK.tables().legend)))
        .unwrap();
    worker.poll_once();
    let Some(Order::Report(report)) = orders.take_back() else {
        panic!("no report");
    };
    assert_balances(&report.balance);
    assert_eq!((report.balance.rx, report.progress.polls), (256, 4));
    assert!(report.balance.held > 0);
    let decided: u64 = report
        .counters
        .reasons()
        .map(|(_, _, count)| count.frames)
        .sum();
    assert_eq!(decided, 256);
    orders.give(Order::Trace(None)).unwrap();
    worker.poll_once();
    let Some(Order::Trace(Some(kept))) = orders.take_back() else {
        panic!("no trace");
    };
    let octets: Vec<_> = kept.frames().iter().map(|kept| &kept.octets[..]).collect();
    let expected = frames
        .iter()
        .skip(64)
        .map(|frame| &frame[..frame.len().min(512)]);
    assert_eq!(octets, expected.take(100).collect::<Vec<_>>());
}

#[test]
fn every_poll_announces_also_one_that_finds_nothing_and_a_worker_that_is_gone_is_not_waited_for() {
    let readers = Readers::new();
    let (post, _orders) = Post::new(NETWORK.tables(), &readers);
    let none = Pool::default();
    let mut worker = Worker::new(
        post,
        &Settings::new(Account::Candidates),
        once(&none),
        once(&none),
    );
    assert_eq!(readers.count(), 1);
    let epoch = readers.advance();
    assert_eq!(readers.behind(epoch), 1);
    assert_eq!(worker.poll_once(), 0);
    assert!(readers.have_passed(epoch));
    let later = readers.advance();
    assert!(!readers.have_passed(later));
    worker.finish();
    assert!(readers.have_passed(later));
}
