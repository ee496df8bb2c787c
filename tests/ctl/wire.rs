//! What goes over the wire is a contract: it is pinned here, octet by octet. A change of these
//! lines, other than a new key of an answer, is a new version.

use crate::supervisor::{NOON, sample};
use insta::assert_snapshot;
use proptest::prelude::*;
use sekisho::control::line::{
    COMMANDS, Id, read_answer, read_request, write_answer, write_request,
};
use sekisho::control::protocol::{Answer, Changed, Override, PlanSet, Refusal, Request};
use std::fs;
use std::path::Path;

fn requests() -> Vec<Request> {
    let prefix = "203.0.113.0/24".parse().unwrap();
    let set = PlanSet {
        prefix,
        plan: "fixed".to_owned(),
        ticket: None,
        expires: None,
    };
    vec![
        Request::Stats,
        Request::ShowRuntime,
        Request::Phases,
        Request::Reload,
        Request::Drain,
        Request::PlanSet(set.clone()),
        Request::PlanSet(PlanSet {
            ticket: Some("NOC-1 \"急\"".to_owned()),
            expires: Some(NOON.parse().unwrap()),
            ..set
        }),
        Request::PlanUnset { prefix },
        Request::PlanList,
        Request::Trace { frames: 3 },
    ]
}

fn answers() -> Vec<Answer> {
    let prefix = "2001:db8::/56".parse().unwrap();
    let given = Override {
        set: PlanSet {
            prefix,
            plan: "fixed".to_owned(),
            ticket: Some("NOC-1".to_owned()),
            expires: Some(NOON.parse().unwrap()),
        },
        at: NOON.parse().unwrap(),
        who: "uid 0 (root)".to_owned(),
    };
    let samples = [
        Request::Stats,
        Request::ShowRuntime,
        Request::Phases,
        Request::Reload,
        Request::Drain,
        Request::Trace { frames: 1 },
    ];
    let mut answers: Vec<_> = samples.iter().map(sample).collect();
    answers.extend([
        Answer::Changed(Changed {
            prefix,
            before: None,
            now: Some("fixed".to_owned()),
            workers: 1,
            of_workers: 1,
        }),
        Answer::Plans {
            overrides: vec![given],
        },
        Answer::Refused(Refusal::new("no-such-plan", "there is none")),
    ]);
    answers
}

