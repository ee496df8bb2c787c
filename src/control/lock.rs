use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Opens a file for this process alone, and makes it where it is missing; `None` where another
/// process has it. It is free again when the file is closed, also by `kill -9`.
pub(super) fn open_alone(path: &Path, mode: u32) -> io::Result<Option<File>> {
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.mode(mode).open(path)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => return Ok(Some(file)),
            // Whoever had it has removed or replaced it since it was opened here.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Whether the path still leads to this very file.
fn is_at(file: &File, path: &Path) -> bool {
    let [Ok(open), Ok(there)] = [file.metadata(), path.metadata()] else {
        return false;
    };
    (open.dev(), open.ino()) == (there.dev(), there.ino())
}
