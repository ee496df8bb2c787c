use super::pool::{Pool, TooLarge};
use super::spec::Spec;
use crate::loadgen::traffic::{
    Encapsulation as Wrapping, Generator, Hostile, Model, ModelError, Network, Protocols, Sizes,
};
use crate::loadgen::{Encapsulation, Family, Mix, Size};

/// By what law the subscribers of a Zipf mix send.
const ZIPF_EXPONENT: f64 = 1.0;

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
        Ok(Pool::new(frames)?)
    }

    /// About what its frames take in memory.
    pub fn pool_bytes(&self) -> u64 {
        let frame_bytes = match self.size {
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
    /// those that it has.
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
            },
            hostile: self.hostile(),
            ..Model::default()
        }
    }

    fn hostile(&self) -> Hostile {
        let none = Hostile::default();
        match (self.mix, self.family) {
            (Mix::Uniform | Mix::Zipf, _) => none,
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
