//! Plans above the file.

use super::bench::{Client, POLICY, Place, refusal, set, unset};
use sekisho::control::protocol::{Answer, Changed, Override, Request};
use std::collections::BTreeMap;

fn plans(client: &Client<'_>) -> Vec<Override> {
    match client.ask(Request::PlanList) {
        Answer::Plans { overrides } => overrides,
        other => panic!("{other:?}"),
    }
}

fn changed(answer: Answer) -> Changed {
    match answer {
        Answer::Changed(changed) => changed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_is_given_and_taken_back_and_every_worker_decides_by_it() {
    Place::new(POLICY).run(|client| {
        let given = changed(client.ask(set("198.51.100.9/32", "open")));
        assert_eq!(given.before.as_deref(), Some("blocked"));
        assert_eq!(given.now.as_deref(), Some("open"));
        // Answered means decided by: no frame is dropped from here on.
        let before = client.stats();
        client.wait_until(|client| client.stats().balance.rx > before.balance.rx + 1_000);
        assert_eq!(client.stats().balance.discarded, before.balance.discarded);

        let given = changed(client.ask(unset("198.51.100.9/32")));
        assert_eq!(given.now.as_deref(), Some("blocked"));
        let before = client.stats().balance.discarded;
        client.wait_until(|client| client.stats().balance.discarded > before + 100);
        assert_eq!(plans(client), []);
    });
}

#[test]
fn what_makes_no_sense_is_refused_by_name_and_changes_nothing() {
    Place::new(POLICY).run(|client| {
        for (request, code) in [
            (set("192.0.2.0/24", "open"), "no-such-plan"),
            (set("198.51.100.9/32", "opened"), "no-such-plan"),
            (set("198.51.100.9/24", "open"), "host-bits-set"),
            (unset("198.51.100.9/32"), "not-set"),
        ] {
            let (found, message) = refusal(client.ask(request));
            assert_eq!(found, code, "{message}");
        }
        assert_eq!(plans(client), []);
    });
}

#[test]
fn what_was_set_holds_after_a_restart_with_who_and_when() {
    let place = Place::new(POLICY);
    let mut kept = Vec::new();
    place.run(|client| {
        client.ask(set("198.51.100.9/32", "open"));
        client.ask(set("198.51.100.10/32", "open"));
        client.ask(unset("198.51.100.10/32"));
        kept = plans(client);
        assert_eq!(kept[0].who, "uid 0 (root)");
    });
    let stats = place.run(|client| {
        assert_eq!(plans(client), kept);
        client.wait_until(|client| client.stats().balance.rx > 1_000);
    });
    assert_eq!(stats.balance.discarded, 0, "from the first frame on");
}

#[test]
fn ten_thousand_changes_during_reloads_end_in_the_state_that_a_model_predicts() {
    let place = Place::new(POLICY);
    place.run(|client| {
        let mut model = BTreeMap::new();
        let mut answers = Vec::new();
        for number in 0..10_000_u32 {
            if number % 500 == 0 {
                answers.push((client.send(Request::Reload), None));
            }
            // A few hundred prefixes, most of them changed again and again.
            let host = number.wrapping_mul(2_654_435_761) >> 24;
            let prefix = if number % 3 == 0 {
                format!("198.51.100.{host}/32")
            } else {
                format!("2001:db8:0:{host:x}00::/56")
            };
            let expected = if number % 4 == 3 {
                let was = model.remove(&prefix).is_some();
                answers.push((client.send(unset(&prefix)), Some(was)));
                continue;
            } else {
                ["open", "blocked"][number as usize / 7 % 2]
            };
            model.insert(prefix.clone(), expected);
            answers.push((client.send(set(&prefix, expected)), Some(true)));
        }
        let mut reloads = 0;
        for (answer, done) in answers {
            match (answer.recv().unwrap(), done) {
                (Answer::Changed(_), Some(true)) => {}
                (Answer::Refused(why), Some(false)) => assert_eq!(why.code, "not-set"),
                (Answer::Reloaded(_), None) => reloads += 1,
                (other, done) => panic!("{other:?}, {done:?}"),
            }
        }
        assert_eq!(reloads, 20);
        let mut found: Vec<_> = plans(client)
            .into_iter()
            .map(|given| (given.set.prefix.to_string(), given.set.plan))
            .collect();
        found.sort();
        let mut expected: Vec<_> = model
            .iter()
            .map(|(prefix, plan)| {
                (
                    prefix.parse::<ipnet::IpNet>().unwrap().to_string(),
                    (*plan).to_owned(),
                )
            })
            .collect();
        expected.sort();
        assert_eq!(found, expected);
        // The tables say the same: setting a plan once more tells what it was.
        for (prefix, plan) in &model {
            let again = changed(client.ask(set(prefix, plan)));
            assert_eq!(again.before.as_deref(), Some(*plan), "{prefix}");
        }
    });
}
