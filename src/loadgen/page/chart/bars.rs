use super::plot::{LINE_PX, Px, Rows, count, drawable, text_px};
use super::{Key, Limit, Swatch, fill, hatched, in_figures};
use crate::loadgen::page::number::readable;
use crate::loadgen::page::table::{Cell, Column, Mark, Table};
use maud::{Markup, html};

const BAR_PX: f64 = 16.0;
const BETWEEN_BARS_PX: f64 = 3.0;
const BETWEEN_GROUPS_PX: f64 = 14.0;

/// Bars from left to right: a group has one for each series.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    /// Of all values.
    pub unit: String,
    /// What the rows of the table are.
    pub rows: String,
    /// The name of each series.
    pub series: Vec<String>,
    /// The groups, top to bottom.
    pub groups: Vec<Group>,
    /// Lines across all groups.
    pub limits: Vec<Limit>,
    /// What the goal of a group is called.
    pub goal: String,
}

/// The bars that stand together.
#[derive(Clone, Debug)]
pub struct Group {
    /// What they are about.
    pub label: String,
    /// One for each series.
    pub bars: Vec<Bar>,
    /// A goal of this group alone.
    pub goal: Option<f64>,
}

/// One bar.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    /// Its length.
    pub value: f64,
    /// Between which bounds the value lies.
    pub bounds: Option<(f64, f64)>,
    /// Whether it goes beyond what was measured: such a bar is hatched.
    pub extrapolated: bool,
}

impl Bar {
    /// A bar without bounds, measured.
    pub const fn new(value: f64) -> Self {
        Self {
            value,
            bounds: None,
            extrapolated: false,
        }
    }

    fn most(&self) -> f64 {
        let high = self.bounds.map_or(0.0, |(_, high)| drawable(high));
        drawable(self.value).max(high)
    }
}

impl Group {
    fn height(&self) -> f64 {
        count(self.bars.len().max(1)) * (BAR_PX + BETWEEN_BARS_PX) - BETWEEN_BARS_PX
    }

    fn most(&self) -> f64 {
        let bars = self.bars.iter().map(Bar::most);
        bars.fold(self.goal.map_or(0.0, drawable), f64::max)
    }
}

impl Bars {
    pub(super) fn draw(&self, width: f64) -> (f64, Markup) {
        let bars = || self.groups.iter().flat_map(|group| &group.bars);
        let value_px = bars().map(|bar| text_px(&readable(bar.value)));
        let rows = Rows::new(
            width,
            self.groups.iter().map(|group| group.label.as_str()),
            value_px.fold(0.0, f64::max),
            self.groups.iter().map(Group::most).fold(0.0, f64::max),
            &self.limits,
        );
        let label = if rows.labels_above { LINE_PX } else { 0.0 };
        let mut y = rows.top() + 4.0;
        let mut drawn = Vec::new();
        for group in &self.groups {
            y += label;
            drawn.push((group, y));
            y += group.height() + BETWEEN_GROUPS_PX;
        }
        let bottom = y - BETWEEN_GROUPS_PX / 2.0;
        let drawing = html! {
            (rows.grid(bottom, &self.unit))
            @for (group, y) in &drawn { (shapes(&rows, group, *y)) }
            (rows.limits(bottom))
            @for (group, y) in &drawn { (texts(&rows, group, *y)) }
            (rows.axis(bottom))
        };
        (Rows::height(bottom), drawing)
    }

    pub(super) fn legend(&self) -> Vec<Key> {
        let bars = || self.groups.iter().flat_map(|group| &group.bars);
        let mut keys = Vec::new();
        if self.series.len() > 1 {
            let series = self.series.iter().enumerate();
            keys.extend(series.map(|(index, name)| Key::new(name, Swatch::Fill(index))));
        }
        if bars().any(|bar| bar.extrapolated) {
            keys.push(Key::new("extrapolated", Swatch::Hatch));
        }
        if bars().any(|bar| bar.bounds.is_some()) {
            keys.push(Key::new("low to high", Swatch::Whisker));
        }
        if self.groups.iter().any(|group| group.goal.is_some()) {
            keys.push(Key::new(&self.goal, Swatch::Goal));
        }
        keys
    }

