use super::JournalError;
use crate::control::lock::Locked;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const MODE: u32 = 0o640;

/// A file whose contents are known to be on the disk, up to a length.
#[derive(Debug)]
pub(super) struct Known {
    path: PathBuf,
    file: Locked,
    bytes: u64,
}

impl Known {
    /// Opens a file for this process alone, made where it is missing, and reads it.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<u8>), JournalError> {
        let system = |what| move |cause| fault(path, what, cause);
        if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
            let mut builder = DirBuilder::new();
            let made = builder.recursive(true).mode(0o755).create(folder);
            made.map_err(system("make its folder"))?;
        }
        let opened = Locked::open(path, MODE).map_err(system("open it"))?;
        let Some(file) = opened else {
            let path = path.to_owned();
            return Err(JournalError::Taken { path });
        };
        // What replaces it goes where a symbolic link leads to.
        let real = fs::canonicalize(path).map_err(system("find it"))?;
        let mut contents = Vec::new();
        let read = (&*file).read_to_end(&mut contents);
        read.map_err(system("read it"))?;
        // It may have been made just now, or by a process that came no further.
        sync_folder(&real).map_err(system("keep its name"))?;
        let known = Self {
            path: real,
            file,
            bytes: contents.len() as u64,
        };
        Ok((known, contents))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn fault(&self, what: &'static str, cause: io::Error) -> JournalError {
        fault(&self.path, what, cause)
    }

    pub(super) fn broken(&self, why: &str) -> JournalError {
        JournalError::Broken {
            path: self.path.clone(),
            why: why.to_owned(),
        }
    }

    /// Keeps so many octets, and no more.
    pub(super) fn cut_to(&mut self, bytes: u64) -> Result<(), JournalError> {
        let cut = self.cut(bytes);
        cut.map_err(|cause| self.fault("cut off its last line", cause))
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        self.file.sync_data()?;
        self.bytes = bytes;
        Ok(())
    }

    /// Writes at the end: all of it is on the disk afterwards, or the file is as it was.
    pub(super) fn append(&mut self, text: &[u8]) -> Result<(), JournalError> {
        if let Err(cause) = self.file.write_all_at(text, self.bytes) {
            return Err(match self.cut(self.bytes) {
                Ok(()) => self.fault("write", cause),
                Err(cut) => self.broken(&format!(
                    "a write failed ({cause}), and so did {UNDO}: {cut}"
                )),
            });
        }
        if let Err(cause) = self.file.sync_data() {
            // What the disk has now cannot be known: a later success says nothing of this write.
            let _ = self.file.set_len(self.bytes);
            return Err(self.broken(&format!("the disk did not confirm a write: {cause}")));
        }
        self.bytes += text.len() as u64;
        Ok(())
    }

    /// Puts another file in its place: that one, whole and on the disk, or this one.
    pub(super) fn replace(&mut self, text: &[u8]) -> Result<(), JournalError> {
        let unfinished = unfinished(&self.path);
        let replaced = self.write_anew(&unfinished, text);
        let file = replaced.map_err(|cause| {
            let _ = fs::remove_file(&unfinished);
            self.fault("write it anew", cause)
        })?;
        self.file = file;
        self.bytes = text.len() as u64;
        // The old file is as true as the new one, should the new name be lost in a power cut: but
        // what is appended from now on is only in the new one.
        sync_folder(&self.path).map_err(|cause| {
            self.broken(&format!("the disk did not confirm its new name: {cause}"))
        })
    }

    fn write_anew(&self, unfinished: &Path, text: &[u8]) -> io::Result<Locked> {
        // This process has the journal alone, so one that is there was left by a dead one.
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        // Before it has the name, so that nobody else can take it.
        let file = Locked::lock(options.mode(MODE).open(unfinished)?)?;
        (&*file).write_all(text)?;
        file.set_permissions(self.file.metadata()?.permissions())?;
        file.sync_all()?;
        fs::rename(unfinished, &self.path)?;
        Ok(file)
    }
}

const UNDO: &str = "taking it back";

pub(super) fn fault(path: &Path, what: &'static str, cause: io::Error) -> JournalError {
    JournalError::System {
        path: path.to_owned(),
        what,
        cause,
    }
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".unfinished");
    PathBuf::from(name)
}

/// A name is on the disk only with its folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
impl Known {
    /// From now on, neither a write nor taking it back succeeds.
    pub(super) fn lose_the_disk(&mut self, other: &Path) {
        fs::write(other, "").unwrap();
        self.file = Locked::lock(File::open(other).unwrap()).unwrap();
    }
}
