use crate::io::{OutputError, OutputFile};
use crate::policy::Legend;
use crate::stage::Trail;
use crate::wire::{Fragment, Shape};
use std::fmt::{Display, Write as _};
use std::io::{self, BufWriter};
use std::path::Path;

/// The verdict CSV: one row a frame.
pub(super) struct Verdicts {
    name: String,
    csv: csv::Writer<BufWriter<OutputFile>>,
    /// One field in the making; kept, so that a row allocates nothing.
    field: String,
}

const HEADER: [&str; 14] = [
    "file",
    "frame",
    "verdict",
    "reason",
    "rule",
    "plan",
    "peer_class",
    "direction",
    "src",
    "dst",
    "sport",
    "dport",
    "tcp_flags",
    "fragment",
];

impl Verdicts {
    pub(super) fn create(path: &Path) -> Result<Self, OutputError> {
        let file = OutputFile::create(path)?;
        let name = file.name().to_owned();
        let csv = csv::Writer::from_writer(BufWriter::with_capacity(1 << 16, file));
        let mut verdicts = Self {
            name,
            csv,
            field: String::new(),
        };
        verdicts.row(|row| HEADER.iter().try_for_each(|name| row.put(Some(name))))?;
        Ok(verdicts)
    }

    /// Writes the row of one frame; what is unknown is empty.
    pub(super) fn write(
        &mut self,
        trail: &Trail,
        legend: &Legend,
        file: &str,
        frame: u64,
    ) -> Result<(), OutputError> {
        let Trail {
            packet,
            ends,
            decision,
        } = *trail;
        let plan = legend.plan(decision.plan).map(|(_, plan)| plan);
        self.row(|row| {
            row.put(Some(file))?;
            row.put(Some(frame))?;
            row.put(Some(decision.verdict))?;
            row.put(Some(decision.reason))?;
            row.put(legend.rule(decision.rule).map(|(_, rule)| &rule.name))?;
            row.put(plan.map(|plan| &plan.name))?;
            row.put(plan.map(|_| legend.class_name(decision.plan, decision.peer_set)))?;
            row.put(packet.family.map(|_| ends.way.label()))?;
            row.put(packet.src_addr())?;
            row.put(packet.dst_addr())?;
            row.put((packet.transport_len >= 2).then_some(packet.src_port))?;
            row.put((packet.transport_len >= 4).then_some(packet.dst_port))?;
            row.put((packet.shape == Shape::Tcp).then_some(packet.flags))?;
            row.put(packet.family.map(|_| match packet.fragment {
                Fragment::None => "none",
                Fragment::First => "first",
                Fragment::Later => "later",
            }))
        })
    }

    pub(super) fn finish(self) -> Result<(), OutputError> {
        let Self {
            name,
            csv,
            field: _,
        } = self;
        let failed = |cause| OutputError::Write {
            file: name.clone(),
            cause,
        };
        let buffer = csv
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        let file = buffer
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        file.finish()
    }

    fn row(&mut self, fill: impl FnOnce(&mut Self) -> csv::Result<()>) -> Result<(), OutputError> {
        let filled = fill(self).and_then(|()| self.csv.write_record(None::<&[u8]>));
        filled.map_err(|error| OutputError::Write {
            file: self.name.clone(),
            cause: match error.into_kind() {
                // As it is: whether the reader has gone counts.
                csv::ErrorKind::Io(cause) => cause,
                other => io::Error::other(format!("{other:?}")),
            },
        })
    }

    fn put(&mut self, value: Option<impl Display>) -> csv::Result<()> {
        self.field.clear();
        if let Some(value) = value {
            write!(self.field, "{value}").map_err(io::Error::other)?;
        }
        self.csv.write_field(&self.field)
    }
}
