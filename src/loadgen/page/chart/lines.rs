use super::plot::{LINE_PX, Px, Scale, count, drawable, fitted, text_px};
use super::{Key, Limit, Swatch, in_figures, stroke};
use crate::loadgen::page::number::readable;
use crate::loadgen::page::table::{Cell, Column, Table};
use jiff::civil::Date;
use maud::{Markup, html};

const PLOT_PX: f64 = 240.0;
/// A label of a date, with the room around it.
const TICK_PX: f64 = 72.0;
/// A curve has more points than a reader wants rows.
const ROWS: usize = 12;
/// Steps between labels, in months.
const STEPS: [i32; 8] = [1, 2, 3, 6, 12, 24, 60, 120];

/// Curves over time.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// Of all values.
    pub unit: String,
    /// The curves.
    pub curves: Vec<Curve>,
    /// Lines that a curve may cross.
    pub limits: Vec<Limit>,
    /// Days that matter, such as that of a crossing.
    pub moments: Vec<Moment>,
}

/// One curve.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What it is.
    pub label: String,
    /// In the order of the days; all curves of a chart have the same days.
    pub points: Vec<(Date, f64)>,
}

/// A day to mark.
#[derive(Clone, Debug)]
pub struct Moment {
    /// What happens.
    pub label: String,
    /// When.
    pub day: Date,
    /// The value that is marked with a dot, if it is a crossing.
    pub value: Option<f64>,
}

impl Lines {
    pub(super) fn draw(&self, width: f64) -> (f64, Markup) {
        let Some(plot) = Plot::new(self, width) else {
            return (LINE_PX, html! {});
        };
        let drawing = html! {
            text.soft x="0" y="13" { (self.unit) }
            (plot.grid())
            @for (index, curve) in self.curves.iter().enumerate() {
                path class=(format!("curve {}", stroke(index))) d=(plot.path(&curve.points)) {}
            }
            (plot.limits(&self.limits))
            @for (line, moment) in self.moments.iter().enumerate() { (plot.moment(moment, line)) }
        };
        (plot.bottom + 26.0, drawing)
    }

    pub(super) fn legend(&self) -> Vec<Key> {
        let curves = self.curves.iter().enumerate();
        curves
            .map(|(index, curve)| Key::new(&curve.label, Swatch::Curve(index)))
            .collect()
    }

    pub(super) fn table(&self) -> Table {
        let mut columns = vec![Column::words("day")];
        columns.extend(
            self.curves
                .iter()
                .map(|curve| Column::numbers(&curve.label)),
        );
        columns.extend(
            self.limits
                .iter()
                .map(|limit| Column::numbers(&limit.label)),
        );
        let days = self.curves.first().map_or(&[][..], |curve| &curve.points);
        let every = days.len().div_ceil(ROWS).max(1);
        let shown = |index: usize| index.is_multiple_of(every) || index + 1 == days.len();
        let row = |(index, (day, _)): (usize, &(Date, f64))| {
            let mut row = vec![Cell::from(day.to_string())];
            row.extend(self.curves.iter().map(|curve| {
                let value = curve.points.get(index).map(|(_, value)| readable(*value));
                Cell::from(value.unwrap_or_default())
            }));
            row.extend(
                self.limits
                    .iter()
                    .map(|limit| Cell::from(readable(limit.value))),
            );
            row
        };
        Table {
            caption: in_figures(&self.unit),
            columns,
            rows: days
                .iter()
                .enumerate()
                .filter(|(index, _)| shown(*index))
                .map(row)
                .collect(),
        }
    }
}

struct Plot {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    first: Date,
    days: f64,
    scale: Scale,
}

impl Plot {
    /// `None` is a chart without a point.
    fn new(lines: &Lines, width: f64) -> Option<Self> {
        let days = || {
            lines
                .curves
                .iter()
                .flat_map(|curve| &curve.points)
                .map(|(day, _)| *day)
        };
        let (first, last) = (days().min()?, days().max()?);
        let values = lines
            .curves
            .iter()
            .flat_map(|curve| &curve.points)
            .map(|(_, value)| *value);
        let limits = lines.limits.iter().map(|limit| limit.value);
        let most = values.chain(limits).map(drawable).fold(0.0, f64::max);
        let scale = Scale::new(most, 5.0);
        let left = scale
            .ticks()
            .map(|tick| text_px(&scale.text(tick)))
            .fold(0.0, f64::max)
            + 10.0;
        // A line for the unit, and one for each moment.
        let top = LINE_PX * (1.0 + count(lines.moments.len())) + 8.0;
        Some(Self {
            left,
            right: width - 12.0,
            top,
            bottom: top + PLOT_PX,
            first,
            days: days_between(first, last).max(1.0),
            scale,
        })
    }

