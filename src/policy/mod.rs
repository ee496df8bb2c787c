//! What an ISP wrote becomes tables that the data plane looks verdicts up in.
//!
//! Three steps, each a type: *raw* (what was written, with spans) → [`Resolved`] (what it means:
//! prefixes, instants, indices) → [`Program`] (compiled [`Tables`] for each stretch of time
//! between two events). Errors and warnings are [`Diagnostic`]s, all reported at once.

mod compile;
mod cover;
mod diagnostic;
pub mod diff;
mod effective;
mod keys;
mod lint;
mod load;
mod lookup;
mod matrix;
mod node;
mod partition;
mod peers;
mod pools;
mod prefix;
mod prefix_file;
mod raw;
mod render;
mod representative;
mod resolve;
mod resolved;
mod rules;
mod schema;
mod sentence;
mod shape;
mod source;
mod spelling;
mod tables;
mod timeline;
mod when;
mod yaml;

pub use compile::{Memory, Program};
pub use diagnostic::{Code, Diagnostic, Label, Severity};
pub use effective::{effective, effective_yaml};
pub use load::{Loaded, load, load_with};
pub use matrix::{Published, published};
pub use partition::{Interval, Partition};
pub use render::render;
pub use resolved::{
    Action, Class, ClassMatch, ClassPrefix, Kind, Mode, Origin, Plan, Resolved, ReturnPath, Rule,
    SourceId, SubscriberPrefix, Tenant,
};
pub use schema::schema;
pub use sentence::{Lang, Situation, sentence};
pub use source::Sources;
pub use tables::{
    Direction, Legend, Matrix, PeerSetId, PlanId, PrefixTables, Question, RuleId, Tables,
};
pub use timeline::{Change, Epoch, Event, Span};
