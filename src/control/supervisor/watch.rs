//! Workers that stall, and links that are lost.

use super::{Ending, Supervisor, Weight};
use crate::control::pipeline::LinkLoss;
use crate::control::protocol::DeviceStats;
use crate::io::netdev::{GRACE_NS, Propagation, SetLink, Side};
use crate::io::port::{Device, DeviceError, DeviceFault, Link};
use crate::worker::Lcore;
use sd_notify::NotifyState;
use std::fmt;
use std::time::{Duration, Instant};

/// How often links are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A device on one side of the box.
pub struct Watched {
    side: Side,
    device: Box<dyn Device>,
    link: Link,
}

/// What is looked after besides what clients ask.
pub(super) struct Watch {
    /// At most one of each side.
    devices: Vec<Watched>,
    /// `None` where a loss is not handed on.
    propagation: Option<Propagation>,
    begun: Instant,
    workers_looked: Instant,
    links_looked: Instant,
    stalled: Vec<Lcore>,
}

impl Watched {
    /// A device; its link is said to be as it is now.
    pub fn new(side: Side, mut device: Box<dyn Device>) -> Self {
        let link = device.link();
        Self { side, device, link }
    }
}

impl Watch {
    pub(super) fn new(devices: Vec<Watched>, link_loss: LinkLoss) -> Self {
        let now = Instant::now();
        Self {
            devices,
            propagation: match link_loss {
                LinkLoss::Ignore => None,
                LinkLoss::Propagate => Some(Propagation::new(0, GRACE_NS)),
            },
            begun: now,
            workers_looked: now,
            links_looked: now,
            stalled: Vec::new(),
        }
    }

    /// What is said of each device.
    pub(super) fn stats(&mut self) -> Vec<DeviceStats> {
        let stats = |watched: &mut Watched| DeviceStats {
            side: word(watched.side).to_owned(),
            name: watched.device.name().to_owned(),
            link: match watched.device.link() {
                Link::Up => "up",
                Link::Down => "down",
                Link::Gone => "gone",
            }
            .to_owned(),
            losses: watched.device.losses(),
        };
        self.devices.iter_mut().map(stats).collect()
    }

    fn link(&self, side: Side) -> Link {
        let watched = self.devices.iter().find(|watched| watched.side == side);
        watched.map_or(Link::Up, |watched| watched.link)
    }

    fn propagate(&mut self) -> Option<(SetLink, Result<(), DeviceError>)> {
        let (access, network) = (self.link(Side::Access), self.link(Side::Network));
        let now_ns = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let set = self.propagation.as_mut()?.step(now_ns, access, network)?;
        let watched = self
            .devices
            .iter_mut()
            .find(|watched| watched.side == set.side)?;
        Some((set, watched.device.set_link(set.up)))
    }
}

impl Supervisor<'_> {
    /// Asks the workers whether they still work, and tells the system that all do.
    pub(super) fn look_after_workers(&mut self) {
        if self.watch.workers_looked.elapsed() < self.setup.stall / 4 {
            return;
        }
        self.watch.workers_looked = Instant::now();
        let stalled = self.crew.watch();
        for lcore in &stalled {
            if !self.watch.stalled.contains(lcore) {
                let stall = self.setup.stall;
                (self.say)(
                    Weight::Warning,
                    format_args!("the worker on lcore {lcore} has not answered for {stall:?}"),
                );
            }
        }
        for lcore in &self.watch.stalled {
            if !stalled.contains(lcore) {
                (self.say)(
                    Weight::Note,
                    format_args!("the worker on lcore {lcore} is back"),
                );
            }
        }
        if stalled.is_empty() {
            // Where systemd does not watch over this process, it does nothing.
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
        self.watch.stalled = stalled;
    }

    /// Takes the links down, as the last thing that is done with the devices.
    pub fn take_links_down(&mut self) {
        for watched in &mut self.watch.devices {
            if let Err(why) = watched.device.set_link(false) {
                (self.say)(Weight::Warning, format_args!("{why}"));
            }
        }
    }

    /// Looks at the links, says what has changed, and hands a loss on.
    pub(super) fn look_after_links(&mut self) {
        if self.watch.links_looked.elapsed() < LOOK {
            return;
        }
        self.watch.links_looked = Instant::now();
        for watched in &mut self.watch.devices {
            let link = watched.device.link();
            if link == watched.link {
                continue;
            }
            watched.link = link;
            let name = watched.device.name();
            match link {
                Link::Up => (self.say)(Weight::Note, format_args!("{name}: link up")),
                Link::Down => (self.say)(Weight::Warning, format_args!("{name}: link down")),
                Link::Gone => {
                    let gone = DeviceError::new(DeviceFault::Gone, format!("{name} is gone"));
                    self.ending.get_or_insert(Ending::Gone(gone));
                }
            }
        }
        match self.watch.propagate() {
            None => {}
            Some((set, Ok(()))) => (self.say)(
                Weight::Note,
                format_args!(
                    "the {} port is {}, as the other one",
                    word(set.side),
                    if set.up { "set up" } else { "held down" }
                ),
            ),
            Some((_, Err(why))) => (self.say)(Weight::Warning, format_args!("{why}")),
        }
    }
}

/// The word in outputs.
fn word(side: Side) -> &'static str {
    match side {
        Side::Access => "access",
        Side::Network => "network",
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("device", &self.device.name())
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}
