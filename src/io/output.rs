use super::OutputError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::TempPath;

const BUFFER_BYTES: usize = 256 * 1024;

/// The names under which outputs grow, for [`discard_unfinished`].
///
/// Whoever makes, names or removes such a file holds the lock meanwhile: at no instant is one there
/// whose name is not.
static GROWING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn growing() -> MutexGuard<'static, Vec<PathBuf>> {
    GROWING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes what unfinished outputs have left so far: for a program that a signal ends, where
/// nothing is dropped.
///
/// Whoever begins, finishes or drops an output after this waits for the end of the program.
pub fn discard_unfinished() {
    let mut growing = growing();
    for path in growing.drain(..) {
        // One that is gone already is what was wanted.
        let _ = fs::remove_file(path);
    }
    // Keeps the lock: the other threads run on until the program ends.
    std::mem::forget(growing);
}

/// A file that appears under its name only when it is finished.
///
/// Until then it grows under another name in the same folder; if it is dropped before
/// [`OutputFile::finish`], nothing is left and what had the name before stays as it was. What is no
/// regular file (a pipe, a terminal, `/dev/null`), and standard output, cannot be replaced and is
/// written as it goes.
#[derive(Debug)]
pub struct OutputFile {
    name: String,
    file: BufWriter<File>,
    unfinished: Option<Unfinished>,
}

/// The name that an output grows under, and the one it gets.
#[derive(Debug)]
struct Unfinished {
    /// `None` once it has its name.
    grown: Option<TempPath>,
    path: PathBuf,
}

impl Unfinished {
    /// Makes a file in the folder of `path`, which is to be its name.
    fn begin(path: &Path) -> io::Result<(File, Self)> {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        // As an ordinary file is created, so that the umask decides on permissions.
        let create = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
        let mut growing = growing();
        let grown = tempfile::Builder::new()
            .prefix(".sekisho-")
            .suffix(".unfinished")
            .make_in(folder, create)?;
        growing.push(grown.path().to_owned());
        let (file, grown) = grown.into_parts();
        let unfinished = Self {
            grown: Some(grown),
            path: path.to_owned(),
        };
        Ok((file, unfinished))
    }

    fn persist(mut self) -> io::Result<()> {
        let path = std::mem::take(&mut self.path);
        self.end(|grown| grown.persist(path).map_err(|error| error.error))
    }

    /// Ends the file's growing, once; a fault of `end` removes it.
    fn end(&mut self, end: impl FnOnce(TempPath) -> io::Result<()>) -> io::Result<()> {
        let Some(grown) = self.grown.take() else {
            return Ok(());
        };
        let mut growing = growing();
        growing.retain(|path| **path != *grown);
        end(grown)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Nobody can be told that it stays.
        let _ = self.end(TempPath::close);
    }
}

impl OutputFile {
    /// Begins an output; `-` is standard output.
    pub fn create(path: &Path) -> Result<Self, OutputError> {
        let (name, opened) = if is_stdout(path) {
            let stdout = io::stdout().as_fd().try_clone_to_owned();
            ("stdout".to_owned(), stdout.map(|fd| (File::from(fd), None)))
        } else {
            (path.display().to_string(), open(path))
        };
        match opened {
            Ok((file, unfinished)) => Ok(Self {
                name,
                file: BufWriter::with_capacity(BUFFER_BYTES, file),
                unfinished,
            }),
            Err(cause) => Err(OutputError::Write { file: name, cause }),
        }
    }

    /// What errors call this output: its path, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes what is still in memory and gives the file its name.
    pub fn finish(mut self) -> Result<(), OutputError> {
        let flushed = self.file.flush();
        let named = flushed.and_then(|()| match self.unfinished.take() {
            Some(unfinished) => unfinished.persist(),
            None => Ok(()),
        });
        named.map_err(|cause| self.error(cause))
    }

    /// Says which file a failed write was to.
    pub fn error(&self, cause: io::Error) -> OutputError {
        OutputError::Write {
            file: self.name.clone(),
            cause,
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Whether an output of this name goes to standard output.
///
/// `-` does, and so do the system's names for it. Opened like a file, those would begin again at
/// byte 0 of what the shell redirects to, or replace it.
pub fn is_stdout(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
        .iter()
        .any(|name| path == Path::new(name))
}

fn open(path: &Path) -> io::Result<(File, Option<Unfinished>)> {
    let Ok(existing) = fs::metadata(path) else {
        let (file, unfinished) = Unfinished::begin(path)?;
        return Ok((file, Some(unfinished)));
    };
    // Refuses what the user may not write, as writing it in place would.
    let in_place = OpenOptions::new().write(true).open(path)?;
    if !existing.is_file() {
        return Ok((in_place, None));
    }
    // The file that a symbolic link leads to is replaced, not the link.
    let (file, unfinished) = Unfinished::begin(&fs::canonicalize(path)?)?;
    file.set_permissions(existing.permissions())?;
    Ok((file, Some(unfinished)))
}
