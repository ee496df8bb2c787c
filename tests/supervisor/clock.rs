//! What the clock brings.

use super::bench::{POLICY, Place};
use jiff::{Timestamp, ToSpan, Unit};
use sekisho::control::protocol::{Answer, PlanSet, Request};
use std::thread;
use std::time::Duration;

#[test]
fn a_rule_begins_at_its_second_without_a_reload_and_is_told_of_ahead() {
    let begin = Timestamp::now().round(Unit::Second).unwrap() + 3.seconds();
    let policy = POLICY.replace("action: drop", &format!("from: {begin}, action: drop"));
    Place::new(&policy).run(|client| {
        let phase = || match client.ask(Request::Phases) {
            Answer::Phases(phases) => phases.events[0].clone(),
            other => panic!("{other:?}"),
        };
        let ahead = phase();
        assert_eq!((ahead.at, ahead.past), (begin, false));
        assert_eq!(ahead.change, "rule no-mail begins");
        let before_ms = begin.duration_since(Timestamp::now()).as_millis() - 300;
        thread::sleep(Duration::from_millis(u64::try_from(before_ms).unwrap()));
        assert_eq!(client.stats().balance.discarded, 0);
        thread::sleep(Duration::from_millis(600));
        assert!(phase().past);
        client.wait_until(|client| client.stats().balance.discarded > 100);
        assert_eq!(client.stats().generation, 1);
        let said = client.said().join("\n");
        assert!(
            said.contains("here: rule no-mail begins: 1 of 1 workers"),
            "{said}"
        );
    });
}

#[test]
fn a_plan_above_the_file_ends_when_its_time_is_over() {
    Place::new(POLICY).run(|client| {
        let given = |expires| {
            client.ask(Request::PlanSet(PlanSet {
                prefix: "198.51.100.9/32".parse().unwrap(),
                plan: "open".to_owned(),
                ticket: Some("NOC-7".to_owned()),
                expires: Some(expires),
            }))
        };
        let past = given(Timestamp::now() - 1.second());
        assert!(matches!(past, Answer::Refused(why) if why.code == "expired"));
        let answer = given(Timestamp::now() + 1.second());
        assert!(matches!(answer, Answer::Changed(_)), "{answer:?}");
        let before = client.stats().balance.discarded;
        thread::sleep(Duration::from_millis(500));
        assert_eq!(client.stats().balance.discarded, before);
        client.wait_until(|client| client.stats().balance.discarded > before);
        let Answer::Plans { overrides } = client.ask(Request::PlanList) else {
            panic!("no list");
        };
        assert_eq!(overrides, []);
    });
}
