//! The model, set to work.

use super::address::public;
use super::frame::Recipe;
use super::made::{Guise, Kind, Made, Way, Wrapping};
use super::pool::{Draw, Pool};
use super::random::{Mix, Random};
use super::{Direction, Encapsulation, Model, ModelError, Network};
use crate::policy::{PeerSetId, PlanId};
use crate::wire::Family;

/// How often a peer is drawn again that is in a class or a subscriber.
const TRIES: usize = 16;

/// Makes frames, one after the other, the same for the same model, network and seed.
#[derive(Debug)]
pub struct Generator<'n> {
    network: &'n Network,
    random: Random,
    sizes: Vec<usize>,
    next_size: usize,
    guises: Mix,
    families: Mix,
    /// Of any frame, and of tiny fragments, which are TCP's.
    kinds: [Mix; 2],
    ways: Mix,
    wrappings: Vec<Wrapping>,
    sides: [Side<'n>; 2],
}

/// A plan, its subscribers, and how one is drawn.
type Senders<'n> = (PlanId, &'n Pool, Draw);

/// Both ends of the frames of one family.
#[derive(Debug)]
struct Side<'n> {
    /// Plans with subscribers, and their shares.
    plans: Vec<Senders<'n>>,
    plan_mix: Mix,
    bots: Vec<(PlanId, u128)>,
    /// Classes with a share; the last stands for the rest.
    classes: Vec<Option<(Pool, Draw)>>,
    class_mix: Mix,
}

impl<'n> Generator<'n> {
    /// Holds a model against a network, and makes ready.
    ///
    /// # Errors
    /// A number of the model is out of bounds, or a name, or what the model asks for, is not in
    /// the network.
    pub fn new(model: &Model, network: &'n Network, seed: u64) -> Result<Self, ModelError> {
        model.check()?;
        let mut random = Random::new(seed);
        let used = families_used(model);
        let mut side = |family| {
            if used.iter().any(|(of, share)| *of == family && *share > 0.0) {
                Side::new(model, network, family, &mut random)
            } else {
                Ok(Side::unused())
            }
        };
        let sides = [side(Family::V4)?, side(Family::V6)?];
        for (name, share) in &model.plans {
            let plan = network.plan_named(name)?;
            let has = |side: &Side<'_>| side.plans.iter().any(|(of, ..)| *of == plan);
            if *share > 0.0 && !sides.iter().any(has) {
                return Err(ModelError::PlanWithoutSubscribers(name.clone()));
            }
        }
        let hostile = model.hostile.shares();
        let plain = [(1.0 - model.hostile.total()).max(0.0)];
        Ok(Self {
            sizes: model
                .sizes
                .octets()
                .iter()
                .map(|o| usize::from(*o) - 4)
                .collect(),
            next_size: 0,
            guises: Mix::new(&[plain.as_slice(), &hostile].concat()),
            families: Mix::new(&[1.0 - model.ipv6, model.ipv6]),
            kinds: [kinds(model, false), kinds(model, true)],
            ways: Mix::new(match model.direction {
                Direction::Out => &[1.0, 0.0],
                Direction::In => &[0.0, 1.0],
                Direction::Both => &[0.5, 0.5],
            }),
            wrappings: wrappings(model.encapsulation),
            sides,
            network,
            random,
        })
    }

    /// Appends the next frame to `out`. Nothing is allocated but what `out` needs to grow.
    #[inline]
    pub fn append_frame(&mut self, out: &mut Vec<u8>) -> Made {
        let (recipe, plan) = self.recipe();
        let octets = recipe.append(out);
        Made {
            kind: recipe.kind,
            guise: recipe.guise,
            family: recipe.family,
            way: recipe.way,
            wrapping: recipe.wrapping,
            plan,
            octets,
            enlarged: octets > recipe.octets,
        }
    }

    /// Draws the next frame, and whose it is.
    fn recipe(&mut self) -> (Recipe, PlanId) {
        let (guise, family, kind, way) = self.what();
        let (network, random) = (self.network, &mut self.random);
        let side = match family {
            Family::V4 => &self.sides[0],
            Family::V6 => &self.sides[1],
        };
        let (plan, subscriber) = match (guise, kind) {
            (Guise::Spoofed, _) => (PlanId::NONE, public(family, random)),
            (_, Kind::BotSyn) => random.pick(&side.bots).unwrap_or_default(),
            _ => side.subscriber(family, random),
        };
        let peer = match kind {
            Kind::BotSyn => stranger(network, family, random),
            _ => side.peer(network, family, random),
        };
        let wrapping = match (guise, self.wrappings.as_slice()) {
            (Guise::FourTags, _) => Wrapping::FourTags,
            (_, [Wrapping::MapE]) if family == Family::V6 => Wrapping::None,
            (_, [only]) => *only,
            (_, several) => random.pick(several).unwrap_or(Wrapping::None),
        };
        let octets = self.sizes.get(self.next_size).copied().unwrap_or_default();
        self.next_size = (self.next_size + 1) % self.sizes.len();
        let recipe = Recipe {
            kind,
            guise,
            family,
            way,
            wrapping,
            subscriber,
            peer,
            octets,
            bits: random.next(),
        };
        (recipe, plan)
    }

