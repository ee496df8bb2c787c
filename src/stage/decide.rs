use super::classify::{Ends, Way};
use crate::policy::{Action, Direction, PeerSetId, PlanId, Question, RuleId, Tables};
use crate::stats::{Reason, Verdict};
use crate::wire::{Packet, Shape};

/// TCP port 25: the only port that rules speak of.
const SMTP: u16 = 25;

/// What becomes of a frame, why, and under which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The rule that matched, or [`RuleId::NONE`].
    pub rule: RuleId,
    /// The subscriber's plan in the direction that decided.
    pub plan: PlanId,
    /// The peer's set in the direction that decided.
    pub peer_set: PeerSetId,
    /// The direction that decided.
    pub direction: Direction,
}

/// Decides one packet; a packet between two subscribers by the stricter of its two passages.
pub(super) fn decide(packet: &Packet, ends: &Ends, tables: &Tables) -> Decision {
    match ends.way {
        Way::Out => judge(packet, ends, Direction::Out, tables),
        Way::In => judge(packet, ends, Direction::In, tables),
        Way::Both | Way::Unknown => {
            let out = judge(packet, ends, Direction::Out, tables);
            let inward = judge(packet, ends, Direction::In, tables);
            if weight(&inward) > weight(&out) {
                inward
            } else {
                out
            }
        }
    }
}

/// Orders decisions: the stricter verdict, then the one that speaks of port 25.
fn weight(decision: &Decision) -> (u8, bool) {
    let strictness = match decision.verdict {
        Verdict::Forward => 0,
        Verdict::Indeterminate => 1,
        Verdict::Limit => 2,
        Verdict::Reject => 3,
        Verdict::Drop => 4,
    };
    (strictness, decision.reason != Reason::NotCandidate)
}

/// What a packet asks of the matrix in one direction.
enum Asks {
    /// Nothing: it is forwarded for this reason.
    Nothing(Reason),
    /// Nothing: no address could be read from what the capture holds.
    Unreadable,
    /// A TCP segment at port 25, opening a connection or not.
    Segment { opening: bool },
    /// It evades, and takes the verdict of an opening segment.
    Evasive(Reason),
    /// The capture cut what decides; it may be any segment at port 25, or is one.
    Truncated { at_port_25: bool },
}

fn judge(packet: &Packet, ends: &Ends, direction: Direction, tables: &Tables) -> Decision {
    let passage = ends.passage(direction);
    let look = |opening| match packet.family {
        Some(family) => tables.rule(Question {
            family,
            direction,
            opening,
            plan: passage.plan,
            peer_set: passage.peer_set,
        }),
        None => RuleId::NONE,
    };
    let subscriber = passage.plan != PlanId::NONE;
    let (verdict, reason, rule) = match asks(packet, direction) {
        Asks::Nothing(reason) => (Verdict::Forward, reason, RuleId::NONE),
        Asks::Unreadable => (Verdict::Indeterminate, Reason::Truncated, RuleId::NONE),
        Asks::Segment { opening: false } => match look(false) {
            RuleId::NONE => (Verdict::Forward, Reason::NotCandidate, RuleId::NONE),
            rule => (verdict_of(tables.action(rule)), at_port_25(direction), rule),
        },
        _ if !subscriber => (Verdict::Forward, Reason::NoSubscriber, RuleId::NONE),
        Asks::Segment { opening: true } => {
            let rule = look(true);
            (verdict_of(tables.action(rule)), at_port_25(direction), rule)
        }
        Asks::Evasive(reason) => {
            let rule = look(true);
            (verdict_of(tables.action(rule)), reason, rule)
        }
        Asks::Truncated { at_port_25: known } => {
            let rules = [look(true), look(false)];
            let verdicts = rules.map(|rule| verdict_of(tables.action(rule)));
            match (rules, verdicts) {
                (_, [Verdict::Forward, Verdict::Forward]) => {
                    (Verdict::Forward, Reason::NotCandidate, RuleId::NONE)
                }
                // Whatever its flags are.
                ([rule, _], [opening, other]) if known && opening == other => {
                    (opening, at_port_25(direction), rule)
                }
                ([_, rule], [Verdict::Forward, _]) | ([rule, _], _) => {
                    (Verdict::Indeterminate, Reason::Truncated, rule)
                }
            }
        }
    };
    Decision {
        verdict,
        reason,
        rule,
        plan: passage.plan,
        peer_set: passage.peer_set,
        direction,
    }
}

/// The one exhaustive match from what was parsed to what the matrix is asked.
fn asks(packet: &Packet, direction: Direction) -> Asks {
    let evasive = match packet.shape {
        Shape::NotIp => return Asks::Nothing(Reason::NotIp),
        Shape::Unparsed if packet.wants_more => return Asks::Unreadable,
        Shape::Unparsed => return Asks::Nothing(Reason::Unparsed),
        Shape::EncapsulationLimit => return Asks::Nothing(Reason::EncapsulationLimit),
        Shape::Opaque => return Asks::Nothing(Reason::NotCandidate),
        Shape::LaterFragment => return Asks::Nothing(Reason::LaterFragment),
        Shape::Tcp => return segment(packet, direction),
        Shape::HeaderChainLimit => Reason::HeaderChainLimit,
        Shape::IncompleteHeaders => Reason::IncompleteHeaders,
        Shape::OverlappingFragment => Reason::OverlappingFragment,
        Shape::TinyFragment => Reason::TinyFragment,
        Shape::Malformed => Reason::Malformed,
    };
    match (packet.wants_more, deciding_port(packet, direction)) {
        (false, _) => Asks::Evasive(evasive),
        (true, Some(port)) if port != SMTP => Asks::Nothing(Reason::NotCandidate),
        (true, port) => Asks::Truncated {
            at_port_25: port.is_some(),
        },
    }
}

fn segment(packet: &Packet, direction: Direction) -> Asks {
    let (port, opening) = match direction {
        Direction::Out => (packet.dst_port, packet.flags.is_new()),
        Direction::In => (packet.src_port, packet.flags.has_syn()),
    };
    if port == SMTP {
        Asks::Segment { opening }
    } else {
        Asks::Nothing(Reason::NotCandidate)
    }
}

/// The peer's port, where the octets that are there show it.
fn deciding_port(packet: &Packet, direction: Direction) -> Option<u16> {
    match direction {
        Direction::Out => (packet.transport_len >= 4).then_some(packet.dst_port),
        Direction::In => (packet.transport_len >= 2).then_some(packet.src_port),
    }
}

fn at_port_25(direction: Direction) -> Reason {
    match direction {
        Direction::Out => Reason::Port25Syn,
        Direction::In => Reason::Port25Return,
    }
}

fn verdict_of(action: Action) -> Verdict {
    match action {
        Action::Forward | Action::Count => Verdict::Forward,
        Action::Drop => Verdict::Drop,
    }
}
