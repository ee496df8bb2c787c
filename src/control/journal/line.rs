//! A line of the journal: one JSON object, whose last key is a checksum of what stands before it.

use super::Entry;
use flate2::Crc;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::io::{self, Write as _};

const VERSION: u32 = 1;

/// What a line ends with: `,"crc32":"0123abcd"}` and the end of the line.
const SUM_KEY: &[u8] = b",\"crc32\":\"";
const SUM_END: &[u8] = b"\"}\n";
const SUM_BYTES: usize = SUM_KEY.len() + 8 + SUM_END.len();

/// What a line begins with.
const HEAD: &[u8] = b"{\"version\":";

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// What is read first: how the rest is to be read depends on it.
#[derive(Deserialize)]
struct Read {
    version: u32,
    #[serde(flatten)]
    entry: Map<String, Value>,
}

/// Writes one line, with its end.
pub(super) fn write(out: &mut Vec<u8>, entry: &Entry) -> io::Result<()> {
    let version = VERSION;
    let start = out.len();
    serde_json::to_writer(&mut *out, &Written { version, entry })?;
    // Without the brace that closes the object.
    out.pop();
    let sum = sum(out.get(start..).unwrap_or_default());
    out.write_all(SUM_KEY)?;
    write!(out, "{sum:08x}")?;
    out.write_all(SUM_END)
}

/// Reads one line, with its end.
pub(super) fn read(line: &[u8]) -> Result<Entry, String> {
    let (summed, written) = split(line).ok_or("the line has no checksum at its end")?;
    let found = sum(summed);
    if found != written {
        let message = format!("the checksum is {written:08x}, and that of the line {found:08x}");
        return Err(message);
    }
    let body = [summed, b"}"].concat();
    let read: Read = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    if read.version != VERSION {
        return Err(format!(
            "version {}, where this sekisho writes {VERSION}",
            read.version
        ));
    }
    Entry::deserialize(Value::Object(read.entry)).map_err(|error| error.to_string())
}

/// Whether this may be the beginning of a line whose rest did not get to the disk; some file systems
/// leave zeros for what did not.
pub(super) fn is_beginning(torn: &[u8]) -> bool {
    let zeros = torn.iter().rev().take_while(|octet| **octet == 0).count();
    let (written, _) = torn.split_at(torn.len() - zeros);
    HEAD.starts_with(written) || written.starts_with(HEAD)
}

/// What is summed, and the sum that the line gives.
fn split(line: &[u8]) -> Option<(&[u8], u32)> {
    let (summed, tail) = line.split_at_checked(line.len().checked_sub(SUM_BYTES)?)?;
    let digits = tail.strip_prefix(SUM_KEY)?.strip_suffix(SUM_END)?;
    let digits = std::str::from_utf8(digits).ok()?;
    Some((summed, u32::from_str_radix(digits, 16).ok()?))
}

fn sum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}
