use crate::io::{OutputError, OutputFile};
use crate::policy::Legend;
use crate::stage::{Trail, Way};
use crate::wire::{Family, Fragment, Packet, Shape};
use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// The verdict CSV: one row a frame.
pub(super) struct Verdicts {
    csv: csv::Writer<BufWriter<OutputFile>>,
    row: csv::ByteRecord,
    field: Vec<u8>,
}

const HEADER: [&str; 14] = [
    "file", "frame", "verdict", "reason", "rule", "plan", "peer_class", "direction", "src", "dst",
    "sport", "dport", "tcp_flags", "fragment",
];

impl Verdicts {
    pub(super) fn create(path: &Path) -> Result<Self, OutputError> {
        let file = OutputFile::create(path)?;
        let csv = csv::Writer::from_writer(BufWriter::with_capacity(1 << 16, file));
        let mut verdicts = Self { csv, row: csv::ByteRecord::new(), field: Vec::new() };
        for name in HEADER {
            verdicts.put(Some(name));
        }
        verdicts.end_row()?;
        Ok(verdicts)
    }

    /// Writes the row of one frame; what is unknown is empty.
    pub(super) fn write(
        &mut self,
        trail: &Trail<'_>,
        legend: &Legend,
        file: &str,
        frame: u64,
    ) -> Result<(), OutputError> {
        let Trail { packet, ends, decision } = *trail;
        self.put(Some(file));
        self.put(Some(frame));
        self.put(Some(decision.verdict));
        self.put(Some(decision.reason));
        self.put(legend.rule(decision.rule).map(|rule| &rule.name));
        let plan = legend.plan(decision.plan);
        self.put(plan.map(|plan| &plan.name));
        self.put(plan.map(|_| legend.class_name(decision.plan, decision.peer_set)));
        self.put(packet.family.map(|_| ends.way.label()));
        self.put(address(packet, packet.src));
        self.put(address(packet, packet.dst));
        self.put((packet.transport_len >= 2).then_some(packet.src_port));
        self.put((packet.transport_len >= 4).then_some(packet.dst_port));
        self.put((packet.shape == Shape::Tcp).then_some(packet.flags));
        self.put(packet.family.map(|_| match packet.fragment {
            Fragment::None => "none",
            Fragment::First => "first",
            Fragment::Later => "later",
        }));
        self.end_row()
    }

    pub(super) fn finish(self) -> Result<(), OutputError> {
        todo()
    }
}
