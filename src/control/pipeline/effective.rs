//! A pipeline as it is in force, in its own language: every default written out.

use super::{Control, Driver, Pipeline, Tunnel, words};
use crate::io::port::{CaptureFiles, Senders};
use crate::policy::document::print;
use crate::stage::{Account, Source, Unparsed};
use crate::wire::MapRule;
use crate::worker::ReplyRate;
use serde_json::{Map, Value, json};
use std::path::{Path, absolute};

/// The pipeline as a document. Its paths begin at the root, so that it may be kept anywhere.
pub fn effective(pipeline: &Pipeline) -> Value {
    let policies = pipeline.policies.iter().map(|path| shown(path));
    let lcores = pipeline.lcores.iter().map(|lcore| lcore.0);
    let mut document = Map::new();
    let mut put = |key: &str, value: Value| {
        document.insert(key.to_owned(), value);
    };
    put("name", json!(pipeline.name));
    put("policies", policies.collect());
    driver(pipeline, &mut put);
    put("lcores", lcores.collect());
    put("account", json!(account(pipeline.account)));
    put("idle", json!(pipeline.idle.label()));
    put("frames", json!(pipeline.frames.label()));
    put("unwrap", pipeline.unwrap.iter().map(tunnel).collect());
    put("unparsed", json!(unparsed(pipeline.unparsed)));
    let ReplyRate { per_second, burst } = pipeline.replies;
    put(
        "replies",
        json!({ "per-second": per_second, "burst": burst }),
    );
    put("limit-subscribers", json!(pipeline.limit_subscribers));
    put("control", control(&pipeline.control));
    put("watchdog", json!({ "stall-ms": pipeline.stall_ms }));
    put("link-loss", json!(pipeline.link_loss.label()));
    put("on-exit", json!(pipeline.on_exit.label()));
    if let Some(ticket) = &pipeline.record_destinations {
        put("record-destinations", json!({ "ticket": ticket }));
    }
    Value::Object(document)
}

/// The same as YAML.
pub fn effective_yaml(pipeline: &Pipeline) -> String {
    format!("---\n{}", print(&effective(pipeline)))
}

/// What frames come through, on both sides.
fn driver(pipeline: &Pipeline, put: &mut impl FnMut(&str, Value)) {
    put("driver", json!(pipeline.driver.kind().label()));
    match &pipeline.driver {
        Driver::AfXdp(with) => {
            put(
                "access",
                json!({ "device": with.access, "source": source(pipeline.source) }),
            );
            put("network", json!({ "device": with.network }));
            put(
                "af-xdp",
                json!({
                    "attach": with.attach.label(),
                    "zero-copy": with.zero_copy.label(),
                    "ring-frames": with.ring_frames,
                    "umem-frames": with.umem_frames,
                }),
            );
        }
        Driver::Dpdk(with) => {
            put(
                "access",
                json!({ "device": with.access, "source": source(pipeline.source) }),
            );
            put("network", json!({ "device": with.network }));
            put(
                "dpdk",
                json!({
                    "eal": with.eal,
                    "ring-frames": with.ring_frames,
                    "pool-frames": with.pool_frames,
                    "mtu": with.mtu_bytes,
                }),
            );
        }
        Driver::Pcap(with) => {
            put("access", files(&with.access, Some(pipeline.source)));
            put("network", files(&with.network, None));
        }
    }
}

fn files(files: &CaptureFiles, of: Option<Source>) -> Value {
    let (from, not_from) = match files.senders {
        Senders::All => (None, None),
        Senders::Only(address) => (Some(ethernet(address)), None),
        Senders::AllBut(address) => (None, Some(ethernet(address))),
    };
    named([
        ("read", files.read.as_deref().map(shown)),
        ("from", from),
        ("not-from", not_from),
        ("write", files.write.as_deref().map(shown)),
        ("source", of.map(|of| json!(source(of)))),
    ])
}

fn ethernet(address: [u8; 6]) -> Value {
    let octets = address.map(|octet| format!("{octet:02x}"));
    json!(octets.join(":"))
}

fn control(control: &Control) -> Value {
    named([
        ("run-dir", control.run_dir.as_deref().map(shown)),
        ("socket", control.socket.as_deref().map(shown)),
        ("group", control.group.as_ref().map(|group| json!(group))),
        ("journal", control.journal.as_deref().map(shown)),
    ])
}

fn tunnel(tunnel: &Tunnel) -> Value {
    let layout = tunnel.rules.iter().find_map(MapRule::interface_id);
    let with_rules = |value: Value| (!tunnel.rules.is_empty()).then_some(value);
    let rules = tunnel.rules.iter().map(|rule| {
        json!({
            "ipv6": rule.ipv6(),
            "ipv4": rule.ipv4(),
            "ea-bits": rule.ea_bits(),
            "psid-offset": rule.psid_offset(),
            "psid-length": rule.psid_bits(),
        })
    });
    named([
        ("kind", Some(json!(tunnel.kind.label()))),
        ("endpoints", Some(json!(tunnel.endpoints))),
        (
            "subscriber",
            Some(json!(words::subscriber_label(tunnel.subscriber))),
        ),
        ("rules", with_rules(rules.collect())),
        (
            "interface-id",
            with_rules(json!(words::interface_id_label(layout))),
        ),
    ])
}

/// A mapping of the keys that have a value.
fn named<const KEYS: usize>(entries: [(&str, Option<Value>); KEYS]) -> Value {
    let present = entries
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(present.collect())
}

fn shown(path: &Path) -> Value {
    let whole = absolute(path).unwrap_or_else(|_| path.to_owned());
    json!(whole.to_string_lossy())
}

fn unparsed(unparsed: Unparsed) -> &'static str {
    match unparsed {
        Unparsed::Forward => "forward",
        Unparsed::Drop => "drop",
    }
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Any => "any",
        Source::Known => "known",
    }
}

fn account(account: Account) -> &'static str {
    match account {
        Account::EveryFrame => "every-frame",
        Account::Candidates => "candidates",
    }
}
