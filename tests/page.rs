//! The page of reports: one well-formed file that asks for nothing, whatever text it is given.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use jiff::civil::Date;
use proptest::prelude::*;
use sekisho::loadgen::page::{
    Bar, Bars, Block, Cell, Chart, Column, Curve, Fact, Figure, Group, Limit, Lines, Mark, Moment,
    Page, Section, Stack, Stacks, Table,
};
use std::collections::BTreeSet;

/// A page as XML: the only difference is that `meta` has no end.
fn as_xml(html: &str) -> String {
    let mut xml = String::new();
    for part in html.split_inclusive('>') {
        match part.strip_suffix('>') {
            Some(tag) if tag.contains("<meta ") => xml += &format!("{tag}/>"),
            _ => xml += part,
        }
    }
    xml
}

fn check(html: &str) {
    assert!(html.starts_with("<!DOCTYPE html>"));
    let xml = as_xml(html);
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    let document = roxmltree::Document::parse_with_options(&xml, options)
        .unwrap_or_else(|error| panic!("{error}"));
    let mut ids = BTreeSet::new();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        assert!(
            !["script", "link", "iframe", "object", "img", "use"].contains(&name),
            "<{name}>"
        );
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(
                !["href", "src", "srcset", "style"].contains(&name),
                "{name}={value}"
            );
            assert!(!name.starts_with("on"), "{name}={value}");
            assert!(
                !value.contains("NaN") && !value.contains("inf"),
                "{name}={value}"
            );
            if name == "id" {
                assert!(
                    ids.insert(value.to_owned()),
                    "two elements have the id {value}"
                );
            }
        }
        if name == "style" {
            let style = node.text().unwrap();
            assert!(
                !style.contains("@import") && !style.contains("http"),
                "{style}"
            );
            let urls = style.split("url(").skip(1);
            assert!(urls.clone().count() > 0 && urls.into_iter().all(|url| url.starts_with('#')));
        }
    }
    references_lead_somewhere(&document, &ids);
    charts_are_accessible(&document);
    rows_fit_their_tables(&document);
}

fn references_lead_somewhere(document: &roxmltree::Document<'_>, ids: &BTreeSet<String>) {
    let references = document
        .descendants()
        .filter_map(|node| node.attribute("aria-labelledby"));
    for id in references.flat_map(str::split_whitespace) {
        assert!(ids.contains(id), "nothing has the id {id}");
    }
}

fn charts_are_accessible(document: &roxmltree::Document<'_>) {
    for chart in document
        .descendants()
        .filter(|node| node.attribute("role") == Some("img"))
    {
        let has = |name| {
            chart
                .children()
                .any(|child| child.has_tag_name(name) && child.text().is_some())
        };
        assert!(
            has("title") && has("desc"),
            "a chart without a title or a description"
        );
        let parent = chart.parent().unwrap();
        assert!(
            parent.descendants().any(|node| node.has_tag_name("table")),
            "a chart without a table"
        );
    }
}

fn rows_fit_their_tables(document: &roxmltree::Document<'_>) {
    for row in document
        .descendants()
        .filter(|node| node.has_tag_name("tr"))
    {
        let cells = |row: roxmltree::Node<'_, '_>| {
            row.children().filter(roxmltree::Node::is_element).count()
        };
        let table = row
            .ancestors()
            .find(|node| node.has_tag_name("table"))
            .unwrap();
        let head = table
            .descendants()
            .find(|node| node.has_tag_name("tr"))
            .unwrap();
        assert_eq!(cells(row), cells(head), "a row that does not fit its table");
    }
}

fn bars(text: &str, value: f64) -> Figure {
    let bar = |value: f64, extrapolated| Bar {
        value,
        bounds: Some((value * 0.9, value * 1.1)),
        extrapolated,
    };
    Figure {
        title: format!("What a frame costs {text}"),
        summary: format!(
            "Every case stays under the budget of 6.72 ns a frame, but the last. {text}"
        ),
        chart: Chart::Bars(Bars {
            unit: format!("ns a frame {text}"),
            rows: "case".into(),
            series: vec!["floor".into(), format!("whole {text}")],
            groups: vec![
                Group {
                    label: format!("ipv4/64/strewn-100k/every-frame/0.01/ring {text}"),
                    bars: vec![bar(1.6, false), bar(value, false)],
                    goal: Some(4.8),
                },
                Group {
                    label: "ipv4/64 candidates".into(),
                    bars: vec![bar(1.7, false), bar(2.0, false)],
                    goal: Some(2.5),
                },
                Group {
                    label: "adversarial".into(),
                    bars: vec![bar(2.0, true), bar(17.0, true)],
                    goal: None,
                },
            ],
            limits: vec![
                Limit {
                    label: "100 GbE: 6.72 ns".into(),
                    value: 6.72,
                },
                Limit {
                    label: format!("2 × 100 GbE: 3.36 ns {text}"),
                    value: 3.36,
                },
            ],
            goal: "goal".into(),
        }),
    }
}

