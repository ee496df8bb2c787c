//! What was counted outlives the rules and plans that it was counted by.

use super::bench::{POLICY, Place};
use sekisho::control::protocol::{Answer, Counted, Request};

fn frames(counted: &[Counted], name: &str, verdict: &str) -> u64 {
    let named = counted
        .iter()
        .find(|one| one.name == name && one.verdict == verdict);
    named.map_or(0, |one| one.frames)
}

#[test]
fn counters_go_on_over_reloads_by_the_names_of_rules_and_plans() {
    // The same rule with another number, then another rule.
    let second = POLICY.replace(
        "rules:\n",
        "rules:\n  - { name: first, plans: [open], action: drop }\n",
    );
    let third = POLICY.replace("no-mail", "no-mail-at-all");
    let stats = Place::new(POLICY).run(|client| {
        let dropped = |name| frames(&client.stats().rules, name, "drop");
        client.wait_until(|_| dropped("here/no-mail") > 100);
        for policy in [&second, &third] {
            let before = dropped("here/no-mail");
            client.write_policy(policy);
            assert!(matches!(client.ask(Request::Reload), Answer::Reloaded(_)));
            assert!(dropped("here/no-mail") >= before);
            let before = client.stats().balance.rx;
            client.wait_until(|client| client.stats().balance.rx > before + 1_000);
        }
        let (old, new) = (dropped("here/no-mail"), dropped("here/no-mail-at-all"));
        assert!(old > 100 && new > 100, "{old}, {new}");
        client.wait_until(|_| dropped("here/no-mail-at-all") > new);
        assert_eq!(dropped("here/no-mail"), old, "a rule that is gone");
    });
    let of_rules: u64 = stats.rules.iter().map(|counted| counted.frames).sum();
    let of_plans: u64 = stats.plans.iter().map(|counted| counted.frames).sum();
    assert_eq!((of_rules, of_plans), (stats.balance.rx, stats.balance.rx));
    let dropped = frames(&stats.rules, "here/no-mail", "drop")
        + frames(&stats.rules, "here/no-mail-at-all", "drop");
    assert_eq!(dropped, stats.balance.discarded);
    assert_eq!(frames(&stats.reasons, "drop-port25-syn", "drop"), dropped);
}

#[test]
fn a_trace_tells_each_step_and_names_no_peer() {
    Place::new(POLICY).run(|client| {
        let Answer::Trace { frames } = client.ask(Request::Trace { frames: 4 }) else {
            panic!("no trace");
        };
        assert_eq!(frames.len(), 4);
        let dropped = frames.iter().find(|text| text.contains("drop")).unwrap();
        for part in [
            "from the access side",
            "198.51.100.9 port 40000 → (peer) port 25, TCP [S]",
            "plan here/blocked, peer in class other",
            "rule here/no-mail: drop, port25-syn",
        ] {
            assert!(dropped.contains(part), "{part}\n{dropped}");
        }
        assert!(!frames.concat().contains("192.0.2.1"));
    });
}
