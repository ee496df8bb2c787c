//! Load and capacity on any day.

use super::basis::{Basis, Grounds};
use super::cost::{Want, cost};
use super::scaling::Scaling;
use super::traffic::{Addresses, Attack, AttackKind, Frames, Traffic, line_pps};
use crate::loadgen::{Encapsulation, Export, Family, Mix, Spread};
use jiff::civil::Date;
use std::cell::RefCell;
use std::collections::HashMap;

/// More workers than any box has.
pub(super) const MOST_WORKERS: u32 = 4096;

/// The description beside the measurements.
pub(super) struct Model<'a> {
    pub(super) traffic: &'a Traffic,
    pub(super) export: &'a Export,
    pub(super) scaling: Scaling,
    /// The far ends of the intervals instead of the medians.
    pub(super) high: bool,
    /// Nanoseconds a frame, by the subscribers' growth (its bits) and the attack: days are many,
    /// and where the tables do not grow they are all alike.
    known_ns: RefCell<HashMap<Known, f64>>,
}

/// What [`Model::known_ns`] is known by; without an attack it is the ordinary mix.
type Known = (u64, Option<(AttackKind, u32)>);

/// What a frame of a mix costs.
#[derive(Clone, Debug, Default)]
pub(super) struct FrameCost {
    /// In the engine.
    pub(super) engine_ns: f64,
    /// With the port's driver.
    pub(super) ns: f64,
    /// Nanoseconds by stage, the driver first.
    pub(super) parts: Vec<(String, f64)>,
    pub(super) grounds: Grounds,
}

/// Frames that are offered, and what they cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) pps: f64,
    /// Seconds of one worker in each second.
    pub(super) work: f64,
}

/// Frames that are alike to the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Class {
    family: Family,
    encapsulation: Encapsulation,
    spread: Spread,
}

impl<'a> Model<'a> {
    pub(super) fn new(traffic: &'a Traffic, export: &'a Export) -> Self {
        Self {
            traffic,
            export,
            scaling: Scaling::new(traffic.scaling, export),
            high: false,
            known_ns: RefCell::default(),
        }
    }

    /// The ordinary frames, so many days after the start.
    pub(super) fn frame(&self, days: f64) -> FrameCost {
        let sizes = self.sizes();
        let (v4, v6) = self.prefixes(days);
        let mut sum = FrameCost::default();
        for (class, share) in self.classes() {
            let prefixes = if class.family == Family::Ipv4 { v4 } else { v6 };
            for (bytes, size_share) in &sizes {
                let want = Want {
                    family: Some(class.family),
                    encapsulation: Some(class.encapsulation),
                    spread: Some(class.spread),
                    account: self.traffic.account.value,
                    mix: Mix::Uniform,
                    bytes: Some(*bytes),
                    prefixes: Some(prefixes),
                    port25_share: Some(self.traffic.port25_share.value),
                };
                self.add(&mut sum, &want, share * size_share);
            }
        }
        self.with_driver(sum)
    }

