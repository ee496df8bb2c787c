//! What was written, key by key. What is missing or of a wrong form is `None` here; `shape` has
//! already said so.

use super::Origin;
use super::node::{Node, Text, Value};

/// A policy file.
#[derive(Debug)]
pub(super) struct RawPolicy {
    pub(super) origin: Origin,
    /// Every key is known and of its form.
    pub(super) well_formed: bool,
    pub(super) isp: Option<Text>,
    pub(super) label: Option<Text>,
    pub(super) time_zone: Option<Text>,
    pub(super) return_path: Option<Text>,
    pub(super) memory_limit_mib: Option<Text>,
    pub(super) plans: Vec<RawPlan>,
    pub(super) subscribers: Vec<RawSubscribers>,
    pub(super) classes: Vec<RawClass>,
    pub(super) rules: Vec<RawRule>,
}

/// An entry of `plans`.
#[derive(Debug)]
pub(super) struct RawPlan {
    pub(super) name: Text,
    pub(super) kind: Option<Text>,
    pub(super) label: Option<Text>,
}

/// An entry of `subscribers`.
#[derive(Debug)]
pub(super) struct RawSubscribers {
    pub(super) origin: Origin,
    pub(super) plan: Option<Text>,
    pub(super) prefixes: Option<Vec<Text>>,
    pub(super) file: Option<Text>,
    pub(super) ticket: Option<Text>,
    pub(super) expires: Option<Text>,
}

/// An entry of `destinations`.
#[derive(Debug)]
pub(super) struct RawClass {
    pub(super) name: Text,
    pub(super) label: Option<Text>,
    pub(super) prefixes: Vec<Text>,
    pub(super) file: Option<Text>,
}

/// An entry of `rules`.
#[derive(Debug)]
pub(super) struct RawRule {
    pub(super) name: Option<Text>,
    pub(super) ip: Option<Text>,
    pub(super) plans: Option<Vec<Text>>,
    pub(super) kinds: Option<Vec<Text>>,
    pub(super) to: Option<Vec<Text>>,
    pub(super) to_other_than: Option<Vec<Text>>,
    pub(super) from: Option<Text>,
    pub(super) before: Option<Text>,
    pub(super) action: Option<Text>,
    pub(super) mode: Option<Text>,
    pub(super) port: Option<Text>,
}

impl RawPolicy {
    /// Reads the keys of a policy.
    pub(super) fn new(node: &Node, well_formed: bool) -> Self {
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
            classes: named(node.get_map("destinations"), RawClass::new),
            rules: each(node.get_list("rules"), RawRule::new),
        }
    }

    /// The prefix files that it names.
    pub(super) fn files(&self) -> impl Iterator<Item = &Text> {
        let subscribers = self.subscribers.iter().filter_map(|s| s.file.as_ref());
        subscribers.chain(self.classes.iter().filter_map(|class| class.file.as_ref()))
    }
}

impl RawPlan {
    fn new(name: Text, node: &Node) -> Self {
        Self {
            name,
            kind: node.get_text("kind"),
            label: node.get_scalar("label"),
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
            ip: node.get_scalar("ip"),
            plans: texts(node, "plans"),
            kinds: texts(node, "kinds"),
            to: texts(node, "to"),
            to_other_than: texts(node, "to-other-than"),
            from: node.get_text("from"),
            before: node.get_text("before"),
            action: node.get_text("action"),
            mode: node.get_text("mode"),
            port: node.get_scalar("port"),
        }
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
