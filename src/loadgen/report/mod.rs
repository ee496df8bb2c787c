//! What a run found, for people and for spreadsheets.

mod csv;
mod html;
mod markdown;
mod rows;

pub use csv::csv;
pub use html::html;
pub use markdown::markdown;
pub use rows::{Rows, case_rows, cost_rows, loop_rows};
