//! capsule's runtime file, and what it must say for a bump in the wire.

use anyhow::{Context as _, bail, ensure};
use capsule::config::{PortConfig, RuntimeConfig};
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// What capsule is told, and what it does not tell again.
pub(crate) struct RuntimeFile {
    pub(crate) config: RuntimeConfig,
    /// The port where subscribers are: the first.
    pub(crate) access: String,
    pub(crate) network: String,
    /// Those of both ports.
    pub(crate) cores: Vec<usize>,
    pub(crate) master_core: usize,
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

/// Reads it.
///
/// # Errors
/// It cannot be read, or capsule would not take it or pass over a part of it in silence, or it is
/// not of two ports for a bump in the wire.
pub(crate) fn read(path: &Path) -> anyhow::Result<RuntimeFile> {
    let place = || path.display().to_string();
    let text = fs::read_to_string(path).with_context(place)?;
    parse(&text).with_context(place)
}

fn parse(text: &str) -> anyhow::Result<RuntimeFile> {
    let mut unknown = Vec::new();
    let config: RuntimeConfig =
        serde_ignored::deserialize(&mut toml::Deserializer::new(text), |key| {
            unknown.push(key.to_string());
        })?;
    ensure!(unknown.is_empty(), "unknown: {}", unknown.join(", "));
    let Numbers { master_core, ports } = toml::from_str(text)?;

    let ([access, network], [access_cores, network_cores]) = (&config.ports[..], &ports[..]) else {
        bail!(
            "two ports are wanted, access and network, in this order; there are {}",
            config.ports.len()
        );
    };
    ensure!(
        access.name != network.name,
        "both ports are named {:?}",
        access.name
    );
    check(access)?;
    check(network)?;
    let [mut cores, mut others] = [access_cores, network_cores].map(|port| port.cores.clone());
    for cores in [&mut cores, &mut others] {
        cores.sort_unstable();
        cores.dedup();
    }
    ensure!(
        cores == others,
        "the ports have different cores: each core takes frames from both"
    );
    Ok(RuntimeFile {
        access: access.name.clone(),
        network: network.name.clone(),
        config,
        cores,
        master_core,
    })
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
        let file = parse(FILE).unwrap_or_else(|error| unreachable!("{error:#}"));
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
            ("[[ports]]", "[[port]]", "missing field `ports`"),
        ] {
            let error = parse(&FILE.replacen(from, to, 1)).map(|_| ()).unwrap_err();
            assert!(format!("{error:#}").contains(said), "{to}: {error:#}");
        }
        let one = FILE.rsplit_once("[[ports]]").map(|(one, _)| one);
        let error = parse(one.unwrap_or_default()).map(|_| ()).unwrap_err();
        assert!(format!("{error}").contains("there are 1"), "{error}");
    }
}
