use super::plot::{LINE_PX, Px, Rows, drawable, text_px};
use super::{Key, Limit, Swatch, fill, in_figures};
use crate::loadgen::page::number::readable;
use crate::loadgen::page::table::{Cell, Column, Table};
use maud::{Markup, html};

const BAR_PX: f64 = 24.0;
const BETWEEN_BARS_PX: f64 = 14.0;

/// Bars that are made of parts.
#[derive(Clone, Debug, Default)]
pub struct Stacks {
    /// Of all values.
    pub unit: String,
    /// What the rows of the table are.
    pub rows: String,
    /// The name of each part.
    pub parts: Vec<String>,
    /// The bars, top to bottom.
    pub stacks: Vec<Stack>,
    /// Lines across all bars.
    pub limits: Vec<Limit>,
}

/// One bar.
#[derive(Clone, Debug)]
pub struct Stack {
    /// What it is.
    pub label: String,
    /// Its parts, from the left.
    pub values: Vec<f64>,
}

impl Stack {
    fn total(&self) -> f64 {
        self.values.iter().copied().map(drawable).sum()
    }
}

impl Stacks {
    pub(super) fn draw(&self, width: f64) -> (f64, Markup) {
        let totals = || self.stacks.iter().map(Stack::total);
        let rows = Rows::new(
            width,
            self.stacks.iter().map(|stack| stack.label.as_str()),
            totals()
                .map(|total| text_px(&readable(total)))
                .fold(0.0, f64::max),
            totals().fold(0.0, f64::max),
            &self.limits,
        );
        let label = if rows.labels_above { LINE_PX } else { 0.0 };
        let mut y = rows.top() + 4.0;
        let mut drawn = Vec::new();
        for stack in &self.stacks {
            y += label;
            drawn.push((stack, y));
            y += BAR_PX + BETWEEN_BARS_PX;
        }
        let bottom = y - BETWEEN_BARS_PX / 2.0;
        let drawing = html! {
            (rows.grid(bottom, &self.unit))
            @for (stack, y) in &drawn { (segments(&rows, stack, *y)) }
            (rows.limits(bottom))
            @for (stack, y) in &drawn { (texts(&rows, stack, *y)) }
            (rows.axis(bottom))
        };
        (Rows::height(bottom), drawing)
    }

    pub(super) fn legend(&self) -> Vec<Key> {
        let parts = self.parts.iter().enumerate();
        parts
            .map(|(index, name)| Key::new(name, Swatch::Fill(index)))
            .collect()
    }

    pub(super) fn table(&self) -> Table {
        let mut columns = vec![Column::words(&self.rows)];
        columns.extend(self.parts.iter().map(Column::numbers));
        columns.push(Column::numbers("total"));
        let row = |stack: &Stack| {
            let mut row = vec![Cell::from(&stack.label)];
            row.extend(
                stack
                    .values
                    .iter()
                    .map(|value| Cell::from(readable(*value))),
            );
            row.resize_with(self.parts.len() + 1, || Cell::from(""));
            row.push(Cell::from(readable(stack.total())));
            row
        };
        let mut rows: Vec<Vec<Cell>> = self.stacks.iter().map(row).collect();
        for limit in &self.limits {
            let mut row = vec![Cell::from(&limit.label)];
            row.resize_with(self.parts.len() + 1, || Cell::from(""));
            row.push(Cell::from(readable(limit.value)));
            rows.push(row);
        }
        Table {
            caption: in_figures(&self.unit),
            columns,
            rows,
        }
    }
}

fn segments(rows: &Rows, stack: &Stack, y: f64) -> Markup {
    let mut before = 0.0;
    let mut segments = Vec::new();
    for (part, value) in stack.values.iter().enumerate() {
        let after = before + drawable(*value);
        segments.push((part, rows.x(before), rows.x(after)));
        before = after;
    }
    html! {
        @for (part, start, end) in segments {
            rect class=(format!("segment {}", fill(part))) x=(Px(start)) y=(Px(y))
                width=(Px(end - start)) height=(Px(BAR_PX)) {}
        }
    }
}

fn texts(rows: &Rows, stack: &Stack, y: f64) -> Markup {
    let total = stack.total();
    html! {
        (rows.label(&stack.label, y, BAR_PX))
        text.halo x=(Px(rows.x(total) + 6.0)) y=(Px(y + BAR_PX / 2.0 + 4.5)) { (readable(total)) }
    }
}
