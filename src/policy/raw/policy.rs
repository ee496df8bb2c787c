//! What was written, key by key. What is missing or of a wrong form is `None` here; `shape` has
//! already said so.

use super::node::{Node, Text, Value};
use crate::policy::Origin;

/// A policy file.
#[derive(Debug)]
pub(crate) struct RawPolicy {
    pub(crate) origin: Origin,
    /// Every key is known and of its form.
    pub(crate) well_formed: bool,
    pub(crate) isp: Option<Text>,
    pub(crate) label: Option<Text>,
    pub(crate) time_zone: Option<Text>,
    pub(crate) return_path: Option<Text>,
    pub(crate) memory_limit_mib: Option<Text>,
    pub(crate) plans: Vec<RawPlan>,
    pub(crate) subscribers: Vec<RawSubscribers>,
    pub(crate) hosts: Vec<RawHosts>,
    /// By `Family as usize`.
    pub(crate) reply_source: [Option<Text>; 2],
    pub(crate) classes: Vec<RawClass>,
    pub(crate) rules: Vec<RawRule>,
}

/// An entry of `plans`.
#[derive(Debug)]
pub(crate) struct RawPlan {
    pub(crate) name: Text,
    pub(crate) kind: Option<Text>,
    pub(crate) label: Option<Text>,
    pub(crate) subscriber_length: Option<Text>,
}

/// An entry of `hosts`.
#[derive(Debug)]
pub(crate) struct RawHosts {
    pub(crate) name: Text,
    pub(crate) role: Option<Text>,
    pub(crate) label: Option<Text>,
    pub(crate) prefixes: Vec<Text>,
    pub(crate) file: Option<Text>,
}

/// An entry of `subscribers`.
#[derive(Debug)]
pub(crate) struct RawSubscribers {
    pub(crate) origin: Origin,
    pub(crate) plan: Option<Text>,
    pub(crate) prefixes: Option<Vec<Text>>,
    pub(crate) file: Option<Text>,
    pub(crate) ticket: Option<Text>,
    pub(crate) expires: Option<Text>,
}

/// An entry of `destinations`.
#[derive(Debug)]
pub(crate) struct RawClass {
    pub(crate) name: Text,
    pub(crate) label: Option<Text>,
    pub(crate) prefixes: Vec<Text>,
    pub(crate) file: Option<Text>,
}

/// An entry of `rules`.
#[derive(Debug)]
pub(crate) struct RawRule {
    pub(crate) name: Option<Text>,
    pub(crate) kind: Option<Text>,
    pub(crate) ip: Option<Text>,
    pub(crate) plans: Option<Vec<Text>>,
    pub(crate) kinds: Option<Vec<Text>>,
    pub(crate) to: Option<Vec<Text>>,
    pub(crate) to_other_than: Option<Vec<Text>>,
    pub(crate) hosts: Option<Vec<Text>>,
    pub(crate) peers: Option<Vec<Text>>,
    pub(crate) peers_other_than: Option<Vec<Text>>,
    /// Where each key stands.
    pub(crate) places: Vec<Text>,
    pub(crate) from: Option<Text>,
    pub(crate) before: Option<Text>,
    pub(crate) action: Option<RawAction>,
    pub(crate) mode: Option<Text>,
    pub(crate) port: Option<Text>,
}

/// An `action`, or a `then`.
#[derive(Debug)]
pub(crate) struct RawAction {
    pub(crate) origin: Origin,
    pub(crate) form: RawForm,
}

/// What an action is.
#[derive(Debug)]
pub(crate) enum RawForm {
    Word(String),
    Reject(Text),
    Limit {
        rate: Text,
        burst: Text,
        then: Option<Box<RawAction>>,
    },
}

