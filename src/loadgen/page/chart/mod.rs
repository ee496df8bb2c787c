//! Charts as SVG.

mod bars;
mod lines;
mod plot;
mod stacks;

pub use bars::{Bar, Bars, Group};
pub use lines::{Curve, Lines, Moment};
pub use stacks::{Stack, Stacks};

use super::prose;
use super::table::Table;
use maud::{Markup, PreEscaped, html};
use plot::Px;

/// Widths that charts are drawn for, in CSS pixels: a desk's screen or paper, and a telephone.
const WIDTHS: [(f64, &str); 2] = [(800.0, "chart wide"), (360.0, "chart narrow")];

/// Colours in the style; more series than that begin again.
const COLOURS: usize = 6;

/// A chart with what belongs to it. The table of its values is made from the chart itself.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it shows.
    pub title: String,
    /// What is to be seen, for those who do not see it, and those who do.
    pub summary: String,
    /// The chart.
    pub chart: Chart,
}

/// The kinds of chart.
#[derive(Clone, Debug)]
pub enum Chart {
    /// Bars from left to right, in groups.
    Bars(Bars),
    /// Curves over time.
    Lines(Lines),
    /// Bars of several parts.
    Stacks(Stacks),
}

/// A line across a chart: a goal, a limit, a capacity.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What it is.
    pub label: String,
    /// Where it is.
    pub value: f64,
}

/// A line of a legend.
struct Key {
    text: String,
    swatch: Swatch,
}

enum Swatch {
    Fill(usize),
    Hatch,
    Curve(usize),
    Goal,
    Whisker,
}

/// Stripes in the colour of a series.
macro_rules! hatch {
    ($series:literal) => {
        concat!(
            r#"<pattern id="hatch-"#,
            $series,
            r#"" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">"#,
            r#"<rect class="s"#,
            $series,
            r#"" width="7" height="7" opacity="0.28"></rect><rect class="s"#,
            $series,
            r#"" width="3" height="7"></rect></pattern>"#
        )
    };
}

/// The fills of bars that are extrapolated, once for all charts of a page.
pub(super) const HATCHES: PreEscaped<&str> = PreEscaped(concat!(
    r#"<svg class="away" aria-hidden="true" focusable="false"><defs>"#,
    hatch!("0"),
    hatch!("1"),
    hatch!("2"),
    hatch!("3"),
    hatch!("4"),
    hatch!("5"),
    "</defs></svg>"
));

impl Figure {
    pub(super) fn markup(&self, id: &str) -> Markup {
        let legend = self.chart.legend();
        html! {
            figure {
                figcaption { (prose(&self.title)) }
                p { (prose(&self.summary)) }
                @if !legend.is_empty() {
                    ul.legend { @for key in &legend { li { (key.swatch.markup()) span { (key.text) } } } }
                }
                @for (width, class) in WIDTHS {
                    (self.svg(&format!("{id}-{}", Px(width)), width, class))
                }
                (self.chart.table().markup())
            }
        }
    }

    fn svg(&self, id: &str, width: f64, class: &str) -> Markup {
        let (height, drawing) = match &self.chart {
            Chart::Bars(bars) => bars.draw(width),
            Chart::Lines(lines) => lines.draw(width),
            Chart::Stacks(stacks) => stacks.draw(width),
        };
        html! {
            svg class=(class) viewBox=(format!("0 0 {} {}", Px(width), Px(height)))
                role="img" aria-labelledby=(format!("{id}-title {id}-text")) {
                title id=(format!("{id}-title")) { (self.title) }
                desc id=(format!("{id}-text")) { (self.summary) }
                (drawing)
            }
        }
    }
}

impl Chart {
    fn table(&self) -> Table {
        match self {
            Self::Bars(bars) => bars.table(),
            Self::Lines(lines) => lines.table(),
            Self::Stacks(stacks) => stacks.table(),
        }
    }

    fn legend(&self) -> Vec<Key> {
        match self {
            Self::Bars(bars) => bars.legend(),
            Self::Lines(lines) => lines.legend(),
            Self::Stacks(stacks) => stacks.legend(),
        }
    }
}

impl Key {
    fn new(text: impl Into<String>, swatch: Swatch) -> Self {
        Self {
            text: text.into(),
            swatch,
        }
    }
}

impl Swatch {
    fn markup(&self) -> Markup {
        html! {
            svg width="18" height="12" viewBox="0 0 18 12" aria-hidden="true" {
                @match self {
                    Self::Fill(series) => { rect class=(fill(*series)) width="18" height="12" rx="2" {} }
                    Self::Hatch => { rect class="h5" width="18" height="12" rx="2" {} }
                    Self::Curve(series) => { path class=(format!("curve {}", stroke(*series))) d="M0 6H18" {} }
                    Self::Goal => { path class="goal" d="M9 0V12" {} }
                    Self::Whisker => { path class="whisker" d="M1 6H17M1 2V10M17 2V10" {} }
                }
            }
        }
    }
}

/// The caption of the table that stands under a chart.
fn in_figures(unit: &str) -> String {
    format!("The same in figures, in {unit}")
}

fn fill(series: usize) -> String {
    format!("s{}", series % COLOURS)
}

fn stroke(series: usize) -> String {
    format!("l{}", series % COLOURS)
}

fn hatched(series: usize) -> String {
    let colour = series % COLOURS;
    format!("hatched h{colour} l{colour}")
}