#[test]
fn requests_read_so() {
    let mut wire = Vec::new();
    for (number, request) in (0..).zip(requests()) {
        write_request(&mut wire, Some(&Id::Number(number)), &request).unwrap();
    }
    assert_snapshot!(String::from_utf8(wire).unwrap(), @r#"
    {"version":1,"id":0,"command":"stats"}
    {"version":1,"id":1,"command":"show-runtime"}
    {"version":1,"id":2,"command":"phases"}
    {"version":1,"id":3,"command":"reload"}
    {"version":1,"id":4,"command":"drain"}
    {"version":1,"id":5,"command":"plan-set","prefix":"203.0.113.0/24","plan":"fixed"}
    {"version":1,"id":6,"command":"plan-set","prefix":"203.0.113.0/24","plan":"fixed","ticket":"NOC-1 \"急\"","expires":"2026-03-01T12:00:00Z"}
    {"version":1,"id":7,"command":"plan-unset","prefix":"203.0.113.0/24"}
    {"version":1,"id":8,"command":"plan-list"}
    {"version":1,"id":9,"command":"trace","frames":3}
    "#);
}

#[test]
fn answers_read_so() {
    let mut wire = Vec::new();
    for answer in answers() {
        write_answer(&mut wire, None, &answer).unwrap();
    }
    write_answer(
        &mut wire,
        Some(&Id::Text("7".to_owned())),
        &Answer::Draining,
    )
    .unwrap();
    assert_snapshot!(String::from_utf8(wire).unwrap(), @r#"
    {"version":1,"answer":"stats","generation":42,"uptime_s":93784.5,"balance":{"rx":1234567,"generated":0,"transmitted":1200000,"discarded":34000,"tx_full":500,"held":67},"reasons":[{"name":"drop-port25-syn","verdict":"drop","frames":34000,"bytes":2040000},{"name":"forward-not-candidate","verdict":"forward","frames":1200567,"bytes":960453600}],"rules":[{"name":"alpha-web/everyone-else","verdict":"drop","frames":34000,"bytes":2040000}],"plans":[{"name":"alpha-web/ftth_std","verdict":"drop","frames":34000,"bytes":2040000}],"replies":{"generated":0,"withheld":0,"impossible":0},"devices":[{"side":"access","name":"enp1s0f0","link":"up","losses":[{"counter":"rx_dropped","frames":12345}]},{"side":"network","name":"enp1s0f1","link":"up","losses":[]}]}
    {"version":1,"answer":"runtime","generation":42,"workers":[{"worker":0,"lcore":1,"polls":1000000,"empty_polls":250000,"bursts":750000,"frames":24000000,"answered_ms":0.25},{"worker":1,"lcore":3,"polls":1000000,"empty_polls":250000,"bursts":750000,"frames":24000000,"answered_ms":null}]}
    {"version":1,"answer":"phases","now":"2026-03-01T12:00:00Z","events":[{"at":"2006-11-30T15:00:00Z","isp":"alpha-web","change":"rule everyone-else begins","past":true},{"at":"2026-03-31T15:00:00Z","isp":"alpha-web","change":"rule mobile begins","past":false}]}
    {"version":1,"answer":"reloaded","from":41,"to":42,"compile_ms":18.25,"swap_ms":3.125,"workers":2,"of_workers":2,"overrides":1234}
    {"version":1,"answer":"draining"}
    {"version":1,"answer":"trace","frames":["frame 1\n  parse  tcp"]}
    {"version":1,"answer":"changed","prefix":"2001:db8::/56","before":null,"now":"fixed","workers":1,"of_workers":1}
    {"version":1,"answer":"plans","overrides":[{"prefix":"2001:db8::/56","plan":"fixed","ticket":"NOC-1","expires":"2026-03-01T12:00:00Z","at":"2026-03-01T12:00:00Z","who":"uid 0 (root)"}]}
    {"version":1,"answer":"refused","code":"no-such-plan","message":"there is none"}
    {"version":1,"id":"7","answer":"draining"}
    "#);
}

#[test]
fn what_was_written_is_read_as_it_was() {
    for request in requests() {
        for id in [
            None,
            Some(Id::Number(u64::MAX)),
            Some(Id::Text("α".to_owned())),
        ] {
            let mut line = Vec::new();
            write_request(&mut line, id.as_ref(), &request).unwrap();
            let call = read_request(&line).unwrap();
            assert_eq!((call.id, call.request), (id, request.clone()));
        }
    }
    for answer in answers() {
        let mut line = Vec::new();
        write_answer(&mut line, Some(&Id::Number(1)), &answer).unwrap();
        assert_eq!(read_answer(&line).unwrap(), (Some(Id::Number(1)), answer));
    }
}

#[test]
fn the_list_of_commands_is_that_of_the_requests() {
    let mut written = Vec::new();
    for request in requests() {
        let value = serde_json::to_value(&request).unwrap();
        let object = value.as_object().unwrap();
        let command = object["command"].as_str().unwrap().to_owned();
        let (_, keys) = COMMANDS.iter().find(|(name, _)| *name == command).unwrap();
        for key in object.keys().filter(|key| *key != "command") {
            assert!(keys.contains(&&**key), "{command}: {key}");
        }
        written.push(command);
    }
    written.dedup();
    assert_eq!(written, COMMANDS.map(|(name, _)| name));
}

#[test]
fn an_answer_of_a_later_sekisho_may_say_more_but_not_in_another_version() {
    let more = r#"{"version":1,"answer":"draining","frames":7}"#;
    assert_eq!(read_answer(more.as_bytes()).unwrap().1, Answer::Draining);
    for bad in [
        r#"{"version":2,"answer":"draining"}"#,
        r#"{"answer":"draining"}"#,
        r#"{"version":1,"answer":"x"}"#,
    ] {
        assert!(read_answer(bad.as_bytes()).is_err(), "{bad}");
    }
}

/// The codes of refusals are a contract too: each stands in the document.
#[test]
fn every_code_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/control.md")).unwrap();
    let mut folders = vec![root.join("src/control")];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let refusals = ["Refusal::new(", "refused("].map(|call| text.split(call).skip(1));
            for after in refusals.into_iter().flatten() {
                let Some(code) = after.trim_start().strip_prefix('"') else {
                    continue;
                };
                let code = code.split('"').next().unwrap();
                assert!(
                    document.contains(&format!("`{code}`")),
                    "{}: {code}",
                    path.display()
                );
                found += 1;
            }
        }
    }
    assert!(found > 10, "{found} codes");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..<_>::default() })]

    /// Whatever comes, it is a request that is written as it was meant, or it is refused.
    #[test]
    fn no_line_is_too_strange(
        line in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            "[{}\\[\\]\":,0-9a-z]{0,60}".prop_map(String::into_bytes),
            near_requests().prop_map(String::into_bytes),
        ],
    ) {
        match read_request(&line) {
            Ok(call) => {
                let mut again = Vec::new();
                write_request(&mut again, call.id.as_ref(), &call.request).unwrap();
                prop_assert_eq!(read_request(&again), Ok(call));
            }
            Err(misread) => prop_assert!(!misread.refusal.message.is_empty()),
        }
    }
}

/// Objects that are requests, or nearly so.
fn near_requests() -> impl Strategy<Value = String> {
    let words = |list: &[&str]| {
        prop::sample::select(list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>())
    };
    let keys = words(&[
        "version", "id", "command", "prefix", "plan", "ticket", "expires", "frames", "x",
    ]);
    let values = words(&[
        "1",
        "2",
        "null",
        "\"stats\"",
        "\"trace\"",
        "\"plan-set\"",
        "\"plan-unset\"",
        "\"::/0\"",
        "\"10.0.0.0/8\"",
        "\"10.0.0.1/8\"",
        "\"2026-12-01T00:00:00Z\"",
        "\"\"",
        "[]",
        "{}",
        "1.5",
    ]);
    let commands = words(&["stats", "trace", "plan-set", "plan-unset"]);
    (commands, prop::collection::vec((keys, values), 0..5)).prop_map(|(command, pairs)| {
        let mut text = format!("{{\"version\":1,\"command\":\"{command}\"");
        for (key, value) in pairs {
            text += &format!(",\"{key}\":{value}");
        }
        text + "}"
    })
}