fn lines(text: &str, value: f64) -> Figure {
    let points = |from: f64| {
        (0..=60_i16)
            .map(|month| {
                let day =
                    Date::new(2026 + month / 12, i8::try_from(month % 12 + 1).unwrap(), 1).unwrap();
                (day, from * 1.25_f64.powf(f64::from(month) / 12.0))
            })
            .collect()
    };
    Figure {
        title: format!("Load over time {text}"),
        summary: "The load grows by a quarter each year.".into(),
        chart: Chart::Lines(Lines {
            unit: "Mpps".into(),
            curves: vec![
                Curve {
                    label: format!("load with headroom {text}"),
                    points: points(value),
                },
                Curve {
                    label: "load".into(),
                    points: points(value / 1.4),
                },
            ],
            limits: vec![
                Limit {
                    label: "capacity with one box lost".into(),
                    value: 148.8,
                },
                Limit {
                    label: "capacity".into(),
                    value: 155.0,
                },
            ],
            moments: vec![
                Moment {
                    label: format!("2029-03-14 outgrown {text}"),
                    day: Date::new(2029, 3, 14).unwrap(),
                    value: Some(148.8),
                },
                Moment {
                    label: "2030-12-31 target date".into(),
                    day: Date::new(2030, 12, 31).unwrap(),
                    value: None,
                },
            ],
        }),
    }
}

fn stacks(text: &str, value: f64) -> Figure {
    Figure {
        title: format!("Load of each core {text}"),
        summary: "Two cores, each with the same queues.".into(),
        chart: Chart::Stacks(Stacks {
            unit: "% of a core".into(),
            rows: "core".into(),
            parts: vec![
                "port".into(),
                format!("parse {text}"),
                "classify".into(),
                "decide".into(),
            ],
            stacks: vec![
                Stack {
                    label: "lcore 1".into(),
                    values: vec![20.0, value, 30.0, 10.0],
                },
                Stack {
                    label: format!("lcore 2 {text}"),
                    values: vec![20.0, 15.0, 30.0, 0.1],
                },
            ],
            limits: vec![Limit {
                label: "frames are lost".into(),
                value: 100.0,
            }],
        }),
    }
}

fn table(text: &str) -> Table {
    Table {
        caption: format!("Assumptions {text}"),
        columns: vec![
            Column::words("what"),
            Column::numbers("value"),
            Column::words("source"),
        ],
        rows: vec![
            vec![
                "cost of a frame".into(),
                "4.2 ns".into(),
                Cell::from("case").marked(Mark::Measured),
            ],
            vec![
                Cell::from(text),
                text.into(),
                Cell::from(text).marked(Mark::Assumed),
            ],
        ],
    }
}

fn page(text: &str, value: f64) -> Page {
    Page {
        title: format!("Capacity of two 100 GbE links {text}"),
        lead: vec![format!("Two cores carry the load until March 2029. {text}")],
        facts: vec![
            Fact {
                text: "offered at peak".into(),
                value: "57.6".into(),
                unit: "Mpps".into(),
                mark: Some(Mark::Given),
            },
            Fact {
                text: format!("lcores needed {text}"),
                value: "2".into(),
                unit: String::new(),
                mark: Some(Mark::Extrapolated),
            },
            Fact {
                text: "until".into(),
                value: "2029-03-14".into(),
                unit: String::new(),
                mark: Some(Mark::Missed),
            },
        ],
        sections: vec![
            Section {
                title: format!("Cost {text}"),
                blocks: vec![
                    Block::Text(format!("A frame costs this much. {text}")),
                    Block::Note(format!(
                        "The machine was busy while it was measured. {text}"
                    )),
                    Block::Figure(bars(text, value)),
                    Block::Figure(stacks(text, value)),
                ],
            },
            Section {
                title: "Growth".into(),
                blocks: vec![
                    Block::Figure(lines(text, value)),
                    Block::List(vec![format!("one {text}"), "two".into()]),
                    Block::Table(table(text)),
                ],
            },
        ],
        foot: vec![format!("sekisho 0.1.0 {text}")],
    }
}

#[test]
fn a_page_is_one_well_formed_file() {
    let html = page("", 4.2).html();
    check(&html);
    if let Some(path) = std::env::var_os("SEKISHO_PAGE") {
        std::fs::write(path, html).unwrap();
    }
}

#[test]
fn text_is_text_and_not_markup() {
    let html = page("<script>alert('1')</script>&amp;\" onload=\"x", 4.2).html();
    check(&html);
    assert!(!html.contains("<script") && html.contains("&lt;script"));
}

#[test]
fn empty_charts_are_drawn_too() {
    let empty = |chart| {
        Block::Figure(Figure {
            title: "t".into(),
            summary: "s".into(),
            chart,
        })
    };
    let blocks = vec![
        empty(Chart::Bars(Bars::default())),
        empty(Chart::Lines(Lines::default())),
        empty(Chart::Stacks(Stacks::default())),
    ];
    let page = Page {
        title: "empty".into(),
        sections: vec![Section {
            title: "s".into(),
            blocks,
        }],
        ..Page::default()
    };
    check(&page.html());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_text_and_any_number_give_a_page(
        text in "[^\\p{Cc}\u{fffe}\u{ffff}]{0,40}",
        value in prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), 0.0..1e12],
    ) {
        check(&page(&text, value).html());
    }
}
