//! Rates: what a rule of `action: limit` lets pass.

use super::bits::Bits;
use super::classify::Classified;
use super::decide::Decided;
use super::parse::Parsed;
use crate::limit::{Buckets, Key, Moment, Rate, Taken};
use crate::policy::{Action, Direction, Limit, Path, PlanId, RuleId, Tables, Then};
use crate::stats::{Reason, Verdict};
use crate::wire::Family;

impl Decided {
    /// Settles the verdict of every frame that a rate decides.
    #[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
    pub(super) fn limit(
        &mut self,
        parsed: &Parsed,
        classified: &Classified,
        tables: &Tables,
        buckets: &Buckets,
        moment: impl Fn(usize) -> Moment,
    ) {
        for index in self.limited().and(parsed.all) {
            let (rule, path) = (self.rule[index], self.path[index]);
            let Action::Limit(limit) = tables.action(rule) else {
                continue;
            };
            let subscriber = subscriber(parsed, index, path.direction());
            let key = key(tables, rule, path, classified.plan[index], subscriber);
            let Limit {
                per_minute, burst, ..
            } = limit;
            let rate = Rate { per_minute, burst };
            let (verdict, reason) = match buckets.take(key, rate, moment(index)) {
                Taken::Token => (Verdict::Forward, self.reason[index]),
                Taken::Empty => (above(limit.then, path), Reason::AboveRate),
                Taken::TableFull => (above(limit.then, path), Reason::LimitTableFull),
            };
            (self.verdict[index], self.reason[index]) = (verdict, reason);
        }
    }

    fn limited(&self) -> Bits {
        self.which(|verdict| verdict == Verdict::Limit)
    }
}

/// What becomes of a frame above its subscriber's rate.
fn above(then: Then, path: Path) -> Verdict {
    match (then, path) {
        (Then::Count, _) => Verdict::Forward,
        (Then::Reject(_), Path::Outbound) => Verdict::Reject,
        // Replies go toward subscribers only.
        (Then::Reject(_), Path::Return | Path::Inbound) | (Then::Drop, _) => Verdict::Limit,
    }
}

/// The address by which the subscriber of a frame is known.
#[expect(clippy::indexing_slicing, reason = "an index of `Bits` is below 64")]
fn subscriber(parsed: &Parsed, index: usize, direction: Direction) -> (Family, u128) {
    let (ipv4, ipv6) = (&parsed.ipv4, &parsed.ipv6);
    let known = if ipv4.read.has(index) {
        let address = match direction {
            Direction::Out => ipv4.src[index],
            Direction::In => ipv4.dst[index],
        };
        Some((Family::V4, address.into()))
    } else if ipv6.read.has(index) {
        let address = match direction {
            Direction::Out => ipv6.src[index],
            Direction::In => ipv6.dst[index],
        };
        Some((Family::V6, address.joined()))
    } else {
        let packet = &parsed.packets[index];
        match direction {
            Direction::Out => packet.subscriber_src(),
            Direction::In => packet.subscriber_dst(),
        }
    };
    // A packet without addresses is asked by no rule.
    known.unwrap_or((Family::V4, 0))
}

/// Whom a bucket is of: under this rule, in this direction, everything that one subscriber has.
fn key(
    tables: &Tables,
    rule: RuleId,
    path: Path,
    plan: PlanId,
    (family, address): (Family, u128),
) -> Key {
    let subscriber = match family {
        Family::V4 => address,
        Family::V6 => {
            let host_bits = 128 - u32::from(tables.legend.subscriber_length(plan).min(128));
            address
                .checked_shr(host_bits)
                .unwrap_or_default()
                .checked_shl(host_bits)
                .unwrap_or_default()
        }
    };
    Key {
        rule: tables.legend.rule_key(rule),
        path: path as u8,
        family: family as u8,
        subscriber,
    }
}
