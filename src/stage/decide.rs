use super::bits::Bits;
use super::classify::{Classified, Ends, Passage, Way};
use super::parse::{Parsed, SMTP};
use super::{Facing, Settings, Unparsed};
use crate::policy::{Act, Direction, Path, PeerSetId, PlanId, Question, RuleId, Tables};
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
    /// The subscriber's plan on the path that decided.
    pub plan: PlanId,
    /// The peer's set on the path that decided.
    pub peer_set: PeerSetId,
    /// The path that decided.
    pub path: Path,
}

impl Decision {
    /// The same of a frame whose ends were looked up afterwards.
    pub(super) fn between(self, ends: &Ends) -> Self {
        let path = match (ends.way, self.path.direction()) {
            (Way::Out, Direction::In) => Path::Outbound,
            (Way::In, Direction::Out) => Path::Return,
            _ => self.path,
        };
        let Passage { plan, peer_set } = ends.passage(path.direction());
        Self {
            plan,
            peer_set,
            path,
            ..self
        }
    }
}

impl Decision {
    /// The same where a rate that was yet to be asked has been, and said this.
    pub(super) fn settled_as(self, settled: &Self) -> Self {
        match self.verdict {
            Verdict::Limit => Self {
                verdict: settled.verdict,
                reason: settled.reason,
                ..self
            },
            _ => self,
        }
    }
}

/// What becomes of a burst's frames, a column for each answer.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) verdict: [Verdict; BURST],
    pub(super) reason: [Reason; BURST],
    pub(super) rule: [RuleId; BURST],
    pub(super) path: [Path; BURST],
}

