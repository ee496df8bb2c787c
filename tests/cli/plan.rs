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
    assert_snapshot!(plan("").good(), @r#"
    Two 100 GbE links, three million subscribers

    Until 2029-12-31: 2 boxes, each of which can carry everything, 7 lcores each (6 workers and one for control). [extrapolated]
    Outgrown on 2031-10-26: the first day on which the peak with its headroom does not fit 7 lcores. [extrapolated]
    Link core is full at the peak from 2031-01-07: the links are full before the boxes are.
    warning: the measurements: these figures were invented for examples and tests; nothing was measured

    LINKS, at the peak of the start
      LINK  LINKS  GBIT/S  UP MPPS  DOWN MPPS  FULL AT  FULL AT 64 OCTETS
      core      2     100     9.82      29.46    65.47              297.6
      together 39.28 Mpps [given], on 2029-12-31 71.30 Mpps [given]

    A BOX
      lcores needed at the start           4                                                                         [extrapolated]
      lcores needed until the target date  7                                                                         [extrapolated]
      lcores of this plan                  7                                                                         [extrapolated]
      a frame                              37.56 ns (driver 30, parse 3.02, classify 2.27, decide 1.51, count 0.76)  [extrapolated]
        of it in the engine                7.56 ns                                                                   [extrapolated]
      NIC queues                           4 ports × 6 receive and 6 send = 48                                       [extrapolated]
      tables                               119.9 MiB for 5,848,822 prefixes, and as much while loading               [extrapolated]
      frame buffers                        109.7 MiB for 49,920 frames                                               [assumed]
      memory                               349.5 MiB                                                                 [extrapolated]

    LCORES, while the spare boxes have failed
      LCORE  ROLE            AT THE START  ON THE TARGET DATE
          0  control            no frames           no frames
          1  busiest worker       29.47 %             53.57 %
          2  worker               26.26 %             47.72 %
          3  worker               26.26 %             47.72 %
      and 3 more like the last

    LOSS, on the target date
      LOAD                            OFFERED MPPS  LOSSLESS UP TO  LOST MPPS  LCORES TO LOSE NONE  LOST FROM
      the peak                               71.30           133.1          0                                   [extrapolated]
      the peak under a spoofed flood         118.8           131.0          0                    7  2030-06-29  [extrapolated]
      the peak under a port-25 flood         89.13           132.8          0                    5  2032-01-01  [extrapolated]
      the peak under hostile headers         79.23           126.9          0                    5  2032-05-13  [extrapolated]

    WHAT IF
      ON THE TARGET DATE                            OFFERED MPPS  NS A FRAME  LCORES
      as planned                                           71.30       37.56       7  [extrapolated]
      all frames 64 octets, the links as full              324.1       37.06      26  [extrapolated]
      all links full of 64 octets, no headroom             595.2       37.06      28  [extrapolated]
      only candidates are counted under their plan         71.30       36.06       7  [extrapolated]
      four times the subscribers, the same traffic         71.30       38.16       7  [extrapolated]
      the driver takes 15 ns a frame instead of 30         71.30       22.56       5  [extrapolated]
      the driver takes 60 ns a frame instead of 30         71.30       67.56      11  [extrapolated]
      costs at the far end of their intervals              71.30       38.17       7  [extrapolated]
      each further worker adds 0.7                         71.30       37.56       8  [extrapolated]

    ASSUMPTIONS
      [given]        link core: 2 × 100 Gbit/s each way, peak 15 % up, 45 % down: description
      [given]        frames: IMIX (64, 594 and 1,518 octets at 7 : 4 : 1), mean 361.8 octets: description
      [given]        subscribers of ftth: 2,200,000, both families, 40 % of frames IPv6, encapsulation none,
                       dense: description
      [given]        subscribers of ftth-pppoe: 650,000, IPv4, encapsulation qinq-pppoe, dense: description
      [given]        subscribers of fixed: 150,000, IPv4, encapsulation none, strewn: description
      [given]        attack a spoofed flood: 40 % of all frames are spoofed, 64 octets each: description
      [given]        attack a port-25 flood: 20 % of all frames are port-25-flood, 64 octets each: description
      [given]        attack hostile headers: 10 % of all frames are adversarial, 128 octets each: description
      [given]        target date: 2029-12-31: description
      [given]        port 25: 0.10 % of frames: description
      [given]        accounting: every-frame: description
      [given]        growth of subscribers: 4 % a year: description
      [given]        growth of traffic: 22 % a year: description
      [given]        headroom: 1.3 × the peak: description
      [given]        redundancy: 1+1: 2 boxes, 1 may fail: description
      [assumed]      driver, a frame received and sent: 30 ns: default
      [assumed]      busiest worker: 1.1 × the mean: default
      [assumed]      ring of a queue: 1024 frames: default
      [assumed]      buffer of a frame: 2304 octets: default
      [extrapolated] engine, a frame: 7.56 ns: cases ipv4/64/none/dense-100k/every-frame/0.0001/uniform,
                       ipv4/64/none/dense-100k/every-frame/0.01/uniform,
                       ipv4/64/none/dense-1m/every-frame/0.01/uniform,
                       ipv4/64/none/dense-4m/every-frame/0.01/uniform,
                       ipv4/64/none/strewn-100k/every-frame/0.01/uniform,
                       ipv4/64/qinq-pppoe/dense-100k/every-frame/0.01/uniform,
                       ipv4/imix/none/dense-100k/every-frame/0.01/uniform,
                       ipv6/64/none/dense-100k/every-frame/0.01/uniform,
                       ipv6/64/none/dense-1m/every-frame/0.01/uniform
      [extrapolated] engine, a frame: beyond the cases: a port-25 share of 0.001: interpolated between
                       ipv4/64/none/dense-100k/every-frame/0.0001/uniform and
                       ipv4/64/none/dense-100k/every-frame/0.01/uniform
      [extrapolated] engine, a frame: beyond the cases: frames of 362 octets: interpolated between
                       ipv4/64/none/dense-100k/every-frame/0.01/uniform and
                       ipv4/imix/none/dense-100k/every-frame/0.01/uniform
      [extrapolated] engine, a frame: beyond the cases: the size of the table: beyond what was measured, by
                       ipv6/64/none/dense-100k/every-frame/0.01/uniform and
                       ipv6/64/none/dense-1m/every-frame/0.01/uniform
      [extrapolated] engine, a frame: beyond the cases: the size of the table: interpolated between
                       ipv4/64/none/dense-1m/every-frame/0.01/uniform and
                       ipv4/64/none/dense-4m/every-frame/0.01/uniform
      [extrapolated] engine, a frame of a spoofed flood: 9.05 ns: cases
                       ipv4/64/none/dense-100k/every-frame/0.01/spoofed,
                       ipv4/64/none/dense-1m/every-frame/0.01/uniform,
                       ipv4/64/none/dense-4m/every-frame/0.01/uniform
      [extrapolated] engine, a frame of a spoofed flood: beyond the cases: the size of the table: interpolated
                       between ipv4/64/none/dense-1m/every-frame/0.01/uniform and
                       ipv4/64/none/dense-4m/every-frame/0.01/uniform
      [extrapolated] engine, a frame of a port-25 flood: 8.03 ns: cases
                       ipv4/64/none/dense-100k/every-frame/1/uniform,
                       ipv4/64/none/dense-1m/every-frame/0.01/uniform,
                       ipv4/64/none/dense-4m/every-frame/0.01/uniform
      [extrapolated] engine, a frame of a port-25 flood: beyond the cases: the size of the table: interpolated
                       between ipv4/64/none/dense-1m/every-frame/0.01/uniform and
                       ipv4/64/none/dense-4m/every-frame/0.01/uniform
      [measured]     engine, a frame of hostile headers: 26.02 ns: cases
                       mixed/64/none/dense-100k/every-frame/0.01/adversarial
      [extrapolated] several workers: 6 workers do 5.50 × one: loop memory-port/64: 2 workers do 1.90 × one;
                       each further worker adds 0.90
      [assumed]      machine: the boxes' cores are as fast as the machine that was measured
      [assumed]      peaks: the peaks of all links and directions coincide
      [assumed]      mix: both directions have the same mix of sizes, and each subscriber sends as many frames as
                       any other
      [assumed]      boxes: traffic divides evenly among the boxes that carry it; control takes one lcore a box
      [assumed]      ports: each link has two ports, and each worker a receive and a send queue at every port
      [assumed]      attacks: come on top of the peak, one at a time; the headroom is not added to them
      [assumed]      growth: compound, in years of 365.25 days
      [assumed]      overhead: 20 octets a frame on the wire: preamble, start delimiter and gap

    From docs/capacity/two-100g.yaml and tests/capacity/invented.json: measured 2026-11-22T06:40:00Z on no processor: these figures are invented by sekisho 0.1.0.
    "#);
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
