//! What an ISP wrote becomes tables that the data plane looks verdicts up in.
//!
//! Three steps, each a type: *raw* (what was written, with spans) → [`Resolved`] (what it means:
//! prefixes, instants, indices) → [`Program`] (compiled [`Tables`] for each stretch of time
//! between two events). Errors and warnings are [`Diagnostic`]s, all reported at once.

mod cover;
mod diagnostic;
mod keys;
mod lint;
mod load;
mod lookup;
mod node;
mod pools;
mod prefix;
mod prefix_file;
mod raw;
mod render;
mod resolve;
mod resolved;
mod rules;
mod schema;
mod shape;
mod source;
mod spelling;
mod tables;
mod when;
mod yaml;

pub use diagnostic::{Code, Diagnostic, Label, Severity};
pub use load::{Loaded, load, load_with};
pub use render::render;
pub use resolved::{
    Action, Class, ClassMatch, ClassPrefix, Kind, Mode, Origin, Plan, Resolved, ReturnPath, Rule,
    SourceId, SubscriberPrefix, Tenant,
};
pub use schema::schema;
pub use source::Sources;
pub use tables::{Direction, PeerSetId, PlanId, Question, RuleId};
