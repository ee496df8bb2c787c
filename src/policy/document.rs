//! YAML that is held against a table of keys: policies, and what else people write for sekisho.

use super::SourceId;
pub(crate) use super::diagnostic::{Code, Diagnostic, Findings};
pub(crate) use super::raw::keys::{Form, Key, POLICY, Table, key, required};
pub(crate) use super::raw::node::{Node, Text};
pub(crate) use super::raw::prefix::parse as prefix;
pub(crate) use super::raw::schema::document as schema;
pub(crate) use super::raw::yaml::print;
use super::raw::{shape, spelling, yaml};
pub(crate) use super::source::{Sources, beside};

/// A kind of document.
pub(crate) struct Kind {
    /// Its keys.
    pub(crate) table: &'static Table,
    /// Where they are explained.
    pub(crate) guide: &'static str,
    /// What is said of one that is empty.
    pub(crate) empty: Code,
}

/// Reads a file's text as a document of a kind.
/// What is wrong goes into the findings; a tree in which something was wrong may still be given.
pub(crate) fn read(
    name: &str,
    bytes: Vec<u8>,
    kind: &Kind,
    sources: &mut Sources,
    findings: &mut Findings,
) -> std::io::Result<Option<Node>> {
    let id = sources.add(name, bytes)?;
    Ok(tree(id, kind, sources, findings))
}

/// The same of a text that was added already.
pub(super) fn tree(
    id: SourceId,
    kind: &Kind,
    sources: &Sources,
    findings: &mut Findings,
) -> Option<Node> {
    if let Some(origin) = sources.not_utf8(id) {
        let message = "this is not text in UTF-8";
        findings.push(
            Diagnostic::new(
                Code::NOT_YAML,
                message,
                &origin,
                "the first octet that is not",
            )
            .help("save the file in UTF-8; other encodings are not read"),
        );
        return None;
    }
    match yaml::read(sources, id) {
        Ok(Some(node)) => {
            shape::check(&node, kind.table, findings);
            Some(node)
        }
        Ok(None) => {
            findings.push(empty(id, kind, sources));
            None
        }
        Err(found) => {
            findings.push(found);
            None
        }
    }
}

/// What is said of a file that cannot be read at all.
pub(crate) fn unreadable(
    what: &str,
    name: &str,
    error: &std::io::Error,
    sources: &mut Sources,
) -> Diagnostic {
    let message = format!("the {what} cannot be read: {error}");
    // An empty text stands in for the file, so that the message has a place.
    let id = sources.add(name, Vec::new()).unwrap_or(SourceId(0));
    let origin = sources.origin(id, 0..0);
    Diagnostic::new(Code::UNREADABLE_FILE, message, &origin, "this file")
}

fn empty(id: SourceId, kind: &Kind, sources: &Sources) -> Diagnostic {
    let (table, guide) = (kind.table, kind.guide);
    let origin = sources.origin(id, 0..0);
    let required = table.keys.iter().filter(|key| key.required);
    let names: Vec<&str> = required.map(|key| key.name).collect();
    let list = spelling::list(&names);
    let needed = match list.rsplit_once(", ") {
        Some((most, last)) => format!("{most} and {last}"),
        None => list,
    };
    let name = table.name.strip_prefix("a ").unwrap_or(table.name);
    Diagnostic::new(
        kind.empty,
        format!("this {name} is empty"),
        &origin,
        "nothing but space and comments",
    )
    .help(format!(
        "{} needs at least {needed}; see {guide}",
        table.name
    ))
}
