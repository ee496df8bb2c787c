//! Prefix → one byte by longest match, without a data-dependent branch. Pure: knows no plan.
//!
//! Value 0 means "no prefix matches"; a caller's ids are 1–255.
