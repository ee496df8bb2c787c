//! Frame sizes, as a sequence that repeats exactly.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Ethernet's least frame.
const LEAST_OCTETS: u16 = 64;

/// Jumbo frames as switches take them.
const MOST_OCTETS: u16 = 9_216;

/// The letters of RFC 6985, and the sizes they stand for.
const LETTERS: [(char, u16); 9] = [
    ('a', 64),
    ('b', 128),
    ('c', 256),
    ('d', 512),
    ('e', 1_024),
    ('f', 1_280),
    ('g', 1_518),
    ('h', 2_112),
    ('i', 9_000),
];

/// The simple IMIX, 7 : 4 : 1.
const IMIX: [u16; 12] = [64, 594, 64, 64, 594, 64, 64, 594, 64, 64, 594, 1_518];

/// Frame sizes in octets, the 4 of the frame check sequence among them, in the order in which
/// they come, again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u16>", into = "Vec<u16>")]
pub struct Sizes(Vec<u16>);

/// A sequence that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizesError {
    /// Nothing to repeat.
    #[error("a sequence of sizes needs at least one")]
    Empty,
    /// Outside of what Ethernet and its switches take.
    #[error("a frame has {LEAST_OCTETS} to {MOST_OCTETS} octets with its check sequence, not {0}")]
    Octets(u64),
    /// Neither a number nor letters.
    #[error(
        "`{0}` is no size: expected `imix`, octets (64,594,1518), or letters of RFC 6985 (aabg)"
    )]
    Word(String),
}

impl Sizes {
    /// A sequence of sizes.
    ///
    /// # Errors
    /// It is empty, or a size is none of an Ethernet frame.
    pub fn new(octets: Vec<u16>) -> Result<Self, SizesError> {
        let wrong = |octets: &&u16| !(LEAST_OCTETS..=MOST_OCTETS).contains(octets);
        match octets.iter().find(wrong) {
            Some(octets) => Err(SizesError::Octets(u64::from(*octets))),
            None if octets.is_empty() => Err(SizesError::Empty),
            None => Ok(Self(octets)),
        }
    }

    /// The simple IMIX: seven frames of 64 octets, four of 594, one of 1,518.
    pub fn imix() -> Self {
        Self(IMIX.to_vec())
    }

    /// The smallest frames that hold their headers.
    pub fn least() -> Self {
        Self(vec![LEAST_OCTETS])
    }

    /// The largest frames of plain Ethernet.
    pub fn largest() -> Self {
        Self(vec![1_518])
    }

    /// The sequence.
    pub fn octets(&self) -> &[u16] {
        &self.0
    }

    /// Octets of a frame in the mean, without the check sequence.
    pub fn mean_captured_octets(&self) -> f64 {
        let sum: f64 = self.0.iter().map(|octets| f64::from(octets - 4)).sum();
        sum / self.0.len() as f64
    }
}

impl Default for Sizes {
    fn default() -> Self {
        Self::imix()
    }
}

impl TryFrom<Vec<u16>> for Sizes {
    type Error = SizesError;

    fn try_from(octets: Vec<u16>) -> Result<Self, SizesError> {
        Self::new(octets)
    }
}

impl From<Sizes> for Vec<u16> {
    fn from(sizes: Sizes) -> Self {
        sizes.0
    }
}

impl FromStr for Sizes {
    type Err = SizesError;

    fn from_str(text: &str) -> Result<Self, SizesError> {
        if text == "imix" {
            return Ok(Self::imix());
        }
        let letter = |c: char| LETTERS.iter().find(|(letter, _)| *letter == c);
        if let Some(octets) = text.chars().map(|c| Some(letter(c)?.1)).collect() {
            return Self::new(octets);
        }
        let number = |word: &str| match word.trim().parse::<u64>() {
            Ok(octets) => u16::try_from(octets).map_err(|_| SizesError::Octets(octets)),
            Err(_) => Err(SizesError::Word(word.trim().to_owned())),
        };
        Self::new(text.split(',').map(number).collect::<Result<_, _>>()?)
    }
}

/// As it is typed: `64,594,1518`.
impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, octets) in self.0.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(f, "{comma}{octets}")?;
        }
        Ok(())
    }
}
