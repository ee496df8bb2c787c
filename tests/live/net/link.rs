use super::{Namespace, run};
use serde_json::Value;
use std::process::Command;

/// A wire between two namespaces.
#[derive(Debug)]
pub(crate) struct Veth<'a> {
    ends: [(&'a Namespace, &'a str); 2],
}

/// What the kernel counts of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) rx_packets: u64,
    pub(crate) rx_dropped: u64,
    pub(crate) tx_packets: u64,
    pub(crate) tx_dropped: u64,
}

impl<'a> Veth<'a> {
    /// A wire between links of these names.
    pub(crate) fn new(a: (&'a Namespace, &'a str), b: (&'a Namespace, &'a str)) -> Self {
        Self { ends: [a, b] }
    }

    /// Makes it, both ends up, of one queue each way and frames of 1,500 bytes.
    pub(crate) fn make(self) {
        self.make_with(1, 1500);
    }

    /// Makes it with so many receive and transmit queues at each end, for packets of such a size.
    ///
    /// Checksums are computed by the sender: otherwise veth hands on frames whose checksum nobody has
    /// filled in yet, which no wire would carry. Nor are segments left for a NIC to cut: neither
    /// AF_XDP nor a wire takes a frame of 64 kB.
    pub(crate) fn make_with(self, queues: u32, mtu_bytes: u32) {
        let [(a, a_link), (b, b_link)] = self.ends;
        let (queues, mtu) = (queues.to_string(), mtu_bytes.to_string());
        let shape = ["mtu", &mtu, "numrxqueues", &queues, "numtxqueues", &queues];
        let there = ["type", "veth", "peer", "name", b_link, "netns", b.name()];
        let mut line = vec!["link", "add", "name", a_link];
        line.extend(shape.iter().chain(&there).chain(&shape));
        a.ip(&line);
        for (namespace, link) in self.ends {
            run(namespace.command("ethtool").args(["-K", link]).args([
                "tx", "off", "tso", "off", "gso", "off", "gro", "off", "rxvlan", "off", "txvlan",
                "off",
            ]));
            namespace.ip(&["link", "set", "dev", link, "up"]);
        }
    }
}

impl Namespace {
    /// What the kernel has counted of a link.
    pub(crate) fn counters(&self, link: &str) -> Counters {
        let text = run(Command::new("ip").args([
            "-n",
            self.name(),
            "-s",
            "-j",
            "link",
            "show",
            "dev",
            link,
        ]));
        let found: Value = serde_json::from_str(&text).unwrap();
        let count = |way: &str, what: &str| found[0]["stats64"][way][what].as_u64().unwrap();
        Counters {
            rx_packets: count("rx", "packets"),
            rx_dropped: count("rx", "dropped"),
            tx_packets: count("tx", "packets"),
            tx_dropped: count("tx", "dropped"),
        }
    }
}
