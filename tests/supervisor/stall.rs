//! A worker that hangs.

use super::bench::{POLICY, Place, STALL, set};
use sekisho::control::protocol::{Answer, Request};
use std::sync::atomic::Ordering;

#[test]
fn a_worker_that_hangs_is_told_of_and_catches_up_when_it_is_back() {
    Place::new(POLICY).run(|client| {
        client.wait_until(|client| client.stats().balance.rx > 0);
        client.blocked.store(true, Ordering::Release);
        client.wait_until(|client| client.said().concat().contains("has not answered"));
        let Answer::Runtime(runtime) = client.ask(Request::ShowRuntime) else {
            panic!("no runtime");
        };
        assert_eq!(runtime.workers[0].answered_ms, None);
        let Answer::Reloaded(reloaded) = client.ask(Request::Reload) else {
            panic!("no reload");
        };
        assert_eq!((reloaded.workers, reloaded.of_workers), (0, 1));
        // It is kept, and nobody decides by it yet.
        let Answer::Changed(changed) = client.ask(set("198.51.100.9/32", "open")) else {
            panic!("not kept");
        };
        assert_eq!((changed.workers, changed.of_workers), (0, 1));
        client.blocked.store(false, Ordering::Release);
        client.wait_until(|client| client.said().concat().contains("is back"));
        client.wait_until(|client| client.stats().balance.rx > 1_000);
        let before = client.stats().balance.discarded;
        std::thread::sleep(STALL);
        assert_eq!(
            client.stats().balance.discarded,
            before,
            "it has the new tables"
        );
    });
}
