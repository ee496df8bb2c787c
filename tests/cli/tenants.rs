//! Several policies in one run.

use crate::program::{ALPHA, DAY, FIVE, STRICT, sekisho, typed};

fn five() -> impl Iterator<Item = &'static str> {
    FIVE.into_iter().flat_map(|policy| ["--policy", policy])
}

#[test]
fn five_isps_in_one_box_judge_as_one_alone_does() {
    let day = ["replay", "--at", "2024-01-15", "--output", "json", DAY];
    let alone = sekisho(day.into_iter().chain(["--policy", ALPHA]));
    let together = sekisho(day.into_iter().chain(five()));
    let (alone, together) = (alone.json(), together.json());
    for part in ["balance", "counters", "rules", "plans"] {
        assert_eq!(alone[part], together[part], "{part}");
    }
    assert_eq!(together["policies"].as_array().unwrap().len(), 5);
}

#[test]
fn text_names_the_isp_of_a_plan_and_a_rule() {
    let run = sekisho(
        ["replay", "--at", "2024-01-15", DAY]
            .into_iter()
            .chain(five()),
    );
    let text = run.good();
    assert!(text.contains("  alpha-web/carriers-first  "), "{text}");
    assert!(text.contains("  alpha-web/ftth_std  "), "{text}");
}

#[test]
fn a_plan_of_several_isps_needs_its_isp() {
    let ask = |plan| {
        let question = [
            "explain", "--class", "own", "--output", "json", "--plan", plan,
        ];
        sekisho(question.into_iter().chain(five()))
    };
    assert_eq!(ask("ftth_std").json()["isp"], "alpha-web");
    assert_eq!(ask("alpha-web/ftth_std").json()["isp"], "alpha-web");
    let unclear = ask("dialup");
    assert_eq!(unclear.code, 2, "{unclear:?}");
    assert_eq!(
        unclear.complaint(),
        "error: several ISPs have a plan dialup: write ISP/dialup\n"
    );
    assert_eq!(ask("web-shizuoka/dialup").json()["isp"], "web-shizuoka");
}

#[test]
fn a_matrix_for_each() {
    let run = sekisho(["matrix", "--output", "json"].into_iter().chain(five()));
    assert_eq!(run.json()["tables"].as_array().unwrap().len(), 5);
}

#[test]
fn everybody_and_somebody_overlap() {
    for line in [
        format!("check {STRICT} {ALPHA}"),
        format!("replay --policy {STRICT} --policy {ALPHA} {DAY}"),
        format!("matrix --policy {STRICT} --policy {ALPHA}"),
    ] {
        let run = typed(&line);
        assert_eq!((run.code, run.stdout.as_str()), (78, ""), "{line}: {run:?}");
        assert!(
            run.stderr.contains("error[pools-overlap]: "),
            "{line}: {run:?}"
        );
    }
}

#[test]
fn the_same_policy_twice_is_refused() {
    let run = typed(&format!("replay --policy {ALPHA} --policy {ALPHA} {DAY}"));
    assert_eq!(run.code, 78, "{run:?}");
    assert!(run.stderr.contains("error[duplicate-isp]: "), "{run:?}");
}
