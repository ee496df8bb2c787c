use super::Policies;
use crate::cli::{Exit, Failure, out};
use crate::io::CaptureReader;
use crate::limit::Moment;
use crate::policy::{Legend, RuleId};
use crate::stage::{Burst, Decision, Facing, Settings};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::path::Path;

/// The frames of captures whose verdict changes.
#[derive(Default)]
pub(super) struct Changed {
    frames: Vec<Frame>,
    compared: u64,
    faults: usize,
}

struct Frame {
    file: String,
    number: u64,
    old: Outcome,
    new: Outcome,
}

struct Outcome {
    verdict: &'static str,
    rule: Option<String>,
}

impl Changed {
    /// Decides each frame of a capture under both policies, the old one first.
    pub(super) fn compare(
        &mut self,
        path: &Path,
        [(old, settings_before), (new, settings_after)]: [(&Policies, Settings); 2],
        at: Timestamp,
    ) -> Result<(), Failure> {
        let (before, after) = (old.epoch(at)?, new.epoch(at)?);
        let mut burst_before = Burst::new(Facing::Auto, settings_before);
        let mut burst_after = Burst::new(Facing::Auto, settings_after);
        let mut number = 0;
        let mut read = || {
            let mut reader = CaptureReader::open(path)?;
            loop {
                let records = reader.read_burst()?;
                if records.is_empty() {
                    return Ok(());
                }
                burst_before.run(&records, &before.tables, Moment::default());
                burst_after.run(&records, &after.tables, Moment::default());
                for (was, is) in burst_before.decisions().zip(burst_after.decisions()) {
                    number += 1;
                    if was.verdict != is.verdict {
                        self.frames.push(Frame {
                            file: path.display().to_string(),
                            number,
                            old: outcome(&was, old.legend()),
                            new: outcome(&is, new.legend()),
                        });
                    }
                }
            }
        };
        let outcome: Result<(), crate::io::CaptureError> = read();
        if let Err(fault) = outcome {
            out::complain("error", fault);
            self.faults += 1;
        }
        self.compared += number;
        Ok(())
    }

    pub(super) fn exit(&self) -> Exit {
        if self.faults > 0 { Exit::Io } else { Exit::Ok }
    }

    pub(super) fn text(&self) -> String {
        let (changed, compared) = (self.frames.len() as u64, self.compared);
        let mut text = format!(
            "frames    {} of {} change verdict\n",
            out::grouped(changed),
            out::grouped(compared)
        );
        for Frame {
            file,
            number,
            old,
            new,
        } in &self.frames
        {
            text += &format!("{file}, frame {number}: {} → {}\n", old.text(), new.text());
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let frames = self.frames.iter().map(|frame| {
            json!({
                "file": frame.file,
                "frame": frame.number,
                "old": frame.old.json(),
                "new": frame.new.json(),
            })
        });
        json!({ "frames": self.compared, "changed": frames.collect::<Vec<_>>() })
    }
}

fn outcome(decision: &Decision, legend: &Legend) -> Outcome {
    let rule = |id: RuleId| legend.rule(id).map(|(_, rule)| rule.name.clone());
    Outcome {
        verdict: decision.verdict.label(),
        rule: rule(decision.rule),
    }
}

impl Outcome {
    fn text(&self) -> String {
        match &self.rule {
            Some(rule) => format!("{} ({rule})", self.verdict),
            None => self.verdict.to_owned(),
        }
    }

    fn json(&self) -> Value {
        json!({ "verdict": self.verdict, "rule": self.rule })
    }
}
