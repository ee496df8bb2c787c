//! A pipeline: how frames flow in one deployment, as it is written in one YAML file.
//!
//! A file becomes a [`Pipeline`] through the same strict reader as a policy: whatever is wrong in it
//! is said at once, each with its place. Every key that may be left out has a default, and what a
//! [`Pipeline`] holds is what is in force. `docs/pipelines.md` says what each key is for.

mod device;
mod effective;
mod findings;
mod keys;
mod mapping;
mod read;
mod sides;
mod tunnels;
mod words;

pub use effective::{effective, effective_yaml};
pub use findings::FINDINGS;
pub use keys::{could_be_one, schema};
pub use read::{Loaded, load, read};
pub use words::{Attach, DriverKind, Framing, Idle, LinkLoss, OnExit, TunnelKind, ZeroCopy};

use crate::io::port::CaptureFiles;
use crate::limit::Buckets;
use crate::stage::{Account, Settings, Source, Unparsed};
use crate::wire::{self, MapRule, Subscriber, Unwrap};
use crate::worker::{Lcore, ReplyRate};
use ipnet::IpNet;
use std::path::PathBuf;
use std::sync::Arc;

/// How frames flow in one deployment. Paths are as seen from where the program runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// Names the run, and the files that belong to it: small letters, digits and `-`.
    pub name: String,
    /// The policies, one for each provider.
    pub policies: Vec<PathBuf>,
    /// What frames come through, on both sides.
    pub driver: Driver,
    /// Where the workers run: each has a queue pair of both devices. At least one, none twice.
    pub lcores: Vec<Lcore>,
    /// Which frames are counted under their plans.
    pub account: Account,
    /// What a worker does when there is nothing to do.
    pub idle: Idle,
    /// What stands in front of IP in most frames.
    pub frames: Framing,
    /// The tunnels that are looked into.
    pub unwrap: Vec<Tunnel>,
    /// What becomes of frames that cannot be read.
    pub unparsed: Unparsed,
    /// Whose frames are taken from the access side.
    pub source: Source,
    /// How many answers `reject` sends, at most.
    pub replies: ReplyRate,
    /// How many subscribers `limit` remembers at once.
    pub limit_subscribers: u32,
    /// Where a running pipeline is asked and told.
    pub control: Control,
    /// A worker that has not answered for so long is stalled, in milliseconds.
    pub stall_ms: u32,
    /// What is done when one link is lost.
    pub link_loss: LinkLoss,
    /// In what state the devices are left at the end.
    pub on_exit: OnExit,
    /// The ticket under which live traces name destinations too; without one they name subscribers
    /// only.
    pub record_destinations: Option<String>,
}

/// Tunnels of one kind, with the ends that are the provider's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// Which kind.
    pub kind: TunnelKind,
    /// The provider's ends.
    pub endpoints: Vec<IpNet>,
    /// By what a packet's subscriber is known.
    pub subscriber: Subscriber,
    /// Of MAP-E: whose which addresses and ports are.
    pub rules: Vec<MapRule>,
}

/// A driver with its two devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Interfaces of the system, over AF_XDP.
    AfXdp(AfXdp),
    /// Devices that are DPDK's alone.
    Dpdk(Dpdk),
    /// Captures.
    Pcap(Pcap),
}

/// Two interfaces of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfXdp {
    /// The interface where subscribers are.
    pub access: String,
    /// The other one.
    pub network: String,
    /// Where the kernel hands frames over.
    pub attach: Attach,
    /// Whether the devices write into the frames' memory themselves.
    pub zero_copy: ZeroCopy,
    /// Descriptors of each of the four rings of a queue; a power of two.
    pub ring_frames: u32,
    /// Frames of memory for each lcore, which both of its ports share.
    pub umem_frames: u32,
}

/// Two devices of DPDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dpdk {
    /// The device where subscribers are: a PCI address with its domain (`0000:03:00.0`), or a
    /// virtual device (`net_af_packet0,iface=eth0`); arguments for the driver may follow either.
    pub access: String,
    /// The other one.
    pub network: String,
    /// Further arguments of DPDK's environment; none of them names an lcore.
    pub eal: Vec<String>,
    /// Descriptors of each receive and transmit ring; a power of two.
    pub ring_frames: u32,
    /// Frames of memory for each lcore.
    pub pool_frames: u32,
    /// The longest packet behind Ethernet and its tags.
    pub mtu_bytes: u32,
}

/// Captures instead of devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pcap {
    /// What the port where subscribers are receives, and where what it sends is written.
    pub access: CaptureFiles,
    /// The same of the other one. One of the two receives something.
    pub network: CaptureFiles,
}

/// Where a running pipeline is asked and told. A pipeline over captures has none of these files
/// unless it names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// The socket of `sekisho ctl`.
    pub socket: Option<PathBuf>,
    /// The group that may use it, beside its owner; `None` is the program's own.
    pub group: Option<String>,
    /// What was changed above the policies' files, to be kept over restarts.
    pub journal: Option<PathBuf>,
    /// What one run leaves for the next to find.
    pub run_dir: Option<PathBuf>,
}

impl Pipeline {
    /// How frames are looked at. Each call makes buckets of its own: one of them is for all workers,
    /// as long as the run lasts.
    pub fn settings(&self) -> Settings {
        Settings {
            account: self.account,
            unwrap: Arc::new(self.opens()),
            unparsed: self.unparsed,
            source: self.source,
            buckets: Arc::new(Buckets::new(self.limit_subscribers)),
        }
    }

    /// The tunnels that are looked into, as frames are parsed.
    pub fn opens(&self) -> Unwrap {
        let tunnels = self.unwrap.iter().map(|tunnel| wire::Tunnel {
            kind: tunnel.kind.wraps(),
            endpoints: tunnel.endpoints.clone(),
            subscriber: tunnel.subscriber,
            rules: tunnel.rules.clone(),
        });
        Unwrap::new(tunnels.collect())
    }
}

impl Driver {
    /// Which it is.
    pub fn kind(&self) -> DriverKind {
        match self {
            Self::AfXdp(_) => DriverKind::AfXdp,
            Self::Dpdk(_) => DriverKind::Dpdk,
            Self::Pcap(_) => DriverKind::Pcap,
        }
    }
}
