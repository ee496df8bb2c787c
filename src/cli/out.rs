use super::Failure;
use crate::policy::{self, Diagnostic, Sources};
use std::fmt::{Display, Write as _};
use std::io::{self, Write};

/// Writes one message to stderr; nobody is there to be told when that fails.
pub(super) fn complain(severity: &str, message: impl Display) {
    let _ = writeln!(anstream::stderr(), "{severity}: {message}");
}

/// Writes text to stderr, where stdout is taken.
pub(super) fn note(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Writes what is to be said about policies to stderr.
pub(super) fn diagnostics(sources: &Sources, diagnostics: &[Diagnostic]) {
    // Stripped again where stderr is no terminal, or the user asked for no colour.
    note(&policy::render(sources, diagnostics, true));
}

/// Writes text to stdout.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Writes one JSON object to stdout.
pub(super) fn print_json(schema: &str, body: &impl serde::Serialize) -> Result<(), Failure> {
    print(&json(schema, body)?)
}

/// One JSON object, indented, with its schema first.
pub(super) fn json(schema: &str, body: &impl serde::Serialize) -> Result<String, Failure> {
    #[derive(serde::Serialize)]
    struct Tagged<'a, T> {
        schema: String,
        #[serde(flatten)]
        body: &'a T,
    }
    let tagged = Tagged {
        schema: format!("sekisho.{schema}/1"),
        body,
    };
    let mut text = serde_json::to_string_pretty(&tagged)?;
    text.push('\n');
    Ok(text)
}

/// Groups digits by three: `1234567` → `1,234,567`.
pub(super) fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A table for people: the first row is its head; columns of `numbers` are aligned to the right.
pub(super) fn table(rows: &[Vec<String>], numbers: &[usize]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|c| {
            rows.iter()
                .filter_map(|r| r.get(c))
                .map(|cell| width(cell))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::from(" ");
        for (column, (cell, wide)) in row.iter().zip(&widths).enumerate() {
            let fill = " ".repeat(wide - width(cell));
            let _ = match numbers.contains(&column) {
                true => write!(line, " {fill}{cell} "),
                false => write!(line, " {cell}{fill} "),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A label of a line, filled up to `columns`.
pub(super) fn padded(label: &str, columns: usize) -> String {
    format!(
        "{label}{}",
        " ".repeat(columns.saturating_sub(width(label)))
    )
}

/// Columns that a terminal needs; Japanese takes two for a letter.
fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let groups = [0_u64, 12, 999, 1_000, 123_456, 1_234_567].map(grouped);
        assert_eq!(groups, ["0", "12", "999", "1,000", "123,456", "1,234,567"]);
    }

    #[test]
    fn numbers_stand_to_the_right_and_japanese_is_two_columns_wide() {
        let rows = [
            vec!["PLAN".into(), "FRAMES".into()],
            vec!["光".into(), "7".into()],
        ];
        assert_eq!(table(&rows, &[1]), "  PLAN  FRAMES\n  光         7\n");
    }
}
