//! The only place that knows the YAML crate: text → [`Node`].

use super::node::{Node, Value};
use crate::policy::diagnostic::{Code, Diagnostic};
use crate::policy::source::Sources;
use crate::policy::{Origin, SourceId};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::budget::BudgetBreach;
use serde_yaml::{
    DuplicateKeyPolicy, Location, MergeKeyPolicy, MessageFormatter, NonFiniteFloatPolicy, Options,
    Spanned, UserMessageFormatter,
};
use std::fmt;

/// Reads one policy text. `None` is a text without a document.
pub(crate) fn read(sources: &Sources, id: SourceId) -> Result<Option<Node>, Diagnostic> {
    let text = sources.text(id);
    if let Some(at) = lone_carriage_return(text) {
        let message = "a carriage return that is no part of a line end";
        let found = Diagnostic::new(
            Code::NOT_YAML,
            "this is not YAML",
            &sources.origin(id, at..at),
            message,
        );
        return Err(found.help("end lines with a line feed, with or without the return before it"));
    }
    match serde_yaml::from_str_with_options::<Spanned<Written>>(text, options()) {
        Ok(Spanned {
            value: Written::Null,
            ..
        }) => Ok(None),
        Ok(written) => Ok(Some(Reader { sources, id }.node(written))),
        Err(error) => Err(not_yaml(sources, id, &error)),
    }
}

/// Writes a policy document.
pub(crate) fn print(document: &serde_json::Value) -> String {
    // A JSON value has nothing that YAML cannot hold.
    serde_yaml::to_string(document).unwrap_or_default()
}

/// YAML counts a lone carriage return as a line end, and nobody else does any more: every line
/// behind it would have two numbers.
fn lone_carriage_return(text: &str) -> Option<usize> {
    let alone = |at: &usize| text.as_bytes().get(at + 1) != Some(&b'\n');
    text.match_indices('\r').map(|(at, _)| at).find(alone)
}

/// Long inline lists are allowed, deep nesting and alias bombs are not.
fn options() -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_events: 20_000_000,
            max_nodes: 10_000_000,
            max_depth: 24,
            max_aliases: 64,
            max_anchors: 64,
            max_recorded_anchor_events: 100_000,
            max_documents: 1,
        },
        emit_comments: false,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        with_snippet: false,
    }
}

fn not_yaml(sources: &Sources, id: SourceId, error: &serde_yaml::Error) -> Diagnostic {
    let origin = match error.location() {
        Some(location) if location != Location::UNKNOWN => point(sources, id, location),
        _ => sources.origin(id, 0..0),
    };
    let (message, help) = match error {
        serde_yaml::Error::Budget { breach, .. } => over_budget(breach),
        _ => in_syntax(error),
    };
    Diagnostic::new(Code::NOT_YAML, "this is not YAML", &origin, message).help(help)
}

fn in_syntax(error: &serde_yaml::Error) -> (String, &'static str) {
    let message = UserMessageFormatter.format_message(error).into_owned();
    let help = if message.contains("tabs") {
        "YAML indents with spaces, never with tabs"
    } else {
        "check the indentation, and that every bracket and quote is closed"
    };
    (message, help)
}

fn over_budget(breach: &BudgetBreach) -> (String, &'static str) {
    let (message, help) = match breach {
        BudgetBreach::Documents { .. } => (
            "a second document begins here",
            "a policy file is one document: give each provider a file of its own",
        ),
        BudgetBreach::Depth { .. } => (
            "nested more than 24 deep",
            "no policy is nested like that: look for brackets that are not closed",
        ),
        BudgetBreach::Aliases { .. } | BudgetBreach::Anchors { .. } => (
            "more than 64 anchors or aliases",
            "write the values out; long prefix lists belong in a prefix file",
        ),
        _ => (
            "too large for a policy",
            "long prefix lists belong in a prefix file",
        ),
    };
    (message.to_owned(), help)
}

/// The place of a syntax error: the crate tells line and column, and not always the octet.
fn point(sources: &Sources, id: SourceId, location: Location) -> Origin {
    if location.span().byte_offset().is_some() {
        return origin(sources, id, location);
    }
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let text = sources.text(id);
    let lines = text.split_inclusive('\n');
    let line_start: usize = lines
        .take(count(location.line()).saturating_sub(1))
        .map(str::len)
        .sum();
    let line = text.get(line_start..).unwrap_or("").lines().next();
    let before = line
        .unwrap_or("")
        .chars()
        .take(count(location.column()).saturating_sub(1));
    let start = line_start + before.map(char::len_utf8).sum::<usize>();
    sources.origin(id, start..start)
}

fn origin(sources: &Sources, id: SourceId, location: Location) -> Origin {
    let text = sources.text(id);
    let bytes = |count: Option<u64>| count.and_then(|count| usize::try_from(count).ok());
    // Behind a second document the crate's offsets may point into the middle of a letter.
    let start = text.floor_char_boundary(bytes(location.span().byte_offset()).unwrap_or(0));
    let length = bytes(location.span().byte_len()).unwrap_or(0);
    let end = text.ceil_char_boundary(start.saturating_add(length));
    let written = text.get(start..end).unwrap_or("").trim_end();
    Origin {
        source: id,
        line: u32::try_from(location.line()).unwrap_or(u32::MAX),
        span: start..start + written.len(),
    }
}

struct Reader<'a> {
    sources: &'a Sources,
    id: SourceId,
}

impl Reader<'_> {
    fn node(&self, written: Spanned<Written>) -> Node {
        let mut origin = origin(self.sources, self.id, written.defined);
        let value = match written.value {
            Written::Null => Value::Null,
            Written::Bool => Value::Bool(self.raw(&origin)),
            Written::Number => Value::Number(self.raw(&origin)),
            Written::Text(text) => Value::Text(text),
            Written::List(list) => {
                Value::List(list.into_iter().map(|node| self.node(node)).collect())
            }
            Written::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (self.node(key), self.node(value)))
                    .collect(),
            ),
        };
        origin.span = cover(origin.span, &value);
        Node { origin, value }
    }

    /// A number keeps its spelling.
    fn raw(&self, origin: &Origin) -> String {
        self.sources.excerpt(origin).to_owned()
    }
}

/// The crate says where a collection begins; it ends with its last element.
fn cover(span: std::ops::Range<usize>, value: &Value) -> std::ops::Range<usize> {
    let last = match value {
        Value::List(list) => list.last(),
        Value::Map(entries) => entries.last().map(|(_, value)| value),
        _ => None,
    };
    let end = last.map_or(span.end, |node| node.origin.span.end);
    span.start..end.max(span.end)
}

/// A YAML value. Numbers are not read: their spelling is looked up in the text.
enum Written {
    Null,
    Bool,
    Number,
    Text(String),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<Self>, Spanned<Self>)>),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Written, E> {
        Ok(Written::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Written, E> {
        Ok(Written::Bool)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Written, E> {
        Ok(Written::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Written, E> {
        Ok(Written::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Written, E> {
        Ok(Written::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Written, E> {
        Ok(Written::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Written, E> {
        Ok(Written::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Written, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Written::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Written::Map(entries))
    }
}
