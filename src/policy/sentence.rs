//! One sentence for the customer.
//!
//! The support desk reads it out or pastes it, so it speaks as the ISP does ("our", 当社), names
//! the plan by its label, and says what to do where something is blocked.

use super::Direction;
use crate::stats::{Reason, Verdict};
use crate::wire::Family;
use jiff::civil::Date;

/// The port that policies are about.
const SMTP: u16 = 25;

/// In which language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

/// What was judged, in words of the policy.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What happens.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The plan's label, or its name; `None` without a plan.
    pub plan: Option<&'a str>,
    /// The class's name; `None` without a plan.
    pub class: Option<&'a str>,
    /// The class's label; used for classes other than the six known ones.
    pub class_label: Option<&'a str>,
    /// The peer's port; `None` where it could not be read.
    pub port: Option<u16>,
    /// IP version.
    pub family: Family,
    /// Which way the segment goes, seen from the subscriber.
    pub direction: Direction,
    /// Whether it opens a connection, as [`super::Question::opening`] has it.
    pub opening: bool,
    /// The day from which the verdict holds, in the tenant's zone; `None` = since ever.
    pub since: Option<Date>,
}

/// Says it.
pub fn sentence(lang: Lang, situation: &Situation<'_>) -> String {
    let case = Case::of(situation);
    match lang {
        Lang::En => english(case, situation),
        Lang::Ja => japanese(case, situation),
    }
}

/// The sentences that there are.
#[derive(Clone, Copy)]
enum Case {
    Indeterminate,
    NotIp,
    OtherPort(u16),
    /// A later segment or fragment: it says nothing about new connections.
    NotOpening,
    NoSubscriber,
    Forwarded,
    Blocked,
    /// An evasive frame takes the verdict of port 25.
    BlockedAsEvasive,
    Limited,
}

impl Case {
    fn of(situation: &Situation<'_>) -> Self {
        match situation.verdict {
            Verdict::Indeterminate => Self::Indeterminate,
            Verdict::Limit => Self::Limited,
            Verdict::Drop | Verdict::Reject if is_evasive(situation.reason) => {
                Self::BlockedAsEvasive
            }
            Verdict::Drop | Verdict::Reject => Self::Blocked,
            Verdict::Forward => Self::forwarded(situation),
        }
    }

    fn forwarded(situation: &Situation<'_>) -> Self {
        match situation.reason {
            Reason::NotIp | Reason::Unparsed | Reason::EncapsulationLimit => return Self::NotIp,
            Reason::LaterFragment => return Self::NotOpening,
            Reason::NoSubscriber => return Self::NoSubscriber,
            Reason::Port25Syn
            | Reason::Port25Return
            | Reason::InboundSubmission
            | Reason::InboundToSubscriber
            | Reason::SpoofedPortSet
            | Reason::SpoofedSource
            | Reason::AboveRate
            | Reason::LimitTableFull
            | Reason::NotCandidate
            | Reason::Truncated
            | Reason::HeaderChainLimit
            | Reason::IncompleteHeaders
            | Reason::OverlappingFragment
            | Reason::TinyFragment
            | Reason::Malformed => {}
        }
        match (situation.port, situation.plan) {
            (Some(port), _) if port != SMTP => Self::OtherPort(port),
            (_, None) => Self::NoSubscriber,
            (_, Some(_)) if situation.opening || is_evasive(situation.reason) => Self::Forwarded,
            (_, Some(_)) => Self::NotOpening,
        }
    }
}

fn is_evasive(reason: Reason) -> bool {
    match reason {
        Reason::Truncated
        | Reason::HeaderChainLimit
        | Reason::IncompleteHeaders
        | Reason::OverlappingFragment
        | Reason::TinyFragment
        | Reason::Malformed => true,
        Reason::Port25Syn
        | Reason::Port25Return
        | Reason::InboundSubmission
        | Reason::InboundToSubscriber
        | Reason::SpoofedPortSet
        | Reason::SpoofedSource
        | Reason::AboveRate
        | Reason::LimitTableFull
        | Reason::NotIp
        | Reason::NotCandidate
        | Reason::LaterFragment
        | Reason::Unparsed
        | Reason::EncapsulationLimit
        | Reason::NoSubscriber => false,
    }
}

/// Whether the peer is a server of the ISP itself.
fn is_ours(situation: &Situation<'_>) -> bool {
    matches!(situation.class, Some("own" | "own-hosting"))
}

