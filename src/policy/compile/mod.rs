//! Step three: what the data plane looks up. Plans, peer sets and rules are numbered; prefixes
//! become tables, rules a matrix, dates a timeline of when either changes.

mod answer;
mod legend;
mod live;
mod matrix;
pub(super) mod partition;
mod peers;
pub(super) mod program;
mod representative;
pub(super) mod tables;
mod timeline;

pub use legend::Legend;
pub use live::{Live, LiveError, NoSuchPlan};
pub use matrix::{Act, Matrix};
pub use partition::{Interval, Partition};
pub use program::{Memory, Program};
pub use tables::{Direction, Path, PeerSetId, PlanId, PrefixTables, Question, RuleId, Tables};
pub use timeline::{Change, Epoch, Event, Span};
