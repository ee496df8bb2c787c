//! Descriptions that cannot be used, each with what is said.

use crate::text;
use insta::assert_snapshot;
use sekisho::loadgen::capacity::{Traffic, read};
use sekisho::policy;

fn told(text: &str) -> String {
    let loaded = read("traffic.yaml", text.as_bytes().to_vec()).unwrap();
    assert_eq!(loaded.traffic, None::<Traffic>, "{text}");
    policy::render(&loaded.sources, &loaded.diagnostics, false)
}

#[test]
fn everything_that_is_wrong_is_said_with_its_place() {
    let wrong = text(&[
        (
            "links",
            "[{ name: a, rate: 100, up: 0.5, down: 1.5 }, { name: b, rate: 100G, up: 0.1 }]",
        ),
        ("frames", "{ mix: imux }"),
        ("subscribers", "[{ plan: home, count: many }]"),
        ("headrom", "1.3"),
    ]);
    assert_snapshot!(told(&wrong), @r#"
    error[wrong-type]: expected a rate, such as 100G, found the number `100`
     --> traffic.yaml:4:26
      |
    4 | links: [{ name: a, rate: 100, up: 0.5, down: 1.5 }, { name: b, rate: 100G, up: 0.1 }]
      |                          ^^^ found here

    error[wrong-type]: expected a number from 0 to 1, found the number `1.5`
     --> traffic.yaml:4:46
      |
    4 | links: [{ name: a, rate: 100, up: 0.5, down: 1.5 }, { name: b, rate: 100G, up: 0.1 }]
      |                                              ^^^ found here

    error[missing-key]: a link needs `down`
     --> traffic.yaml:4:53
      |
    4 | links: [{ name: a, rate: 100, up: 0.5, down: 1.5 }, { name: b, rate: 100G, up: 0.1 }]
      |                                                     ^ no `down` in here
      |
      = help: add `down:` with a number from 0 to 1

    error[unknown-word]: expected one of `imix`, found `imux`
     --> traffic.yaml:5:16
      |
    5 | frames: { mix: imux }
      |                ^^^^ unknown word
      |
      = help: did you mean `imix`?

    error[wrong-type]: expected a whole number from 1 to 1000000000, found the text `many`
     --> traffic.yaml:6:36
      |
    6 | subscribers: [{ plan: home, count: many }]
      |                                    ^^^^ found here

    error[unknown-key]: `headrom` is not a key of a description of traffic
      --> traffic.yaml:12:1
       |
    12 | headrom: 1.3
       | ^^^^^^^ unknown key
       |
       = help: did you mean `headroom`?
    "#);
}

#[test]
fn what_is_well_formed_may_still_mean_nothing() {
    let wrong = text(&[
        ("links", "[{ name: a, rate: 100Q, up: 0.5, down: 0.5 }]"),
        ("frames", "{ shares: [{ bytes: 64, share: 0.5 }] }"),
        ("subscribers", "[{ plan: home, count: 5, ipv6-share: 0.2 }]"),
        ("target-date", "2026-01-01"),
        ("redundancy", "one"),
    ]);
    assert_snapshot!(told(&wrong), @r#"
    error[target-before-start]: the target date lies before `start`
     --> traffic.yaml:3:14
      |
    3 | target-date: 2026-01-01
      |              ^^^^^^^^^^ found here
      |
      = help: expected a day after `start`

    error[bad-rate]: `100Q` is not a rate
     --> traffic.yaml:4:26
      |
    4 | links: [{ name: a, rate: 100Q, up: 0.5, down: 0.5 }]
      |                          ^^^^ found here
      |
      = help: expected bits a second with k, M, G or T, such as 100G

    error[bad-shares]: the shares add up to 0.5
     --> traffic.yaml:5:19
      |
    5 | frames: { shares: [{ bytes: 64, share: 0.5 }] }
      |                   ^^^^^^^^^^^^^^^^^^^^^^^^ these
      |
      = help: shares add up to 1

    error[ipv6-share-without-dual]: `ipv6-share` is of subscribers with both families
     --> traffic.yaml:6:51
      |
    6 | subscribers: [{ plan: home, count: 5, ipv6-share: 0.2 }]
      |                                                   ^^^ found here
      |
      = help: expected `family: dual` beside it, or no `ipv6-share`

    error[bad-redundancy]: `one` is not a redundancy
      --> traffic.yaml:12:13
       |
    12 | redundancy: one
       |             ^^^ found here
       |
       = help: expected carrying boxes and spare boxes, such as 1+1 or 2+1
    "#);
}

#[test]
fn nothing_and_no_yaml_are_told_apart() {
    assert_snapshot!(told("# nothing\n"), @r#"
    error[empty-description]: this description of traffic is empty
     --> traffic.yaml:1:1
      |
    1 | # nothing
      | ^ nothing but space and comments
      |
      = help: a description of traffic needs at least `name`, `start`, `links`, `frames` and `subscribers`; see docs/capacity-planning.md
    "#);
    assert_snapshot!(told("name: [\n"), @r#"
    error[not-yaml]: this is not YAML
     --> traffic.yaml:1:7
      |
    1 | name: [
      |       ^ unclosed bracket '['
      |
      = help: check the indentation, and that every bracket and quote is closed
    "#);
    assert_snapshot!(told("frames: {}\n"), @r#"
    error[missing-key]: a description of traffic needs `name`
     --> traffic.yaml:1:1
      |
    1 | frames: {}
      | ^ no `name` in here
      |
      = help: add `name:` with text

    error[missing-key]: a description of traffic needs `start`
     --> traffic.yaml:1:1
      |
    1 | frames: {}
      | ^ no `start` in here
      |
      = help: add `start:` with a date, such as 2027-01-01

    error[missing-key]: a description of traffic needs `links`
     --> traffic.yaml:1:1
      |
    1 | frames: {}
      | ^ no `links` in here
      |
      = help: add `links:` with a list, each element a link (a mapping with `name`, `rate`, `count`, `up`, `down`)

    error[missing-key]: a description of traffic needs `subscribers`
     --> traffic.yaml:1:1
      |
    1 | frames: {}
      | ^ no `subscribers` in here
      |
      = help: add `subscribers:` with a list, each element an entry of `subscribers` (a mapping with `plan`, `count`, `family`, `ipv6-share`, `encapsulation`, `spread`)
    "#);
}
