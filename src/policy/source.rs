//! The texts that were read: policies and prefix files.

use super::{Origin, SourceId};
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

/// What a gzipped prefix file may grow to: 10 million lines are well within.
const TEXT_LIMIT_BYTES: u64 = 1 << 30;

/// All texts that were read, for messages to point into.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    texts: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
    /// Byte where the first octet that is not UTF-8 stood.
    not_utf8: Option<usize>,
}

impl Sources {
    /// The name under which a text was read: its path.
    pub fn name(&self, id: SourceId) -> &str {
        self.get(id).map_or("", |source| &source.name)
    }

    /// The names of all texts, prefix files among them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|source| source.name.as_str())
    }

    /// A text.
    pub fn text(&self, id: SourceId) -> &str {
        self.get(id).map_or("", |source| &source.text)
    }

    /// What stands at a place.
    pub fn excerpt(&self, origin: &Origin) -> &str {
        let text = self.text(origin.source);
        text.get(origin.span.clone()).unwrap_or("")
    }

    /// The column of a place, counted in characters from 1.
    pub fn column(&self, origin: &Origin) -> usize {
        let before = self.text(origin.source).get(..origin.span.start);
        let line = before.and_then(|text| text.rsplit('\n').next());
        line.map_or(1, |line| line.chars().count() + 1)
    }

    /// `file:line:column` of a place.
    pub fn place(&self, origin: &Origin) -> String {
        let (name, column) = (self.name(origin.source), self.column(origin));
        format!("{name}:{}:{column}", origin.line)
    }

    /// Adds a text as it was read: unpacked if it is gzip, without a byte order mark.
    pub(super) fn add(&mut self, name: &str, bytes: Vec<u8>) -> io::Result<SourceId> {
        let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
            gunzip(&bytes)?
        } else {
            bytes
        };
        let bytes = match bytes.strip_prefix("\u{feff}".as_bytes()) {
            Some(rest) => rest.to_vec(),
            None => bytes,
        };
        let (text, not_utf8) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                (
                    String::from_utf8_lossy(error.as_bytes()).into_owned(),
                    Some(valid),
                )
            }
        };
        self.texts.push(Source {
            name: name.to_owned(),
            text,
            not_utf8,
        });
        Ok(SourceId(
            u32::try_from(self.texts.len() - 1).unwrap_or(u32::MAX),
        ))
    }

    /// The text of that name, if it was read already.
    pub(super) fn find(&self, name: &str) -> Option<SourceId> {
        let index = self.texts.iter().position(|source| source.name == name)?;
        u32::try_from(index).ok().map(SourceId)
    }

    /// The place of the first octet that is not UTF-8.
    pub(super) fn not_utf8(&self, id: SourceId) -> Option<Origin> {
        let start = self.get(id)?.not_utf8?;
        Some(self.origin(id, start..start))
    }

    /// A place, its line counted.
    pub(super) fn origin(&self, id: SourceId, span: Range<usize>) -> Origin {
        let before = self.text(id).as_bytes().get(..span.start).unwrap_or(&[]);
        let lines = before.iter().filter(|&&byte| byte == b'\n').count();
        Origin {
            source: id,
            line: u32::try_from(lines + 1).unwrap_or(u32::MAX),
            span,
        }
    }

    fn get(&self, id: SourceId) -> Option<&Source> {
        self.texts.get(usize::try_from(id.0).ok()?)
    }
}

/// The path of a file that is named relative to the folder of another.
pub(crate) fn beside(name: &str, file: &str) -> std::path::PathBuf {
    Path::new(name).parent().unwrap_or(Path::new("")).join(file)
}

fn gunzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes)
        .take(TEXT_LIMIT_BYTES + 1)
        .read_to_end(&mut text)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > TEXT_LIMIT_BYTES {
        let text = format!("unpacks to more than {} MiB", TEXT_LIMIT_BYTES >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(text)
}
