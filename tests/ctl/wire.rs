//! What goes over the wire is a contract: it is pinned here, octet by octet. A change of these
//! lines, other than a new key of an answer, is a new version.

use crate::supervisor::{NOON, sample};
use insta::assert_snapshot;
use sekisho::control::line::{
    COMMANDS, Id, read_answer, read_request, write_answer, write_request,
};
use sekisho::control::protocol::{Answer, Changed, Override, PlanSet, Refusal, Request};

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
    {"version":1,"answer":"stats","generation":42,"uptime_s":93784.5,"balance":{"rx":1234567,"transmitted":1200000,"discarded":34000,"tx_full":500,"held":67},"reasons":[{"name":"drop-port25-syn","verdict":"drop","frames":34000,"bytes":2040000},{"name":"forward-not-candidate","verdict":"forward","frames":1200567,"bytes":960453600}],"rules":[{"name":"alpha-web/everyone-else","verdict":"drop","frames":34000,"bytes":2040000}],"plans":[{"name":"alpha-web/ftth_std","verdict":"drop","frames":34000,"bytes":2040000}],"devices":[{"side":"access","name":"enp1s0f0","link":"up","losses":[{"counter":"rx_dropped","frames":12345}]},{"side":"network","name":"enp1s0f1","link":"up","losses":[]}]}
    {"version":1,"answer":"runtime","generation":42,"workers":[{"worker":0,"lcore":1,"polls":1000000,"empty_polls":250000,"bursts":750000,"frames":24000000,"answered_ms":0.25},{"worker":1,"lcore":3,"polls":1000000,"empty_polls":250000,"bursts":750000,"frames":24000000,"answered_ms":null}]}
    {"version":1,"answer":"phases","now":"2026-03-01T12:00:00Z","events":[{"at":"2006-11-30T15:00:00Z","isp":"alpha-web","change":"rule everyone-else begins","past":true},{"at":"2026-03-31T15:00:00Z","isp":"alpha-web","change":"rule mobile begins","past":false}]}
    {"version":1,"answer":"reloaded","from":41,"to":42,"compile_ms":18.25,"swap_ms":3.125,"workers":2,"of_workers":2,"overrides":1234}
    {"version":1,"answer":"draining"}
    {"version":1,"answer":"trace","frames":["frame 1\n  parse  tcp"]}
    {"version":1,"answer":"changed","prefix":"2001:db8::/56","before":null,"now":"fixed"}
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
