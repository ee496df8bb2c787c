//! Step two: what it means. Names become indices, dates instants, lists prefixes, and everything
//! is held against everything else: rules against rules, pools against pools.

mod action;
mod cover;
mod hosts;
mod kinds;
pub(super) mod lint;
mod lookup;
mod mail_hosts;
mod pools;
mod reply_source;
mod resolved;
mod rules;
mod tenant;
mod when;

pub use resolved::{
    Action, Class, ClassMatch, ClassPrefix, Kind, Limit, Mode, Origin, Plan, Reply, Resolved,
    ReturnPath, Role, Rule, RuleKind, SourceId, SubscriberPrefix, Tenant, Then,
};
pub(super) use tenant::resolve;