fn english(case: Case, situation: &Situation<'_>) -> String {
    let plan = situation.plan.unwrap_or("this connection service");
    let peers = english_peers(situation);
    let ip = match situation.family {
        Family::V4 => "",
        Family::V6 => " over IPv6",
    };
    // What is talked about, in the number of the verb that follows.
    let subject = match situation.direction {
        Direction::Out => format!("Mail to {peers} on port 25{ip}"),
        Direction::In => format!("Traffic from port 25 of {peers}{ip}"),
    };
    let (blocked, since) = match situation.since {
        Some(day) => ("has been blocked", format!(" since {day}")),
        None => ("is blocked", String::new()),
    };
    let server = if is_ours(situation) {
        "of the same server"
    } else {
        "of that server or of our mail server"
    };
    match case {
        Case::Indeterminate => "The capture cut this packet too short to tell whether it is mail \
             on port 25 that would be blocked."
            .to_owned(),
        Case::NotIp => "This packet is not readable as IP, so the restriction of port 25 does \
             not apply to it."
            .to_owned(),
        Case::NotOpening => {
            "This packet opens no connection on port 25, so it is not blocked.".into()
        }
        Case::OtherPort(port) => {
            format!("Port {port} is not restricted: only port 25 is, so this passes.")
        }
        Case::NoSubscriber => "This address belongs to none of our connection services, so the \
             restriction of port 25 does not apply to it."
            .to_owned(),
        Case::Forwarded => format!("{subject} is not blocked on {plan}."),
        Case::Blocked => {
            format!("{subject} {blocked} on {plan}{since}; use port 587 (submission) {server}.")
        }
        Case::BlockedAsEvasive => format!(
            "This packet is built so that its port cannot be trusted; it is treated as port 25, \
             and between {plan} and {peers} that {blocked}{ip}{since}."
        ),
        Case::Limited => format!(
            "{subject} is limited in number on {plan}, and the limit is reached; use port 587 \
             (submission) {server}."
        ),
    }
}

fn english_peers(situation: &Situation<'_>) -> String {
    let known = match situation.class {
        Some("own") => "our mail servers",
        Some("own-hosting") => "our hosting servers",
        Some("mobile") => "mobile carriers' mail servers",
        Some("upstream") => "our upstream provider's mail servers",
        Some("on-net") => "other hosts in our network",
        Some("other") | None => "other providers' mail servers",
        Some(name) => return format!("servers of {}", situation.class_label.unwrap_or(name)),
    };
    known.to_owned()
}

fn japanese(case: Case, situation: &Situation<'_>) -> String {
    let plan = match situation.plan {
        Some(plan) => format!("「{plan}」"),
        None => "ご契約の接続サービス".to_owned(),
    };
    let peers = japanese_peers(situation);
    let ip = match situation.family {
        Family::V4 => "",
        Family::V6 => "IPv6による",
    };
    let subject = match situation.direction {
        Direction::Out => format!("{ip}{peers}の25番ポートへのメール送信"),
        Direction::In => format!("{ip}{peers}の25番ポートからの通信"),
    };
    let since = situation.since.map_or_else(String::new, |day| {
        format!("{}年{}月{}日から", day.year(), day.month(), day.day())
    });
    let server = if is_ours(situation) {
        "同じサーバーの"
    } else {
        "そのサーバーまたは当社メールサーバーの"
    };
    let remedy = format!("{server}587番ポート(サブミッションポート)をご利用ください。");
    match case {
        Case::Indeterminate => "このパケットは途中までしか記録されていないため、遮断の対象となる\
             25番ポートの通信かどうかを判定できません。"
            .to_owned(),
        Case::NotIp => {
            "このパケットはIPとして読み取れないため、25番ポートの制限の対象ではありません。".into()
        }
        Case::NotOpening => {
            "このパケットは25番ポートの新しい接続ではないため、遮断されません。".into()
        }
        Case::OtherPort(port) => format!(
            "制限の対象は25番ポートのみですので、{port}番ポートの通信はそのままご利用いただけます。"
        ),
        Case::NoSubscriber => "このアドレスは当社の接続サービスのものではないため、\
             25番ポートの制限の対象ではありません。"
            .to_owned(),
        Case::Forwarded => format!("{plan}では、{subject}は遮断していません。"),
        Case::Blocked => format!("{plan}では、{since}{subject}を遮断していますので、{remedy}"),
        Case::BlockedAsEvasive => format!(
            "このパケットはポート番号を確認できない形式のため25番ポートの通信とみなしますが、\
             {plan}では、{since}{subject}を遮断していますので、通過できません。"
        ),
        Case::Limited => {
            format!("{plan}では、{subject}の回数を制限しており、上限に達していますので、{remedy}")
        }
    }
}

fn japanese_peers(situation: &Situation<'_>) -> String {
    let known = match situation.class {
        Some("own") => "当社メールサーバー",
        Some("own-hosting") => "当社ホスティングサーバー",
        Some("mobile") => "携帯電話事業者のメールサーバー",
        Some("upstream") => "上位事業者のメールサーバー",
        Some("on-net") => "当社ネットワーク内のほかのホスト",
        Some("other") | None => "他社のメールサーバー",
        Some(name) => {
            let name = situation.class_label.unwrap_or(name);
            return format!("「{name}」のサーバー");
        }
    };
    known.to_owned()
}