    fn x(&self, day: Date) -> f64 {
        let share = (days_between(self.first, day) / self.days).clamp(0.0, 1.0);
        self.left + share * (self.right - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - drawable(value) / self.scale.top * (self.bottom - self.top)
    }

    fn path(&self, points: &[(Date, f64)]) -> String {
        let point = |(index, (day, value)): (usize, &(Date, f64))| {
            let letter = if index == 0 { 'M' } else { 'L' };
            format!("{letter}{} {}", Px(self.x(*day)), Px(self.y(*value)))
        };
        points.iter().enumerate().map(point).collect()
    }

    fn grid(&self) -> Markup {
        html! {
            @for tick in self.scale.ticks() {
                @let y = self.y(tick);
                path class="grid" d=(format!("M{} {}H{}", Px(self.left), Px(y), Px(self.right))) {}
                text.soft x=(Px(self.left - 8.0)) y=(Px(y + 4.5)) text-anchor="end" { (self.scale.text(tick)) }
            }
            @for (day, label) in self.dates() {
                @let x = self.x(day);
                path class="axis" d=(format!("M{} {}v5", Px(x), Px(self.bottom))) {}
                text.soft x=(Px(x)) y=(Px(self.bottom + 20.0)) text-anchor="middle" { (label) }
            }
            path class="axis" d=(format!("M{} {}H{}", Px(self.left), Px(self.bottom), Px(self.right))) {}
        }
    }

    /// The days that get a label: first days of months, evenly apart, none near the ends.
    fn dates(&self) -> Vec<(Date, String)> {
        let room = ((self.right - self.left) / TICK_PX).max(1.0);
        let months = self.days / 30.44;
        let enough = |step: &&i32| months / f64::from(**step) <= room;
        let step = *STEPS.iter().find(enough).unwrap_or(&120);
        let mut dates = Vec::new();
        let mut month = i32::from(self.first.year()) * 12;
        let last = month + 24 + i32::try_from(months as i64).unwrap_or(0);
        while month <= last {
            let year = i16::try_from(month.div_euclid(12)).unwrap_or(i16::MAX);
            let of_year = i8::try_from(month.rem_euclid(12) + 1).unwrap_or(1);
            if let Ok(day) = Date::new(year, of_year, 1) {
                let offset = days_between(self.first, day);
                let x = self.x(day);
                if (0.0..=self.days).contains(&offset) && x + TICK_PX / 3.0 < self.right + 12.0 {
                    let label = if step >= 12 {
                        format!("{year}")
                    } else {
                        format!("{year}-{of_year:02}")
                    };
                    dates.push((day, label));
                }
            }
            month += step;
        }
        dates
    }

    /// Labels stand at the left, above their line; below it where the next line is too near.
    fn limits(&self, limits: &[Limit]) -> Markup {
        let mut order: Vec<&Limit> = limits.iter().collect();
        order.sort_by(|a, b| b.value.total_cmp(&a.value));
        let mut taken = f64::NEG_INFINITY;
        let mut labels = Vec::new();
        for limit in order {
            let line = self.y(limit.value);
            let above = line - 6.0;
            let y = if above - LINE_PX < taken {
                (line + LINE_PX - 2.0).max(taken + LINE_PX)
            } else {
                above
            };
            labels.push((limit, y));
            taken = y.max(line);
        }
        html! {
            @for (limit, y) in labels {
                path class="limit-line" d=(format!("M{} {}H{}", Px(self.left), Px(self.y(limit.value)), Px(self.right))) {}
                text class="limit halo" x=(Px(self.left + 6.0)) y=(Px(y)) {
                    (fitted(&limit.label, self.right - self.left - 6.0))
                }
            }
        }
    }

    /// Each has a line of text of its own, above the plot.
    fn moment(&self, moment: &Moment, line: usize) -> Markup {
        let x = self.x(moment.day);
        let y = LINE_PX * (2.0 + count(line)) - 3.0;
        let room = text_px(&moment.label);
        let before = x + 6.0 + room > self.right + 12.0;
        let (anchor, text_x) = if before {
            ("end", (x - 6.0).max(room.min(self.right)))
        } else {
            ("start", x + 6.0)
        };
        html! {
            path class="moment" d=(format!("M{} {}V{}", Px(x), Px(y - 9.0), Px(self.bottom))) {}
            text.halo x=(Px(text_x)) y=(Px(y)) text-anchor=(anchor) { (fitted(&moment.label, self.right)) }
            @if let Some(value) = moment.value {
                circle class="moment-dot" cx=(Px(x)) cy=(Px(self.y(value))) r="5" {}
            }
        }
    }
}

fn days_between(from: Date, to: Date) -> f64 {
    let days = from.duration_until(to).as_hours() / 24;
    i32::try_from(days).map_or(0.0, f64::from)
}
