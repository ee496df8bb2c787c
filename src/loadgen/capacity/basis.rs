use serde::Serialize;
use std::collections::BTreeSet;

/// How a figure is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The description says so, or it follows from that alone.
    Given,
    /// A case of the export, as it was measured.
    Measured,
    /// It follows from what was measured, and from more than that.
    Extrapolated,
    /// The description does not say, nothing measured it: the default.
    Assumed,
}

impl Basis {
    /// The word in outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Measured => "measured",
            Self::Extrapolated => "extrapolated",
            Self::Assumed => "assumed",
        }
    }

    /// Of a figure that follows from two. What nobody measured cannot become measured.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Given, other) | (other, Self::Given) => other,
            (Self::Measured, Self::Measured) => Self::Measured,
            (Self::Assumed, Self::Assumed) => Self::Assumed,
            _ => Self::Extrapolated,
        }
    }

    /// Given, or the default.
    pub const fn of_setting(given: bool) -> Self {
        if given { Self::Given } else { Self::Assumed }
    }
}

/// What a figure rests on: cases of the export, and steps beyond them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Grounds {
    /// The names of the cases.
    pub cases: BTreeSet<String>,
    /// What was done that no case shows, a sentence each.
    pub steps: BTreeSet<String>,
}

impl Grounds {
    /// Both.
    pub fn join(&mut self, other: Self) {
        self.cases.extend(other.cases);
        self.steps.extend(other.steps);
    }

    /// Measured if nothing was done beyond the cases.
    pub fn basis(&self) -> Basis {
        if self.cases.is_empty() {
            Basis::Assumed
        } else if self.steps.is_empty() {
            Basis::Measured
        } else {
            Basis::Extrapolated
        }
    }
}