    fn what(&mut self) -> (Guise, Family, Kind, Way) {
        let random = &mut self.random;
        let guise = Guise::ALL.get(self.guises.draw(random)).copied();
        let guise = guise.unwrap_or(Guise::Plain);
        let family = match guise {
            Guise::Options | Guise::TinyFragment => Family::V4,
            Guise::Chain => Family::V6,
            Guise::Plain | Guise::Spoofed | Guise::FourTags | Guise::SourceRouted => {
                match self.families.draw(random) {
                    0 => Family::V4,
                    _ => Family::V6,
                }
            }
        };
        let [any, tiny] = &self.kinds;
        let mix = match guise {
            Guise::TinyFragment => tiny,
            _ => any,
        };
        let kind = Kind::ALL.get(mix.draw(random)).copied();
        let kind = kind.unwrap_or(Kind::Ack);
        let outbound = kind == Kind::BotSyn || guise == Guise::Spoofed;
        if outbound || self.ways.draw(random) == 0 {
            return (guise, family, kind, Way::Out);
        }
        let kind = match kind {
            Kind::Port25Syn => Kind::Port25SynAck,
            other => other,
        };
        (guise, family, kind, Way::In)
    }

    /// The share of all frames that each plan is expected to have, by plan id; the first is of
    /// spoofed sources.
    pub fn expected_plan_shares(&self) -> Vec<f64> {
        let mut expected = vec![0.0; self.network.legend().plan_ids().len() + 1];
        let mut add = |plan: PlanId, share: f64| {
            if let Some(sum) = expected.get_mut(usize::from(plan.0)) {
                *sum += share;
            }
        };
        let guises = self.guises.shares().iter().zip(Guise::ALL);
        for (share, guise) in guises {
            if guise == Guise::Spoofed {
                add(PlanId::NONE, *share);
                continue;
            }
            let [any, tiny] = &self.kinds;
            let (families, mix) = match guise {
                Guise::Options => ([1.0, 0.0], any),
                Guise::TinyFragment => ([1.0, 0.0], tiny),
                Guise::Chain => ([0.0, 1.0], any),
                _ => ([self.family_share(0), self.family_share(1)], any),
            };
            let bot = mix
                .shares()
                .get(Kind::BotSyn as usize)
                .copied()
                .unwrap_or(0.0);
            for (family, side) in families.iter().zip(&self.sides) {
                let whole = share * family;
                for (share, (plan, ..)) in side.plan_mix.shares().iter().zip(&side.plans) {
                    add(*plan, whole * (1.0 - bot) * share);
                }
                for (plan, _) in &side.bots {
                    add(*plan, whole * bot / side.bots.len() as f64);
                }
            }
        }
        expected
    }

    fn family_share(&self, family: usize) -> f64 {
        self.families.shares().get(family).copied().unwrap_or(0.0)
    }
}

impl<'n> Side<'n> {
    fn new(
        model: &Model,
        network: &'n Network,
        family: Family,
        random: &mut Random,
    ) -> Result<Self, ModelError> {
        let (plans, plan_mix) = plans(model, network, family)?;
        let mut side = Self {
            bots: Vec::new(),
            classes: Vec::new(),
            class_mix: Mix::new(&[]),
            plans,
            plan_mix,
        };
        let mut weights = Vec::new();
        for (name, share) in &model.classes {
            let pool = network.class_named(name, family)?;
            let class = match pool {
                Some(pool) => match pool.draw(super::Among::Addresses, None) {
                    Some(draw) => Some((pool, draw)),
                    None if *share > 0.0 => {
                        let family = family_name(family);
                        return Err(ModelError::ClassWithoutAddresses(name.clone(), family));
                    }
                    None => None,
                },
                None => None,
            };
            side.classes.push(class);
            weights.push(*share);
        }
        side.classes.push(None);
        weights.push((1.0 - weights.iter().sum::<f64>()).max(0.0));
        side.class_mix = Mix::new(&weights);
        if model.bots.share > 0.0 {
            side.draw_bots(model.bots.count, network, family, random)?;
        }
        Ok(side)
    }

    /// Of a family that no frame is of.
    fn unused() -> Self {
        Self {
            plans: Vec::new(),
            plan_mix: Mix::new(&[]),
            bots: Vec::new(),
            classes: Vec::new(),
            class_mix: Mix::new(&[]),
        }
    }

