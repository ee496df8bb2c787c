//! Several workers.

use super::support::*;
use sekisho::io::port::{MemoryPort, Pool, Recorded, Rounds};
use sekisho::loadgen::traffic::Direction;
use sekisho::stage::{Account, Facing, Settings};
use sekisho::worker::{Balance, Idle, Lcore, Worker, on_lcores};
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn each_has_its_own_queue_and_loses_nothing() {
    let lcores = Lcore::usable().unwrap();
    let lcores = &lcores[..lcores.len().min(2)];
    let queues: Vec<_> = (0..lcores.len() as u64)
        .map(|seed| traffic(Direction::Out, 5_000, seed))
        .collect();
    let work = |(queue, post): (&Vec<Vec<u8>>, _), _: &_| {
        let arena = arena(queue);
        let (pool, none) = (Pool::new(&arena), Pool::default());
        let mut network = Recorded::new(once(&none));
        let mut worker = Worker::new(
            post,
            &Settings::new(Account::EveryFrame),
            once(&pool),
            &mut network,
        );
        while worker.poll_once() > 0 {}
        let done = worker.finish();
        (
            done.balance,
            network.sent().to_vec(),
            Lcore::usable().unwrap(),
        )
    };
    let given = queues.iter().map(|queue| (queue, post()));
    let (did, ()) = on_lcores(lcores, given, work, || ()).unwrap();
    let mut all = Balance::default();
    for ((queue, lcore), (balance, sent, usable)) in queues.iter().zip(lcores).zip(did) {
        assert_eq!(usable, [*lcore], "a worker is pinned");
        assert_balances(&balance);
        assert!(sent == forwarded(queue, Facing::Out, NETWORK.tables()));
        all += balance;
    }
    assert_balances(&all);
    assert_eq!(all.rx, 5_000 * lcores.len() as u64);
}

#[test]
fn workers_stop_in_mid_stream_and_account_for_every_frame() {
    let lcores = &Lcore::usable().unwrap()[..1];
    let frames = traffic(Direction::Out, 1_000, 9);
    let polled = AtomicUsize::new(0);
    let work = |post, stop: &_| {
        let arena = arena(&frames);
        let (pool, none) = (Pool::new(&arena), Pool::default());
        // The link is too slow, and takes no whole bursts.
        let access = MemoryPort::new(&pool, Rounds::Endless, 512);
        let network = MemoryPort::new(&none, Rounds::Once, 100).with_link(7);
        let mut worker = Worker::new(post, &Settings::new(Account::EveryFrame), access, network);
        polled.store(worker.poll_once(), Ordering::Release);
        worker.run(stop, Idle::Sleep);
        worker.finish()
    };
    let until_it_polls = || {
        while polled.load(Ordering::Acquire) == 0 {
            std::thread::yield_now();
        }
        "control"
    };
    let (did, control) = on_lcores(lcores, [post()], work, until_it_polls).unwrap();
    assert_eq!(control, "control");
    assert_balances(&did[0].balance);
    assert!(did[0].balance.rx >= 64);
}

#[test]
fn an_lcore_that_is_not_there_starts_nothing() {
    let usable = Lcore::usable().unwrap();
    let started = AtomicUsize::new(0);
    let start = |lcores: &[Lcore]| {
        let work = |(), _: &_| started.fetch_add(1, Ordering::Relaxed);
        on_lcores(lcores, [(), ()], work, || ())
            .map(|_| ())
            .unwrap_err()
    };
    for absent in [Lcore(1_023), Lcore(100_000)] {
        let error = start(&[usable[0], absent]).to_string();
        let expected = format!("there is no lcore {absent} for this program: it may use ");
        assert!(error.starts_with(&expected), "{error}");
    }
    let twice = start(&[usable[0], usable[0]]).to_string();
    assert!(twice.contains("named twice"), "{twice}");
    assert_eq!(started.into_inner(), 0);
}

#[test]
#[should_panic(expected = "a worker's own")]
fn a_worker_that_panics_takes_its_starter_with_it() {
    let lcores = &Lcore::usable().unwrap()[..1];
    let work = |(), _: &_| panic!("a worker's own");
    let _: ((), ()) = on_lcores(lcores, [()], work, || ())
        .map(|_| ((), ()))
        .unwrap();
}
