use super::tables::{RuleId, Tables};
use crate::policy::Reply;
use crate::wire::{Answer, Family};
use std::net::IpAddr;

impl Tables {
    /// How a rule has the senders of rejected frames told; `None` where it tells nobody.
    pub fn answer(&self, rule: RuleId) -> Option<Answer> {
        let (reply, v4) = self.reply(rule, Family::V4)?;
        let (_, v6) = self.reply(rule, Family::V6)?;
        let v4 = v4.and_then(|source| match source {
            IpAddr::V4(source) => Some(source),
            IpAddr::V6(_) => None,
        });
        let v6 = v6.and_then(|source| match source {
            IpAddr::V4(_) => None,
            IpAddr::V6(source) => Some(source),
        });
        Some(match reply {
            Reply::Icmp => Answer::Icmp { sources: (v4, v6) },
            Reply::Rst => Answer::Rst,
        })
    }
}
