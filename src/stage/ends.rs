//! The ends of one packet, also of one that more addresses stand for than the two of its header: those
//! of a tunnel, and those of a source route.

use super::classify::{Ends, Passage};
use super::parse::RouteAddresses;
use super::{Facing, decide};
use crate::policy::{Path, PeerSetId, PlanId, Question, Tables};
use crate::wire::{Family, Packet, Route};
use std::iter;

/// Looks up the ends of a packet, in the directions that it may go. Where a source route has it pass
/// several addresses, the strictest counts.
pub(super) fn ends_of(
    packet: &Packet,
    route: &RouteAddresses,
    tables: &Tables,
    facing: Facing,
) -> Ends {
    let Some(family) = packet.family else {
        return Ends::UNKNOWN;
    };
    Ends::between(
        facing,
        || outbound(packet, family, route, tables),
        || inbound(packet, family, route, tables),
    )
}

fn outbound(packet: &Packet, family: Family, route: &[u128], tables: &Tables) -> Passage {
    let plan = plan_of(packet.subscriber_src(), tables);
    let unreadable = packet.route == Route::Unreadable;
    let peer_sets = iter::once(packet.dst)
        .chain(route.iter().copied())
        .map(|peer| tables.peer_set(family, peer))
        .chain(unreadable.then_some(PeerSetId::OTHER));
    let passages = peer_sets.map(|peer_set| Passage { plan, peer_set });
    strictest(passages, &[Path::Outbound], packet, family, tables)
}

fn inbound(packet: &Packet, family: Family, route: &[u128], tables: &Tables) -> Passage {
    let peer_set = tables.peer_set(family, packet.src);
    let on_route = route.iter().map(|address| Some((family, *address)));
    let passages = iter::once(packet.subscriber_dst())
        .chain(on_route)
        .map(|known| Passage {
            plan: plan_of(known, tables),
            peer_set,
        });
    strictest(
        passages,
        &[Path::Return, Path::Inbound],
        packet,
        family,
        tables,
    )
}

fn plan_of(known: Option<(Family, u128)>, tables: &Tables) -> PlanId {
    known.map_or(PlanId::NONE, |(family, address)| {
        tables.plan(family, address)
    })
}

/// The passage that the rules are strictest about; of equals, the first, which is the header's own.
fn strictest(
    passages: impl Iterator<Item = Passage>,
    paths: &[Path],
    packet: &Packet,
    family: Family,
    tables: &Tables,
) -> Passage {
    let act = |passage: &Passage| {
        let acts = paths.iter().map(|path| {
            let question = Question {
                family,
                path: *path,
                opening: decide::opens(packet, *path),
                plan: passage.plan,
                peer_set: passage.peer_set,
            };
            tables.matrix.judge(question).1
        });
        acts.max()
    };
    let stricter = |first: Passage, next: Passage| {
        if act(&next) > act(&first) {
            next
        } else {
            first
        }
    };
    passages.reduce(stricter).unwrap_or(Passage::NONE)
}
