//! What people read: the sentence for the customer, and the published table.

use crate::model::{class, plan, simple_tenant, subscriber};
use jiff::civil::date;
use jiff::tz::TimeZone;
use sekisho::policy::{
    Action, ClassMatch, ClassPrefix, Lang, Limit, Path, Program, Published, Resolved, Rule,
    RuleKind, Situation, Tenant, Then, published, sentence,
};
use sekisho::stats::{Reason, Verdict};
use sekisho::wire::Family;
use std::sync::Arc;

const BLOCKED: Situation<'_> = Situation {
    verdict: Verdict::Drop,
    reason: Reason::Port25Syn,
    plan: Some("FTTH接続サービス スタンダード"),
    class: Some("other"),
    class_label: None,
    port: Some(25),
    family: Family::V4,
    path: Path::Outbound,
    to_hosts: false,
    per_minute: None,
    opening: true,
    since: None,
};

const FORWARDED: Situation<'_> = Situation {
    verdict: Verdict::Forward,
    ..BLOCKED
};

#[test]
fn blocked_since_a_day() {
    let situation = Situation {
        since: Some(date(2006, 12, 1)),
        ..BLOCKED
    };
    assert_eq!(
        sentence(Lang::En, &situation),
        "Mail to other providers' mail servers on port 25 has been blocked on FTTH接続サービス \
         スタンダード since 2006-12-01; use port 587 (submission) of that server or of our mail \
         server."
    );
    assert_eq!(
        sentence(Lang::Ja, &situation),
        "「FTTH接続サービス スタンダード」では、2006年12月1日から他社のメールサーバーの25番ポート\
         へのメール送信を遮断していますので、そのサーバーまたは当社メールサーバーの587番ポート\
         (サブミッションポート)をご利用ください。"
    );
}

#[test]
fn even_our_own_servers_are_blocked_over_ipv6() {
    let situation = Situation {
        class: Some("own"),
        family: Family::V6,
        ..BLOCKED
    };
    assert_eq!(
        sentence(Lang::En, &situation),
        "Mail to our mail servers on port 25 over IPv6 is blocked on FTTH接続サービス \
         スタンダード; use port 587 (submission) of the same server."
    );
    assert_eq!(
        sentence(Lang::Ja, &situation),
        "「FTTH接続サービス スタンダード」では、IPv6による当社メールサーバーの25番ポートへのメール\
         送信を遮断していますので、同じサーバーの587番ポート(サブミッションポート)を\
         ご利用ください。"
    );
}

/// Both sentences of a situation hold these words.
#[track_caller]
fn says(situation: &Situation<'_>, english: &str, japanese: &str) {
    let text = sentence(Lang::En, situation);
    assert!(text.contains(english), "{text}");
    let text = sentence(Lang::Ja, situation);
    assert!(text.contains(japanese), "{text}");
}

#[test]
fn what_passes_is_told_apart() {
    let own = Situation {
        class: Some("own"),
        ..FORWARDED
    };
    let own_en = "Mail to our mail servers on port 25 is not blocked";
    says(&own, own_en, "当社メールサーバーの25番");
    let declared = Situation {
        class: Some("school"),
        class_label: Some("県立学校"),
        ..FORWARDED
    };
    let declared_ja = "「県立学校」のサーバーの25番ポートへ";
    says(&declared, "Mail to servers of 県立学校", declared_ja);
    let submission = Situation {
        reason: Reason::NotCandidate,
        port: Some(587),
        ..FORWARDED
    };
    let submission_ja = "587番ポートの通信はそのままご利用いただけます。";
    says(&submission, "Port 587 is not restricted", submission_ja);
    let mid_flow = Situation {
        reason: Reason::NotCandidate,
        opening: false,
        ..FORWARDED
    };
    says(&mid_flow, "opens no connection", "新しい接続ではないため");
}

#[test]
fn who_is_no_subscriber_is_not_restricted() {
    let nobody = Situation {
        reason: Reason::NoSubscriber,
        plan: None,
        class: None,
        ..FORWARDED
    };
    let nobody_ja = "当社の接続サービスのものではない";
    says(&nobody, "none of our connection services", nobody_ja);
    let not_ip = Situation {
        reason: Reason::NotIp,
        port: None,
        ..nobody
    };
    says(&not_ip, "not readable as IP", "IPとして読み取れない");
}

