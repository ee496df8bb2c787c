//! What an ISP wrote becomes tables that the data plane looks verdicts up in.
//!
//! Three steps, each a type: *raw* (what was written, with spans) → [`Resolved`] (what it means:
//! prefixes, instants, indices) → [`Program`] (compiled [`Tables`] for each stretch of time
//! between two events). Errors and warnings are [`Diagnostic`]s, all reported at once.

mod compile;
mod diagnostic;
pub mod diff;
mod matrix;
mod partition;
mod peers;
mod representative;
mod resolved;
mod sentence;
mod tables;
mod timeline;

pub use compile::{Memory, Program};
pub use diagnostic::{Diagnostic, Label, Severity};
pub use matrix::{Published, published};
pub use partition::{Interval, Partition};
pub use resolved::{
    Action, Class, ClassMatch, ClassPrefix, Kind, Mode, Origin, Plan, Resolved, ReturnPath, Rule,
    SourceId, SubscriberPrefix, Tenant,
};
pub use sentence::{Lang, Situation, sentence};
pub use tables::{
    Direction, Legend, Matrix, PeerSetId, PlanId, PrefixTables, Question, RuleId, Tables,
};
pub use timeline::{Change, Epoch, Event, Span};
