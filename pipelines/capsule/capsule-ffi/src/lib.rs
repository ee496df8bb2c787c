//! DPDK 22.11 and newer, as capsule 0.1.5 expects DPDK 19.11.
//!
//! What bindgen reads in the headers, and by hand what has changed its name, its meaning, or has
//! gone: README.md tells each with its reason. A name that stands here hides bindgen's.

#![allow(
    non_camel_case_types,
    non_upper_case_globals,
    non_snake_case,
    missing_docs,
    reason = "C's names"
)]

mod bindings {
    #![allow(
        clippy::all,
        clippy::allow_attributes_without_reason,
        clippy::indexing_slicing,
        clippy::undocumented_unsafe_blocks,
        unreachable_pub,
        unsafe_code,
        reason = "generated"
    )]
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}
mod eal;
mod kni;

pub use bindings::*;
pub use eal::{rte_eal_init, rte_thread_set_affinity};
pub use kni::*;