#[test]
fn what_hides_its_port_is_judged_as_port_25() {
    let cut = Situation {
        verdict: Verdict::Indeterminate,
        reason: Reason::Truncated,
        port: None,
        ..BLOCKED
    };
    says(&cut, "too short to tell", "判定できません。");
    let tiny = Situation {
        reason: Reason::TinyFragment,
        port: None,
        opening: false,
        ..BLOCKED
    };
    says(&tiny, "cannot be trusted", "通過できません。");
    let exempt = Situation {
        verdict: Verdict::Forward,
        ..tiny
    };
    says(&exempt, "is not blocked on FTTH", "遮断していません。");
    let answer = Situation {
        reason: Reason::Port25Return,
        path: Path::Return,
        class: Some("mobile"),
        ..BLOCKED
    };
    let answer_en = "Traffic from port 25 of mobile carriers'";
    says(&answer, answer_en, "25番ポートからの通信を遮断して");
}

/// Word by word, in both languages.
#[track_caller]
fn reads(situation: &Situation<'_>, english: &str, japanese: &str) {
    assert_eq!(sentence(Lang::En, situation), english);
    assert_eq!(sentence(Lang::Ja, situation), japanese);
}

#[test]
fn who_is_refused_is_told_that_it_fails_at_once() {
    let refused = Situation {
        verdict: Verdict::Reject,
        plan: Some("家庭向け"),
        since: Some(date(2024, 4, 1)),
        ..BLOCKED
    };
    reads(
        &refused,
        "Mail to other providers' mail servers on port 25 has been refused on 家庭向け since \
         2024-04-01, so that the attempt fails at once; use port 587 (submission) of that server \
         or of our mail server.",
        "「家庭向け」では、2024年4月1日から他社のメールサーバーの25番ポートへのメール送信を拒否しており、\
         接続は直ちに失敗しますので、そのサーバーまたは当社メールサーバーの587番ポート(サブミッション\
         ポート)をご利用ください。",
    );
}

#[test]
fn a_limit_is_told_with_its_rate() {
    let within = Situation {
        plan: Some("学校向け"),
        per_minute: Some(30),
        ..FORWARDED
    };
    reads(
        &within,
        "Mail to other providers' mail servers on port 25 is limited to 30 connections a minute on \
         学校向け, and this one is within the limit.",
        "「学校向け」では、他社のメールサーバーの25番ポートへのメール送信を毎分30回までに制限していますが、\
         この接続は上限の範囲内です。",
    );
    let above = Situation {
        verdict: Verdict::Limit,
        reason: Reason::AboveRate,
        ..within
    };
    reads(
        &above,
        "Mail to other providers' mail servers on port 25 is limited to 30 connections a minute on \
         学校向け, and the limit is reached; use port 587 (submission) of that server or of our mail \
         server.",
        "「学校向け」では、他社のメールサーバーの25番ポートへのメール送信を毎分30回までに制限しており、上限に\
         達していますので、そのサーバーまたは当社メールサーバーの587番ポート(サブミッションポート)を\
         ご利用ください。",
    );
    let full = Situation {
        reason: Reason::LimitTableFull,
        ..above
    };
    says(&full, "could not be counted", "計数できませんでした");
    // Above the rate, and only counted.
    let counted = Situation {
        verdict: Verdict::Forward,
        ..above
    };
    says(&counted, "is not blocked", "遮断していません。");
}

#[test]
fn calls_to_our_hosts_and_to_subscribers_are_told_apart() {
    let to_hosts = Situation {
        reason: Reason::InboundSubmission,
        plan: Some("送信メールサーバー"),
        path: Path::Inbound,
        to_hosts: true,
        since: Some(date(2024, 4, 1)),
        ..BLOCKED
    };
    reads(
        &to_hosts,
        "Connections from other networks to port 25 of 送信メールサーバー have been blocked since \
         2024-04-01; customers elsewhere send through its port 587 (submission).",
        "2024年4月1日から、他社のネットワークから「送信メールサーバー」の25番ポートへの接続を遮断していますので、\
         他社の回線からの送信には587番ポート(サブミッションポート)をご利用ください。",
    );
    let to_subscriber = Situation {
        reason: Reason::InboundToSubscriber,
        plan: Some("家庭向け"),
        to_hosts: false,
        since: None,
        family: Family::V6,
        ..to_hosts
    };
    reads(
        &to_subscriber,
        "Connections from other networks to port 25 of customers of 家庭向け over IPv6 are blocked; a \
         mail server on such a line gets no mail from outside.",
        "IPv6による他社のネットワークから「家庭向け」のお客様の25番ポートへの接続を遮断していますので、\
         このサービスでは外部からのメールを直接受信することはできません。",
    );
    let passes = Situation {
        verdict: Verdict::Forward,
        ..to_hosts
    };
    says(&passes, "are not blocked.", "接続は遮断していません。");
}

