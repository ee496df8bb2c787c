//! The sentences in Japanese.

use super::{Case, Fixed, Situation, is_ours};
use crate::policy::Path;
use crate::wire::Family;

pub(super) fn of(case: Case, situation: &Situation<'_>) -> String {
    let (on, subject) = subject(situation);
    let pause = match situation.path {
        Path::Outbound | Path::Return => "",
        // The next word is "from" again.
        Path::Inbound => "、",
    };
    let since = situation.since.map_or_else(String::new, |day| {
        format!(
            "{}年{}月{}日から{pause}",
            day.year(),
            day.month(),
            day.day()
        )
    });
    let remedy = remedy(situation);
    let limited = |per_minute: Option<u32>| match per_minute {
        Some(per_minute) => format!("{subject}を毎分{per_minute}回までに制限して"),
        None => format!("{subject}の回数を制限して"),
    };
    match case {
        Case::Fixed(fixed) => text(fixed).to_owned(),
        Case::OtherPort(port) => format!(
            "制限の対象は25番ポートのみですので、{port}番ポートの通信はそのままご利用いただけます。"
        ),
        Case::Forwarded => format!("{on}{subject}は遮断していません。"),
        Case::Within(per_minute) => {
            let limited = limited(Some(per_minute));
            format!("{on}{limited}いますが、この接続は上限の範囲内です。")
        }
        Case::Blocked => format!("{on}{since}{subject}を遮断していますので、{remedy}。"),
        Case::Refused => {
            format!("{on}{since}{subject}を拒否しており、接続は直ちに失敗しますので、{remedy}。")
        }
        Case::BlockedAsEvasive => {
            let what = match situation.per_minute {
                Some(_) => "の回数を制限して",
                None => "を遮断して",
            };
            format!(
                "このパケットはポート番号を確認できない形式のため25番ポートの通信とみなしますが、\
                 {on}{since}{subject}{what}いますので、通過できません。"
            )
        }
        Case::Limited(per_minute) => {
            let limited = limited(per_minute);
            format!("{on}{limited}おり、上限に達していますので、{remedy}。")
        }
        Case::Uncounted => {
            let limited = limited(None);
            format!(
                "{on}{limited}おり、この接続は計数できませんでしたので、時間をおいて再度お試し\
                 いただくか、{remedy}。"
            )
        }
    }
}

/// On what, and what is talked about.
fn subject(situation: &Situation<'_>) -> (String, String) {
    let plan = match situation.plan {
        Some(plan) => format!("「{plan}」"),
        None => "ご契約の接続サービス".to_owned(),
    };
    let ip = match situation.family {
        Family::V4 => "",
        Family::V6 => "IPv6による",
    };
    match situation.path {
        Path::Outbound => (
            format!("{plan}では、"),
            format!("{ip}{}の25番ポートへのメール送信", peers(situation)),
        ),
        Path::Return => (
            format!("{plan}では、"),
            format!("{ip}{}の25番ポートからの通信", peers(situation)),
        ),
        Path::Inbound => {
            let of = if situation.to_hosts {
                ""
            } else {
                "のお客様"
            };
            let callers = callers(situation);
            (
                String::new(),
                format!("{ip}{callers}から{plan}{of}の25番ポートへの接続"),
            )
        }
    }
}

const fn text(fixed: Fixed) -> &'static str {
    match fixed {
        Fixed::Indeterminate => {
            "このパケットは途中までしか記録されていないため、遮断の対象となる25番ポートの通信かどうか\
             を判定できません。"
        }
        Fixed::NotIp => {
            "このパケットはIPとして読み取れないため、25番ポートの制限の対象ではありません。"
        }
        Fixed::Unreadable => "このパケットはIPとして読み取れないため、通過できません。",
        Fixed::NotOpening => "このパケットは25番ポートの新しい接続ではないため、遮断されません。",
        Fixed::NoSubscriber => {
            "このアドレスは当社の接続サービスのものではないため、25番ポートの制限の対象ではありません。"
        }
        Fixed::SpoofedPort => {
            "このパケットの送信元のアドレスまたはポートは、この回線に割り当てられたものではないため、\
             通過できません。"
        }
        Fixed::SpoofedSource => {
            "このパケットの送信元は当社の接続サービスのアドレスではないため、通過できません。"
        }
    }
}

/// What to do instead.
fn remedy(situation: &Situation<'_>) -> &'static str {
    match situation.path {
        Path::Outbound | Path::Return if is_ours(situation) => {
            "同じサーバーの587番ポート(サブミッションポート)をご利用ください"
        }
        Path::Outbound | Path::Return => {
            "そのサーバーまたは当社メールサーバーの587番ポート(サブミッションポート)をご利用ください"
        }
        Path::Inbound if situation.to_hosts => {
            "他社の回線からの送信には587番ポート(サブミッションポート)をご利用ください"
        }
        Path::Inbound => "このサービスでは外部からのメールを直接受信することはできません",
    }
}

fn callers(situation: &Situation<'_>) -> String {
    let known = match situation.class {
        Some("own") => "当社メールサーバー",
        Some("own-hosting") => "当社ホスティングサーバー",
        Some("mobile") => "携帯電話事業者",
        Some("upstream") => "上位事業者",
        Some("on-net") => "当社ネットワーク内のほかのホスト",
        Some("other") | None => "他社のネットワーク",
        Some(name) => return format!("「{}」", situation.class_label.unwrap_or(name)),
    };
    known.to_owned()
}

fn peers(situation: &Situation<'_>) -> String {
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
