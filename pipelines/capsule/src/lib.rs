//! sekisho's stages for pipelines of [capsule](https://github.com/capsule-rs/capsule).
//!
//! [`Stages`](stages::Stages) is a batch that begins a pipeline: a port of capsule's, and behind it parse,
//! classify, decide and count. What is to go on is acted upon by whatever combinators follow, the rest
//! is dropped; nothing is ever an error. The program beside this library puts nothing behind it but
//! the other port. To see, too, what goes on:
//!
//! ```no_run
//! # fn mirror(_: &capsule::Mbuf) {}
//! # fn build(
//! #     file: sekisho_capsule::runtime_file::RuntimeFile,
//! #     checkpoint: std::sync::Arc<sekisho_capsule::stages::Checkpoint>,
//! # ) -> anyhow::Result<()> {
//! use capsule::Runtime;
//! use capsule::batch::Batch;
//! use sekisho_capsule::stages::Stages;
//!
//! let mut runtime = Runtime::build(file.config.clone())?;
//! file.install(&mut runtime, move |facing, from, to| {
//!     Stages::behind(from, facing, &checkpoint)
//!         .for_each(|mbuf| Ok(mirror(mbuf)))
//!         .send(to)
//! })?;
//! runtime.execute()
//! # }
//! ```

pub mod deployment;
mod frame;
pub mod ledger;
pub mod runtime_file;
pub mod schedule;
pub mod stages;
