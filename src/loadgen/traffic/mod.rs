//! Traffic after a model that is stated in full, the same on every run.
//!
//! [`Model`] says what the frames are like, [`Network`] whose they are, and [`Generator`] makes
//! them. Model, network and seed decide every octet, on every machine (but see *Zipf* below).
//!
//! # The model
//! - **Frames are independent**: each draws its guise, family, kind, way, subscriber, peer and
//!   encapsulation anew, so that their order is random. Only sizes repeat.
//! - **Sizes** are a sequence that repeats exactly (RFC 6985), by default the simple IMIX, 7 : 4 : 1
//!   in the order 64, 594, 64, 64, 594, 64, 64, 594, 64, 64, 594, 1,518. They count the 4 octets
//!   of the check sequence, which no capture holds: a frame of 64 octets has 60 here. A frame whose
//!   headers do not fit takes the smallest size that holds them (78 octets for IPv6 and TCP, 74
//!   for IPv4 and TCP in QinQ and PPPoE), and is counted as enlarged.
//! - **Subscribers**: a plan by its share, then a prefix of the plan and an address in it
//!   ([`Among::Prefixes`]), or an address of the plan ([`Among::Addresses`]); all alike, or by a
//!   Zipf law within the plan. A longer prefix of another plan is taken out of a shorter one.
//! - **Peers**: a class by its share, then any of its addresses; the rest any address of the
//!   whole space but special ranges, subscribers and classes (drawn again up to 15 times).
//! - **Port 25**: only new connections to it, and their answers inbound, and bots' connections;
//!   no other frame has anything to do with port 25, so its share is exact.
//! - **Defaults** ([`Model::default`]): IMIX; prefixes alike; plans by their prefixes; peers in no
//!   class; outbound, IPv4, no encapsulation; 1 % new connections to port 25, no bots; of the
//!   others 80 % TCP (75 % ACK, 20 % PSH, 2 % SYN, 2 % FIN, 1 % RST), 18 % UDP, 1 % ICMP, 1 % ESP;
//!   nothing hostile.
//! - **Payload** is zeros, checksums are right, hardware addresses are locally administered, VLAN
//!   tags and PPPoE sessions hang on the subscriber. TCP segments in least frames are empty and
//!   padded.
//! - **Zipf**: its ranks come from the machine's `pow`; where that differs in the last bit of a
//!   result, another machine may, very rarely, draw another subscriber. All else is drawn with
//!   whole numbers.

mod address;
mod frame;
mod generator;
mod made;
mod model;
mod network;
mod pool;
mod random;
mod sizes;
mod synthetic;

pub use generator::Generator;
pub use made::{Guise, Kind, Made, Totals, Way, Wrapping};
pub use model::{
    Among, Bots, Direction, Encapsulation, Hostile, Model, ModelError, Protocols, RELAY, TcpFlags,
};
pub use network::{Network, NetworkError};
pub use sizes::{Sizes, SizesError};
pub use synthetic::{Spread, Synthetic, UnknownNetwork};