    fn draw_bots(
        &mut self,
        count: u32,
        network: &Network,
        family: Family,
        random: &mut Random,
    ) -> Result<(), ModelError> {
        let blocked: Vec<_> = self
            .plans
            .iter()
            .zip(self.plan_mix.shares())
            .map(
                |((plan, ..), share)| match network.is_blocked(*plan, family) {
                    true => *share,
                    false => 0.0,
                },
            )
            .collect();
        if blocked.iter().sum::<f64>() <= 0.0 {
            return Err(ModelError::NoBlockedPlan(family_name(family)));
        }
        let mix = Mix::new(&blocked);
        for _ in 0..count {
            if let Some((plan, pool, draw)) = self.plans.get(mix.draw(random)) {
                self.bots.push((*plan, pool.address(family, draw, random)));
            }
        }
        Ok(())
    }

    #[inline]
    fn subscriber(&self, family: Family, random: &mut Random) -> (PlanId, u128) {
        match self.plans.get(self.plan_mix.draw(random)) {
            Some((plan, pool, draw)) => (*plan, pool.address(family, draw, random)),
            None => (PlanId::NONE, 0),
        }
    }

    #[inline]
    fn peer(&self, network: &Network, family: Family, random: &mut Random) -> u128 {
        match self.classes.get(self.class_mix.draw(random)) {
            Some(Some((pool, draw))) => pool.address(family, draw, random),
            _ => stranger(network, family, random),
        }
    }
}

/// An address that is in no class and no subscriber's, unless hardly any is.
#[inline]
fn stranger(network: &Network, family: Family, random: &mut Random) -> u128 {
    for _ in 1..TRIES {
        let address = public(family, random);
        if network.tables().peer_set(family, address) == PeerSetId::OTHER {
            return address;
        }
    }
    public(family, random)
}

/// The plans of a family with subscribers, and how they share its frames.
fn plans<'n>(
    model: &Model,
    network: &'n Network,
    family: Family,
) -> Result<(Vec<Senders<'n>>, Mix), ModelError> {
    let mut plans = Vec::new();
    for (id, pool) in (0_u8..).zip(network.pools(family)) {
        if let Some(draw) = pool.draw(model.among, model.zipf) {
            plans.push((PlanId(id), pool, draw));
        }
    }
    if plans.is_empty() {
        return Err(ModelError::NoSubscribers(family_name(family)));
    }
    let mut named = vec![None; plans.len()];
    for (name, share) in &model.plans {
        let plan = network.plan_named(name)?;
        let place = plans.iter().position(|(of, ..)| *of == plan);
        if let Some(slot) = place.and_then(|place| named.get_mut(place)) {
            *slot = Some(*share);
        }
    }
    let rest = (1.0 - named.iter().flatten().sum::<f64>()).max(0.0);
    let count = |pool: &Pool| pool.count(model.among) as f64;
    let unnamed = plans
        .iter()
        .zip(&named)
        .filter(|(_, named)| named.is_none());
    let total: f64 = unnamed.map(|((_, pool, _), _)| count(pool)).sum();
    let share = |((_, pool, _), named): (&Senders<'_>, &Option<f64>)| {
        named.unwrap_or_else(|| rest * count(pool) / total)
    };
    let mut shares: Vec<f64> = plans.iter().zip(&named).map(share).collect();
    if shares.iter().sum::<f64>() <= 0.0 {
        shares.fill(1.0);
    }
    Ok((plans, Mix::new(&shares)))
}

/// By [`Kind`]; of tiny fragments, all are TCP's.
fn kinds(model: &Model, tcp_only: bool) -> Mix {
    let other = (1.0 - model.port_25 - model.bots.share).max(0.0);
    let [tcp, udp, icmp, esp] = match tcp_only {
        true => [1.0, 0.0, 0.0, 0.0],
        false => model.protocols.shares(),
    };
    let mut weights: Vec<_> = model
        .tcp_flags
        .shares()
        .map(|share| share * tcp * other)
        .to_vec();
    weights.extend([udp, icmp, esp].map(|share| share * other));
    weights.extend([model.port_25, 0.0, model.bots.share]);
    Mix::new(&weights)
}

fn wrappings(encapsulation: Encapsulation) -> Vec<Wrapping> {
    match encapsulation {
        Encapsulation::None => vec![Wrapping::None],
        Encapsulation::Vlan => vec![Wrapping::Vlan],
        Encapsulation::Qinq => vec![Wrapping::Qinq],
        Encapsulation::QinqPppoe => vec![Wrapping::QinqPppoe],
        Encapsulation::MapE => vec![Wrapping::MapE],
        Encapsulation::Mixed => Wrapping::ALL.into_iter().take(4).collect(),
    }
}

/// The share of frames of each family.
fn families_used(model: &Model) -> [(Family, f64); 2] {
    let hostile = &model.hostile;
    let free = 1.0 - hostile.options - hostile.tiny_fragments - hostile.chain;
    let v4 = hostile.options + hostile.tiny_fragments + free * (1.0 - model.ipv6);
    let v6 = hostile.chain + free * model.ipv6;
    [(Family::V4, v4), (Family::V6, v6)]
}

fn family_name(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}