#[test]
fn spoofed_and_unreadable_frames_are_told_as_that() {
    let port_set = Situation {
        reason: Reason::SpoofedPortSet,
        ..BLOCKED
    };
    says(
        &port_set,
        "this line was not given",
        "割り当てられたものではない",
    );
    let source = Situation {
        reason: Reason::SpoofedSource,
        plan: None,
        ..BLOCKED
    };
    says(
        &source,
        "none of our connection services",
        "当社の接続サービスのアドレスではない",
    );
    let unparsed = Situation {
        reason: Reason::Unparsed,
        ..BLOCKED
    };
    says(&unparsed, "such packets do not pass", "通過できません。");
}

#[test]
fn every_verdict_and_reason_is_one_clean_sentence() {
    let paths = Path::ALL
        .into_iter()
        .flat_map(|path| [(path, None), (path, Some(30))]);
    for (path, per_minute) in paths {
        for (verdict, reason) in Verdict::ALL
            .into_iter()
            .flat_map(|verdict| Reason::ALL.iter().map(move |reason| (verdict, *reason)))
        {
            for port in [None, Some(25), Some(465)] {
                let situation = Situation {
                    verdict,
                    reason,
                    port,
                    path,
                    per_minute,
                    ..BLOCKED
                };
                let english = sentence(Lang::En, &situation);
                assert!(
                    english.ends_with('.') && !english.contains("  "),
                    "{english}"
                );
                let japanese = sentence(Lang::Ja, &situation);
                assert!(
                    japanese.ends_with('。') && !japanese.contains("  "),
                    "{japanese}"
                );
                assert_eq!(japanese.matches('。').count(), 1, "{japanese}");
            }
        }
    }
}

/// αWeb's two phases, in Tokyo time, with one plan on both families.
fn two_phases() -> Tenant {
    let zone = TimeZone::get("Asia/Tokyo").unwrap();
    let midnight = |y, m, d| Some(date(y, m, d).to_zoned(zone.clone()).unwrap().timestamp());
    let rule = |name: &str, from, to| Rule {
        name: name.to_owned(),
        families: [true, false],
        plans: vec![0],
        to,
        from,
        ..simple_tenant(Action::Drop).rules[0].clone()
    };
    let mut standard = plan(0);
    standard.label = Some("FTTH スタンダード".to_owned());
    let listed = |prefix: &str, class| ClassPrefix {
        prefix: prefix.parse().unwrap(),
        class,
        origin: crate::model::origin(1),
    };
    Tenant {
        zone: zone.clone(),
        plans: vec![standard, plan(1), plan(2)],
        classes: ["own", "mobile", "unused", "on-net", "other"]
            .map(class)
            .to_vec(),
        subscribers: vec![
            subscriber("198.51.100.0/25".parse().unwrap(), 0),
            subscriber("2001:db8:100::/40".parse().unwrap(), 0),
            subscriber("198.51.100.128/25".parse().unwrap(), 1),
        ],
        destinations: vec![listed("192.0.2.0/28", 0), listed("203.0.113.0/24", 1)],
        rules: vec![
            rule("mobile", midnight(2006, 11, 1), ClassMatch::In(vec![1])),
            rule("rest", midnight(2006, 12, 1), ClassMatch::NotIn(vec![0])),
        ],
        ..simple_tenant(Action::Drop)
    }
}

fn program(tenants: Vec<Tenant>) -> Program {
    let resolved = Resolved {
        tenants,
        memory_limit_bytes: 1 << 30,
    };
    Program::compile(Arc::new(resolved)).unwrap()
}

