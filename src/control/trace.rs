use super::supervisor::Setup;
use crate::limit::Moment;
use crate::policy::{Direction, Tables};
use crate::stage::{Account, Burst, Facing, Settings, Trail};
use crate::wire::{Frame, LinkType, Packet, Shape};
use crate::worker::Traced;
use std::fmt::Write as _;
use std::sync::Arc;

/// What each stage found of a frame that a worker kept: told by the stages themselves, which it goes
/// through once more. The peer's address is named only where the pipeline may record destinations.
pub(super) fn tell(number: usize, kept: &Traced, tables: &Tables, setup: &Setup) -> String {
    let frame = Frame {
        bytes: &kept.octets,
        original_len: kept.original_len,
        link_type: LinkType::ETHERNET,
    };
    // Buckets of its own: to tell of a frame takes nothing from a subscriber.
    let settings = Settings {
        unwrap: Arc::clone(&setup.unwrap),
        ..Settings::new(Account::EveryFrame)
    };
    let mut burst = Burst::new(kept.facing, settings);
    burst.run(&[frame], tables, Moment::default());
    let (side, direction) = match kept.facing {
        Facing::Out | Facing::Auto => ("access", Direction::Out),
        Facing::In => ("network", Direction::In),
    };
    let octets = kept.original_len;
    let mut text = format!("frame {number}: {octets} octets, from the {side} side\n");
    for trail in burst.trails(&[frame], tables) {
        let _ = writeln!(
            text,
            "  parse     {}",
            parsed(&trail.packet, direction, setup.names_peers)
        );
        let _ = writeln!(
            text,
            "  classify  {}",
            classified(&trail, direction, tables)
        );
    }
    // What the worker itself decided, when it did.
    let decision = kept.decision;
    let rule = match tables.legend.rule(decision.rule) {
        Some((tenant, rule)) => format!("rule {}/{}", tenant.name, rule.name),
        None => "no rule".to_owned(),
    };
    let _ = write!(
        text,
        "  decide    {rule}: {}, {}",
        decision.verdict, decision.reason
    );
    text
}

fn parsed(packet: &Packet, direction: Direction, names_peers: bool) -> String {
    let (Some(family), Some(src), Some(dst)) =
        (packet.family, packet.src_addr(), packet.dst_addr())
    else {
        return format!("{:?}", packet.shape);
    };
    let (subscriber, peer) = match direction {
        Direction::Out => ((src, packet.src_port), (dst, packet.dst_port)),
        Direction::In => ((dst, packet.dst_port), (src, packet.src_port)),
    };
    let named = |(address, port), named: bool| {
        let address = if named {
            format!("{address}")
        } else {
            "(peer)".to_owned()
        };
        match packet.transport_len {
            4.. => format!("{address} port {port}"),
            _ => address,
        }
    };
    let (subscriber, peer) = (named(subscriber, true), named(peer, names_peers));
    let arrow = match direction {
        Direction::Out => "→",
        Direction::In => "←",
    };
    let flags = match packet.shape {
        Shape::Tcp => format!(", TCP [{}]", packet.flags),
        _ => format!(", protocol {}, {:?}", packet.protocol, packet.shape),
    };
    format!("{}: {subscriber} {arrow} {peer}{flags}", family.label())
}

fn classified(trail: &Trail, direction: Direction, tables: &Tables) -> String {
    let passage = trail.ends.passage(direction);
    let plan = match tables.legend.plan(passage.plan) {
        Some((tenant, plan)) => format!("plan {}/{}", tenant.name, plan.name),
        None => return "no subscriber".to_owned(),
    };
    let class = tables.legend.class_name(passage.plan, passage.peer_set);
    format!("{plan}, peer in class {class}")
}