    /// The frames of an attack, so many days after the start.
    pub(super) fn attack_frame(&self, attack: &Attack, days: f64) -> FrameCost {
        let classes = self.classes();
        let heaviest = classes
            .iter()
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(class, _)| *class);
        let (v4, v6) = self.prefixes(days);
        let flood = attack.kind == AttackKind::Port25Flood;
        let mix = match attack.kind {
            AttackKind::Adversarial => Mix::Adversarial,
            AttackKind::Spoofed => Mix::Spoofed,
            AttackKind::Port25Flood => Mix::Uniform,
        };
        // The adversarial mix has headers and families of its own.
        let own = attack.kind == AttackKind::Adversarial;
        let heaviest = heaviest.filter(|_| !own);
        let prefixes = heaviest.map(|class| if class.family == Family::Ipv4 { v4 } else { v6 });
        let want = Want {
            family: heaviest.map(|class| class.family),
            encapsulation: heaviest.map(|class| class.encapsulation),
            spread: heaviest.map(|class| class.spread),
            account: self.traffic.account.value,
            mix,
            bytes: (!own).then_some(f64::from(attack.frame_bytes)),
            prefixes,
            port25_share: flood.then_some(1.0),
        };
        let mut sum = FrameCost::default();
        self.add(&mut sum, &want, 1.0);
        self.with_driver(sum)
    }

    /// The load at the peak.
    pub(super) fn peak(&self, days: f64) -> Load {
        let pps = self.peak_pps(days);
        Load {
            pps,
            work: pps * self.frame_ns(days) * 1e-9,
        }
    }

    pub(super) fn peak_pps(&self, days: f64) -> f64 {
        self.traffic.peak_pps() * Traffic::grown(self.traffic.traffic_growth.value, days)
    }

    /// The load while an attack comes on top of the peak, and whether the links hold no more.
    pub(super) fn under_attack(&self, attack: &Attack, days: f64) -> (Load, bool) {
        let peak = self.peak(days);
        let wanted = peak.pps * attack.share / (1.0 - attack.share);
        let growth = Traffic::grown(self.traffic.traffic_growth.value, days);
        let free_bps: f64 = self
            .traffic
            .links
            .iter()
            .map(|link| {
                let free = |used: f64| (1.0 - used * growth).max(0.0);
                link.line_bps() * (free(link.up) + free(link.down))
            })
            .sum();
        let room = line_pps(free_bps, f64::from(attack.frame_bytes));
        let extra = wanted.min(room);
        let load = Load {
            pps: peak.pps + extra,
            work: peak.work + extra * self.attack_ns(attack, days) * 1e-9,
        };
        (load, room < wanted)
    }

    /// What the boxes that carry everything can do with so many workers each, in workers, before
    /// the busiest worker loses frames.
    pub(super) fn capacity(&self, workers: u32) -> f64 {
        let boxes = f64::from(self.traffic.redundancy.value.carrying);
        self.scaling.work(workers) / self.imbalance(workers) * boxes
    }

    /// Of the busiest worker.
    pub(super) fn imbalance(&self, workers: u32) -> f64 {
        // No worker has more than everything.
        self.traffic.imbalance.value.min(f64::from(workers.max(1)))
    }

    /// The fewest workers of a box that carry a load; `None` if none do.
    pub(super) fn workers(&self, work: f64) -> Option<u32> {
        (1..=MOST_WORKERS).find(|workers| self.capacity(*workers) >= work)
    }

    /// The most work for which there must be room from the start until a day: the peak with its
    /// headroom, or the peak with the worst attack, without headroom.
    pub(super) fn required_work(&self, until: f64) -> f64 {
        let attacks = self.traffic.attacks.iter();
        let attacked = attacks.map(|attack| self.attacked_work(attack, until));
        attacked.fold(self.headroom_work(until), f64::max)
    }

    /// The most of the peak with its headroom, until a day.
    pub(super) fn headroom_work(&self, until: f64) -> f64 {
        most(until, |days| self.peak(days).work) * self.traffic.headroom.value
    }

    /// The most of the peak under an attack. It may lie before the last day: ordinary frames that
    /// grow leave less of the links to cheap and small ones.
    pub(super) fn attacked_work(&self, attack: &Attack, until: f64) -> f64 {
        most(until, |days| self.under_attack(attack, days).0.work)
    }

    /// Days from the start.
    pub(super) fn days(&self, day: Date) -> f64 {
        let hours = self.traffic.start.duration_until(day).as_hours();
        i32::try_from(hours / 24).map_or(0.0, f64::from)
    }

    /// How figures of a cost and of workers are known.
    pub(super) fn basis(&self, grounds: &Grounds, workers: u32) -> Basis {
        let io = Basis::of_setting(self.traffic.io_ns.given);
        let imbalance = Basis::of_setting(self.traffic.imbalance.given);
        let cost = grounds.basis().with(io);
        cost.with(imbalance).with(self.scaling.basis(workers))
    }

    /// The factor of the subscribers' growth.
    pub(super) fn growth(&self, days: f64) -> f64 {
        Traffic::grown(self.traffic.subscriber_growth.value, days)
    }

    /// [`Model::frame`], of which only the sum is wanted.
    pub(super) fn frame_ns(&self, days: f64) -> f64 {
        self.known(days, None, || self.frame(days).ns)
    }

    fn attack_ns(&self, attack: &Attack, days: f64) -> f64 {
        let key = (attack.kind, attack.frame_bytes);
        self.known(days, Some(key), || self.attack_frame(attack, days).ns)
    }

    fn known(&self, days: f64, key: Option<(AttackKind, u32)>, ns: impl FnOnce() -> f64) -> f64 {
        let key = (self.growth(days).to_bits(), key);
        if let Some(known) = self.known_ns.borrow().get(&key) {
            return *known;
        }
        let ns = ns();
        self.known_ns.borrow_mut().insert(key, ns);
        ns
    }

    fn prefixes(&self, days: f64) -> (f64, f64) {
        let (v4, v6) = self.traffic.prefixes();
        (v4 * self.growth(days), v6 * self.growth(days))
    }

    /// The simple IMIX is a case of its own, known by its mean.
    fn sizes(&self) -> Vec<(f64, f64)> {
        let frames = &self.traffic.frames;
        if frames.sizes == Frames::imix().sizes {
            return vec![(frames.mean_bytes(), 1.0)];
        }
        let sizes = frames.sizes.iter();
        sizes
            .map(|(bytes, share)| (f64::from(*bytes), *share))
            .collect()
    }

    /// Kinds of frames and their shares: each subscriber sends as much as any other.
    fn classes(&self) -> Vec<(Class, f64)> {
        let all: f64 = self
            .traffic
            .subscribers
            .iter()
            .map(|group| group.count)
            .sum();
        let mut classes: Vec<(Class, f64)> = Vec::new();
        for group in &self.traffic.subscribers {
            let ipv6 = match group.addresses {
                Addresses::Ipv4 => 0.0,
                Addresses::Ipv6 => 1.0,
                Addresses::Dual { ipv6_share } => ipv6_share,
            };
            for (family, share) in [(Family::Ipv4, 1.0 - ipv6), (Family::Ipv6, ipv6)] {
                let share = share * group.count / all.max(1.0);
                let class = Class {
                    family,
                    encapsulation: group.encapsulation,
                    spread: group.spread,
                };
                match classes.iter_mut().find(|(known, _)| *known == class) {
                    _ if share <= 0.0 => {}
                    Some((_, sum)) => *sum += share,
                    None => classes.push((class, share)),
                }
            }
        }
        classes
    }

    fn add(&self, sum: &mut FrameCost, want: &Want, share: f64) {
        let Some(cost) = cost(self.export, want) else {
            return;
        };
        let ns = if self.high { cost.high_ns } else { cost.ns } * share;
        sum.engine_ns += ns;
        sum.grounds.join(cost.grounds);
        for (stage, part) in cost.stages {
            match sum.parts.iter_mut().find(|(name, _)| *name == stage) {
                Some((_, sum)) => *sum += part * ns,
                None => sum.parts.push((stage, part * ns)),
            }
        }
    }

    fn with_driver(&self, mut cost: FrameCost) -> FrameCost {
        let io_ns = self.traffic.io_ns.value;
        cost.parts.insert(0, ("driver".to_owned(), io_ns));
        cost.ns = cost.engine_ns + io_ns;
        cost
    }
}

/// The most of something on the first days of months, and on the last day.
fn most(until: f64, work: impl Fn(f64) -> f64) -> f64 {
    let months = (0..=720_u32).map(|month| f64::from(month) * 365.25 / 12.0);
    let days = months.take_while(|days| *days < until).chain([until]);
    days.map(work).fold(0.0, f64::max)
}
