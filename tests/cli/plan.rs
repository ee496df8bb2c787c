//! `plan`: the answer as text, as JSON and as a page; and what it says when the hardware is short.

use crate::program::{Folder, INVENTED, TRAFFIC, sekisho, typed};
use insta::assert_snapshot;
use serde_json::Value;
use std::fs;

fn plan(rest: &str) -> crate::program::Run {
    typed(&format!("plan {TRAFFIC} --bench {INVENTED} {rest}"))
}

#[test]
fn the_text_answers_first_and_lists_what_it_rests_on() {
    assert_snapshot!(plan("").good());
}

#[test]
fn too_few_lcores_are_a_no_that_says_what_is_missing() {
    let run = plan("--cores 5");
    assert_eq!(run.code, 1, "{run:#?}");
    let answer: Vec<&str> = run.stdout.lines().skip(2).take(5).collect();
    assert_snapshot!(answer.join("\n"), @r#"
    5 lcores a box do not suffice until 2029-12-31, with 2 boxes, each of which can carry everything.
    Missing: the peak with its headroom until 2029-12-31 needs 6 lcores a box: 1 more than the 5 there are.
    Missing: the peak under a spoofed flood until 2029-12-31 needs 7 lcores a box: 2 more than the 5 there are.
    Outgrown on 2029-10-29: the first day on which the peak with its headroom does not fit 5 lcores. [extrapolated]
    Link core is full at the peak from 2031-01-07.
    "#);
    let enough = plan("--cores 7");
    assert_eq!(enough.code, 0, "{enough:#?}");
    let earlier = plan("--cores 5 --at 2028-01-01");
    assert_eq!(earlier.code, 0, "{earlier:#?}");
}

#[test]
fn every_figure_in_the_json_says_how_it_is_known() {
    let run = plan("--output json");
    let found = run.json();
    let plan = &found["plan"];
    assert_eq!(plan["needed"]["target_lcores"], 7);
    assert_eq!(plan["outgrown"], "2031-10-26");
    assert_eq!(plan["offered_start_pps"]["basis"], "given");
    assert_eq!(plan["frame"]["engine_ns"]["basis"], "extrapolated");
    assert_eq!(plan["attacks"][2]["kind"], "adversarial");
    let assumptions = plan["assumptions"].as_array().unwrap();
    let known = ["given", "measured", "extrapolated", "assumed"];
    for assumption in assumptions {
        assert!(
            known.contains(&assumption["basis"].as_str().unwrap()),
            "{assumption}"
        );
        assert_ne!(assumption["source"], "", "{assumption}");
    }
    let of = |basis: &str| assumptions.iter().filter(|a| a["basis"] == basis).count();
    assert!(known.iter().all(|basis| of(basis) > 0));
    // Every figure that is a guess or more says so: an object with a value has a basis beside it.
    each_object(plan, &mut |object| {
        assert_eq!(
            object.contains_key("value"),
            object.contains_key("basis") || object.contains_key("name"),
            "{object:?}"
        );
    });
}

fn each_object(value: &Value, check: &mut dyn FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            if object.contains_key("value") {
                check(object);
            }
            object
                .values()
                .for_each(|inside| each_object(inside, check));
        }
        Value::Array(list) => list.iter().for_each(|inside| each_object(inside, check)),
        _ => {}
    }
}

#[test]
fn the_page_is_one_file_with_the_same_answer() {
    let folder = Folder::new();
    let path = folder.arg("plan.html");
    let run = plan(&format!("--html {path}"));
    let text = run.good();
    let html = fs::read_to_string(&path).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    for outside in [
        "http:", "https:", "//", "src=", "href=", "@import", "<script", "<link", "url(h",
    ] {
        assert!(!html.contains(outside), "the page asks for {outside}");
    }
    for answer in [
        "7 lcores each",
        "2031-10-26",
        "extrapolated",
        "assumed",
        "invented",
    ] {
        assert!(html.contains(answer) && text.contains(answer), "{answer}");
    }
    assert_eq!(folder.names(), ["plan.html"]);
    let piped = plan("--html -");
    assert_eq!((piped.stdout, piped.stderr), (html, text));
}

#[test]
fn what_people_wrote_is_escaped() {
    let folder = Folder::new();
    let text = fs::read_to_string(crate::program::root().join(TRAFFIC)).unwrap();
    let text = text.replace(
        "name: Two 100 GbE links, three million subscribers",
        "name: '<img src=x>&'",
    );
    let traffic = folder.file("traffic.yaml", text);
    let page = folder.arg("page.html");
    sekisho(["plan", &traffic, "--bench", INVENTED, "--html", &page]).good();
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("&lt;img src=x&gt;&amp;") && !html.contains("<img"));
}