    pub(super) fn table(&self) -> Table {
        let goals = self.groups.iter().any(|group| group.goal.is_some());
        let mut columns = vec![Column::words(&self.rows)];
        columns.extend(self.series.iter().map(Column::numbers));
        if goals {
            columns.push(Column::numbers(&self.goal));
        }
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for group in &self.groups {
            let mut row = vec![Cell::from(&group.label)];
            row.extend(group.bars.iter().map(cell));
            row.resize_with(self.series.len() + 1, || Cell::from(""));
            if goals {
                row.push(Cell::from(group.goal.map(readable).unwrap_or_default()));
            }
            rows.push(row);
        }
        for limit in &self.limits {
            let mut row = vec![Cell::from(&limit.label), Cell::from(readable(limit.value))];
            row.resize_with(columns.len(), || Cell::from(""));
            rows.push(row);
        }
        Table {
            caption: in_figures(&self.unit),
            columns,
            rows,
        }
    }
}

fn cell(bar: &Bar) -> Cell {
    let value = readable(bar.value);
    let cell = Cell::from(match bar.bounds {
        Some((low, high)) => format!("{value} [{} to {}]", readable(low), readable(high)),
        None => value,
    });
    if bar.extrapolated {
        cell.marked(Mark::Extrapolated)
    } else {
        cell
    }
}

fn shapes(rows: &Rows, group: &Group, top: f64) -> Markup {
    html! {
        @for (series, bar) in group.bars.iter().enumerate() {
            (bar_shape(rows, series, bar, bar_top(top, series)))
        }
        @if let Some(goal) = group.goal {
            path class="goal" d=(format!("M{} {}v{}", Px(rows.x(goal)), Px(top - 3.0), Px(group.height() + 6.0))) {}
        }
    }
}

fn bar_shape(rows: &Rows, series: usize, bar: &Bar, y: f64) -> Markup {
    let (start, end) = (rows.x(0.0), rows.x(bar.value));
    let class = if bar.extrapolated {
        hatched(series)
    } else {
        fill(series)
    };
    let middle = y + BAR_PX / 2.0;
    html! {
        rect class=(class) x=(Px(start)) y=(Px(y)) width=(Px((end - start).max(0.5))) height=(Px(BAR_PX)) rx="2" {}
        @if let Some((low, high)) = bar.bounds {
            path class="whisker" d=(whisker(rows.x(low), rows.x(high), middle)) {}
        }
    }
}

fn whisker(low: f64, high: f64, middle: f64) -> String {
    let (low, high, middle, end) = (Px(low), Px(high), Px(middle), Px(middle - 3.0));
    format!("M{low} {middle}H{high}M{low} {end}v6M{high} {end}v6")
}

fn texts(rows: &Rows, group: &Group, top: f64) -> Markup {
    html! {
        (rows.label(&group.label, top, group.height()))
        @for (series, bar) in group.bars.iter().enumerate() {
            @let text = readable(bar.value);
            @let x = rows.x(bar.most()) + 6.0;
            @let goal = group.goal.map(|goal| rows.x(goal));
            // A value does not stand on the mark of a goal.
            @let hit = goal.filter(|goal| (x - 5.0..x + text_px(&text)).contains(goal));
            text.halo x=(Px(hit.map_or(x, |goal| goal + 6.0)))
                y=(Px(bar_top(top, series) + BAR_PX / 2.0 + 4.5)) { (text) }
        }
    }
}

fn bar_top(top: f64, series: usize) -> f64 {
    top + count(series) * (BAR_PX + BETWEEN_BARS_PX)
}