#[test]
fn the_table_says_what_holds_and_how_long() {
    let at = "2006-11-15T00:00:00+09:00".parse().unwrap();
    let table = published(&program(vec![two_phases()]), 0, at)
        .unwrap()
        .unwrap();
    assert_eq!(
        table.text(Lang::En),
        "\
plan               IP    own      mobile                         on-net                     other
FTTH スタンダード  IPv4  forward  drop [mobile] from 2006-11-01  forward before 2006-12-01  forward before 2006-12-01
FTTH スタンダード  IPv6  forward  forward                        forward                    forward
plan-1             IPv4  forward  forward                        forward                    forward
"
    );
    assert_eq!(
        table.text(Lang::Ja).lines().nth(1).unwrap(),
        "FTTH スタンダード  IPv4  通過                遮断 [mobile] 2006-11-01から  \
         通過 2006-12-01より前  通過 2006-12-01より前"
    );
}

#[test]
fn the_table_has_instants_with_their_offset_in_json() {
    let at = "2006-12-01T00:00:00+09:00".parse().unwrap();
    let table = published(&program(vec![two_phases()]), 0, at)
        .unwrap()
        .unwrap();
    let json = serde_json::to_value(&table).unwrap();
    let cell = &json["rows"][0]["cells"][3];
    let expected = serde_json::json!({
        "action": "drop",
        "rule": "rest",
        "since": "2006-12-01T00:00:00+09:00",
        "until": null,
    });
    assert_eq!(cell, &expected);
    assert_eq!(json["rows"][0]["kind"], "dynamic");
}

/// The policy of two phases, with hosts, and rules about connections that come in.
fn with_calls(rules: &[(&str, RuleKind, usize, Action)]) -> Tenant {
    let mut tenant = two_phases();
    tenant.plans.push(crate::model::hosts());
    let server = subscriber("192.0.2.1/32".parse().unwrap(), 3);
    tenant.subscribers.push(server);
    let outbound = tenant.rules[0].clone();
    let rules = rules.iter().map(|(name, kind, plan, action)| Rule {
        name: (*name).to_owned(),
        kind: *kind,
        plans: vec![*plan],
        to: ClassMatch::NotIn(vec![0]),
        action: *action,
        ..outbound.clone()
    });
    tenant.rules.extend(rules);
    tenant
}

fn table_of(tenant: Tenant) -> Published {
    let at = "2006-11-15T00:00:00+09:00".parse().unwrap();
    published(&program(vec![tenant]), 0, at).unwrap().unwrap()
}

const IP25B: (&str, RuleKind, usize, Action) =
    ("ip25b", RuleKind::InboundSubmission, 3, Action::Drop);

/// Hosts, and the plans to which connections come in where rules speak of that.
#[test]
fn the_table_has_rows_for_what_comes_in() {
    let table = table_of(with_calls(&[IP25B]));
    assert_eq!(table.rows.len(), 4, "three of plans, and the hosts");
    assert_eq!(
        (table.rows[3].path, &*table.rows[3].plan),
        (Path::Inbound, "hosts")
    );
    assert_eq!(
        table.text(Lang::En).lines().last().unwrap(),
        "to port 25 of hosts  IPv4  forward  drop [ip25b] from 2006-11-01   \
         drop [ip25b] from 2006-11-01  drop [ip25b] from 2006-11-01"
    );
}

#[test]
fn the_table_has_the_particulars_of_an_action_in_json() {
    let limit = Action::Limit(Limit {
        per_minute: 30,
        burst: 10,
        then: Then::Count,
    });
    let calls = ("calls", RuleKind::InboundToSubscriber, 1, limit);
    let json = serde_json::to_value(table_of(with_calls(&[IP25B, calls]))).unwrap();
    assert_eq!(
        json["rows"].as_array().unwrap().len(),
        7,
        "now the calls to plans, too"
    );
    let called = &json["rows"][5];
    assert_eq!(
        (&called["plan"], &called["path"]),
        (&"plan-1".into(), &"inbound".into())
    );
    assert_eq!(called["cells"][3]["action"], "limit");
    assert_eq!(
        called["cells"][3]["particulars"],
        serde_json::json!({ "rate": 30, "burst": 10, "then": "count" })
    );
}
