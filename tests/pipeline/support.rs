//! Pipelines as texts.

use sekisho::control::pipeline::{Loaded, Pipeline, read};
use sekisho::policy;
use std::path::{Path, PathBuf};

/// The least that pipelines of each driver say.
pub(crate) const LEAST: [&str; 3] = [
    "policies: [alpha.yaml]\ndriver: af-xdp\naccess: { device: eth0 }\n\
     network: { device: eth1 }\nlcores: [1]\n",
    "policies: [alpha.yaml]\ndriver: dpdk\naccess: { device: 0000:03:00.0 }\n\
     network: { device: 0000:03:00.1 }\nlcores: [1]\n",
    "policies: [alpha.yaml]\ndriver: pcap\naccess: { read: in.pcap }\nnetwork: {}\nlcores: [1]\n",
];

/// An entry of each kind of tunnel, with whatever it may say.
pub(crate) const EVERY_TUNNEL: &str = "
unwrap:
- kind: map-e
  endpoints: [2001:db8:ffff::1, 2001:db8:fffe::/64]
  subscriber: port-set
  interface-id: draft-03
  rules:
  - { ipv6: 2001:db8:5400::/45, ipv4: 203.0.113.112/29, ea-bits: 11, psid-offset: 4, psid-length: 8 }
  - { ipv6: 2001:db8:5500::/48, ipv4: 198.51.100.0/24, ea-bits: 16, psid-offset: 6 }
- { kind: map-e, endpoints: [2001:db8:ffff::2], subscriber: outer }
- { kind: ds-lite, endpoints: [2001:db8:ffff::3] }
- { kind: 6rd, endpoints: [192.0.2.1], subscriber: outer }
- { kind: l2tp, endpoints: [192.0.2.1, 2001:db8:ffff::1] }
- { kind: gre, endpoints: [192.0.2.1] }
- { kind: vxlan, endpoints: [10.0.0.0/8] }
- { kind: gtp-u, endpoints: [2001:db8:ffff::1] }
";

/// Reads a text as `pipelines/here.yaml`; every policy is there.
pub(crate) fn loaded(text: &str) -> Loaded {
    named("pipelines/here.yaml", text)
}

pub(crate) fn named(name: &str, text: &str) -> Loaded {
    read(name, Ok(text.as_bytes().to_vec()), &|_| Ok(()))
}

/// The pipeline of a text that nothing is said about.
pub(crate) fn good(text: &str) -> Pipeline {
    let loaded = loaded(text);
    assert_eq!(told(&loaded), "", "{text}");
    loaded.pipeline.unwrap()
}

/// What is said.
pub(crate) fn told(loaded: &Loaded) -> String {
    policy::render(&loaded.sources, &loaded.diagnostics, false)
}

/// What is said of a text that cannot be used.
pub(crate) fn refused(text: &str) -> String {
    let loaded = loaded(text);
    assert_eq!(loaded.pipeline, None, "{text}");
    told(&loaded)
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pipelines that ship.
pub(crate) fn shipped() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("pipelines")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    paths.sort();
    paths
}