impl Default for Decided {
    fn default() -> Self {
        Self {
            verdict: [Verdict::Forward; BURST],
            reason: [Reason::NotCandidate; BURST],
            rule: [RuleId::NONE; BURST],
            path: [Path::Outbound; BURST],
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
        settings: &Settings,
    ) {
        let path = match facing {
            Facing::Out | Facing::Auto => Path::Outbound,
            Facing::In => Path::Return,
        };
        self.verdict.fill(Verdict::Forward);
        self.reason.fill(Reason::NotCandidate);
        self.rule.fill(RuleId::NONE);
        self.path.fill(path);
        self.segments(path, parsed, classified, tables);
        if facing == Facing::In && classified.inbound.any() {
            self.segments(Path::Inbound, parsed, classified, tables);
        }
        for index in classified.strangers {
            self.set(index, Verdict::Drop, Reason::SpoofedSource, RuleId::NONE);
        }
        self.others(parsed, classified, tables, facing, settings);
    }

    /// Segments at port 25 that a fast lane read.
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn segments(&mut self, path: Path, parsed: &Parsed, classified: &Classified, tables: &Tables) {
        let (candidates, opening) = match path {
            Path::Outbound | Path::Return => (classified.candidates, parsed.opening()),
            Path::Inbound => (classified.inbound, parsed.opening_inbound()),
        };
        for (family, read) in [
            (Family::V4, parsed.ipv4.read),
            (Family::V6, parsed.ipv6.read),
        ] {
            for index in candidates.and(read) {
                let question = Question {
                    family,
                    path,
                    opening: opening.has(index),
                    plan: classified.plan[index],
                    peer_set: classified.peer_set[index],
                };
                let (verdict, reason, rule) = segment_verdict(question, tables);
                if path != Path::Inbound
                    || weight(verdict, reason) > weight(self.verdict[index], self.reason[index])
                {
                    self.set(index, verdict, reason, rule);
                    self.path[index] = path;
                }
            }
        }
    }

    /// Packets that are judged one by one.
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn others(
        &mut self,
        parsed: &Parsed,
        classified: &mut Classified,
        tables: &Tables,
        facing: Facing,
        settings: &Settings,
    ) {
        for index in parsed.others {
            let (packet, ends) = (&parsed.packets[index], &classified.ends[index]);
            let decision = decide(packet, ends, tables, facing, settings);
            self.set(index, decision.verdict, decision.reason, decision.rule);
            self.path[index] = decision.path;
            classified.plan[index] = decision.plan;
            classified.peer_set[index] = decision.peer_set;
        }
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    fn set(&mut self, index: usize, verdict: Verdict, reason: Reason, rule: RuleId) {
        self.verdict[index] = verdict;
        self.reason[index] = reason;
        self.rule[index] = rule;
    }

    /// Frames with such a verdict.
    #[inline]
    pub(super) fn which(&self, is: impl Fn(Verdict) -> bool) -> Bits {
        Bits::of(&self.verdict.map(|verdict| u8::from(is(verdict))))
    }
}

/// What the matrix says of a TCP segment at port 25.
#[inline]
fn segment_verdict(question: Question, tables: &Tables) -> (Verdict, Reason, RuleId) {
    let Question {
        path,
        opening,
        plan,
        ..
    } = question;
    let (rule, act) = tables.matrix.judge(question);
    let reason = match (path, opening, plan, rule) {
        // Port 25 of a subscriber or a host is nothing of note unless a rule speaks of it.
        (Path::Inbound, _, _, RuleId::NONE) | (_, false, _, RuleId::NONE) => Reason::NotCandidate,
        (_, true, PlanId::NONE, _) => Reason::NoSubscriber,
        _ => port_25(path, plan, tables),
    };
    // No rule speaks of a source without a plan.
    (verdict_of(act, path), reason, rule)
}

/// Whether a rule may speak of a packet, on any path.
pub(super) fn may_match(packet: &Packet) -> bool {
    Path::ALL
        .into_iter()
        .any(|path| !matches!(asks(packet, path), Asks::Nothing(_) | Asks::Unreadable))
}

/// Decides one packet, by the strictest of the paths that it may be on.
///
/// [`Verdict::Limit`] means here that a rate decides: it is yet to be asked.
pub(super) fn decide(
    packet: &Packet,
    ends: &Ends,
    tables: &Tables,
    facing: Facing,
    settings: &Settings,
) -> Decision {
    let paths = match ends.way {
        Way::Out => &Path::ALL[..1],
        Way::In => &Path::ALL[1..],
        Way::Both | Way::Unknown => &Path::ALL[..],
    };
    let asked = |path: &Path| *path != Path::Inbound || tables.matrix.judges_inbound();
    let decisions = paths.iter().filter(|path| asked(path));
    let judged = |path: &Path| {
        let passage = ends.passage(path.direction());
        judge(packet, passage, *path, tables, facing, settings)
    };
    let decisions = decisions.map(judged);
    decisions
        .reduce(|first, second| {
            let [of_first, of_second] = [first, second].map(|d| weight(d.verdict, d.reason));
            if of_second > of_first { second } else { first }
        })
        .unwrap_or_else(|| judged(&Path::Outbound))
}

/// Orders decisions: the stricter verdict, then the one that speaks of port 25.
fn weight(verdict: Verdict, reason: Reason) -> (u8, bool) {
    (strictness(verdict), reason != Reason::NotCandidate)
}

/// Orders verdicts.
pub(super) fn strictness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Forward => 0,
        Verdict::Indeterminate => 1,
        Verdict::Limit => 2,
        Verdict::Reject => 3,
        Verdict::Drop => 4,
    }
}

/// What a packet asks of the matrix on one path.
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

