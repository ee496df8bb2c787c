//! What a planner says about the traffic.

use crate::loadgen::{Accounting, Encapsulation, Spread};
use jiff::civil::Date;

/// What each frame takes on the wire beside its own octets: preamble, start delimiter and the gap
/// between frames.
pub const OVERHEAD_BYTES: f64 = 20.0;

/// The simple IMIX: sizes with the frame check sequence, in its exact repeating sequence.
pub const IMIX: [u32; 12] = [64, 594, 64, 64, 1518, 64, 594, 64, 64, 594, 64, 594];

/// The description of the traffic, and of what is to carry it.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// What people call it.
    pub name: String,
    /// The day that the figures speak of.
    pub start: Date,
    /// The last day on which the hardware must suffice.
    pub target: Setting<Date>,
    /// The links that the boxes stand in.
    pub links: Vec<Link>,
    /// The frames' sizes in ordinary traffic.
    pub frames: Frames,
    /// Who sends.
    pub subscribers: Vec<Subscribers>,
    /// The share of frames that open a connection to port 25.
    pub port25_share: Setting<f64>,
    /// Which frames are counted under their plan.
    pub account: Setting<Accounting>,
    /// What must be survived on top of the peak.
    pub attacks: Vec<Attack>,
    /// By how much the subscribers become more each year: 0.05 is 5 %.
    pub subscriber_growth: Setting<f64>,
    /// By how much the traffic of all becomes more each year.
    pub traffic_growth: Setting<f64>,
    /// How many times the peak must fit.
    pub headroom: Setting<f64>,
    /// How many boxes there are, and how many may fail.
    pub redundancy: Setting<Redundancy>,
    /// What a port's driver takes for a frame, received and sent.
    pub io_ns: Setting<f64>,
    /// The load of the busiest worker in loads of the mean worker.
    pub imbalance: Setting<f64>,
    /// What each worker after the first adds, in workers, if the export's figure is not wanted.
    pub scaling: Option<f64>,
    /// The lcores of one box, if there is a box already.
    pub cores: Option<u32>,
    /// Descriptors of each ring of a queue.
    pub ring_frames: Setting<u32>,
    /// What one frame's buffer takes.
    pub buffer_bytes: Setting<u32>,
}

/// A value, and whether somebody gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// It was given; otherwise it is the default.
    pub given: bool,
}

/// Links of one kind, full duplex.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// In each direction.
    pub rate_bps: f64,
    /// How many there are.
    pub count: u32,
    /// The share of the rate that is in use at the peak, from subscribers.
    pub up: f64,
    /// The same, to subscribers.
    pub down: f64,
}

/// A frame-size mix.
#[derive(Clone, Debug, PartialEq)]
pub struct Frames {
    /// As it was described.
    pub label: String,
    /// Octets with the frame check sequence, and the share of frames.
    pub sizes: Vec<(u32, f64)>,
}

/// Subscribers that are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscribers {
    /// What they bought.
    pub plan: String,
    /// How many there are.
    pub count: f64,
    /// What they have.
    pub addresses: Addresses,
    /// What stands between Ethernet and IP.
    pub encapsulation: Encapsulation,
    /// How they lie in the address space.
    pub spread: Spread,
}

/// Which addresses subscribers have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Addresses {
    /// IPv4 only.
    Ipv4,
    /// IPv6 only.
    Ipv6,
    /// Both.
    Dual {
        /// The share of their frames that are IPv6.
        ipv6_share: f64,
    },
}

/// Something hostile.
#[derive(Clone, Debug, PartialEq)]
pub struct Attack {
    /// What people call it.
    pub name: String,
    /// What its frames are.
    pub kind: AttackKind,
    /// Its share of all frames while it lasts.
    pub share: f64,
    /// The size of its frames.
    pub frame_bytes: u32,
}

/// What the frames of an attack are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttackKind {
    /// The headers that take longest to read.
    Adversarial,
    /// Sources of the whole address space.
    Spoofed,
    /// Each frame opens a connection to port 25.
    Port25Flood,
}

