//! Prefix files: `prefix [plan] [ticket] [expires]` a line, `#` comments, plain or gzip.
//!
//! A file may hold millions of lines: what is kept of a line is its place.

use super::prefix;
use crate::policy::diagnostic::{Code, Diagnostic, Findings};
use crate::policy::source::Sources;
use crate::policy::{Origin, SourceId};
use ipnet::IpNet;
use std::ops::Range;

/// One line. The columns are places; [`Sources::excerpt`] has their text.
pub(crate) struct Line {
    pub(crate) prefix: IpNet,
    pub(crate) origin: Origin,
    pub(crate) plan: Option<Origin>,
    pub(crate) ticket: Option<Origin>,
    pub(crate) expires: Option<Origin>,
}

/// The columns that a file may have.
const COLUMNS: usize = 4;

/// Hands every readable line on, and reports the others. Says whether the file has any line.
pub(crate) fn read(
    sources: &Sources,
    id: SourceId,
    findings: &mut Findings,
    mut each: impl FnMut(Line, &mut Findings),
) -> bool {
    if let Some(origin) = sources.not_utf8(id) {
        findings.push(
            Diagnostic::new(
                Code::PREFIX_FILE_LINE,
                "this line is not text in UTF-8",
                &origin,
                "the first octet that is not",
            )
            .help("a prefix file is text, or text packed by gzip"),
        );
        return true;
    }
    let mut any = false;
    let mut start = 0;
    for (line, number) in sources.text(id).split_inclusive('\n').zip(1..) {
        let place = |span: Range<usize>| Origin {
            source: id,
            line: number,
            span: start + span.start..start + span.end,
        };
        let content = line.split_once('#').map_or(line, |(content, _)| content);
        let (columns, more) = columns(content);
        if let [Some(first), ..] = &columns {
            any = true;
            match more {
                Some(more) => findings.push(too_many(&place(more))),
                None => one_line(line, first, &columns, place, findings, &mut each),
            }
        }
        start += line.len();
    }
    any
}

fn one_line(
    line: &str,
    first: &Range<usize>,
    columns: &[Option<Range<usize>>; COLUMNS],
    place: impl Fn(Range<usize>) -> Origin,
    findings: &mut Findings,
    each: &mut impl FnMut(Line, &mut Findings),
) {
    let origin = place(first.clone());
    let column = |index: usize| {
        let span = columns.get(index)?.clone()?;
        let nothing = line.get(span.clone()) == Some("-");
        (!nothing).then(|| place(span))
    };
    match prefix::parse(line.get(first.clone()).unwrap_or(""), &origin) {
        Ok(prefix) => each(
            Line {
                prefix,
                origin,
                plan: column(1),
                ticket: column(2),
                expires: column(3),
            },
            findings,
        ),
        Err(found) => findings.push(found),
    }
}

/// The first columns of a line, and where one too many begins.
fn columns(line: &str) -> ([Option<Range<usize>>; COLUMNS], Option<Range<usize>>) {
    let mut columns = [const { None }; COLUMNS];
    let mut free = columns.iter_mut();
    let mut start = None;
    let ends = line
        .char_indices()
        .map(|(at, letter)| (at, separates(letter)));
    for (at, separator) in ends.chain([(line.len(), true)]) {
        match (start, separator) {
            (None, false) => start = Some(at),
            (Some(begin), true) => match free.next() {
                Some(column) => {
                    *column = Some(begin..at);
                    start = None;
                }
                None => return (columns, Some(begin..at)),
            },
            _ => {}
        }
    }
    (columns, None)
}

fn separates(letter: char) -> bool {
    letter == ',' || letter.is_whitespace()
}

fn too_many(origin: &Origin) -> Diagnostic {
    Diagnostic::new(
        Code::PREFIX_FILE_LINE,
        "this line has more than four columns",
        origin,
        "the fifth",
    )
    .help("a line is `prefix [plan] [ticket] [expires]`; `-` stands for nothing, `#` begins a comment")
}