/// What the rules say of a packet between a subscriber and a peer, on one path.
pub(super) fn judge(
    packet: &Packet,
    passage: Passage,
    path: Path,
    tables: &Tables,
    facing: Facing,
    settings: &Settings,
) -> Decision {
    // A packet without addresses asks nothing.
    let family = packet.family.unwrap_or(Family::V4);
    let question = |opening| Question {
        family,
        path,
        opening,
        plan: passage.plan,
        peer_set: passage.peer_set,
    };
    let look = |opening| tables.matrix.judge(question(opening));
    let subscriber = passage.plan != PlanId::NONE;
    let (verdict, reason, rule) = match asks(packet, path) {
        _ if path == Path::Outbound && packet.spoofed_port => {
            (Verdict::Drop, Reason::SpoofedPortSet, RuleId::NONE)
        }
        _ if settings.only_known(facing) && is_nobodys(packet, passage) => {
            (Verdict::Drop, Reason::SpoofedSource, RuleId::NONE)
        }
        Asks::Nothing(reason) => (unasked(reason, settings), reason, RuleId::NONE),
        Asks::Unreadable => (Verdict::Indeterminate, Reason::Truncated, RuleId::NONE),
        Asks::Segment { opening } => segment_verdict(question(opening), tables),
        asks @ (Asks::Evasive(_) | Asks::Truncated { .. })
            if !subscriber && packet.hides_its_ends() =>
        {
            let act = tables.matrix.strictest(family, path);
            anybodys(&asks, act)
        }
        // Nobody's own port 25 is nothing of note, whether or not a rule speaks of somebody's.
        _ if !subscriber && path == Path::Inbound => {
            (Verdict::Forward, Reason::NotCandidate, RuleId::NONE)
        }
        _ if !subscriber => (Verdict::Forward, Reason::NoSubscriber, RuleId::NONE),
        Asks::Evasive(reason) => {
            let (rule, act) = look(true);
            (silently(act), reason, rule)
        }
        Asks::Truncated { at_port_25 } => {
            truncated([question(true), question(false)], at_port_25, tables)
        }
    };
    Decision {
        verdict,
        reason,
        rule,
        plan: passage.plan,
        peer_set: passage.peer_set,
        path,
    }
}

/// What is known of a packet whose ports or flags the capture cut: what the rules say whichever they
/// are, opening a connection or not.
fn truncated(
    questions: [Question; 2],
    at_port_25: bool,
    tables: &Tables,
) -> (Verdict, Reason, RuleId) {
    let [Question { path, plan, .. }, _] = questions;
    let asked = questions.map(|question| tables.matrix.judge(question));
    let rules = asked.map(|(rule, _)| rule);
    let verdicts = asked.map(|(_, act)| verdict_of(act, path));
    match (rules, verdicts) {
        (_, [Verdict::Forward, Verdict::Forward]) => {
            (Verdict::Forward, Reason::NotCandidate, RuleId::NONE)
        }
        // Whatever its flags are.
        ([rule, _], [opening, other]) if at_port_25 && opening == other => {
            (opening, port_25(path, plan, tables), rule)
        }
        ([_, rule], [Verdict::Forward, _]) | ([rule, _], _) => {
            (Verdict::Indeterminate, Reason::Truncated, rule)
        }
    }
}

/// What becomes of a packet in a tunnel that does not show whose it is: the worst that it could be
/// is somebody's to whom rules are strictest. No honest end of a tunnel cuts its packets so.
fn anybodys(asks: &Asks, strictest: Act) -> (Verdict, Reason, RuleId) {
    let (verdict, reason) = match asks {
        Asks::Evasive(reason) => (silently(strictest), *reason),
        _ if strictest == Act::Forward => (Verdict::Forward, Reason::NoSubscriber),
        _ => (Verdict::Indeterminate, Reason::Truncated),
    };
    (verdict, reason, RuleId::NONE)
}

/// Whether the source of a packet is no subscriber's, and could be.
fn is_nobodys(packet: &Packet, passage: Passage) -> bool {
    let known_by = packet.subscriber_src();
    passage.plan == PlanId::NONE
        && known_by.is_some_and(|(family, src)| !stays_on_link(family, src))
}

