//! The ends of one packet, also of one that more addresses stand for than the two of its header: those
//! of a tunnel, and those of a source route.

use super::classify::{Ends, Passage};
use super::parse::RouteAddresses;
use super::{Facing, Settings, decide};
use crate::policy::{Path, PeerSetId, PlanId, Tables};
use crate::wire::{Family, Packet, Route};
use std::iter;

/// Looks up the ends of a packet, in the directions that it may go. Where a source route has it pass
/// several addresses, the one counts to which its verdict would be strictest.
pub(super) fn ends_of(
    packet: &Packet,
    route: &RouteAddresses,
    tables: &Tables,
    facing: Facing,
    settings: &Settings,
) -> Ends {
    let Some(family) = packet.family else {
        return Ends::UNKNOWN;
    };
    let judged = |passage: &Passage, path: Path| {
        let decision = decide::judge(packet, *passage, path, tables, facing, settings);
        decide::strictness(decision.verdict)
    };
    Ends::between(
        facing,
        || {
            let passages = outbound(packet, family, route, tables);
            strictest(passages, |passage| judged(passage, Path::Outbound))
        },
        || {
            let passages = inward(packet, family, route, tables);
            strictest(passages, |passage| {
                judged(passage, Path::Return).max(judged(passage, Path::Inbound))
            })
        },
    )
}

fn outbound(
    packet: &Packet,
    family: Family,
    route: &[u128],
    tables: &Tables,
) -> impl Iterator<Item = Passage> {
    let plan = plan_of(packet.subscriber_src(), tables);
    let unreadable = packet.route == Route::Unreadable;
    iter::once(packet.dst)
        .chain(route.iter().copied())
        .map(move |peer| tables.peer_set(family, peer))
        .chain(unreadable.then_some(PeerSetId::OTHER))
        .map(move |peer_set| Passage { plan, peer_set })
}

fn inward(
    packet: &Packet,
    family: Family,
    route: &[u128],
    tables: &Tables,
) -> impl Iterator<Item = Passage> {
    let peer_set = tables.peer_set(family, packet.src);
    let on_route = route.iter().map(move |address| Some((family, *address)));
    iter::once(packet.subscriber_dst())
        .chain(on_route)
        .map(move |known| Passage {
            plan: plan_of(known, tables),
            peer_set,
        })
}

fn plan_of(known: Option<(Family, u128)>, tables: &Tables) -> PlanId {
    known.map_or(PlanId::NONE, |(family, address)| {
        tables.plan(family, address)
    })
}

/// Of equals, the first: that is the header's own.
fn strictest(
    mut passages: impl Iterator<Item = Passage>,
    strictness: impl Fn(&Passage) -> u8,
) -> Passage {
    let Some(first) = passages.next() else {
        return Passage::NONE;
    };
    let stricter = |first: Passage, next: Passage| {
        if strictness(&next) > strictness(&first) {
            next
        } else {
            first
        }
    };
    passages.fold(first, stricter)
}
