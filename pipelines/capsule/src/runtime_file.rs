//! capsule's runtime file, and what it must say for a bump in the wire.

use anyhow::{Context as _, bail, ensure};
use capsule::config::{PortConfig, RuntimeConfig};
use sekisho::worker::Lcore;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What capsule is told, and what it does not tell again.
pub struct RuntimeFile {
    /// For [`Runtime::build`](capsule::Runtime::build).
    pub config: RuntimeConfig,
    /// The name of the port where subscribers are: the first.
    pub access: String,
    /// The name of the other.
    pub network: String,
    /// The cores of both ports, in order.
    pub cores: Vec<usize>,
    /// Where capsule waits for signals, and where periodic tasks may run.
    pub master_core: usize,
}

/// The numbers of cores, which capsule keeps to itself.
#[derive(Deserialize)]
struct Numbers {
    master_core: usize,
    ports: Vec<Cores>,
}

#[derive(Deserialize)]
struct Cores {
    cores: Vec<usize>,
}

impl RuntimeFile {
    /// Reads one.
    ///
    /// # Errors
    /// It cannot be read, or capsule would not take it or pass over a part of it in silence, or it is
    /// not of two ports for a bump in the wire on cores that are there.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let place = || path.display().to_string();
        let text = fs::read_to_string(path).with_context(place)?;
        let file = Self::parse(&text).with_context(place)?;
        let usable = Lcore::usable()?;
        for core in file.cores.iter().chain([&file.master_core]) {
            let is_usable = usable.iter().any(|lcore| lcore.0 as usize == *core);
            ensure!(is_usable, "{}: there is no core {core}", place());
        }
        Ok(file)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut unknown = Vec::new();
        let config: RuntimeConfig =
            serde_ignored::deserialize(&mut toml::Deserializer::new(text), |key| {
                unknown.push(key.to_string());
            })?;
        ensure!(unknown.is_empty(), "unknown: {}", unknown.join(", "));
        let Numbers { master_core, ports } = toml::from_str(text)?;

        let ([access, network], [of_access, of_network]) = (&config.ports[..], &ports[..]) else {
            bail!(
                "two ports are wanted, access and network, in this order; there are {}",
                config.ports.len()
            );
        };
        let name = &access.name;
        ensure!(*name != network.name, "both ports are named {name:?}");
        check(access)?;
        check(network)?;
        let [cores, others] =
            [of_access, of_network].map(|port| port.cores.iter().copied().collect::<BTreeSet<_>>());
        ensure!(
            cores == others,
            "the ports have different cores: each core takes frames from both"
        );
        Ok(Self {
            access: access.name.clone(),
            network: network.name.clone(),
            config,
            cores: cores.into_iter().collect(),
            master_core,
        })
    }
}

fn check(port: &PortConfig) -> anyhow::Result<()> {
    let PortConfig {
        name,
        promiscuous,
        multicast,
        kni,
        ..
    } = port;
    ensure!(
        promiscuous & multicast,
        "port {name:?}: promiscuous and multicast must be true: no frame in the wire is for this box"
    );
    ensure!(!kni, "port {name:?}: DPDK has no KNI any more");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        app_name = "box"
        master_core = 0
        [[ports]]
        name = "access"
        device = "net_null0"
        cores = [2, 1, 2]
        promiscuous = true
        [[ports]]
        name = "network"
        device = "net_null1"
        cores = [1, 2]
        promiscuous = true
    "#;

    #[test]
    fn a_file_of_two_ports_is_taken() {
        let file = RuntimeFile::parse(FILE).unwrap();
        assert_eq!((&*file.access, &*file.network), ("access", "network"));
        assert_eq!((file.cores, file.master_core), (vec![1, 2], 0));
    }

    #[test]
    fn what_would_be_passed_over_is_told() {
        for (from, to, said) in [
            ("promiscuous = true", "promiscous = true", "unknown: ports"),
            ("master_core", "main_core", "unknown field `main_core`"),
            (
                "promiscuous = true",
                "multicast = true",
                "promiscuous and multicast",
            ),
            (
                "promiscuous = true",
                "promiscuous = true\nkni = true",
                "KNI",
            ),
            (
                "\"network\"",
                "\"access\"",
                "both ports are named \"access\"",
            ),
            ("[1, 2]", "[1]", "different cores"),
            ("[[ports]]", "[[port]]", "unknown field `port`"),
        ] {
            let error = RuntimeFile::parse(&FILE.replacen(from, to, 1))
                .map(|_| ())
                .unwrap_err();
            assert!(format!("{error:#}").contains(said), "{to}: {error:#}");
        }
        let one = FILE.rsplit_once("[[ports]]").map(|(one, _)| one);
        let error = RuntimeFile::parse(one.unwrap_or_default())
            .map(|_| ())
            .unwrap_err();
        assert!(format!("{error}").contains("there are 1"), "{error}");
    }
}
