use super::verdicts::Verdicts;
use super::{Args, Failure};
use crate::io::{CaptureWriter, OutputError, Record, is_stdout};
use crate::policy::Legend;
use crate::stage::Trail;
use crate::stats::Verdict;
use crate::wire::LinkType;
use std::path::{Path, PathBuf};

/// The files that a run writes; each appears under its name when the run is over, or not at all.
pub(super) struct Outputs {
    forwarded: Option<CaptureWriter>,
    dropped: Option<CaptureWriter>,
    verdicts: Option<Verdicts>,
    to_stdout: bool,
}

impl Outputs {
    pub(super) fn create(args: &Args) -> Result<Self, Failure> {
        let paths = [&args.forwarded, &args.dropped, &args.verdicts];
        refuse_twice(paths.into_iter().flatten())?;
        let capture = |path: &Option<PathBuf>| {
            path.as_deref()
                .map(CaptureWriter::create)
                .transpose()
                .map_err(failure)
        };
        Ok(Self {
            forwarded: capture(&args.forwarded)?,
            dropped: capture(&args.dropped)?,
            verdicts: args
                .verdicts
                .as_deref()
                .map(Verdicts::create)
                .transpose()
                .map_err(failure)?,
            to_stdout: paths.into_iter().flatten().any(|path| is_stdout(path)),
        })
    }

    /// Writes what is to be written of one frame.
    pub(super) fn write(
        &mut self,
        record: &Record<'_>,
        trail: &Trail<'_>,
        legend: &Legend,
        file: &str,
        frame: u64,
    ) -> Result<(), Failure> {
        let capture = match trail.decision.verdict {
            Verdict::Forward => &mut self.forwarded,
            Verdict::Drop | Verdict::Reject | Verdict::Limit => &mut self.dropped,
            // Nobody knows what would have become of it.
            Verdict::Indeterminate => &mut None,
        };
        if let Some(capture) = capture {
            capture.write(record).map_err(failure)?;
        }
        if let Some(verdicts) = &mut self.verdicts {
            verdicts
                .write(trail, legend, file, frame)
                .map_err(failure)?;
        }
        Ok(())
    }

    /// Gives every file its name; whether one of them was stdout. An empty capture takes the link
    /// type of what was read.
    pub(super) fn finish(self, link_type: Option<LinkType>) -> Result<bool, Failure> {
        let link_type = link_type.unwrap_or(LinkType::ETHERNET);
        for capture in [self.forwarded, self.dropped].into_iter().flatten() {
            capture.finish(link_type).map_err(failure)?;
        }
        if let Some(verdicts) = self.verdicts {
            verdicts.finish().map_err(failure)?;
        }
        Ok(self.to_stdout)
    }
}

fn failure(error: OutputError) -> Failure {
    if error.is_broken_pipe() {
        Failure::ClosedPipe
    } else {
        Failure::io(error)
    }
}

fn refuse_twice<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Result<(), Failure> {
    let mut seen = Vec::new();
    for path in paths.filter(|path| path.as_path() != Path::new("/dev/null")) {
        let place = place(path);
        if seen.contains(&place) {
            return Err(Failure::usage(format_args!(
                "{} is named for two outputs",
                path.display()
            )));
        }
        seen.push(place);
    }
    Ok(())
}

/// One name for each place that an output goes to: `a`, `./a` and a link to it are the same.
fn place(path: &Path) -> PathBuf {
    if is_stdout(path) {
        return PathBuf::from("-");
    }
    let in_folder = || {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    let existing = path.canonicalize().ok();
    existing
        .or_else(in_folder)
        .unwrap_or_else(|| path.to_owned())
}
