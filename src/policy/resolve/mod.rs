//! Step two: what it means. Names become indices, dates instants, lists prefixes, and everything
//! is held against everything else: rules against rules, pools against pools.

mod cover;
pub(super) mod lint;
mod lookup;
mod pools;
mod resolved;
mod rules;
mod tenant;
mod when;

pub use resolved::{
    Action, Class, ClassMatch, ClassPrefix, Kind, Limit, Mode, Origin, Plan, Reply, Resolved,
    ReturnPath, Rule, RuleKind, SourceId, SubscriberPrefix, Tenant, Then,
};
pub(super) use tenant::resolve;
