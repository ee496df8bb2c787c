//! From what is asked for to two devices that run.

use super::Options;
use super::device::{Running, one_at_a_time};
use super::eal;
use super::ffi::{self, Info, Shape};
use super::lane::{LanePools, Shared};
use super::log;
use super::name::Name;
use super::pool::{HEADROOM_BYTES, Pool};
use crate::io::port::{DeviceError, DeviceFault};
use std::ffi::CStr;
use std::ptr;

/// What DPDK's drivers are made for; a longer frame takes several.
const ROOM_BYTES: u32 = 2_048;

/// Of an Ethernet header, two tags, and the check sequence.
const AROUND_BYTES: u32 = 14 + TAGS_BYTES + 4;
const TAGS_BYTES: u32 = 8;

/// The longest packets that Ethernet networks agree on.
const MOST_MTU_BYTES: u32 = 9_216;

/// DPDK knows so many threads (`RTE_MAX_LCORE`), of which one is its own.
const MOST_QUEUES: u32 = 127;

/// Frames in the hands of a worker, and in the caches of threads.
const AT_HAND_FRAMES: u32 = 2_048;

/// What net_af_packet takes of each place in its rings for the kernel's headers, and how large a
/// place is where its arguments do not say.
const AF_PACKET_HEADER_BYTES: u32 = 66;
const AF_PACKET_PLACE_BYTES: u32 = 2_048;

pub(super) fn run(options: &Options) -> Result<Shared, DeviceError> {
    let (access, network) = (Name::new(&options.access)?, Name::new(&options.network)?);
    if access.device() == network.device() {
        let message = format!("{access} is named twice, where two devices are needed");
        return Err(DeviceError::new(DeviceFault::Shape, message));
    }
    let (queues, mtu_bytes) = (queues(options)?, mtu_bytes(options)?);
    eal::start(&options.eal, &[&access, &network])?;
    let mut access = Side::probe(access, queues, mtu_bytes)?;
    let mut network = Side::probe(network, queues, mtu_bytes)?;
    let plan = Plan::of(queues, mtu_bytes, &access, &network)?;
    for side in [&mut access, &mut network] {
        side.configure(&plan, options.ring_frames)?;
    }
    let least = AT_HAND_FRAMES + access.ring_frames() + network.ring_frames();
    let pools = (0..queues)
        .map(|_| plan.pools(least.max(options.pool_frames)))
        .collect::<Result<Vec<_>, _>>()?;
    access.set_up_queues(pools.iter().map(|pools| &pools.access))?;
    network.set_up_queues(pools.iter().map(LanePools::network))?;
    Ok(Shared {
        access: access.start(&plan)?,
        network: network.start(&plan)?,
        pools,
    })
}

fn queues(options: &Options) -> Result<u16, DeviceError> {
    match u16::try_from(options.queues) {
        Ok(queues) if (1..=MOST_QUEUES).contains(&options.queues) => Ok(queues),
        _ => {
            let queues = options.queues;
            let message = format!("{queues} queues, where DPDK takes 1 to {MOST_QUEUES} threads");
            Err(DeviceError::new(DeviceFault::Shape, message))
        }
    }
}

fn mtu_bytes(options: &Options) -> Result<u16, DeviceError> {
    match u16::try_from(options.mtu_bytes) {
        Ok(bytes) if (68..=MOST_MTU_BYTES).contains(&options.mtu_bytes) => Ok(bytes),
        _ => {
            let bytes = options.mtu_bytes;
            let message = format!("an MTU of {bytes}, where 68 to {MOST_MTU_BYTES} are possible");
            Err(DeviceError::new(DeviceFault::Shape, message))
        }
    }
}

/// What both devices are set up for.
struct Plan {
    queues: u16,
    mtu_bytes: u16,
    /// Whether a frame may come in several mbufs, as both devices can receive and send such.
    segments: bool,
    /// Of one mbuf.
    room_bytes: u16,
    /// Where each device is.
    nodes: [i32; 2],
    one_pool: bool,
}

impl Plan {
    fn of(queues: u16, mtu_bytes: u16, access: &Side, network: &Side) -> Result<Self, DeviceError> {
        let frame_bytes = u32::from(mtu_bytes) + AROUND_BYTES;
        let both = [access, network];
        let can = both.map(|side| side.offers.scatters && side.offers.sends_segments);
        let segments = frame_bytes > ROOM_BYTES && can == [true; 2];
        let place = both.map(|side| side.place_bytes().unwrap_or(0));
        let whole = if segments { 0 } else { frame_bytes };
        let room = place.into_iter().fold(whole.max(ROOM_BYTES), u32::max);
        let room = room.next_multiple_of(64) + HEADROOM_BYTES;
        let room_bytes = u16::try_from(room).map_err(|_| {
            let message = format!("frames of {room} octets, where one mbuf holds 65535");
            DeviceError::new(DeviceFault::Shape, message)
        })?;
        let nodes = both.map(|side| side.offers.node);
        Ok(Self {
            queues,
            mtu_bytes,
            segments,
            room_bytes,
            nodes,
            // A device without a node is as near to one as to another.
            one_pool: nodes[0] == nodes[1] || nodes.iter().any(|node| *node < 0),
        })
    }

