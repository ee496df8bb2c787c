use super::verdicts::Verdicts;
use super::{Args, Deployment, Failure};
use crate::cli::files::{Identity, refuse_inputs};
use crate::io::{CaptureWriter, OutputError, Record, is_stdout};
use crate::policy::Tables;
use crate::stage::Burst;
use crate::stats::Verdict;
use crate::wire::{AsFrame, LinkType, reply};
use std::path::{Path, PathBuf};

/// The files that a run writes; each appears under its name when the run is over, or not at all.
pub(super) struct Outputs {
    forwarded: Option<CaptureWriter>,
    dropped: Option<CaptureWriter>,
    verdicts: Option<Verdicts>,
    replies: Option<Replies>,
    to_stdout: bool,
    /// There is no other output: when its reader has gone, nothing is left to do.
    alone: bool,
}

/// The replies to rejected frames: all of them, as there is no rate to hold offline.
struct Replies {
    capture: CaptureWriter,
    count: Replied,
}

/// How many rejected frames were answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Replied {
    /// Frames that have a reply.
    pub(super) generated: u64,
    /// Frames that may not be answered, or cannot be.
    pub(super) impossible: u64,
}

impl Outputs {
    pub(super) fn none() -> Self {
        Self {
            forwarded: None,
            dropped: None,
            verdicts: None,
            replies: None,
            to_stdout: false,
            alone: false,
        }
    }

    pub(super) fn create(args: &Args, deployment: &Deployment) -> Result<Self, Failure> {
        let files = [
            &args.forwarded,
            &args.dropped,
            &args.verdicts,
            &args.replies,
        ];
        let paths: Vec<&Path> = files
            .into_iter()
            .filter_map(|path| path.as_deref())
            .collect();
        refuse_twice(&paths)?;
        let texts = deployment.policies.sources.names().map(Path::new);
        let texts = texts.chain(deployment.file());
        let captures = args.captures.iter().map(|path| input(path));
        refuse_inputs(&paths, texts.chain(captures))?;
        let alone = paths.len() == 1;
        let capture = |path: &Option<PathBuf>| {
            path.as_deref()
                .map(CaptureWriter::create)
                .transpose()
                .map_err(|error| failure(error, alone))
        };
        Ok(Self {
            forwarded: capture(&args.forwarded)?,
            dropped: capture(&args.dropped)?,
            verdicts: args
                .verdicts
                .as_deref()
                .map(Verdicts::create)
                .transpose()
                .map_err(|error| failure(error, alone))?,
            replies: capture(&args.replies)?.map(|capture| Replies {
                capture,
                count: Replied::default(),
            }),
            to_stdout: paths.iter().any(|path| is_stdout(path)),
            alone,
        })
    }

    /// Writes the frames of a burst, of whose file `before` frames came before.
    pub(super) fn write(
        &mut self,
        burst: &Burst,
        records: &[Record<'_>],
        tables: &Tables,
        file: &str,
        before: u64,
    ) -> Result<(), Failure> {
        let alone = self.alone;
        if self.forwarded.is_some() || self.dropped.is_some() {
            for (record, decision) in records.iter().zip(burst.decisions()) {
                if let Some(capture) = self.capture_of(decision.verdict) {
                    capture
                        .write(record)
                        .map_err(|error| failure(error, alone))?;
                }
            }
        }
        if let Some(replies) = &mut self.replies {
            replies
                .write(burst, records, tables)
                .map_err(|error| failure(error, alone))?;
        }
        if let Some(verdicts) = &mut self.verdicts {
            for (frame, trail) in (before + 1..).zip(burst.trails(records, tables)) {
                verdicts
                    .write(&trail, &tables.legend, file, frame)
                    .map_err(|error| failure(error, alone))?;
            }
        }
        Ok(())
    }

    fn capture_of(&mut self, verdict: Verdict) -> Option<&mut CaptureWriter> {
        match verdict {
            Verdict::Forward => self.forwarded.as_mut(),
            Verdict::Drop | Verdict::Reject | Verdict::Limit => self.dropped.as_mut(),
            // Nobody knows what would have become of it.
            Verdict::Indeterminate => None,
        }
    }

    /// How many rejected frames were answered, where replies are written.
    pub(super) fn replied(&self) -> Option<Replied> {
        self.replies.as_ref().map(|replies| replies.count)
    }

    /// Gives every file its name; whether one of them was stdout. An empty capture takes the link
    /// type of what was read.
    pub(super) fn finish(self, link_type: Option<LinkType>) -> Result<bool, Failure> {
        let link_type = link_type.unwrap_or(LinkType::ETHERNET);
        for capture in [self.forwarded, self.dropped].into_iter().flatten() {
            capture
                .finish(link_type)
                .map_err(|error| failure(error, self.alone))?;
        }
        if let Some(replies) = self.replies {
            replies
                .capture
                .finish(LinkType::ETHERNET)
                .map_err(|error| failure(error, self.alone))?;
        }
        if let Some(verdicts) = self.verdicts {
            verdicts
                .finish()
                .map_err(|error| failure(error, self.alone))?;
        }
        Ok(self.to_stdout)
    }
}

impl Replies {
    /// Writes the replies to the frames of a burst, each with the time stamp of its frame.
    fn write(
        &mut self,
        burst: &Burst,
        records: &[Record<'_>],
        tables: &Tables,
    ) -> Result<(), OutputError> {
        for (record, decision) in records.iter().zip(burst.decisions()) {
            if decision.verdict != Verdict::Reject {
                continue;
            }
            let answer = tables.answer(decision.rule);
            let Some(octets) =
                answer.and_then(|answer| reply(record.frame, burst.unwrap(), answer))
            else {
                self.count.impossible += 1;
                continue;
            };
            self.count.generated += 1;
            self.capture.write(&Record {
                frame: octets.as_slice().as_frame(),
                timestamp_ns: record.timestamp_ns,
            })?;
        }
        Ok(())
    }
}

fn failure(error: OutputError, alone: bool) -> Failure {
    if alone && error.is_broken_pipe() {
        Failure::ClosedPipe
    } else {
        Failure::io(error)
    }
}

/// What `-` means for a capture that is read.
fn input(path: &Path) -> &Path {
    if path == Path::new("-") {
        Path::new("/dev/stdin")
    } else {
        path
    }
}

fn refuse_twice(paths: &[&Path]) -> Result<(), Failure> {
    let mut seen = Vec::new();
    for path in paths.iter().filter(|path| **path != Path::new("/dev/null")) {
        let file = Identity::of(if is_stdout(path) {
            Path::new("/dev/stdout")
        } else {
            path
        });
        if file.is_some() && seen.contains(&file) {
            return Err(Failure::usage(format_args!(
                "{} is named for two outputs",
                path.display()
            )));
        }
        seen.push(file);
    }
    Ok(())
}