/// `N+M`: the traffic of all is carried by `carrying` boxes while `spare` have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redundancy {
    /// Those that must carry everything.
    pub carrying: u32,
    /// Those that may fail.
    pub spare: u32,
}

impl<T> Setting<T> {
    /// From what was given, or the default.
    pub fn or(given: Option<T>, default: T) -> Self {
        Self {
            given: given.is_some(),
            value: given.unwrap_or(default),
        }
    }
}

impl Link {
    /// Of all links together, in one direction.
    pub fn line_bps(&self) -> f64 {
        self.rate_bps * f64::from(self.count)
    }
}

impl Frames {
    /// The simple IMIX.
    pub fn imix() -> Self {
        let mut frames = Self::sequence(&IMIX);
        frames.label = "IMIX (64, 594 and 1,518 octets at 7 : 4 : 1)".to_owned();
        frames
    }

    /// All frames of one size.
    pub fn all(bytes: u32) -> Self {
        Self {
            label: format!("all {bytes} octets"),
            sizes: vec![(bytes, 1.0)],
        }
    }

    /// An exact repeating sequence.
    pub fn sequence(bytes: &[u32]) -> Self {
        let count = f64::from(u32::try_from(bytes.len().max(1)).unwrap_or(u32::MAX));
        let mut sizes: Vec<(u32, f64)> = Vec::new();
        for size in bytes {
            match sizes.iter_mut().find(|(known, _)| known == size) {
                Some((_, share)) => *share += 1.0 / count,
                None => sizes.push((*size, 1.0 / count)),
            }
        }
        Self {
            label: format!("a repeating sequence of {} frames", bytes.len()),
            sizes,
        }
    }

    /// The mean, in octets.
    pub fn mean_bytes(&self) -> f64 {
        let sum = |(bytes, share): &(u32, f64)| f64::from(*bytes) * share;
        self.sizes.iter().map(sum).sum()
    }

    /// Frames a second at which a line of that rate is full.
    pub fn line_pps(&self, rate_bps: f64) -> f64 {
        line_pps(rate_bps, self.mean_bytes())
    }
}

/// Frames of that size a second at which a line of that rate is full.
pub fn line_pps(rate_bps: f64, frame_bytes: f64) -> f64 {
    rate_bps / (8.0 * (frame_bytes + OVERHEAD_BYTES))
}

impl Traffic {
    /// Frames a second at the peak of the first day, in both directions of all links.
    pub fn peak_pps(&self) -> f64 {
        let pps = |link: &Link| self.frames.line_pps(link.line_bps()) * (link.up + link.down);
        self.links.iter().map(pps).sum()
    }

    /// What growth makes of one, so many days later.
    pub fn grown(rate: f64, days: f64) -> f64 {
        (1.0 + rate).powf(days / 365.25)
    }

    /// Each link has a port towards the subscribers and one towards the network.
    pub fn ports(&self) -> u32 {
        self.links
            .iter()
            .map(|link| link.count.saturating_mul(2))
            .fold(0, u32::saturating_add)
    }

    /// Prefixes of IPv4 and of IPv6 on the first day.
    pub fn prefixes(&self) -> (f64, f64) {
        let mut prefixes = (0.0, 0.0);
        for group in &self.subscribers {
            if group.addresses != Addresses::Ipv6 {
                prefixes.0 += group.count;
            }
            if group.addresses != Addresses::Ipv4 {
                prefixes.1 += group.count;
            }
        }
        prefixes
    }
}

impl AttackKind {
    /// The word in descriptions.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Adversarial => "adversarial",
            Self::Spoofed => "spoofed",
            Self::Port25Flood => "port-25-flood",
        }
    }
}

impl Redundancy {
    /// All boxes.
    pub fn boxes(self) -> u32 {
        self.carrying.saturating_add(self.spare)
    }
}
