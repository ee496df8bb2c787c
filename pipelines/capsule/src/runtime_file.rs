//! capsule's runtime file, and what it must say for a bump in the wire.

use anyhow::{Context as _, bail, ensure};
use capsule::batch::Pipeline;
use capsule::config::{PortConfig, RuntimeConfig};
use capsule::{PortQueue, Runtime};
use sekisho::stage::Facing;
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
    /// Further ones.
    other_cores: Vec<usize>,
}

/// The same file again, for the numbers of cores: those of capsule's cannot be read.
#[derive(Deserialize)]
struct Numbers {
    master_core: usize,
    #[serde(default)]
    cores: Vec<usize>,
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
        let cores = file.cores.iter().chain(&file.other_cores);
        for core in cores.chain([&file.master_core]) {
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
        // As it is, or as TOML can spell it: capsule makes strings of C of all.
        ensure!(
            !text.contains(['\0']) && !text.contains("\\u0000"),
            "a zero octet in a name"
        );
        let Numbers {
            master_core,
            cores: other_cores,
            ports,
        } = toml::from_str(text)?;

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
            other_cores,
        })
    }

    /// Installs two pipelines on each core: one for what access receives, which leaves by network,
    /// and one for the way back. Each is made on its core, with the port that it begins at and the
    /// one that it ends at.
    ///
    /// # Errors
    /// capsule's, where the runtime is one of another file.
    pub fn install<P: Pipeline + 'static>(
        &self,
        runtime: &mut Runtime,
        pipeline: impl Fn(Facing, PortQueue, PortQueue) -> P + Clone + Send + Sync + 'static,
    ) -> anyhow::Result<()> {
        let sides = [
            (Facing::Out, &self.access, &self.network),
            (Facing::In, &self.network, &self.access),
        ];
        for (core, (facing, from, to)) in
            self.cores.iter().flat_map(|core| sides.map(|s| (core, s)))
        {
            let (from, to, pipeline) = (from.clone(), to.clone(), pipeline.clone());
            runtime.add_pipeline_to_core(*core, move |ports| {
                #[expect(
                    clippy::indexing_slicing,
                    reason = "both ports have each of these cores: the file was read so"
                )]
                let [from, to] = [&ports[&from], &ports[&to]].map(PortQueue::clone);
                pipeline(facing, from, to)
            })?;
        }
        Ok(())
    }
}

/// The longest ring that capsule does not cut to 16 bits.
const MOST_FRAMES: usize = 65_535;

fn check(port: &PortConfig) -> anyhow::Result<()> {
    let PortConfig {
        name,
        promiscuous,
        multicast,
        kni,
        rxd,
        txd,
        device,
        args,
        ..
    } = port;
    ensure!(
        *rxd.max(txd) <= MOST_FRAMES,
        "port {name:?}: rxd and txd are {MOST_FRAMES} at most"
    );
    ensure!(
        args.is_none() || !device.contains(':'),
        "port {name:?}: capsule gives args to virtual devices only"
    );
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
    fn the_shipped_files_are_taken() {
        for text in [
            include_str!("../replay.toml"),
            include_str!("../bump-in-the-wire.toml"),
        ] {
            RuntimeFile::parse(text).map(drop).unwrap();
        }
    }

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
            (
                "promiscuous = true",
                "promiscuous = true\ntxd = 70000",
                "65535 at most",
            ),
            (
                "\"net_null0\"",
                "\"0000:03:00.0\"\nargs = \"a=1\"",
                "virtual devices only",
            ),
            ("\"box\"", "\"b\\u0000x\"", "a zero octet"),
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