impl RawPolicy {
    /// Reads the keys of a policy.
    pub(crate) fn new(node: &Node, well_formed: bool) -> Self {
        Self {
            origin: node.origin.clone(),
            well_formed,
            isp: node.get_text("isp"),
            label: node.get_scalar("label"),
            time_zone: node.get_text("time_zone"),
            return_path: node.get_text("return-path"),
            memory_limit_mib: node.get_scalar("memory-limit-mib"),
            plans: named(node.get_map("plans"), RawPlan::new),
            subscribers: each(node.get_list("subscribers"), RawSubscribers::new),
            hosts: named(node.get_map("hosts"), RawHosts::new),
            reply_source: ["ipv4", "ipv6"]
                .map(|key| node.get("reply-source").and_then(|node| node.get_text(key))),
            classes: named(node.get_map("destinations"), RawClass::new),
            rules: each(node.get_list("rules"), RawRule::new),
        }
    }

    /// The prefix files that it names.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Text> {
        let subscribers = self.subscribers.iter().filter_map(|s| s.file.as_ref());
        let hosts = self.hosts.iter().filter_map(|hosts| hosts.file.as_ref());
        let classes = self.classes.iter().filter_map(|class| class.file.as_ref());
        subscribers.chain(hosts).chain(classes)
    }
}

impl RawPlan {
    fn new(name: Text, node: &Node) -> Self {
        Self {
            name,
            kind: node.get_text("kind"),
            label: node.get_scalar("label"),
            subscriber_length: node.get_scalar("subscriber-length"),
        }
    }
}

impl RawHosts {
    fn new(name: Text, node: &Node) -> Self {
        Self {
            name,
            role: node.get_text("role"),
            label: node.get_scalar("label"),
            prefixes: texts(node, "prefixes").unwrap_or_default(),
            file: node.get_text("file"),
        }
    }
}

impl RawSubscribers {
    fn new(node: &Node) -> Self {
        Self {
            origin: node.origin.clone(),
            plan: node.get_text("plan"),
            prefixes: texts(node, "prefixes"),
            file: node.get_text("file"),
            ticket: node.get_scalar("ticket"),
            expires: node.get_text("expires"),
        }
    }
}

impl RawClass {
    fn new(name: Text, node: &Node) -> Self {
        Self {
            name,
            label: node.get_scalar("label"),
            prefixes: texts(node, "prefixes").unwrap_or_default(),
            file: node.get_text("file"),
        }
    }
}

impl RawRule {
    fn new(node: &Node) -> Self {
        Self {
            name: node.get_text("name"),
            kind: node.get_text("kind"),
            ip: node.get_scalar("ip"),
            plans: texts(node, "plans"),
            kinds: texts(node, "kinds"),
            to: texts(node, "to"),
            to_other_than: texts(node, "to-other-than"),
            hosts: texts(node, "hosts"),
            peers: texts(node, "peers"),
            peers_other_than: texts(node, "peers-other-than"),
            places: node.places(),
            from: node.get_text("from"),
            before: node.get_text("before"),
            action: node.get("action").and_then(RawAction::new),
            mode: node.get_text("mode"),
            port: node.get_scalar("port"),
        }
    }
}

impl RawAction {
    fn new(node: &Node) -> Option<Self> {
        let limit = |node: &Node| {
            Some(RawForm::Limit {
                rate: node.get_scalar("rate")?,
                burst: node.get_scalar("burst")?,
                then: match node.get("then") {
                    Some(then) => Some(Box::new(Self::new(then)?)),
                    None => None,
                },
            })
        };
        let form = match &node.value {
            Value::Text(word) => RawForm::Word(word.clone()),
            _ => match node.get_text("reject") {
                Some(how) => RawForm::Reject(how),
                None => limit(node.get("limit")?)?,
            },
        };
        Some(Self {
            origin: node.origin.clone(),
            form,
        })
    }
}

fn each<T>(list: Option<&[Node]>, new: fn(&Node) -> T) -> Vec<T> {
    let maps = |node: &&Node| matches!(node.value, Value::Map(_));
    list.unwrap_or(&[]).iter().filter(maps).map(new).collect()
}

fn named<T>(entries: &[(Node, Node)], new: fn(Text, &Node) -> T) -> Vec<T> {
    let new = |(name, node): &(Node, Node)| Some(new(name.text()?, node));
    entries.iter().filter_map(new).collect()
}

fn texts(node: &Node, key: &str) -> Option<Vec<Text>> {
    Some(node.get_list(key)?.iter().filter_map(Node::text).collect())
}
