use super::{Args, out};
use crate::loadgen::traffic::{Guise, Kind, Model, Network, Totals, Way, Wrapping};
use crate::policy::PlanId;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What was made.
pub(super) struct Report<'a> {
    pub(super) network: &'a Network,
    pub(super) name: String,
    pub(super) model: &'a Model,
    pub(super) at: Timestamp,
    pub(super) args: &'a Args,
    /// By plan id.
    pub(super) expected: Vec<f64>,
    pub(super) tally: Totals,
    /// Of the file.
    pub(super) bytes: u64,
    pub(super) elapsed: Duration,
}

impl Report<'_> {
    pub(super) fn text(&self) -> String {
        let Totals {
            frames, enlarged, ..
        } = self.tally;
        let (pps, at) = (self.args.pps, self.at);
        let lines = [
            format!("network   {}", self.name),
            format!(
                "capture   {}, {} frames, {} bytes",
                self.args.write.display(),
                out::grouped(frames),
                out::grouped(self.bytes)
            ),
            format!("time      {at}, {} frames/s", out::grouped(pps)),
            format!("sizes     {} (with check sequences)", self.model.sizes),
            format!("seed      {}", self.args.seed),
        ];
        let mut text = lines.join("\n") + "\n\n";
        for (head, rows) in self.groups() {
            text += &self.group(head, rows);
        }
        text += &self.plans();
        text += &format!(
            "port 25   {} SYN outbound\n",
            out::grouped(self.port25_syns())
        );
        text += &format!(
            "enlarged  {} frames, whose headers their size did not hold\n",
            out::grouped(enlarged)
        );
        text += &format!(
            "speed     {} bytes/s ({:.3} s)\n",
            out::grouped(self.bytes_per_second()),
            self.elapsed.as_secs_f64()
        );
        text
    }

    pub(super) fn json(&self) -> Value {
        let mut made = Map::new();
        for (head, rows) in self.groups() {
            let rows = rows
                .into_iter()
                .map(|(name, frames)| (name.to_owned(), frames.into()));
            made.insert(head.to_lowercase(), Value::Object(rows.collect()));
        }
        let plans = self.by_plan().map(|(name, frames, expected)| {
            json!({ "plan": name, "frames": frames, "expected_share": expected })
        });
        json!({
            "network": self.name,
            "model": self.model,
            "seed": self.args.seed,
            "at": self.at.to_string(),
            "pps": self.args.pps,
            "capture": {
                "file": self.args.write.display().to_string(),
                "frames": self.tally.frames,
                "octets": self.tally.octets,
                "bytes": self.bytes,
            },
            "made": made,
            "plans": plans.collect::<Vec<_>>(),
            "port25_syns": self.port25_syns(),
            "enlarged": self.tally.enlarged,
            "elapsed_s": self.elapsed.as_secs_f64(),
            "bytes_per_second": self.bytes_per_second(),
        })
    }

    /// Frames by what they are.
    fn groups(&self) -> [(&'static str, Vec<(&'static str, u64)>); 5] {
        let tally = &self.tally;
        let zip = |labels: Vec<&'static str>, counts: &[u64]| {
            labels.into_iter().zip(counts.iter().copied()).collect()
        };
        let kinds = Kind::ALL.map(Kind::label).to_vec();
        let guises = Guise::ALL.map(Guise::label).to_vec();
        let ways = [Way::Out, Way::In].map(Way::label).to_vec();
        let wrappings = Wrapping::ALL.map(Wrapping::label).to_vec();
        [
            ("KIND", zip(kinds, &tally.kinds)),
            ("GUISE", zip(guises, &tally.guises)),
            ("FAMILY", zip(vec!["ipv4", "ipv6"], &tally.families)),
            ("DIRECTION", zip(ways, &tally.ways)),
            ("ENCAPSULATION", zip(wrappings, &tally.wrappings)),
        ]
    }

    /// A table of those that occur; none where all are one.
    fn group(&self, head: &str, rows: Vec<(&str, u64)>) -> String {
        let used: Vec<_> = rows.into_iter().filter(|(_, frames)| *frames > 0).collect();
        if used.is_empty() {
            return String::new();
        }
        let mut lines = vec![[head, "FRAMES", "SHARE"].map(str::to_owned).to_vec()];
        for (name, frames) in used {
            lines.push(vec![
                name.to_owned(),
                out::grouped(frames),
                self.share(frames),
            ]);
        }
        format!("{}\n", out::table(&lines, &[1, 2]))
    }

    fn plans(&self) -> String {
        let head = ["PLAN", "FRAMES", "SHARE", "EXPECTED"];
        let mut lines = vec![head.map(str::to_owned).to_vec()];
        for (name, frames, expected) in self.by_plan() {
            lines.push(vec![
                name,
                out::grouped(frames),
                self.share(frames),
                format!("{expected:.6}"),
            ]);
        }
        format!("{}\n", out::table(&lines, &[1, 2, 3]))
    }

    /// Plans that frames are expected of: name, frames, expected share.
    fn by_plan(&self) -> impl Iterator<Item = (String, u64, f64)> {
        let expected = (0_u8..).zip(&self.expected);
        expected
            .filter(|(_, share)| **share > 0.0)
            .map(|(id, share)| {
                let name = match id {
                    0 => "(spoofed)".to_owned(),
                    id => self.network.plan_name(PlanId(id)),
                };
                let frames = self.tally.plans.get(usize::from(id));
                (name, frames.copied().unwrap_or(0), *share)
            })
    }

    fn share(&self, frames: u64) -> String {
        format!("{:.6}", frames as f64 / self.tally.frames.max(1) as f64)
    }

    fn port25_syns(&self) -> u64 {
        let of = |kind: Kind| self.tally.kinds.get(kind as usize).copied().unwrap_or(0);
        of(Kind::Port25Syn) + of(Kind::BotSyn)
    }

    fn bytes_per_second(&self) -> u64 {
        let per_second = u128::from(self.bytes) * 1_000_000_000 / self.elapsed.as_nanos().max(1);
        u64::try_from(per_second).unwrap_or(u64::MAX)
    }
}
