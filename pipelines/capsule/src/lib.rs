//! sekisho's stages for pipelines of [capsule](https://github.com/capsule-rs/capsule).
//!
//! [`stages::Stages`] is a batch that begins a pipeline: a port of capsule's, and behind it parse,
//! classify, decide and count. What is to go on is acted upon by whatever combinators follow, the rest
//! is dropped; nothing is ever an error. The program beside this library puts nothing behind it but
//! the other port.

pub mod deployment;
mod frame;
pub mod ledger;
pub mod runtime_file;
pub mod schedule;
pub mod stages;
