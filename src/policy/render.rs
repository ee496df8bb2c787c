//! Diagnostics for people (rustc's manner) and for programs.

use super::source::Sources;
use super::{Diagnostic, Label, Severity};
use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin as Place, Renderer, Snippet,
    normalize_untrusted_str,
};
use serde_json::{Value, json};
use std::ops::Range;

/// Labels of one text that are farther apart than this get snippets of their own.
const WINDOW_BYTES: usize = 1 << 16;

/// Renders diagnostics with file, line, column, the text there, and what to do.
pub fn render(sources: &Sources, diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = String::new();
    for found in diagnostics {
        text.push_str(&renderer.render(&[group(sources, found)]));
        text.push_str("\n\n");
    }
    // The crate shows the other control characters in a harmless form, but not C1: U+009B begins
    // an escape sequence on some terminals.
    text.replace(|letter| matches!(letter, '\u{80}'..='\u{9f}'), "\u{fffd}")
}

impl Diagnostic {
    /// For programs: places as file, line and column (in characters), 1-based.
    pub fn to_json(&self, sources: &Sources) -> Value {
        let place = |label: &Label| {
            json!({
                "file": sources.name(label.origin.source),
                "line": label.origin.line,
                "column": sources.column(&label.origin),
                "text": label.text,
            })
        };
        let labels: Vec<Value> = self.labels.iter().map(place).collect();
        let first = |key: &str| {
            labels
                .first()
                .map_or(Value::Null, |label| label[key].clone())
        };
        json!({
            "severity": self.severity.label(),
            "code": self.code,
            "message": self.message,
            "file": first("file"),
            "line": first("line"),
            "column": first("column"),
            "help": self.help,
            "labels": labels,
        })
    }
}

fn group<'a>(sources: &'a Sources, found: &'a Diagnostic) -> Group<'a> {
    let level = match found.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = level
        .primary_title(found.message.as_str())
        .id(found.code)
        .elements(snippets(sources, found));
    if let Some(help) = &found.help {
        group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
    }
    group
}

/// One element for each stretch of text that holds labels, the first label's first.
fn snippets<'a>(sources: &'a Sources, found: &'a Diagnostic) -> Vec<Element<'a>> {
    let mut stretches: Vec<Vec<(usize, &Label)>> = Vec::new();
    for (index, label) in found.labels.iter().enumerate() {
        let near = stretches.iter_mut().find(|labels| {
            labels.first().is_some_and(|(_, first)| {
                let apart = first.origin.span.start.abs_diff(label.origin.span.start);
                first.origin.source == label.origin.source && apart <= WINDOW_BYTES
            })
        });
        match near {
            Some(labels) => labels.push((index, label)),
            None => stretches.push(vec![(index, label)]),
        }
    }
    let snippet = |labels| snippet(sources, labels);
    stretches.into_iter().filter_map(snippet).collect()
}

fn snippet<'a>(sources: &'a Sources, labels: Vec<(usize, &'a Label)>) -> Option<Element<'a>> {
    let (_, first) = labels.first()?;
    let (name, text) = (
        sources.name(first.origin.source),
        sources.text(first.origin.source),
    );
    if text.is_empty() {
        return Some(Place::path(name).into());
    }
    let start = labels
        .iter()
        .map(|(_, label)| label.origin.span.start)
        .min()?;
    let end = labels
        .iter()
        .map(|(_, label)| label.origin.span.end)
        .max()?;
    let line = labels.iter().map(|(_, label)| label.origin.line).min()?;
    let window = whole_lines(text, start..end);
    let shown = text.get(window.clone())?;
    let annotation = |(index, label): (usize, &'a Label)| -> Annotation<'a> {
        let kind = if index == 0 {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let span = &label.origin.span;
        kind.span(span.start - window.start..span.end - window.start)
            .label(label.text.as_str())
    };
    let snippet = Snippet::source(shown)
        .line_start(usize::try_from(line).unwrap_or(1))
        .path(name)
        .annotations(labels.into_iter().map(annotation));
    Some(snippet.into())
}

/// The lines that a span touches.
fn whole_lines(text: &str, span: Range<usize>) -> Range<usize> {
    let before = text.get(..span.start).unwrap_or("");
    let after = text.get(span.end..).unwrap_or("");
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = after.find('\n').map_or(text.len(), |at| span.end + at);
    start..end
}
