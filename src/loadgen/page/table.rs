use maud::{Markup, html};

/// A table; the first cell of a row is its head.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// The head of a column.
#[derive(Clone, Debug)]
pub struct Column {
    /// With the unit, where there is one.
    pub title: String,
    /// Whether it stands to the right.
    pub number: bool,
}

/// What stands in a table.
#[derive(Clone, Debug)]
pub struct Cell {
    /// As it is shown.
    pub text: String,
    /// How it is known, or whether it is good.
    pub mark: Option<Mark>,
}

/// A word beside a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Somebody said so.
    Given,
    /// It was measured.
    Measured,
    /// It follows from what was measured, beyond what was measured.
    Extrapolated,
    /// Nobody said so and nobody measured it.
    Assumed,
    /// The goal is met.
    Met,
    /// The goal is missed.
    Missed,
}

impl Column {
    /// A column of words.
    pub fn words(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            number: false,
        }
    }

    /// A column of numbers.
    pub fn numbers(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            number: true,
        }
    }
}

impl Cell {
    /// With a mark.
    #[must_use]
    pub fn marked(mut self, mark: Mark) -> Self {
        self.mark = Some(mark);
        self
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            mark: None,
        }
    }
}

impl Mark {
    /// The word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Measured => "measured",
            Self::Extrapolated => "extrapolated",
            Self::Assumed => "assumed",
            Self::Met => "met",
            Self::Missed => "missed",
        }
    }

    /// Its names in the style.
    pub(super) fn class(self) -> String {
        format!("mark {}", self.label())
    }
}

impl Table {
    pub(super) fn markup(&self) -> Markup {
        html! {
            // A table that is too wide scrolls by itself; the keyboard must reach it.
            div.table tabindex="0" role="region" aria-label=(self.caption) {
                table {
                    @if !self.caption.is_empty() { caption { (self.caption) } }
                    thead { tr {
                        @for column in &self.columns {
                            th class=[column.number.then_some("number")] scope="col" { (column.title) }
                        }
                    } }
                    tbody { @for row in &self.rows { tr {
                        @for (index, (cell, column)) in row.iter().zip(&self.columns).enumerate() {
                            (cell.markup(index == 0, column.number))
                        }
                    } } }
                }
            }
        }
    }
}

/// Letters from which on a cell gets a column's width.
const WORDY: usize = 24;

impl Cell {
    fn class(&self, number: bool) -> Option<&'static str> {
        if number {
            Some("number")
        } else {
            (self.text.len() >= WORDY).then_some("wordy")
        }
    }

    fn markup(&self, head: bool, number: bool) -> Markup {
        let inside = html! {
            (self.text)
            @if let Some(mark) = self.mark { " " span class=(mark.class()) { (mark.label()) } }
        };
        html! {
            @if head {
                th class=[number.then_some("number")] scope="row" { (inside) }
            } @else {
                td class=[self.class(number)] { (inside) }
            }
        }
    }
}
