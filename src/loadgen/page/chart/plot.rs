//! Where things stand in a chart.

use super::Limit;
use crate::loadgen::page::number::fixed;
use maud::{Markup, html};
use std::fmt;
use unicode_width::UnicodeWidthStr;

/// Of the letters in charts, which are 13 px high. Fonts differ: a little more than most need.
const LETTER_PX: f64 = 7.7;
pub(super) const LINE_PX: f64 = 17.0;
/// Where labels beside bars would leave too little for the bars, they stand above them.
const LABEL_SHARE: f64 = 0.36;

/// A length in a drawing.
#[derive(Clone, Copy)]
pub(super) struct Px(pub(super) f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round() / 10.0;
        // No negative zero.
        write!(f, "{}", tenths + 0.0)
    }
}

/// The room that a text takes, about.
pub(super) fn text_px(text: &str) -> f64 {
    count(text.width()) * LETTER_PX
}

/// A text cut to a room.
pub(super) fn fitted(text: &str, room_px: f64) -> String {
    if text_px(text) <= room_px {
        return text.to_owned();
    }
    let mut cut = String::new();
    for letter in text.chars() {
        cut.push(letter);
        if text_px(&cut) + LETTER_PX > room_px {
            cut.pop();
            break;
        }
    }
    format!("{}…", cut.trim_end())
}

/// What is drawn must have a place: no infinity, nothing below zero.
pub(super) fn drawable(value: f64) -> f64 {
    if value.is_finite() {
        value.max(0.0)
    } else {
        0.0
    }
}

pub(super) fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}

/// From zero to a little more than the most, in round steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) top: f64,
    step: f64,
}

impl Scale {
    /// With about `steps` steps.
    pub(super) fn new(most: f64, steps: f64) -> Self {
        let most = if most > 0.0 { most } else { 1.0 };
        let rough = most / steps.max(1.0);
        let magnitude = 10f64.powf(rough.log10().floor());
        let factors = [1.0, 2.0, 2.5, 5.0, 10.0];
        let factor = factors
            .into_iter()
            .find(|f| f * magnitude >= rough * 0.999_999);
        let step = factor.unwrap_or(10.0) * magnitude;
        let top = (most / step * 0.999_999).ceil() * step;
        Self { top, step }
    }

    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> {
        let step = self.step;
        let upto = self.top * 1.000_001;
        (0..64_u8)
            .map(move |tick| f64::from(tick) * step)
            .take_while(move |value| *value <= upto)
    }

    pub(super) fn text(&self, value: f64) -> String {
        let decimals = (0..6).find(|decimals| {
            let scaled = self.step * 10f64.powi(*decimals);
            (scaled - scaled.round()).abs() < 1e-6 * scaled
        });
        fixed(value, usize::try_from(decimals.unwrap_or(6)).unwrap_or(6))
    }
}

/// Rows of bars: labels at the left or above, values from left to right.
pub(super) struct Rows {
    width: f64,
    left: f64,
    right: f64,
    pub(super) labels_above: bool,
    pub(super) scale: Scale,
    /// Each limit, and the line of text that its label stands in.
    limits: Vec<(Limit, usize)>,
}

