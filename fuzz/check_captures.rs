//! What holds for every file that is read as a capture, asked by the fuzz target and by ordinary
//! tests.

use sekisho::io::{CaptureReader, MAX_CAPTURED_BYTES, Record};
use std::io::{self, Cursor, Read};

/// The file says the same however its bytes arrive; it ends once; every record is believable.
///
/// How far a decoder comes into damage before it notices is its own affair.
pub(super) fn check(file: &[u8]) {
    let whole = summary(Cursor::new(file.to_vec()));
    for bytes_a_read in [1, 4099] {
        let pieces = Pieces {
            file: Cursor::new(file.to_vec()),
            bytes_a_read,
        };
        let pieced = summary(pieces);
        let damaged = [&whole, &pieced].map(|(.., stopped)| stopped.contains("is damaged"));
        assert!(
            pieced == whole || damaged.contains(&true),
            "{bytes_a_read} bytes a read: {pieced:?}, and not {whole:?}"
        );
    }
}

/// Frames, their bytes, a sum over everything, and what stopped the reader.
fn summary(input: impl Read + Send + 'static) -> (u64, u64, u64, String) {
    let mut reader = match CaptureReader::from_read("capture", input) {
        Ok(reader) => reader,
        Err(error) => return (0, 0, 0, error.to_string()),
    };
    let (mut frames, mut bytes, mut sum) = (0, 0, 0_u64);
    let stopped = loop {
        match reader.read_burst() {
            Ok(burst) if burst.is_empty() => break String::new(),
            Ok(burst) => {
                for record in &burst {
                    frames += 1;
                    bytes += record.frame.bytes.len() as u64;
                    sum = add(sum, record);
                }
            }
            Err(error) => break error.to_string(),
        }
    };
    let after = reader.read_burst();
    assert!(after.is_ok_and(|burst| burst.is_empty()), "it ends once");
    (frames, bytes, sum, stopped)
}

fn add(sum: u64, record: &Record<'_>) -> u64 {
    let frame = &record.frame;
    assert!(frame.bytes.len() as u64 <= u64::from(MAX_CAPTURED_BYTES));
    assert!(frame.bytes.len() as u64 <= u64::from(frame.original_len));
    let numbers = [
        frame.bytes.len() as u64,
        u64::from(frame.original_len),
        u64::from(frame.link_type.0),
        record.timestamp_ns.unwrap_or(-1).cast_unsigned(),
    ];
    let bytes = frame.bytes.iter().map(|byte| u64::from(*byte));
    let times_31 = |sum: u64, next: u64| sum.wrapping_mul(31).wrapping_add(next);
    numbers.into_iter().chain(bytes).fold(sum, times_31)
}

/// A file of which a read gives only a little.
struct Pieces {
    file: Cursor<Vec<u8>>,
    bytes_a_read: usize,
}

impl Read for Pieces {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let len = self.bytes_a_read.min(space.len());
        let (space, _) = space.split_at_mut(len);
        self.file.read(space)
    }
}
