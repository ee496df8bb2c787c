//! Load, measurements, and what follows from them.
//!
//! - [`page`]: one offline HTML page with charts, for reports that people read.

pub mod page;