impl Rows {
    /// `value_px` is the room for the values behind the bars.
    pub(super) fn new<'a>(
        width: f64,
        labels: impl Iterator<Item = &'a str>,
        value_px: f64,
        most: f64,
        limits: &[Limit],
    ) -> Self {
        let label_px = labels.map(text_px).fold(0.0, f64::max) + 14.0;
        let labels_above = label_px > width * LABEL_SHARE;
        let left = if labels_above { 2.0 } else { label_px };
        let right = width - value_px - 10.0;
        let highest = limits.iter().map(|limit| drawable(limit.value));
        let most = highest.fold(most, f64::max);
        let mut rows = Self {
            width,
            left,
            right,
            labels_above,
            scale: Scale::new(most, ((right - left) / 90.0).floor()),
            limits: Vec::new(),
        };
        rows.limits = rows.placed(limits);
        rows
    }

    pub(super) fn x(&self, value: f64) -> f64 {
        let share = drawable(value) / self.scale.top;
        self.left + share * (self.right - self.left)
    }

    /// Where the first row begins.
    pub(super) fn top(&self) -> f64 {
        let lines = self.limits.iter().map(|(_, line)| line + 1).max();
        4.0 + count(lines.unwrap_or(0)) * LINE_PX
    }

    /// The height of all, if the rows end at `bottom`.
    pub(super) fn height(bottom: f64) -> f64 {
        bottom + 44.0
    }

    /// The grid, which stands behind the bars.
    pub(super) fn grid(&self, bottom: f64, unit: &str) -> Markup {
        let top = self.top();
        html! {
            @for tick in self.scale.ticks() {
                @let x = Px(self.x(tick));
                path class="grid" d=(format!("M{x} {}V{}", Px(top), Px(bottom))) {}
                text.soft x=(x) y=(Px(bottom + 17.0)) text-anchor=(self.anchor(self.x(tick), &self.scale.text(tick))) {
                    (self.scale.text(tick))
                }
            }
            text.soft x=(Px(self.left)) y=(Px(bottom + 37.0)) { (unit) }
        }
    }

    /// The lines across all rows, which stand before the bars.
    pub(super) fn limits(&self, bottom: f64) -> Markup {
        html! {
            @for (limit, line) in &self.limits {
                @let x = self.x(limit.value);
                @let y = 13.0 + count(*line) * LINE_PX;
                path class="limit-line" d=(format!("M{} {}V{}", Px(x), Px(y + 5.0), Px(bottom))) {}
                text class="limit halo" x=(Px(x)) y=(Px(y)) text-anchor=(self.anchor(x, &limit.label)) {
                    (fitted(&limit.label, self.width))
                }
            }
        }
    }

    /// The axis, over everything.
    pub(super) fn axis(&self, bottom: f64) -> Markup {
        html! {
            path class="axis" d=(format!("M{} {}V{}", Px(self.left), Px(self.top()), Px(bottom))) {}
        }
    }

    /// The label of a row, whose bars begin at `y` and are `height` high.
    pub(super) fn label(&self, text: &str, y: f64, height: f64) -> Markup {
        html! {
            @if self.labels_above {
                text.halo x=(Px(self.left + 4.0)) y=(Px(y - 6.0)) { (fitted(text, self.width - self.left)) }
            } @else {
                text x=(Px(self.left - 10.0)) y=(Px(y + height / 2.0 + 4.5)) text-anchor="end" { (text) }
            }
        }
    }

    /// Labels in the middle over their line where there is room, else towards where there is.
    fn anchor(&self, x: f64, text: &str) -> &'static str {
        let half = text_px(text) / 2.0;
        if x - half < 0.0 {
            "start"
        } else if x + half > self.width {
            "end"
        } else {
            "middle"
        }
    }

    /// No label covers another.
    fn placed(&self, limits: &[Limit]) -> Vec<(Limit, usize)> {
        let mut taken: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut placed = Vec::new();
        for limit in limits {
            let (x, room) = (self.x(limit.value), text_px(&limit.label) + 10.0);
            let start = match self.anchor(x, &limit.label) {
                "start" => x,
                "end" => x - room,
                _ => x - room / 2.0,
            };
            let (start, end) = (start, start + room);
            let free = |line: &&Vec<(f64, f64)>| line.iter().all(|(a, b)| end < *a || start > *b);
            let line = match taken.iter().position(|line| free(&line)) {
                Some(line) => line,
                None => {
                    taken.push(Vec::new());
                    taken.len() - 1
                }
            };
            if let Some(line) = taken.get_mut(line) {
                line.push((start, end));
            }
            placed.push((limit.clone(), line));
        }
        placed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_have_round_steps_and_hold_the_most() {
        for most in [0.0, 0.003, 1.0, 6.72, 14.88, 99.0, 148.8, 3_274_999.0] {
            let scale = Scale::new(most, 5.0);
            let ticks: Vec<f64> = scale.ticks().collect();
            assert!(scale.top >= most * 0.999_99, "{most}: {scale:?}");
            assert!((3..=7).contains(&ticks.len()), "{most}: {ticks:?}");
        }
        let texts: Vec<_> = Scale::new(6.72, 4.0)
            .ticks()
            .map(|t| Scale::new(6.72, 4.0).text(t))
            .collect();
        assert_eq!(texts, ["0", "2", "4", "6", "8"]);
    }

    #[test]
    fn texts_are_cut_to_their_room() {
        assert_eq!(fitted("short", 100.0), "short");
        assert!(text_px(&fitted("a label that is far too long", 100.0)) <= 100.0);
        assert_eq!(text_px("光"), 2.0 * LETTER_PX);
    }
}
