//! Step one: what was written, with the place of each word.
//!
//! YAML becomes nodes with spans, the table of keys says what may stand where, and what passes it
//! is copied, key by key, into [`policy::RawPolicy`]. Prefixes and prefix files are read here
//! too. Names mean nothing yet, and nothing is compared with anything.

pub(crate) mod keys;
pub(crate) mod node;
pub(super) mod policy;
pub(super) mod prefix;
pub(super) mod prefix_file;
pub(crate) mod schema;
pub(super) mod shape;
pub(super) mod spelling;
pub(super) mod yaml;

pub use schema::schema;
