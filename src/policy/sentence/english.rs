//! The sentences in English.

use super::{Case, Fixed, Situation, is_ours};
use crate::policy::Path;
use crate::wire::Family;

/// What is talked about, the verb that follows, and on what.
struct Subject {
    text: String,
    is: &'static str,
    has_been: &'static str,
    on: String,
}

pub(super) fn of(case: Case, situation: &Situation<'_>) -> String {
    let Subject {
        text: subject,
        is,
        has_been,
        on,
    } = subject(situation);
    let (is_since, since) = match situation.since {
        Some(day) => (has_been, format!(" since {day}")),
        None => (is, String::new()),
    };
    let remedy = remedy(situation);
    match case {
        Case::Fixed(fixed) => text(fixed).to_owned(),
        Case::OtherPort(port) => {
            format!("Port {port} is not restricted: only port 25 is, so this passes.")
        }
        Case::Forwarded => format!("{subject} {is} not blocked{on}."),
        Case::Within(per_minute) => format!(
            "{subject} {is} limited to {} a minute{on}, and this one is within the limit.",
            connections(per_minute)
        ),
        Case::Blocked => format!("{subject} {is_since} blocked{on}{since}; {remedy}."),
        Case::Refused => format!(
            "{subject} {is_since} refused{on}{since}, so that the attempt fails at once; {remedy}."
        ),
        Case::BlockedAsEvasive => evasive(situation, &since),
        Case::Limited(per_minute) => {
            let limit = match per_minute {
                Some(per_minute) => format!("to {} a minute", connections(per_minute)),
                None => "in number".to_owned(),
            };
            format!("{subject} {is} limited {limit}{on}, and the limit is reached; {remedy}.")
        }
        Case::Uncounted => format!(
            "{subject} {is} limited in number{on}, and this attempt could not be counted; try \
             again later, or {remedy}."
        ),
    }
}

fn subject(situation: &Situation<'_>) -> Subject {
    let plan = situation.plan.unwrap_or("this connection service");
    let ip = over(situation.family);
    let (text, on) = match situation.path {
        Path::Outbound => (
            format!("Mail to {} on port 25{ip}", peers(situation)),
            format!(" on {plan}"),
        ),
        Path::Return => (
            format!("Traffic from port 25 of {}{ip}", peers(situation)),
            format!(" on {plan}"),
        ),
        Path::Inbound => {
            let of = if situation.to_hosts {
                ""
            } else {
                "customers of "
            };
            let callers = callers(situation);
            return Subject {
                text: format!("Connections from {callers} to port 25 of {of}{plan}{ip}"),
                is: "are",
                has_been: "have been",
                on: String::new(),
            };
        }
    };
    Subject {
        text,
        is: "is",
        has_been: "has been",
        on,
    }
}

fn evasive(situation: &Situation<'_>, since: &str) -> String {
    let plan = situation.plan.unwrap_or("this connection service");
    let is = if since.is_empty() { "is" } else { "has been" };
    let what = match situation.per_minute {
        Some(_) => "limited",
        None => "blocked",
    };
    format!(
        "This packet is built so that its port cannot be trusted; it is treated as port 25, and \
         between {plan} and {} that {is} {what}{}{since}.",
        peers(situation),
        over(situation.family)
    )
}

fn over(family: Family) -> &'static str {
    match family {
        Family::V4 => "",
        Family::V6 => " over IPv6",
    }
}

const fn text(fixed: Fixed) -> &'static str {
    match fixed {
        Fixed::Indeterminate => {
            "The capture cut this packet too short to tell whether it is mail on port 25 that \
             would be blocked."
        }
        Fixed::NotIp => {
            "This packet is not readable as IP, so the restriction of port 25 does not apply to \
             it."
        }
        Fixed::Unreadable => "This packet is not readable as IP, and such packets do not pass.",
        Fixed::NotOpening => "This packet opens no connection on port 25, so it is not blocked.",
        Fixed::NoSubscriber => {
            "This address belongs to none of our connection services, so the restriction of port \
             25 does not apply to it."
        }
        Fixed::SpoofedPort => {
            "This packet comes from an address or a port that this line was not given, so it does \
             not pass."
        }
        Fixed::SpoofedSource => {
            "This packet comes from an address that belongs to none of our connection services, \
             so it does not pass."
        }
    }
}

fn connections(number: u32) -> String {
    match number {
        1 => "1 connection".to_owned(),
        _ => format!("{number} connections"),
    }
}

/// What to do instead.
fn remedy(situation: &Situation<'_>) -> &'static str {
    match situation.path {
        Path::Outbound | Path::Return if is_ours(situation) => {
            "use port 587 (submission) of the same server"
        }
        Path::Outbound | Path::Return => {
            "use port 587 (submission) of that server or of our mail server"
        }
        Path::Inbound if situation.to_hosts => {
            "customers elsewhere send through its port 587 (submission)"
        }
        Path::Inbound => "a mail server on such a line gets no mail from outside",
    }
}

fn callers<'a>(situation: &Situation<'a>) -> &'a str {
    match situation.class {
        Some("own") => "our mail servers",
        Some("own-hosting") => "our hosting servers",
        Some("mobile") => "mobile carriers",
        Some("upstream") => "our upstream provider",
        Some("on-net") => "other hosts in our network",
        Some("other") | None => "other networks",
        Some(name) => situation.class_label.unwrap_or(name),
    }
}

fn peers(situation: &Situation<'_>) -> String {
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
