use super::{Args, Direction, Failure, Policies};
use crate::io::CaptureReader;
use crate::policy::PlanId;
use crate::wire::{self, Family, Frame, LinkType, TcpFlags};
use jiff::Timestamp;
use std::net::IpAddr;
use std::path::Path;

/// The port that policies are about.
pub(super) const SMTP: u16 = 25;

/// The port of a caller.
const EPHEMERAL: u16 = 49152;

/// The frame that is asked about.
pub(super) struct Question {
    pub(super) bytes: Vec<u8>,
    pub(super) original_len: u32,
    pub(super) link_type: LinkType,
    /// File and number, for a frame of a capture.
    pub(super) taken_from: Option<(String, u64)>,
}

impl Question {
    pub(super) fn frame(&self) -> Frame<'_> {
        Frame {
            bytes: &self.bytes,
            original_len: self.original_len,
            link_type: self.link_type,
        }
    }
}

pub(super) fn question(
    args: &Args,
    policies: &Policies,
    at: Timestamp,
) -> Result<Question, Failure> {
    match (&args.pcap, args.frame) {
        (Some(path), Some(number)) => captured(path, number),
        _ => crafted(args, policies, at),
    }
}

/// One frame of a capture.
fn captured(path: &Path, number: u64) -> Result<Question, Failure> {
    let mut reader = CaptureReader::open(path).map_err(Failure::io)?;
    let mut before = 0;
    loop {
        let records = reader.read_burst().map_err(Failure::io)?;
        if records.is_empty() {
            let file = path.display();
            return Err(Failure::usage(format_args!(
                "{file} has {before} frames, not {number}"
            )));
        }
        let index = usize::try_from(number - 1 - before).ok();
        if let Some(record) = index.and_then(|index| records.get(index)) {
            return Ok(Question {
                bytes: record.frame.bytes.to_vec(),
                original_len: record.frame.original_len,
                link_type: record.frame.link_type,
                taken_from: Some((path.display().to_string(), number)),
            });
        }
        before += records.len() as u64;
    }
}

/// A TCP segment between the two ends that were named.
fn crafted(args: &Args, policies: &Policies, at: Timestamp) -> Result<Question, Failure> {
    let (tenant, subscriber) = subscriber(args, policies, at)?;
    let peer = peer(args, policies, tenant, subscriber, at)?;
    let inbound = args.direction == Some(Direction::In);
    let called = inbound && args.source_port == SMTP;
    let port = args.port.unwrap_or(if called { EPHEMERAL } else { SMTP });
    let answers = inbound && !(called && port != SMTP);
    let letters = args
        .flags
        .as_deref()
        .unwrap_or(if answers { "SA" } else { "S" });
    let flags = TcpFlags::from_letters(letters).ok_or_else(|| {
        Failure::usage(format_args!(
            "--flags {letters}: expected letters of SFRPAUECN, such as SA"
        ))
    })?;
    let bytes = match inbound {
        false => wire::tcp_probe(subscriber, peer, args.source_port, port, flags),
        true => wire::tcp_probe(peer, subscriber, port, args.source_port, flags),
    };
    let bytes = bytes.ok_or_else(|| {
        Failure::usage(format_args!(
            "{subscriber} and {peer} are of different IP versions"
        ))
    })?;
    let original_len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    Ok(Question {
        bytes,
        original_len,
        link_type: LinkType::ETHERNET,
        taken_from: None,
    })
}

/// The subscriber's address, and the tenant whose destination classes count.
fn subscriber(args: &Args, policies: &Policies, at: Timestamp) -> Result<(usize, IpAddr), Failure> {
    if let Some(name) = &args.plan {
        let (tenant, plan) = named_plan(policies, name)?;
        let family = match (args.ip.as_deref(), args.to) {
            (Some("6"), _) | (None, Some(IpAddr::V6(_))) => Family::V6,
            _ => Family::V4,
        };
        let address = policies.program.subscriber_in(plan, family, at);
        return address.map(|address| (tenant, address)).ok_or_else(|| {
            Failure::usage(format_args!(
                "plan {name} has no {} address; --ip chooses the other version",
                family.label()
            ))
        });
    }
    let from = args
        .from
        .ok_or_else(|| Failure::usage("--from or --plan is needed"))?;
    let found = policies
        .program
        .resolved()
        .longest_subscriber(None, from, at);
    // Without a subscriber the classes of the first policy are as good as any.
    Ok((found.map_or(0, |(tenant, _)| tenant), from))
}

fn named_plan(policies: &Policies, name: &str) -> Result<(usize, PlanId), Failure> {
    let legend = policies.legend();
    let tenants = legend.tenants().iter().enumerate();
    let found: Vec<_> = match name.split_once('/') {
        Some((isp, plan)) => tenants
            .filter(|(_, tenant)| tenant.name == isp)
            .filter_map(|(index, _)| Some((index, legend.plan_named(index, plan)?)))
            .collect(),
        None => tenants
            .filter_map(|(index, _)| Some((index, legend.plan_named(index, name)?)))
            .collect(),
    };
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(Failure::usage(format_args!("no policy has a plan {name}"))),
        _ => Err(Failure::usage(format_args!(
            "several ISPs have a plan {name}: write ISP/{name}"
        ))),
    }
}

/// The other end's address.
fn peer(
    args: &Args,
    policies: &Policies,
    tenant: usize,
    subscriber: IpAddr,
    at: Timestamp,
) -> Result<IpAddr, Failure> {
    let Some(name) = &args.class else {
        return args
            .to
            .ok_or_else(|| Failure::usage("--to or --class is needed"));
    };
    let legend = policies.legend();
    let class = legend
        .tenants()
        .get(tenant)
        .and_then(|tenant| tenant.class_index(name))
        .ok_or_else(|| {
            Failure::usage(format_args!("the policy has no destination class {name}"))
        })?;
    let family = if subscriber.is_ipv4() {
        Family::V4
    } else {
        Family::V6
    };
    policies
        .program
        .peer_in(tenant, class, family, at)
        .ok_or_else(|| {
            Failure::usage(format_args!(
                "class {name} has no {} address",
                family.label()
            ))
        })
}
