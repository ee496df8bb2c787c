//! Octets one by one, each in one of three states.

/// What can be known of one octet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Octet {
    There(u8),
    /// It was on the wire; the capture does not hold it.
    Cut,
    /// Nothing was on the wire here, or a length field says that it belongs to nothing.
    Gone,
}

/// A stretch of a frame, from a header on.
#[derive(Clone, Copy)]
pub struct Octets<'a> {
    captured: &'a [u8],
    begin: usize,
    end: usize,
}

impl<'a> Octets<'a> {
    pub fn frame(captured: &'a [u8], on_wire: usize) -> Self {
        Self {
            captured,
            begin: 0,
            end: on_wire.max(captured.len()),
        }
    }

    pub fn at(self, index: usize) -> Octet {
        let place = self.begin + index;
        if place >= self.end {
            Octet::Gone
        } else if place >= self.captured.len() {
            Octet::Cut
        } else {
            Octet::There(self.captured[place])
        }
    }

    /// Two octets as a number.
    pub fn two(self, index: usize) -> Result<u16, Octet> {
        self.number(index, 2).map(|number| number as u16)
    }

    /// So many octets as a big-endian number, or the state of the first that is not there.
    pub fn number(self, index: usize, octets: usize) -> Result<u128, Octet> {
        let mut number = 0;
        for step in index..index + octets {
            match self.at(step) {
                Octet::There(octet) => number = number << 8 | u128::from(octet),
                lack => return Err(lack),
            }
        }
        Ok(number)
    }

    /// How many there were on the wire.
    pub fn left(self) -> usize {
        self.end.saturating_sub(self.begin)
    }

    /// Whether the capture lacks any of them.
    pub fn are_cut(self) -> bool {
        self.end > self.begin.max(self.captured.len())
    }

    /// Those behind the first few.
    pub fn behind(self, octets: usize) -> Self {
        Self {
            begin: self.begin + octets,
            ..self
        }
    }

    /// No more than a length field says.
    pub fn bounded(self, octets: usize) -> Self {
        Self {
            end: self.end.min(self.begin + octets),
            ..self
        }
    }
}
