//! Actions in words: as policies write them, and as people read them.

use super::{Action, Lang, Limit, Reply, Then};
use serde_json::{Value, json};

impl Action {
    /// As policies write it.
    pub(super) fn document(self) -> Value {
        match self {
            Self::Forward | Self::Drop | Self::Count => json!(self.label()),
            Self::Reject(reply) => json!({ "reject": reply.label() }),
            Self::Limit(limit) => json!({ "limit": {
                "rate": limit.per_minute,
                "burst": limit.burst,
                "then": match limit.then {
                    Then::Drop => json!("drop"),
                    Then::Count => json!("count"),
                    Then::Reject(reply) => json!({ "reject": reply.label() }),
                },
            } }),
        }
    }

    /// With its particulars: `reject icmp`, `limit 30/min (burst 10, then drop)`.
    pub fn text(self, lang: Lang) -> String {
        match (lang, self) {
            (Lang::En, Self::Forward | Self::Drop | Self::Count) => self.label().to_owned(),
            (Lang::En, Self::Reject(reply)) => format!("reject {}", reply.label()),
            (Lang::En, Self::Limit(limit)) => limit.english(),
            (Lang::Ja, Self::Forward) => "通過".to_owned(),
            (Lang::Ja, Self::Drop) => "遮断".to_owned(),
            (Lang::Ja, Self::Count) => "通過(計数)".to_owned(),
            (Lang::Ja, Self::Reject(reply)) => format!("拒否({})", told(reply)),
            (Lang::Ja, Self::Limit(limit)) => limit.japanese(),
        }
    }
}

impl Limit {
    fn english(self) -> String {
        let then = match self.then {
            Then::Drop => "drop".to_owned(),
            Then::Count => "count".to_owned(),
            Then::Reject(reply) => format!("reject {}", reply.label()),
        };
        let Self {
            per_minute, burst, ..
        } = self;
        format!("limit {per_minute}/min (burst {burst}, then {then})")
    }

    fn japanese(self) -> String {
        let then = match self.then {
            Then::Drop => "遮断".to_owned(),
            Then::Count => "通過(計数)".to_owned(),
            Then::Reject(reply) => format!("拒否({})", told(reply)),
        };
        let Self {
            per_minute, burst, ..
        } = self;
        format!("制限 毎分{per_minute}回(連続{burst}回、超過は{then})")
    }
}

fn told(reply: Reply) -> &'static str {
    match reply {
        Reply::Icmp => "ICMP",
        Reply::Rst => "RST",
    }
}