    /// Of one lane.
    fn pools(&self, frames: u32) -> Result<LanePools, DeviceError> {
        let [access, network] = self.nodes;
        let (access, network) = match self.one_pool {
            true => (access.max(network), None),
            false => (access, Some(network)),
        };
        let pool = |node| Pool::new(frames, self.room_bytes, node);
        Ok(LanePools {
            access: pool(access)?,
            network: network.map(pool).transpose()?,
        })
    }
}

/// One of the devices, on its way up.
struct Side {
    device: Running,
    offers: Info,
    /// Descriptors of a receive ring, and of a transmit ring.
    rings: [u16; 2],
}

impl Side {
    /// Finds the device; whether it can be what is asked for.
    fn probe(name: Name, queues: u16, mtu_bytes: u16) -> Result<Self, DeviceError> {
        let (device, offers) = Running::probe(name)?;
        let side = Self {
            device,
            offers,
            rings: [0; 2],
        };
        side.check_queues(queues)?;
        side.check_mtu(mtu_bytes)?;
        side.check_place(mtu_bytes)?;
        Ok(side)
    }

    fn check_queues(&self, queues: u16) -> Result<(), DeviceError> {
        let offered = self.offers.rx_queues.min(self.offers.tx_queues);
        if offered >= queues {
            return Ok(());
        }
        let name = self.device.name();
        let message =
            format!("{name} offers {offered} of the {queues} queues that as many workers need");
        let argument = match name.driver() {
            "net_af_packet" => ", or give it more: `qpairs=N`",
            "net_af_xdp" => ", or give it more: `queue_count=N`",
            "net_pcap" => ", or name its files several times",
            _ => "",
        };
        Err(DeviceError::new(DeviceFault::Shape, message)
            .remedy(format!("use {offered} lcores{argument}")))
    }

    fn check_mtu(&self, mtu_bytes: u16) -> Result<(), DeviceError> {
        let (name, limit) = (self.device.name(), self.most_mtu_bytes());
        // A virtual device has no limit of its own; what is behind it has.
        if name.is_pci() && mtu_bytes > limit {
            let message = format!("{name} takes an MTU of {limit} at most, not {mtu_bytes}");
            return Err(DeviceError::new(DeviceFault::Shape, message));
        }
        match self.device.interface() {
            Some(interface) if interface.mtu_bytes > u32::from(mtu_bytes) => {
                let (interface, found) = (interface.name(), interface.mtu_bytes);
                let message = format!(
                    "{interface} has an MTU of {found}, above the {mtu_bytes} of the pipeline"
                );
                Err(
                    DeviceError::new(DeviceFault::Shape, message).remedy(format!(
                        "`ip link set {interface} mtu {mtu_bytes}`, or raise it there"
                    )),
                )
            }
            _ => Ok(()),
        }
    }

    /// Whether whole frames fit into the rings that net_af_packet shares with the kernel, which
    /// would cut them without a word.
    fn check_place(&self, mtu_bytes: u16) -> Result<(), DeviceError> {
        let needed = u32::from(mtu_bytes) + AROUND_BYTES + AF_PACKET_HEADER_BYTES;
        let Some(place) = self.place_bytes().filter(|place| *place < needed) else {
            return Ok(());
        };
        let name = self.device.name();
        let message = format!("{name} would cut frames: its places hold {place} octets");
        let enough = needed.next_power_of_two();
        Err(
            DeviceError::new(DeviceFault::Shape, message).remedy(format!(
                "add `framesz={enough},blocksz={enough}` to its arguments"
            )),
        )
    }

    /// How large a place in the rings of net_af_packet is.
    fn place_bytes(&self) -> Option<u32> {
        let name = self.device.name();
        let said = name.argument("framesz").and_then(|said| said.parse().ok());
        (name.driver() == "net_af_packet").then(|| said.unwrap_or(AF_PACKET_PLACE_BYTES))
    }

