//! Files that a run reads, and files that it writes.

use super::Failure;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// An output replaces the file of its name: what a run reads would be lost.
pub(super) fn refuse_inputs<'a>(
    outputs: &[&Path],
    inputs: impl Iterator<Item = &'a Path>,
) -> Result<(), Failure> {
    let read: Vec<_> = inputs
        .filter(|path| path.is_file())
        .filter_map(Identity::of)
        .collect();
    let lost = |path: &&&Path| Identity::of(path).is_some_and(|file| read.contains(&file));
    match outputs.iter().find(lost) {
        None => Ok(()),
        Some(path) => Err(Failure::usage(format_args!(
            "{} is read by this run: write to another file",
            path.display()
        ))),
    }
}

/// One file, whatever its names.
#[derive(PartialEq, Eq)]
pub(super) enum Identity {
    Exists { device: u64, inode: u64 },
    NotYet { folder: PathBuf, name: OsString },
}

impl Identity {
    /// `None` where there cannot be such a file: opening it tells why.
    pub(super) fn of(path: &Path) -> Option<Self> {
        if let Ok(found) = fs::metadata(path) {
            return Some(Self::Exists {
                device: found.dev(),
                inode: found.ino(),
            });
        }
        let folder = match path.parent()? {
            here if here == Path::new("") => Path::new("."),
            folder => folder,
        };
        Some(Self::NotYet {
            folder: fs::canonicalize(folder).ok()?,
            name: path.file_name()?.to_owned(),
        })
    }
}
