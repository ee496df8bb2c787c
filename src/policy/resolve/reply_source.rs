//! Whom ICMP errors are from.

use super::lookup::is_sold;
use crate::policy::diagnostic::{Code, Diagnostic, Findings};
use crate::policy::raw::node::Text;
use crate::policy::raw::policy::RawPolicy;
use crate::policy::raw::prefix;
use crate::policy::{SubscriberPrefix, Tenant};
use std::net::IpAddr;

/// The addresses by `Family as usize`; what cannot be a source is reported.
pub(super) fn resolve(policy: &RawPolicy, findings: &mut Findings) -> [Option<IpAddr>; 2] {
    let [v4, v6] = &policy.reply_source;
    [(v4, true), (v6, false)].map(|(written, v4)| {
        let found = address(written.as_ref()?, v4);
        found.map_err(|found| findings.push(found)).ok()
    })
}

fn address(written: &Text, v4: bool) -> Result<IpAddr, Diagnostic> {
    let Ok(address) = written.text.parse::<IpAddr>() else {
        // A name and a prefix are told as everywhere else.
        let found = prefix::parse(&written.text, &written.origin);
        return Err(found.err().unwrap_or_else(|| {
            bad(
                written,
                "is a prefix where one address belongs",
                "more than an address",
            )
        }));
    };
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    if address.is_ipv4() != v4 {
        let (wrong, key) = match v4 {
            true => ("is an IPv6 address where an IPv4 address belongs", "ipv6"),
            false => ("is an IPv4 address where an IPv6 address belongs", "ipv4"),
        };
        return Err(bad(written, wrong, &format!("this belongs under `{key}`")));
    }
    let what = if address.is_unspecified() {
        "is no address of anybody"
    } else if address.is_loopback() {
        "never leaves a host"
    } else if address.is_multicast() || broadcast {
        "is a group of hosts, and nothing comes from a group"
    } else {
        return Ok(address);
    };
    Err(bad(written, what, "not a source"))
}

fn bad(written: &Text, what: &str, text: &str) -> Diagnostic {
    let message = format!("`{}` {what}", written.text);
    Diagnostic::new(Code::BAD_REPLY_SOURCE, message, &written.origin, text).help(
        "write one address of your own network for each IP version, such as that of the nearest router",
    )
}

/// Warns of a source that a customer has.
pub(super) fn check(policy: &RawPolicy, tenant: &Tenant, findings: &mut Findings) {
    for (address, written) in tenant.reply_source.iter().zip(&policy.reply_source) {
        let (Some(address), Some(written)) = (address, written) else {
            continue;
        };
        let holding =
            |entry: &&SubscriberPrefix| is_sold(tenant, entry) && entry.prefix.contains(address);
        let longest = tenant.subscribers.iter().filter(holding);
        if let Some(entry) = longest.max_by_key(|entry| entry.prefix.prefix_len()) {
            findings.push(
                Diagnostic::new(
                    Code::REPLY_SOURCE_OF_SUBSCRIBER,
                    format!("replies come from `{address}`, which is an address of subscribers"),
                    &written.origin,
                    "a subscriber's",
                )
                .label(&entry.origin, "in this prefix")
                .help(
                    "use an address of your own network: a subscriber would seem to have refused",
                ),
            );
        }
    }
}
