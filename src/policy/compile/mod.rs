//! Step three: what the data plane looks up. Plans, peer sets and rules are numbered; prefixes
//! become tables, rules a matrix, dates a timeline of when either changes.

mod answer;
mod live;
pub(super) mod partition;
mod peers;
pub(super) mod program;
mod representative;
pub(super) mod tables;
mod timeline;

pub use live::{Live, LiveError, NoSuchPlan};
pub use partition::{Interval, Partition};
pub use program::{Memory, Program};
pub use tables::{
    Direction, Legend, Matrix, PeerSetId, PlanId, PrefixTables, Question, RuleId, Tables,
};
pub use timeline::{Change, Epoch, Event, Span};
