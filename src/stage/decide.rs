use super::Facing;
use super::bits::Bits;
use super::classify::{Classified, Ends, Passage, Way};
use super::parse::{Parsed, SMTP};
use crate::policy::{Action, Direction, PeerSetId, PlanId, Question, RuleId, Tables};
use crate::stats::{Reason, Verdict};
use crate::wire::{BURST, Family, Packet, Shape};

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

impl Decision {
    /// The same of a frame whose ends were looked up afterwards.
    pub(super) fn between(self, ends: &Ends) -> Self {
        let direction = match ends.way {
            Way::Out => Direction::Out,
            Way::In => Direction::In,
            Way::Both | Way::Unknown => self.direction,
        };
        let Passage { plan, peer_set } = ends.passage(direction);
        Self {
            plan,
            peer_set,
            direction,
            ..self
        }
    }
}

/// What becomes of a burst's frames, a column for each answer.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) verdict: [Verdict; BURST],
    pub(super) reason: [Reason; BURST],
    pub(super) rule: [RuleId; BURST],
    pub(super) direction: [Direction; BURST],
}

impl Default for Decided {
    fn default() -> Self {
        Self {
            verdict: [Verdict::Forward; BURST],
            reason: [Reason::NotCandidate; BURST],
            rule: [RuleId::NONE; BURST],
            direction: [Direction::Out; BURST],
        }
    }
}

impl Decided {
    pub(super) fn decide(
        &mut self,
        parsed: &Parsed,
        classified: &mut Classified,
        tables: &Tables,
        facing: Facing,
    ) {
        let direction = facing.direction().unwrap_or(Direction::Out);
        self.verdict.fill(Verdict::Forward);
        self.reason.fill(Reason::NotCandidate);
        self.rule.fill(RuleId::NONE);
        self.direction.fill(direction);
        for (family, read) in [
            (Family::V4, parsed.ipv4.read),
            (Family::V6, parsed.ipv6.read),
        ] {
            let candidates = classified.candidates.and(read);
            self.segments(
                candidates,
                parsed.opening(),
                family,
                direction,
                classified,
                tables,
            );
        }
        self.others(parsed, classified, tables);
    }

    /// Segments at port 25 that a fast lane read.
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn segments(
        &mut self,
        candidates: Bits,
        opening: Bits,
        family: Family,
        direction: Direction,
        classified: &Classified,
        tables: &Tables,
    ) {
        for index in candidates {
            let question = Question {
                family,
                direction,
                opening: opening.has(index),
                plan: classified.plan[index],
                peer_set: classified.peer_set[index],
            };
            (self.verdict[index], self.reason[index], self.rule[index]) =
                segment_verdict(question, tables);
        }
    }

    /// Packets that are judged one by one.
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn others(&mut self, parsed: &Parsed, classified: &mut Classified, tables: &Tables) {
        for index in parsed.others {
            let decision = decide(&parsed.packets[index], &classified.ends[index], tables);
            self.verdict[index] = decision.verdict;
            self.reason[index] = decision.reason;
            self.rule[index] = decision.rule;
            self.direction[index] = decision.direction;
            classified.plan[index] = decision.plan;
            classified.peer_set[index] = decision.peer_set;
        }
    }
}

/// What the matrix says of a TCP segment at port 25.
#[inline]
fn segment_verdict(question: Question, tables: &Tables) -> (Verdict, Reason, RuleId) {
    let (rule, action) = tables.matrix.judge(question);
    let reason = match (question.opening, question.plan, rule) {
        (true, PlanId::NONE, _) => Reason::NoSubscriber,
        (false, _, RuleId::NONE) => Reason::NotCandidate,
        _ => at_port_25(question.direction),
    };
    // No rule speaks of a source without a plan.
    (verdict_of(action), reason, rule)
}

/// Whether a rule may speak of a packet, in either direction.
pub(super) fn may_match(packet: &Packet) -> bool {
    [Direction::Out, Direction::In]
        .into_iter()
        .any(|direction| !matches!(asks(packet, direction), Asks::Nothing(_) | Asks::Unreadable))
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
    let question = |opening| Question {
        // A packet without addresses asks nothing.
        family: packet.family.unwrap_or(Family::V4),
        direction,
        opening,
        plan: passage.plan,
        peer_set: passage.peer_set,
    };
    let look = |opening| tables.matrix.judge(question(opening));
    let subscriber = passage.plan != PlanId::NONE;
    let (verdict, reason, rule) = match asks(packet, direction) {
        Asks::Nothing(reason) => (Verdict::Forward, reason, RuleId::NONE),
        Asks::Unreadable => (Verdict::Indeterminate, Reason::Truncated, RuleId::NONE),
        Asks::Segment { opening } => segment_verdict(question(opening), tables),
        _ if !subscriber => (Verdict::Forward, Reason::NoSubscriber, RuleId::NONE),
        Asks::Evasive(reason) => {
            let (rule, action) = look(true);
            (verdict_of(action), reason, rule)
        }
        Asks::Truncated { at_port_25: known } => {
            let asked = [look(true), look(false)];
            let rules = asked.map(|(rule, _)| rule);
            let verdicts = asked.map(|(_, action)| verdict_of(action));
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
