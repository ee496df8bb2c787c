//! What an ISP wrote becomes tables that the data plane looks verdicts up in.
//!
//! Three steps, each a type: *raw* (what was written, with spans) → [`Resolved`] (what it means:
//! prefixes, instants, indices) → [`Program`] (compiled [`Tables`] for each stretch of time
//! between two events): a folder each. Beside them stand the questions that are asked of the
//! result (`diff`, `matrix`, `sentence`, `effective`). Errors and warnings are [`Diagnostic`]s,
//! all reported at once.

mod action;
mod compile;
mod diagnostic;
pub mod diff;
pub(crate) mod document;
mod effective;
mod load;
mod matrix;
mod raw;
mod render;
mod resolve;
mod sentence;
mod source;

pub use compile::{
    Act, Change, Direction, Epoch, Event, Interval, Legend, Live, LiveError, Matrix, Memory,
    NoSuchPlan, Partition, Path, PeerSetId, PlanId, PrefixTables, Program, Question, RuleId, Span,
    Tables,
};
pub use diagnostic::{Code, Diagnostic, Label, Severity};
pub use effective::{effective, effective_yaml};
pub use load::{Loaded, load, load_with};
pub use matrix::{Published, published};
pub use raw::schema;
pub use render::render;
pub use resolve::{
    Action, Class, ClassMatch, ClassPrefix, Kind, Limit, Mode, Origin, Plan, Reply, Resolved,
    ReturnPath, Role, Rule, RuleKind, SourceId, SubscriberPrefix, Tenant, Then,
};
pub use sentence::{Lang, Situation, sentence};
pub use source::Sources;
