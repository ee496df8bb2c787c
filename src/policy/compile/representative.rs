//! One address that stands for a plan or a class: for cases and questions that name no address.

use super::partition::{Interval, address, overlay};
use super::program::Program;
use super::tables::{PeerSetId, PlanId};
use crate::wire::Family;
use jiff::Timestamp;
use std::net::IpAddr;

impl Program {
    /// An address whose longest match is that plan; `None` if no address has it at that instant.
    pub fn subscriber_in(&self, plan: PlanId, family: Family, at: Timestamp) -> Option<IpAddr> {
        let parts = self.subscriber_partition(family, at);
        let of_plan = parts.into_iter().filter(|(_, id)| *id == plan);
        let intervals: Vec<_> = of_plan.map(|(interval, _)| interval).collect();
        pick(&intervals, family, 1).map(|number| address(family, number))
    }

    /// An address that a tenant sees in a class (its index in [`crate::policy::Tenant::classes`]); `None`
    /// if no address is in it at that instant. An address without a plan is preferred.
    pub fn peer_in(
        &self,
        tenant: usize,
        class: usize,
        family: Family,
        at: Timestamp,
    ) -> Option<IpAddr> {
        let subscribers = self.subscriber_partition(family, at);
        let peers = self.peer_partition(family, at);
        let in_class = |set: PeerSetId| self.legend().class(tenant, set) == Some(class);
        let mut parts = overlay(&subscribers, &peers);
        parts.retain(|(_, (_, set))| in_class(*set));
        let intervals = |with_plan: bool| -> Vec<Interval> {
            let parts = parts.iter();
            let parts = parts.filter(|(_, (plan, _))| (*plan != PlanId::NONE) == with_plan);
            parts.map(|(interval, _)| *interval).collect()
        };
        // The third address, where `subscriber_in` takes the second: traffic inside the ISP
        // should have two ends.
        pick(&intervals(false), family, 2)
            .or_else(|| pick(&intervals(true), family, 2))
            .map(|number| address(family, number))
    }
}

/// The `nth` address of an interval, the best place first: for documentation (RFC 5737, RFC 3849),
/// then what hosts have, then anything; wide intervals before narrow ones.
fn pick(intervals: &[Interval], family: Family, nth: u128) -> Option<u128> {
    let whole = [Interval::whole(family)];
    let places = [documentation(family), unicast(family), &whole];
    for place in places {
        for least in [4, 1] {
            let parts = place
                .iter()
                .flat_map(|place| intervals.iter().filter_map(|i| common(*i, *place)));
            let mut wide_enough = parts.filter(|part| part.addresses() >= least);
            if let Some(part) = wide_enough.next() {
                return Some(part.start + nth.min(part.end - part.start));
            }
        }
    }
    None
}

fn common(a: Interval, b: Interval) -> Option<Interval> {
    let (start, end) = (a.start.max(b.start), a.end.min(b.end));
    (start <= end).then_some(Interval { start, end })
}

fn documentation(family: Family) -> &'static [Interval] {
    const V4: [Interval; 3] = [
        block(0xc633_6400, 8),
        block(0xcb00_7100, 8),
        block(0xc000_0200, 8),
    ];
    const V6: [Interval; 1] = [block(0x2001_0db8 << 96, 96)];
    match family {
        Family::V4 => &V4,
        Family::V6 => &V6,
    }
}

fn unicast(family: Family) -> &'static [Interval] {
    // Between "this network" and loopback, and between loopback and multicast.
    const V4: [Interval; 2] = [
        Interval {
            start: 0x0100_0000,
            end: 0x7eff_ffff,
        },
        Interval {
            start: 0x8000_0000,
            end: 0xdfff_ffff,
        },
    ];
    const V6: [Interval; 1] = [block(0x2000 << 112, 125)];
    match family {
        Family::V4 => &V4,
        Family::V6 => &V6,
    }
}

const fn block(start: u128, host_bits: u32) -> Interval {
    Interval {
        start,
        end: start | ((1 << host_bits) - 1),
    }
}
