use super::OutputError;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tempfile::TempPath;

const BUFFER_BYTES: usize = 256 * 1024;

/// The names under which outputs grow, for [`discard_unfinished`].
static GROWING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes what unfinished outputs have left so far: for a program that a signal ends, where
/// nothing is dropped.
pub fn discard_unfinished() {
    let mut growing = GROWING.lock().unwrap_or_else(PoisonError::into_inner);
    for path in growing.drain(..) {
        // One that is gone already is what was wanted.
        let _ = fs::remove_file(path);
    }
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
    fn new(grown: TempPath, path: PathBuf) -> Self {
        let mut growing = GROWING.lock().unwrap_or_else(PoisonError::into_inner);
        growing.push(grown.to_path_buf());
        Self {
            grown: Some(grown),
            path,
        }
    }

    fn persist(mut self) -> io::Result<()> {
        match self.grown.take() {
            Some(grown) => {
                forget(&grown);
                grown.persist(&self.path).map_err(|error| error.error)
            }
            None => Ok(()),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(grown) = &self.grown {
            forget(grown);
        }
    }
}

fn forget(grown: &Path) {
    let mut growing = GROWING.lock().unwrap_or_else(PoisonError::into_inner);
    growing.retain(|path| path != grown);
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

/// Standard output has other names. Opened by one of them, a file that the shell redirects to
/// would be replaced, and what others wrote there lost.
fn is_stdout(path: &Path) -> bool {
    let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    names.iter().any(|name| path == Path::new(name))
}

fn open(path: &Path) -> io::Result<(File, Option<Unfinished>)> {
    let Ok(existing) = fs::metadata(path) else {
        return begin(path, None);
    };
    // Refuses what the user may not write, as writing it in place would.
    let in_place = OpenOptions::new().write(true).open(path)?;
    if !existing.is_file() {
        return Ok((in_place, None));
    }
    // The file that a symbolic link leads to is replaced, not the link.
    begin(&fs::canonicalize(path)?, Some(existing.permissions()))
}

fn begin(path: &Path, permissions: Option<Permissions>) -> io::Result<(File, Option<Unfinished>)> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // As an ordinary file is created, so that the umask decides on permissions.
    let create = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
    let grown = tempfile::Builder::new()
        .prefix(".sekisho-")
        .suffix(".unfinished")
        .make_in(folder, create)?;
    let (file, grown) = grown.into_parts();
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    Ok((file, Some(Unfinished::new(grown, path.to_owned()))))
}
