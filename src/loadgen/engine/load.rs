use super::pool::{Pool, TooLarge};
use super::spec::Spec;
use crate::limit::Buckets;
use crate::loadgen::traffic::{
    Among, Encapsulation as Wrapping, Generator, Hostile, Model, ModelError, Network, NetworkError,
    Protocols, RELAY, Sizes,
};
use crate::loadgen::{Accounting, Encapsulation, Family, Mix, Size};
use crate::policy::{Action, Limit, Then};
use crate::stage::{Account, Settings};
use crate::wire::{Subscriber, Tunnel, TunnelKind, Unwrap};
use std::net::IpAddr;
use std::sync::Arc;

/// By what law the subscribers of a Zipf mix send.
const ZIPF_EXPONENT: f64 = 1.0;

/// What each source of a flood may open.
const FLOOD_LIMIT: Limit = Limit {
    per_minute: 30,
    burst: 10,
    then: Then::Drop,
};

/// For how many sources of a flood there is room: fewer than there are.
const FLOOD_SUBSCRIBERS: u32 = 1 << 18;

/// Why a case has no frames.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The model and the network do not agree.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// They do not fit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

impl Spec {
    /// The frames of this case.
    ///
    /// # Errors
    /// They do not fit memory, or cannot be made.
    pub fn pool(&self, network: &Network, seed: u64) -> Result<Pool, LoadError> {
        let mut generator = Generator::new(&self.model(), network, seed)?;
        let frames = (0..self.frames).map(|_| {
            let mut frame = Vec::new();
            generator.append_frame(&mut frame);
            frame
        });
        Ok(Pool::opened(frames, &self.unwrap())?)
    }

    /// Whether what would be dropped is let pass at a rate.
    pub fn is_limited(&self) -> bool {
        self.mix == Mix::Flood
    }

    /// The network of this case.
    ///
    /// # Errors
    /// Its tables are too large.
    pub fn network(&self) -> Result<Network, NetworkError> {
        if self.is_limited() {
            Network::synthetic_under(&self.table, Action::Limit(FLOOD_LIMIT))
        } else {
            Network::synthetic(&self.table)
        }
    }

    /// How its frames are looked at.
    pub fn settings(&self) -> Settings {
        let account = match self.account {
            Accounting::Candidates => Account::Candidates,
            Accounting::EveryFrame => Account::EveryFrame,
        };
        let mut settings = Settings::new(account);
        settings.unwrap = Arc::new(self.unwrap());
        if self.is_limited() {
            settings.buckets = Arc::new(Buckets::new(FLOOD_SUBSCRIBERS));
        }
        settings
    }

    /// The tunnels that are opened.
    fn unwrap(&self) -> Unwrap {
        if self.encapsulation != Encapsulation::MapE {
            return Unwrap::default();
        }
        Unwrap::new(vec![Tunnel {
            kind: TunnelKind::Ipv4InIpv6,
            endpoints: vec![IpAddr::from(RELAY).into()],
            subscriber: Subscriber::Inner,
            rules: Vec::new(),
        }])
    }

    /// About what its frames take in memory.
    pub fn pool_bytes(&self) -> u64 {
        let long = [Mix::Chains, Mix::SourceRouted].contains(&self.mix);
        let frame_bytes = match self.size {
            Size::Least if long => 384,
            Size::Least => 128,
            Size::Imix => 448,
            Size::Largest => 1_536,
        };
        u64::from(self.frames) * frame_bytes
    }

    /// The prefixes of the families of this case.
    pub fn prefixes(&self) -> u64 {
        let [v4, v6] = [self.table.v4_prefixes, self.table.v6_prefixes].map(u64::from);
        match self.family {
            Family::Ipv4 => v4,
            Family::Ipv6 => v6,
            Family::Mixed => v4 + v6,
        }
    }

    /// What its traffic is like. Frames go out, and are TCP; `mixed` frames are of both families,
    /// and TCP, UDP, ICMP and ESP as the model has them. Of an adversarial mix each kind has an
    /// equal share: of `mixed` options, chains, tiny fragments and four tags, of a single family
    /// those that it has. In a flood each address of the plans is as likely as any other.
    pub fn model(&self) -> Model {
        let tcp = Protocols {
            tcp: 1.0,
            udp: 0.0,
            icmp: 0.0,
            esp: 0.0,
        };
        let ipv6 = match self.family {
            Family::Ipv4 => 0.0,
            Family::Ipv6 => 1.0,
            Family::Mixed => 0.5,
        };
        Model {
            sizes: match self.size {
                Size::Least => Sizes::least(),
                Size::Imix => Sizes::imix(),
                Size::Largest => Sizes::largest(),
            },
            among: match self.mix {
                Mix::Flood => Among::Addresses,
                _ => Among::Prefixes,
            },
            zipf: (self.mix == Mix::Zipf).then_some(ZIPF_EXPONENT),
            ipv6,
            protocols: match self.family {
                Family::Mixed => Protocols::default(),
                Family::Ipv4 | Family::Ipv6 => tcp,
            },
            port_25: self.port25_share,
            encapsulation: match self.encapsulation {
                Encapsulation::None => Wrapping::None,
                Encapsulation::Vlan => Wrapping::Vlan,
                Encapsulation::Qinq => Wrapping::Qinq,
                Encapsulation::QinqPppoe => Wrapping::QinqPppoe,
                Encapsulation::MapE => Wrapping::MapE,
            },
            hostile: self.hostile(),
            ..Model::default()
        }
    }

