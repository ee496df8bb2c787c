//! Other policies.

use super::bench::{POLICY, Place, refusal, set};
use sekisho::control::protocol::{Answer, Reloaded, Request};
use std::sync::atomic::Ordering;

fn reloaded(answer: Answer) -> Reloaded {
    match answer {
        Answer::Reloaded(reloaded) => reloaded,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reload_takes_over_at_a_burst_and_says_how_long_it_took() {
    let stats = Place::new(POLICY).run(|client| {
        client.write_policy(&POLICY.replace("no-mail, plans: [blocked]", "none, plans: [open]"));
        let reloaded = reloaded(client.ask(Request::Reload));
        assert_eq!((reloaded.from, reloaded.to), (1, 2));
        assert_eq!((reloaded.workers, reloaded.of_workers), (1, 1));
        let text = reloaded.to_string();
        assert!(text.starts_with("generation 1 → 2 in "), "{text}");
        assert!(
            text.contains(" ms, all workers (read and compiled in "),
            "{text}"
        );
        let before = client.stats();
        client.wait_until(|client| client.stats().balance.rx > before.balance.rx + 1_000);
        assert_eq!(client.stats().balance.discarded, before.balance.discarded);
        // SIGHUP does the same.
        client.write_policy(POLICY);
        client.signals.reload.store(true, Ordering::Release);
        client.wait_until(|client| client.stats().generation == 3);
    });
    assert_eq!(stats.generation, 3);
}

#[test]
fn a_bad_policy_changes_nothing_and_says_where_it_is_bad() {
    Place::new(POLICY).run(|client| {
        for bad in ["isp: here\nplans: {", "", "isp: here\nrulez: []\n"] {
            client.write_policy(bad);
            let (code, message) = refusal(client.ask(Request::Reload));
            assert_eq!(code, "bad-policy");
            assert!(message.contains("policy.yaml"), "{message}");
        }
        let stats = client.stats();
        assert_eq!(stats.generation, 1);
        client
            .wait_until(|client| client.stats().balance.discarded > stats.balance.discarded + 100);
        client.write_policy(POLICY);
        assert_eq!(reloaded(client.ask(Request::Reload)).to, 2);
    });
}

#[test]
fn a_plan_above_the_file_that_vanishes_refuses_the_reload_and_is_named() {
    let place = Place::new(POLICY);
    place.run(|client| {
        client.ask(set("198.51.100.9/32", "open"));
        client.write_policy(
            &POLICY
                .replace("open:", "opened:")
                .replace("plan: open", "plan: opened"),
        );
        let (code, message) = refusal(client.ask(Request::Reload));
        assert_eq!(code, "bad-policy");
        assert!(
            message.contains("198.51.100.9/32") && message.contains("no plan `open`"),
            "{message}"
        );
        assert_eq!(client.stats().generation, 1);
        client.write_policy(POLICY);
    });
}
