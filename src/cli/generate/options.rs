//! The model, as it is typed.

use crate::cli::Failure;
use crate::loadgen::traffic::{
    Among, Bots, Direction, Encapsulation, Hostile, Model, Protocols, Sizes, TcpFlags,
};
use std::collections::BTreeMap;
use std::str::FromStr;

/// What the options mean together.
pub(super) const MODEL: &str = "\
The model: each frame is drawn by itself, so kinds come in random order; only sizes repeat, in the \
exact order given (RFC 6985). `imix` is 64,594,64,64,594,64,64,594,64,64,594,1518. Sizes count the \
4 octets of the check sequence, which no capture holds. A frame whose headers do not fit takes the \
least size that holds them, and is counted as enlarged.

A frame's subscriber is drawn by plan (shares given, or by what each plan has of `--among`), then \
by prefix or address, all alike or by a Zipf law. Its peer is drawn by class, or is any address of \
the whole space without special ranges, subscribers and classes. No frame but the new connections \
of `--port25` and `--bots`, and the answers to them under `--direction both` or `in`, has anything \
to do with port 25. Bots are subscribers of plans whose connections to port 25 are dropped.

Payload is zeros; checksums are right; hardware addresses are locally administered; VLAN tags and \
PPPoE sessions hang on the subscriber. The same options and seed give the same octets.";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Model")]
pub(super) struct ModelArgs {
    /// Octets of the frames, repeated in this order: `imix`, numbers (64,594,1518), or letters of
    /// RFC 6985 (a 64, b 128, c 256, d 512, e 1024, f 1280, g 1518, h 2112, i 9000).
    #[arg(long, value_name = "SEQUENCE", default_value = "imix")]
    sizes: Sizes,
    /// A plan's share of the frames of each IP version in which it has subscribers; the others
    /// divide the rest.
    #[arg(long = "share", value_name = "PLAN=SHARE", value_delimiter = ',')]
    plans: Vec<Share>,
    /// What a draw of a subscriber is among; prefixes for made-up networks and addresses for
    /// policies, unless it is given.
    #[arg(long, value_enum)]
    among: Option<AmongArg>,
    /// Some subscribers send more than others of their plan: the exponent of the Zipf law.
    #[arg(long, value_name = "EXPONENT")]
    zipf: Option<f64>,
    /// A destination class's share of the peers; the rest are in none.
    #[arg(long = "class", value_name = "CLASS=SHARE", value_delimiter = ',')]
    classes: Vec<Share>,
    /// Which way frames go: from subscribers, to subscribers, or half of them each way.
    #[arg(long, value_enum, default_value_t = DirectionArg::Out)]
    direction: DirectionArg,
    /// The share of IPv6.
    #[arg(long, value_name = "SHARE", default_value_t = Model::default().ipv6)]
    ipv6: f64,
    /// Shares of tcp, udp, icmp and esp among frames that have nothing to do with port 25.
    #[arg(
        long,
        value_name = "NAME=SHARE",
        value_delimiter = ',',
        default_value = "tcp=0.8,udp=0.18,icmp=0.01,esp=0.01"
    )]
    protocols: Vec<Share>,
    /// Shares of ack, push (with ACK), syn (with ACK inbound), fin (with ACK) and reset among TCP's
    /// of these.
    #[arg(
        long,
        value_name = "NAME=SHARE",
        value_delimiter = ',',
        default_value = "ack=0.75,push=0.2,syn=0.02,fin=0.02,reset=0.01"
    )]
    tcp_flags: Vec<Share>,
    /// The share of new connections to port 25 from any subscriber; with inbound frames, of these
    /// and their answers.
    #[arg(long, value_name = "SHARE", default_value_t = Model::default().port_25)]
    port25: f64,
    /// The share of bots' new connections to port 25.
    #[arg(long, value_name = "SHARE", default_value_t = Bots::default().share)]
    bots: f64,
    /// How many bots there are in each IP version.
    #[arg(long, value_name = "COUNT", default_value_t = Bots::default().count)]
    bot_count: u32,
    /// What stands between Ethernet and IP; `mixed` is each as often as any other.
    #[arg(long, value_enum, default_value_t = EncapsulationArg::None)]
    encapsulation: EncapsulationArg,
    /// A share of frames made to hurt: spoofed (any source), options (40 octets of IPv4's), chain
    /// (8 IPv6 extension headers, 256 octets), tiny-fragments (IPv4, 8 octets of TCP), four-tags,
    /// source-routed (the longest route, all of it yet to go).
    #[arg(long, value_name = "NAME=SHARE", value_delimiter = ',')]
    hostile: Vec<Share>,
}

