use super::rows::{Rows, case_rows, cost_rows, loop_rows};
use crate::loadgen::Export;
use std::fmt::Write as _;

/// A run as a Markdown document.
pub fn markdown(export: &Export) -> String {
    let machine = &export.machine;
    let mut text = format!(
        "# sekisho bench\n\n{} of {}, {} processors, {} samples, seed {}, sekisho {}.\n",
        export.started,
        escaped(&machine.cpu),
        machine.cores,
        export.settings.samples,
        export.settings.seed,
        export.version,
    );
    if !export.warnings.is_empty() {
        text += "\n";
        for warning in &export.warnings {
            let _ = writeln!(text, "- Warning: {}", escaped(warning));
        }
    }
    if !export.cases.is_empty() {
        text += "\nnanoseconds and cycles a frame, medians of thread CPU time:\n\n";
        text += &table(&case_rows(export));
        text += "\nwhat each stage takes, and how long a burst of 64 took:\n\n";
        text += &table(&cost_rows(export));
    }
    if let Some(rows) = loop_rows(export) {
        text += "\nwhole loops:\n\n";
        text += &table(&rows);
    }
    text
}

fn table(Rows { rows, numbers }: &Rows) -> String {
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().map(|cell| escaped(cell));
        let _ = writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | "));
        if number == 0 {
            let rule = |column| match numbers.contains(&column) {
                true => "---:",
                false => "---",
            };
            let rules = (0..row.len()).map(rule).collect::<Vec<_>>();
            let _ = writeln!(text, "|{}|", rules.join("|"));
        }
    }
    text
}

/// What would end a cell, or be taken for a tag.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('<', "&lt;")
        .replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loadgen::made_up;

    #[test]
    fn every_row_has_as_many_cells_as_its_head_and_nothing_ends_a_cell() {
        let mut export = made_up::export(&[("a|b", &[2.0]), ("c", &[4.0])]);
        export.cases[1].floor_limit_ns = Some(0.5);
        export.machine.cpu = "a <b>fast</b> one".into();
        export.warnings.push("noise".into());
        let text = markdown(&export);
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let (mut tables, mut width) = (0, None);
        for line in text.lines() {
            if !line.starts_with('|') {
                width = None;
                continue;
            }
            tables += usize::from(width.is_none());
            assert_eq!(*width.get_or_insert(cells(line)), cells(line), "{line}");
        }
        assert_eq!(tables, 2, "{text}");
        assert!(text.contains("- Warning: noise\n"), "{text}");
        assert!(
            text.contains("| a\\|b | 1.00 | 2.00 | 2.00 | 2.00–2.00 | ≤ 3 met | 4.0 | 500.0 |")
        );
        assert!(
            text.contains("| c | 1.00 ! | 4.00 | 4.00 | 4.00–4.00 | ≤ 3 unsound |"),
            "{text}"
        );
        assert!(!text.contains("<b>"));
    }
}