    fn hostile(&self) -> Hostile {
        let none = Hostile::default();
        match (self.mix, self.family) {
            (Mix::Uniform | Mix::Zipf | Mix::Flood, _) => none,
            (Mix::SourceRouted, _) => Hostile {
                source_routed: 1.0,
                ..none
            },
            (Mix::TinyFragments, _) => Hostile {
                tiny_fragments: 1.0,
                ..none
            },
            (Mix::Chains, Family::Ipv4) => Hostile {
                options: 1.0,
                ..none
            },
            (Mix::Chains, Family::Ipv6) => Hostile { chain: 1.0, ..none },
            (Mix::Chains, Family::Mixed) => Hostile {
                options: 0.5,
                chain: 0.5,
                ..none
            },
            (Mix::Spoofed, _) => Hostile {
                spoofed: 1.0,
                ..none
            },
            (Mix::Adversarial, Family::Ipv4) => Hostile {
                options: 1.0 / 3.0,
                tiny_fragments: 1.0 / 3.0,
                four_tags: 1.0 / 3.0,
                ..none
            },
            (Mix::Adversarial, Family::Ipv6) => Hostile {
                chain: 0.5,
                four_tags: 0.5,
                ..none
            },
            (Mix::Adversarial, Family::Mixed) => Hostile {
                options: 0.25,
                chain: 0.25,
                tiny_fragments: 0.25,
                four_tags: 0.25,
                ..none
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::RuleId;
    use crate::stage::{Burst, Facing};
    use crate::stats::Verdict;
    use crate::wire::{self, LinkType, Packet, Route, Shape};

    fn spec(traffic: &str) -> Spec {
        let name = format!("{traffic}/64/dense-2000-2000/every-frame/1/64");
        name.parse().unwrap()
    }

    fn packets(spec: &Spec, unwrap: &Unwrap) -> Vec<Packet> {
        let network = spec.network().unwrap();
        let pool = spec.pool(&network, 1).unwrap();
        let read = |frame: &&[u8]| wire::parse(frame, LinkType::ETHERNET, unwrap);
        pool.frames().iter().map(read).collect()
    }

    #[test]
    fn each_attack_is_what_it_is_called() {
        type Is = fn(&Packet) -> bool;
        let listed = |packet: &Packet| match packet.route {
            Route::Listed { addresses, .. } => addresses,
            Route::None | Route::Unreadable => 0,
        };
        let kinds: [(&str, Is); 5] = [
            ("ipv4-chains", |packet| packet.shape == Shape::Tcp),
            ("ipv6-chains", |packet| packet.shape == Shape::Tcp),
            ("ipv4-tiny-fragments", |packet| {
                packet.shape == Shape::TinyFragment
            }),
            ("ipv4-flood", |packet| packet.dst_port == 25),
            ("ipv6-flood", |packet| packet.dst_port == 25),
        ];
        for (name, is) in kinds {
            let found = packets(&spec(name), &Unwrap::default());
            assert!(found.len() == 64 && found.iter().all(is), "{name}");
        }
        for (name, addresses) in [("ipv4-source-routed", 9), ("ipv6-source-routed", 15)] {
            let found = packets(&spec(name), &Unwrap::default());
            let all = found.iter().all(|packet| listed(packet) == addresses);
            assert!(all, "{name}: {:?}", found.first());
        }
    }

    #[test]
    fn map_e_is_read_where_its_tunnels_are_opened() {
        let spec = spec("ipv4-map-e");
        let opened = packets(&spec, &spec.unwrap());
        let inner = |packet: &Packet| packet.family == Some(wire::Family::V4);
        assert!(opened.iter().all(|p| inner(p) && p.shape == Shape::Tcp));
        let closed = packets(&spec, &Unwrap::default());
        assert!(!closed.iter().any(inner));
    }

    #[test]
    fn a_flood_is_let_pass_at_a_rate_and_a_full_table_lets_nobody_else_in() {
        let spec = spec("ipv4-flood");
        let network = spec.network().unwrap();
        let pool = spec.pool(&network, 1).unwrap();
        let mut settings = spec.settings();
        settings.buckets = Arc::new(Buckets::new(0));
        let mut burst = Burst::new(Facing::Out, settings);
        let frames = pool.frames();
        burst.run(&frames, network.tables(), crate::limit::Moment::default());
        let of_rules: Vec<_> = burst
            .decisions()
            .filter(|decision| decision.rule != RuleId::NONE)
            .collect();
        let passed = of_rules.iter().filter(|d| d.verdict == Verdict::Forward);
        let (all, passed) = (of_rules.len(), passed.count());
        assert!(all > 40, "{all} of 64 frames are limited");
        assert_eq!(passed, 14, "the smallest table has 14 slots");
    }
}