/// A name and its share.
#[derive(Clone, Debug)]
struct Share {
    name: String,
    share: f64,
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = |(name, share): (&str, &str)| {
            let share = share.parse().ok()?;
            let name = name.to_owned();
            Some(Self { name, share })
        };
        let found = text.rsplit_once('=').and_then(read);
        found.ok_or_else(|| "expected a name and a share, such as home=0.3".to_owned())
    }
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum AmongArg {
    /// The listed prefixes, whatever their lengths; then the addresses of the one drawn.
    Prefixes,
    /// Each address of IPv4, each /56 of IPv6.
    Addresses,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum DirectionArg {
    /// From subscribers to peers.
    Out,
    /// From peers to subscribers.
    In,
    /// Half each way; bots and spoofed sources only outbound.
    Both,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum EncapsulationArg {
    /// Nothing.
    None,
    /// One 802.1Q tag.
    Vlan,
    /// An 802.1ad tag, then an 802.1Q tag.
    Qinq,
    /// The same, then a PPPoE session.
    QinqPppoe,
    /// Each of these.
    Mixed,
}

impl ModelArgs {
    /// What was typed; numbers are held against their limits when it is set to work.
    pub(super) fn model(&self, made_up: bool) -> Result<Model, Failure> {
        Ok(Model {
            sizes: self.sizes.clone(),
            among: match (self.among, made_up) {
                (Some(AmongArg::Prefixes), _) | (None, true) => Among::Prefixes,
                (Some(AmongArg::Addresses), _) | (None, false) => Among::Addresses,
            },
            zipf: self.zipf,
            plans: by_name("--share", &self.plans)?,
            classes: by_name("--class", &self.classes)?,
            direction: match self.direction {
                DirectionArg::Out => Direction::Out,
                DirectionArg::In => Direction::In,
                DirectionArg::Both => Direction::Both,
            },
            ipv6: self.ipv6,
            protocols: self.protocols()?,
            tcp_flags: self.tcp_flags()?,
            port_25: self.port25,
            bots: Bots {
                count: self.bot_count,
                share: self.bots,
            },
            encapsulation: match self.encapsulation {
                EncapsulationArg::None => Encapsulation::None,
                EncapsulationArg::Vlan => Encapsulation::Vlan,
                EncapsulationArg::Qinq => Encapsulation::Qinq,
                EncapsulationArg::QinqPppoe => Encapsulation::QinqPppoe,
                EncapsulationArg::Mixed => Encapsulation::Mixed,
            },
            hostile: self.hostile()?,
        })
    }

    fn protocols(&self) -> Result<Protocols, Failure> {
        let names = ["tcp", "udp", "icmp", "esp"];
        let [tcp, udp, icmp, esp] = of_names("--protocols", names, &self.protocols)?;
        Ok(Protocols {
            tcp,
            udp,
            icmp,
            esp,
        })
    }

    fn tcp_flags(&self) -> Result<TcpFlags, Failure> {
        let names = ["ack", "push", "syn", "fin", "reset"];
        let [ack, push, syn, fin, reset] = of_names("--tcp-flags", names, &self.tcp_flags)?;
        Ok(TcpFlags {
            ack,
            push,
            syn,
            fin,
            reset,
        })
    }

    fn hostile(&self) -> Result<Hostile, Failure> {
        let names = [
            "spoofed",
            "options",
            "chain",
            "tiny-fragments",
            "four-tags",
            "source-routed",
        ];
        let shares = of_names("--hostile", names, &self.hostile)?;
        let [
            spoofed,
            options,
            chain,
            tiny_fragments,
            four_tags,
            source_routed,
        ] = shares;
        Ok(Hostile {
            spoofed,
            options,
            chain,
            tiny_fragments,
            four_tags,
            source_routed,
        })
    }
}

fn by_name(option: &str, shares: &[Share]) -> Result<BTreeMap<String, f64>, Failure> {
    let mut found = BTreeMap::new();
    for Share { name, share } in shares {
        if found.insert(name.clone(), *share).is_some() {
            return Err(Failure::usage(format_args!("{option}: `{name}` twice")));
        }
    }
    Ok(found)
}

/// The shares of a fixed set of names; what is not given has none.
fn of_names<const N: usize>(
    option: &str,
    names: [&str; N],
    shares: &[Share],
) -> Result<[f64; N], Failure> {
    let mut found = by_name(option, shares)?;
    let known = names.map(|name| found.remove(name).unwrap_or(0.0));
    match found.first_key_value() {
        Some((name, _)) => Err(Failure::usage(format_args!(
            "{option}: `{name}` is none of {}",
            names.join(", ")
        ))),
        None => Ok(known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        model: ModelArgs,
    }

    #[test]
    fn without_options_it_is_the_models_default() {
        let typed = Typed::parse_from(["gen"]);
        assert_eq!(typed.model.model(true).unwrap(), Model::default());
    }
}