/// Sources that no router passes on: hosts that have no address yet, and neighbour discovery.
pub(super) fn stays_on_link(family: Family, src: u128) -> bool {
    match family {
        Family::V4 => src == 0,
        Family::V6 => src == 0 || src >> 118 == 0xfe80 >> 6,
    }
}

/// What becomes of a packet of which no rule speaks.
fn unasked(reason: Reason, settings: &Settings) -> Verdict {
    match (reason, settings.unparsed) {
        (Reason::Unparsed | Reason::EncapsulationLimit, Unparsed::Drop) => Verdict::Drop,
        _ => Verdict::Forward,
    }
}

/// The one exhaustive match from what was parsed to what the matrix is asked.
fn asks(packet: &Packet, path: Path) -> Asks {
    let evasive = match packet.shape {
        Shape::NotIp => return Asks::Nothing(Reason::NotIp),
        Shape::Unparsed if packet.wants_more => return Asks::Unreadable,
        Shape::Unparsed => return Asks::Nothing(Reason::Unparsed),
        Shape::EncapsulationLimit => return Asks::Nothing(Reason::EncapsulationLimit),
        Shape::Opaque => return Asks::Nothing(Reason::NotCandidate),
        Shape::LaterFragment => return Asks::Nothing(Reason::LaterFragment),
        Shape::Tcp => return segment(packet, path),
        Shape::HeaderChainLimit => Reason::HeaderChainLimit,
        Shape::IncompleteHeaders => Reason::IncompleteHeaders,
        Shape::OverlappingFragment => Reason::OverlappingFragment,
        Shape::TinyFragment => Reason::TinyFragment,
        Shape::Malformed => Reason::Malformed,
    };
    match (packet.wants_more, deciding_port(packet, path)) {
        (false, _) => Asks::Evasive(evasive),
        (true, Some(port)) if port != SMTP => Asks::Nothing(Reason::NotCandidate),
        (true, port) => Asks::Truncated {
            at_port_25: port.is_some(),
        },
    }
}

fn segment(packet: &Packet, path: Path) -> Asks {
    let opening = opens(packet, path);
    if path.port(packet.src_port, packet.dst_port) == SMTP {
        Asks::Segment { opening }
    } else {
        Asks::Nothing(Reason::NotCandidate)
    }
}

/// Whether a packet counts as opening a connection on a path; what evades does.
fn opens(packet: &Packet, path: Path) -> bool {
    packet.shape != Shape::Tcp
        || match path {
            Path::Outbound | Path::Inbound => packet.flags.is_new(),
            Path::Return => packet.flags.has_syn(),
        }
}

/// The port that a path is about, where the octets that are there show it.
fn deciding_port(packet: &Packet, path: Path) -> Option<u16> {
    match path {
        Path::Outbound | Path::Inbound => (packet.transport_len >= 4).then_some(packet.dst_port),
        Path::Return => (packet.transport_len >= 2).then_some(packet.src_port),
    }
}

fn port_25(path: Path, plan: PlanId, tables: &Tables) -> Reason {
    match path {
        Path::Outbound => Reason::Port25Syn,
        Path::Return => Reason::Port25Return,
        Path::Inbound if tables.legend.is_server(plan) => Reason::InboundSubmission,
        Path::Inbound => Reason::InboundToSubscriber,
    }
}

/// Replies go toward subscribers only, and not to what is an answer itself.
fn verdict_of(act: Act, path: Path) -> Verdict {
    match (act, path) {
        (Act::Forward, _) => Verdict::Forward,
        (Act::Limit, _) => Verdict::Limit,
        (Act::Reject, Path::Outbound) => Verdict::Reject,
        (Act::Reject, Path::Return | Path::Inbound) | (Act::Drop, _) => Verdict::Drop,
    }
}

/// What evades is never answered, and no rate lets it pass.
fn silently(act: Act) -> Verdict {
    match act {
        Act::Forward => Verdict::Forward,
        Act::Limit | Act::Reject | Act::Drop => Verdict::Drop,
    }
}
