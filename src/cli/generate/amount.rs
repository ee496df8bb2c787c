//! How much is written.

use crate::cli::Failure;
use std::str::FromStr;

/// What a pcap file begins with.
pub(super) const FILE_HEADER_BYTES: u64 = 24;

/// What each record begins with.
pub(super) const RECORD_HEADER_BYTES: u64 = 16;

/// One of them.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct AmountArgs {
    /// Write so many frames.
    #[arg(long, value_name = "COUNT")]
    frames: Option<u64>,
    /// Write as many frames as a file of this size holds: octets, or with K, M, G (1000 each) or
    /// Ki, Mi, Gi (1024 each).
    #[arg(long, value_name = "SIZE")]
    bytes: Option<Bytes>,
    /// Write the frames of so many seconds, at the rate of `--pps`.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
}

/// Where to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Frames(u64),
    Bytes(u64),
}

impl AmountArgs {
    pub(super) fn amount(&self, pps: u64) -> Result<Amount, Failure> {
        match (self.frames, self.bytes, self.seconds) {
            (Some(frames), ..) => Ok(Amount::Frames(frames)),
            (_, Some(Bytes(bytes)), _) if bytes >= FILE_HEADER_BYTES => Ok(Amount::Bytes(bytes)),
            (_, Some(Bytes(bytes)), _) => Err(Failure::usage(format_args!(
                "--bytes {bytes}: a pcap file has {FILE_HEADER_BYTES} at least"
            ))),
            (.., Some(seconds)) if (0.0..=1e9).contains(&seconds) => {
                Ok(Amount::Frames((seconds * pps as f64).round() as u64))
            }
            _ => Err(Failure::usage("--seconds: a number from 0 to 1000000000")),
        }
    }
}

impl Amount {
    /// Whether there is one more frame after so many.
    pub(super) fn has_frame(self, frames: u64) -> bool {
        match self {
            Self::Frames(wanted) => frames < wanted,
            Self::Bytes(_) => true,
        }
    }

    /// Whether a file may have so many octets.
    pub(super) fn has_room(self, bytes: u64) -> bool {
        match self {
            Self::Frames(_) => true,
            Self::Bytes(most) => bytes <= most,
        }
    }
}

/// A size as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bytes(u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let factor: u64 = match text.get(digits.len()..).unwrap_or_default() {
            "" => 1,
            "K" | "k" => 1_000,
            "M" => 1_000_000,
            "G" => 1_000_000_000,
            "Ki" => 1 << 10,
            "Mi" => 1 << 20,
            "Gi" => 1 << 30,
            _ => return Err("expected octets, or with K, M, G, Ki, Mi or Gi".to_owned()),
        };
        let count: u64 = digits
            .parse()
            .map_err(|_| "expected a whole number".to_owned())?;
        let bytes = count.checked_mul(factor);
        bytes
            .map(Self)
            .ok_or_else(|| "that is too large".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Bytes>().ok().map(|bytes| bytes.0);
        assert_eq!(read("4G"), Some(4_000_000_000));
        assert_eq!(read("64Mi"), Some(64 << 20));
        assert_eq!(read("100"), Some(100));
        for text in ["", "G", "-1", "4T", "4.5G", "99999999999G"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
