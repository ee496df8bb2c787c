//! Reports for people: one HTML page that opens offline.
//!
//! The page is a single file. It has no script and asks for nothing from outside: its style stands
//! in its head, its charts are SVG in its body. Light and dark follow the reader's setting, paper
//! is A4, every chart has a title, a description and a table of the same values, and no meaning
//! hangs on a colour alone. Text is escaped wherever it comes from.
//!
//! [`Page::html`] gives the whole file. Charts are drawn twice, for wide and narrow screens; the
//! style shows one of the two.

mod chart;
mod number;
mod table;

pub use chart::{Bar, Bars, Chart, Curve, Figure, Group, Limit, Lines, Moment, Stack, Stacks};
pub use number::readable;
pub use table::{Cell, Column, Mark, Table};

use chart::HATCHES;
use jiff::civil::Date;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A page, top to bottom.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Of the window and of the page.
    pub title: String,
    /// The answer, in a sentence or two.
    pub lead: Vec<String>,
    /// The few figures that matter most.
    pub facts: Vec<Fact>,
    /// The rest.
    pub sections: Vec<Section>,
    /// Where it comes from: program, version, files.
    pub foot: Vec<String>,
}

/// A figure in large type.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it is.
    pub text: String,
    /// The figure.
    pub value: String,
    /// Its unit, if it has one.
    pub unit: String,
    /// How it is known, or whether it is good.
    pub mark: Option<Mark>,
}

/// A part of a page under a heading.
#[derive(Clone, Debug)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// What stands under it.
    pub blocks: Vec<Block>,
}

/// What stands under a heading.
#[derive(Clone, Debug)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A paragraph that must not be overlooked.
    Note(String),
    /// A list of sentences.
    List(Vec<String>),
    /// A table.
    Table(Table),
    /// A chart with its legend and its table.
    Figure(Figure),
}

impl Page {
    /// The whole file.
    pub fn html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    style { (PreEscaped(include_str!("style.css"))) }
                }
                body {
                    (HATCHES)
                    main {
                        h1 { (self.title) }
                        @for text in &self.lead { p.lead { (prose(text)) } }
                        @if !self.facts.is_empty() {
                            dl.facts { @for fact in &self.facts { (fact.markup()) } }
                        }
                        @for (number, section) in (1..).zip(&self.sections) {
                            (section.markup(number))
                        }
                        footer { @for text in &self.foot { p { (prose(text)) } } }
                    }
                }
            }
        };
        let mut text = page.into_string();
        text.push('\n');
        text
    }
}

impl Fact {
    fn markup(&self) -> Markup {
        html! {
            div.fact {
                dt { (prose(&self.text)) }
                dd.value {
                    (self.value)
                    @if !self.unit.is_empty() { " " span.unit { (self.unit) } }
                }
                @if let Some(mark) = self.mark { dd class=(mark.class()) { (mark.label()) } }
            }
        }
    }
}

impl Section {
    /// `number` keeps the ids of its charts apart from those of others.
    fn markup(&self, number: usize) -> Markup {
        html! {
            section aria-labelledby=(format!("part-{number}")) {
                h2 id=(format!("part-{number}")) { (self.title) }
                @for (index, block) in (1..).zip(&self.blocks) {
                    (block.markup(&format!("chart-{number}-{index}")))
                }
            }
        }
    }
}

impl Block {
    fn markup(&self, id: &str) -> Markup {
        match self {
            Self::Text(text) => html! { p { (prose(text)) } },
            Self::Note(text) => html! { p.note role="note" { (prose(text)) } },
            Self::List(lines) => html! { ul.plain { @for line in lines { li { (prose(line)) } } } },
            Self::Table(table) => table.markup(),
            Self::Figure(figure) => figure.markup(id),
        }
    }
}

/// Text whose dates do not break at their hyphens.
fn prose(text: &str) -> Markup {
    html! {
        @for word in text.split_inclusive(' ') {
            @match word.split_at_checked(10).filter(|(day, _)| day.parse::<Date>().is_ok()) {
                Some((day, rest)) => { span.day { (day) } (rest) }
                None => { (word) }
            }
        }
    }
}
