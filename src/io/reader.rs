use super::ahead::Ahead;
use super::input::Input;
use super::stretch::{Stretch, Then};
use super::walk::{Walk, input_error};
use super::{CaptureError, Place, Record};
use crate::wire::BURST;
use arrayvec::ArrayVec;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a capture burst by burst.
pub struct CaptureReader {
    name: String,
    len_bytes: Option<u64>,
    source: Source,
    stretch: Stretch,
    /// How many records of the stretch were handed out.
    lent: usize,
    /// Records handed out before this stretch.
    records: u64,
}

/// Where stretches come from.
enum Source {
    /// Read when they are wanted.
    Here(Box<Walk>),
    Ahead(Ahead),
}

impl CaptureReader {
    /// Opens a capture; `-` is standard input.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        if path == Path::new("-") {
            return Self::from_read("stdin", io::stdin());
        }
        let name = path.display().to_string();
        let (file, len_bytes) = open_file(path).map_err(|cause| CaptureError::Open {
            file: name.clone(),
            cause,
        })?;
        let mut reader = Self::from_read(name, file)?;
        reader.len_bytes = len_bytes;
        Ok(reader)
    }

    /// Reads a capture from anywhere; `name` is what errors call it.
    pub fn from_read(
        name: impl Into<String>,
        input: impl Read + Send + 'static,
    ) -> Result<Self, CaptureError> {
        let name = name.into();
        let start = Place {
            offset: 0,
            record: 1,
        };
        let input = Input::new(Box::new(input)).map_err(|f| input_error(&name, start, f))?;
        let walk = Walk::begin(name.clone(), input)?;
        Ok(Self {
            name,
            len_bytes: None,
            stretch: Stretch {
                bytes_read: walk.bytes_read(),
                ..Stretch::default()
            },
            source: Source::Here(Box::new(walk)),
            lent: 0,
            records: 0,
        })
    }

    /// From now on a thread of its own reads, decompresses and finds records, at most two
    /// stretches of half a MiB ahead. Pays where another processor is free.
    #[must_use]
    pub fn ahead(self) -> Self {
        let source = match self.source {
            Source::Here(walk) => match Ahead::begin(walk) {
                Ok(ahead) => Source::Ahead(ahead),
                Err(walk) => Source::Here(walk),
            },
            ahead @ Source::Ahead(_) => ahead,
        };
        Self { source, ..self }
    }

    /// The next records: those that are there, up to a burst of them; none at the end.
    ///
    /// A fault is reported once, by the call after the one that gave the last whole record before
    /// it; the capture ends there.
    #[inline(always)]
    pub fn read_burst(&mut self) -> Result<ArrayVec<Record<'_>, BURST>, CaptureError> {
        self.read_at_most(BURST)
    }

    /// The same, and no more than so many of them.
    #[inline(always)]
    pub fn read_at_most(
        &mut self,
        most: usize,
    ) -> Result<ArrayVec<Record<'_>, BURST>, CaptureError> {
        if self.lent == self.stretch.found.len() {
            self.advance()?;
        }
        let found = self.stretch.found.get(self.lent..).unwrap_or_default();
        let burst: ArrayVec<_, BURST> = found
            .iter()
            .take(most.min(BURST))
            .map(|found| self.stretch.record(found))
            .collect();
        self.lent += burst.len();
        Ok(burst)
    }

    /// What errors call this capture: its path, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes read of the file, before decompression, up to the records that were handed out last
    /// and some of those to come.
    pub fn bytes_read(&self) -> u64 {
        self.stretch.bytes_read
    }

    /// Length of the file, where it has one.
    pub fn len_bytes(&self) -> Option<u64> {
        self.len_bytes
    }

    /// Takes the next stretch, of which no record was handed out.
    #[cold]
    fn advance(&mut self) -> Result<(), CaptureError> {
        self.records += self.lent as u64;
        self.lent = 0;
        self.stretch.found.clear();
        if matches!(self.stretch.then, Then::More) {
            match &mut self.source {
                Source::Here(walk) => walk.fill(&mut self.stretch),
                Source::Ahead(ahead) => ahead.exchange(&mut self.stretch),
            }
        }
        if self.stretch.found.is_empty()
            && let Then::Fault(fault) = std::mem::replace(&mut self.stretch.then, Then::End)
        {
            return Err(fault);
        }
        Ok(())
    }
}

impl fmt::Debug for CaptureReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureReader")
            .field("name", &self.name)
            .field("records", &(self.records + self.lent as u64))
            .finish_non_exhaustive()
    }
}

fn open_file(path: &Path) -> io::Result<(File, Option<u64>)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok((file, metadata.is_file().then_some(metadata.len())))
}
