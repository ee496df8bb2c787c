use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::ops::Deref;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// A file that one process has at a time, until it is dropped or the process ends, also by
/// `kill -9`.
#[derive(Debug)]
pub(super) struct Locked(File);

impl Locked {
    /// Opens a file to read and write, made where it is missing; `None` where another process has
    /// it.
    pub(super) fn open(path: &Path, mode: u32) -> io::Result<Option<Self>> {
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let file = options.mode(mode).open(path)?;
            match Self::lock(file) {
                Ok(locked) if is_at(&locked, path) => return Ok(Some(locked)),
                // Whoever had it has removed or replaced it since it was opened here.
                Ok(_) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Takes a file that is open.
    pub(super) fn lock(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(file))
    }
}

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing would do, but that a child may have the file open until it runs its program.
        let _ = self.0.unlock();
    }
}

/// Whether the path still leads to this very file.
fn is_at(file: &File, path: &Path) -> bool {
    let [Ok(open), Ok(there)] = [file.metadata(), path.metadata()] else {
        return false;
    };
    (open.dev(), open.ino()) == (there.dev(), there.ino())
}
