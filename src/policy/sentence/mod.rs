//! One sentence for the customer.
//!
//! The support desk reads it out or pastes it, so it speaks as the ISP does ("our", 当社), names
//! the plan by its label, and says what to do where something is blocked.

mod english;
mod japanese;

use super::Path;
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
    /// The port that the path is about; `None` where it could not be read.
    pub port: Option<u16>,
    /// IP version.
    pub family: Family,
    /// Whose port 25 it is about.
    pub path: Path,
    /// Whether `plan` names hosts of the provider, and not what a customer bought.
    pub to_hosts: bool,
    /// Connections a minute, where a rate decides.
    pub per_minute: Option<u32>,
    /// Whether it opens a connection, as [`super::Question::opening`] has it.
    pub opening: bool,
    /// The day from which the verdict holds, in the tenant's zone; `None` = since ever.
    pub since: Option<Date>,
}

/// Says it.
pub fn sentence(lang: Lang, situation: &Situation<'_>) -> String {
    let case = Case::of(situation);
    match lang {
        Lang::En => english::of(case, situation),
        Lang::Ja => japanese::of(case, situation),
    }
}

/// The sentences that there are.
#[derive(Clone, Copy)]
enum Case {
    /// The same for everybody.
    Fixed(Fixed),
    OtherPort(u16),
    Forwarded,
    /// A rate lets it pass.
    Within(u32),
    Blocked,
    /// Blocked, and the caller is told.
    Refused,
    /// An evasive frame takes the verdict of port 25.
    BlockedAsEvasive,
    Limited(Option<u32>),
    /// A rate that could not be asked.
    Uncounted,
}

/// The sentences that name nobody.
#[derive(Clone, Copy)]
enum Fixed {
    Indeterminate,
    NotIp,
    /// The same where the operator lets no such frame pass.
    Unreadable,
    /// A later segment or fragment: it says nothing about new connections.
    NotOpening,
    NoSubscriber,
    /// A port that the line was not given.
    SpoofedPort,
    /// An address that nobody was given.
    SpoofedSource,
}

impl Case {
    fn of(situation: &Situation<'_>) -> Self {
        let Situation {
            verdict, reason, ..
        } = *situation;
        match (verdict, reason) {
            (Verdict::Indeterminate, _) => Self::Fixed(Fixed::Indeterminate),
            (Verdict::Forward, _) => Self::forwarded(situation),
            (_, Reason::SpoofedPortSet) => Self::Fixed(Fixed::SpoofedPort),
            (_, Reason::SpoofedSource) => Self::Fixed(Fixed::SpoofedSource),
            (_, Reason::LimitTableFull) => Self::Uncounted,
            (_, Reason::NotIp | Reason::Unparsed | Reason::EncapsulationLimit) => {
                Self::Fixed(Fixed::Unreadable)
            }
            (Verdict::Limit, _) | (_, Reason::AboveRate) => Self::Limited(situation.per_minute),
            (_, reason) if is_evasive(reason) => Self::BlockedAsEvasive,
            (Verdict::Reject, _) => Self::Refused,
            (Verdict::Drop, _) => Self::Blocked,
        }
    }

    fn forwarded(situation: &Situation<'_>) -> Self {
        match situation.reason {
            Reason::NotIp | Reason::Unparsed | Reason::EncapsulationLimit => {
                return Self::Fixed(Fixed::NotIp);
            }
            Reason::LaterFragment => return Self::Fixed(Fixed::NotOpening),
            Reason::NoSubscriber => return Self::Fixed(Fixed::NoSubscriber),
            // It passes all the same: what is above the rate is only counted.
            Reason::AboveRate | Reason::LimitTableFull => return Self::Forwarded,
            Reason::Port25Syn
            | Reason::Port25Return
            | Reason::InboundSubmission
            | Reason::InboundToSubscriber
            | Reason::NotCandidate
            | Reason::SpoofedPortSet
            | Reason::SpoofedSource
            | Reason::Truncated
            | Reason::HeaderChainLimit
            | Reason::IncompleteHeaders
            | Reason::OverlappingFragment
            | Reason::TinyFragment
            | Reason::Malformed => {}
        }
        match (situation.port, situation.plan, situation.per_minute) {
            (Some(port), _, _) if port != SMTP => Self::OtherPort(port),
            (_, None, _) => Self::Fixed(Fixed::NoSubscriber),
            (_, _, Some(per_minute)) if situation.opening => Self::Within(per_minute),
            _ if situation.opening || is_evasive(situation.reason) => Self::Forwarded,
            _ => Self::Fixed(Fixed::NotOpening),
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
        | Reason::NotIp
        | Reason::NotCandidate
        | Reason::LaterFragment
        | Reason::Unparsed
        | Reason::EncapsulationLimit
        | Reason::SpoofedPortSet
        | Reason::SpoofedSource
        | Reason::AboveRate
        | Reason::LimitTableFull
        | Reason::NoSubscriber => false,
    }
}

/// Whether the peer is a server of the ISP itself.
fn is_ours(situation: &Situation<'_>) -> bool {
    matches!(situation.class, Some("own" | "own-hosting"))
}