    /// As DPDK counts it: from the longest frame, where the device says no MTU of its own.
    fn most_mtu_bytes(&self) -> u16 {
        let Info {
            max_mtu_bytes,
            max_frame_bytes,
            ..
        } = self.offers;
        let around = match max_mtu_bytes {
            u16::MAX => 14 + 4,
            mtu => max_frame_bytes.saturating_sub(u32::from(mtu)).max(14 + 4),
        };
        let by_frame = max_frame_bytes.saturating_sub(around);
        max_mtu_bytes.min(u16::try_from(by_frame).unwrap_or(u16::MAX))
    }

    fn configure(&mut self, plan: &Plan, ring_frames: u32) -> Result<(), DeviceError> {
        let shape = self.shape(plan);
        let port = self.device.port();
        let _alone = one_at_a_time();
        let _earlier = log::take();
        // SAFETY: the device is known and stopped; the struct is the same on both sides.
        let failed = unsafe { ffi::sekisho_configure(port, &raw const shape, self.offers.hashes) };
        if failed != 0 {
            return Err(self.device.refused("set it up", failed));
        }
        let ring_frames = u16::try_from(ring_frames).unwrap_or(u16::MAX);
        let [mut rx, mut tx] = [ring_frames; 2];
        // SAFETY: two numbers to change.
        let failed =
            unsafe { ffi::rte_eth_dev_adjust_nb_rx_tx_desc(port, &raw mut rx, &raw mut tx) };
        if failed != 0 {
            return Err(self.device.refused("size its rings", failed));
        }
        self.rings = [rx, tx];
        Ok(())
    }

    fn shape(&self, plan: &Plan) -> Shape {
        // Tags are part of what some devices count.
        let mtu_bytes = (plan.mtu_bytes + TAGS_BYTES as u16).min(self.most_mtu_bytes());
        Shape {
            queues: plan.queues,
            mtu_bytes,
            scatter: plan.segments,
            send_segments: plan.segments,
            // All mbufs must be of one pool, and of one segment: net_pcap, for one, makes several
            // unasked.
            free_fast: self.offers.frees_fast && plan.one_pool && !plan.segments,
        }
    }

    /// So many mbufs at once may be in the rings of one queue.
    fn ring_frames(&self) -> u32 {
        self.rings.map(u32::from).iter().sum()
    }

    fn set_up_queues<'p>(&self, pools: impl Iterator<Item = &'p Pool>) -> Result<(), DeviceError> {
        let port = self.device.port();
        let node = self.offers.node.cast_unsigned();
        let [rx_frames, tx_frames] = self.rings;
        let _alone = one_at_a_time();
        for (queue, pool) in (0..).zip(pools) {
            // SAFETY: the device is configured with these queues, and stopped. The pool lives until
            // the device is closed. Without a configuration, a queue has the device's own.
            let failed = unsafe {
                let conf = ptr::null();
                match ffi::rte_eth_rx_queue_setup(port, queue, rx_frames, node, conf, pool.as_ptr())
                {
                    0 => ffi::rte_eth_tx_queue_setup(port, queue, tx_frames, node, conf),
                    failed => failed,
                }
            };
            if failed != 0 {
                return Err(self.device.refused("set up its queues", failed));
            }
        }
        Ok(())
    }

    fn start(mut self, plan: &Plan) -> Result<Running, DeviceError> {
        let alone = one_at_a_time();
        // SAFETY: the device is set up.
        let failed = unsafe { ffi::rte_eth_promiscuous_enable(self.device.port()) };
        drop(alone);
        // A virtual device that has no such mode receives everything.
        if failed != 0 && self.device.name().is_pci() {
            return Err(self
                .device
                .refused("make it receive what is sent to others", failed));
        }
        self.device.shape = self.describe(plan);
        self.device.start(plan.queues, self.ring_frames())?;
        Ok(self.device)
    }

    fn describe(&self, plan: &Plan) -> String {
        let driver = match self.offers.driver.is_null() {
            true => "a driver without a name".into(),
            // SAFETY: a string of the driver, which stays loaded.
            false => unsafe { CStr::from_ptr(self.offers.driver) }.to_string_lossy(),
        };
        let spread = match (plan.queues, self.offers.hashes) {
            (1, _) => String::new(),
            (queues, 0) => format!(" × {queues}, spread as the driver likes"),
            (queues, _) => format!(" × {queues}, spread by RSS"),
        };
        let [rx, tx] = self.rings;
        let frames = match plan.segments {
            true => "longer frames in several",
            false => "each frame in one",
        };
        let node = match self.offers.node {
            ..0 => "no NUMA node".to_owned(),
            node => format!("NUMA node {node}"),
        };
        format!(
            "{driver}, rings of {rx} and {tx}{spread}, buffers of {}, {frames}, {node}",
            u32::from(plan.room_bytes) - HEADROOM_BYTES
        )
    }
}
