//! `sekisho bench`: its cases, what a short run leaves behind, and how it ends. Figures of an
//! unoptimised build are nobody's business; that they hang together is.

use crate::program::{ALPHA, DAY, Folder, Run, command, root, typed};
use serde_json::Value;
use std::fs;

/// Two cases that take different ways, measured as shortly as may be.
const QUICK: &str = "bench engine --quick --allow-debug --samples 5";
const CASE: &str = "--case ipv4/64/strewn-100k/every-frame/0.01/ring";

#[test]
fn a_quick_run_measures_what_its_case_says_and_the_figures_hang_together() {
    let run = typed(&format!(
        "{QUICK} {CASE} --case mixed-adversarial/64/dense-10k/candidates/1/64 --offered 0.001 --output json"
    ));
    assert_eq!(run.code, 0, "{run:#?}");
    let found = run.json();
    assert_eq!(found["schema"], "sekisho.bench/1");
    assert_eq!(found["settings"]["samples"], 5);
    let [plain, hostile] = &found["cases"].as_array().unwrap()[..] else {
        panic!("{found}");
    };
    assert_eq!(
        plain["name"],
        "ipv4/64/strewn-10000-10000/every-frame/0.01/2048"
    );
    assert_eq!(
        (&plain["frames"], &plain["prefixes"]),
        (&2_048.into(), &10_000.into())
    );
    assert_eq!(
        (&hostile["traffic"], &hostile["frames"]),
        (&"adversarial".into(), &64.into())
    );
    for case in [plain, hostile] {
        hangs_together(case);
    }
}

/// What holds for any case that was measured.
fn hangs_together(case: &Value) {
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{value}: {case}"));
    let (floor, whole) = (&case["floor"], &case["whole"]);
    for estimate in [floor, whole] {
        let [low, ns, high] = ["low_ns", "ns", "high_ns"].map(|key| number(&estimate[key]));
        assert!(0.0 < low && low <= ns && ns <= high, "{case}");
        assert_eq!(estimate["samples_ns"].as_array().unwrap().len(), 5);
    }
    let ratios = ["ratio_low", "ratio", "ratio_high"].map(|key| number(&case[key]));
    assert!(ratios.is_sorted(), "{case}");
    // The median of the ratios of neighbours, worked out anew.
    let samples = |of: &Value| {
        let samples = of["samples_ns"].as_array().unwrap();
        samples.iter().map(number).collect::<Vec<_>>()
    };
    let mut pairs: Vec<_> = samples(whole)
        .iter()
        .zip(samples(floor))
        .map(|(whole, floor)| whole / floor)
        .collect();
    pairs.sort_by(f64::total_cmp);
    assert!((ratios[1] - pairs[2]).abs() < 1e-9, "{case}");
    assert!((number(&case["mpps"]) * number(&whole["ns"]) - 1e3).abs() < 1e-6);
    let stages = case["stages"].as_array().unwrap();
    let names: Vec<_> = stages.iter().map(|stage| &stage["name"]).collect();
    assert_eq!(names, ["parse", "classify", "decide", "count"]);
    for latency in [
        &case["burst_latency_ns"],
        &case["offered"]["burst_latency_ns"],
    ] {
        let keys = ["p50", "p90", "p99", "p99_9", "max"];
        let percentiles = keys.map(|key| number(&latency[key]));
        assert!(percentiles[0] > 0.0 && percentiles.is_sorted(), "{case}");
    }
}

#[test]
fn every_default_case_is_found_by_its_name_and_others_are_named_in_full() {
    let all = typed("bench engine --list").good();
    assert!(all.lines().count() >= 20, "{all}");
    for name in all.lines() {
        let found = typed(&format!("bench engine --list --case {name}")).good();
        assert_eq!(found.trim_end(), name);
    }
    let named = "ipv6-vlan-zipf/imix/dense-1m/candidates/0.5/4096";
    let found = typed(&format!("bench engine --list --case {named}")).good();
    assert_eq!(found.trim_end(), named);
    let list = typed("bench engine --list --case 1518 --output json").json();
    assert_eq!(list["schema"], "sekisho.bench-list/1");
    assert_eq!(list["cases"].as_array().unwrap().len(), 1);
}

#[test]
fn axes_replace_what_a_case_has_in_every_combination() {
    let line = format!(
        "bench engine --list {CASE} --sizes 64,imix --tables dense-10k --accounts candidates \
         --port25 0,1 --frames ring,64"
    );
    let found = typed(&line).good();
    let expected = [
        "ipv4/64/dense-10k/candidates/0/ring",
        "ipv4/64/dense-10k/candidates/0/64",
        "ipv4/64/dense-10k/candidates/1/ring",
        "ipv4/64/dense-10k/candidates/1/64",
        "ipv4/imix/dense-10k/candidates/0/ring",
        "ipv4/imix/dense-10k/candidates/0/64",
        "ipv4/imix/dense-10k/candidates/1/ring",
        "ipv4/imix/dense-10k/candidates/1/64",
    ];
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_measured() {
    for (line, word) in [
        ("--case nothing", "`nothing`"),
        ("--case ipv5/64/dense-10k/candidates/0/ring", "`ipv5`"),
        ("--samples 4", "5..=1000"),
        ("--sizes 65", "1518"),
        ("--port25 2", "from 0 to 1"),
        ("--threshold 0", "above 0"),
        ("--export report.pdf", ".html"),
        ("--baseline ../elsewhere", "`../elsewhere`"),
        ("--frames 4000000000", "more than half of the memory"),
    ] {
        let run = typed(&format!("bench engine --allow-debug {line}"));
        assert_eq!((run.code, &*run.stdout), (2, ""), "{line}: {run:#?}");
        assert!(run.stderr.contains(word), "{line}: {run:#?}");
    }
}

#[test]
fn a_program_without_optimisation_gives_no_figures() {
    if cfg!(debug_assertions) {
        let run = typed(&format!("bench engine --quick {CASE}"));
        assert_eq!((run.code, &*run.stdout), (2, ""), "{run:#?}");
        assert!(run.stderr.contains("--release"), "{run:#?}");
    }
}

#[test]
fn a_slow_floor_fails_the_run_which_is_written_all_the_same_and_marked() {
    let folder = Folder::new();
    let export = folder.arg("run.json");
    let run = typed(&format!(
        "{QUICK} {CASE} --floor-limit 0.0001 --export {export}"
    ));
    assert_eq!(run.code, 1, "{run:#?}");
    assert!(run.stderr.contains("too noisy or too slow"), "{run:#?}");
    assert!(run.stdout.contains(" ! "), "{run:#?}");
    let written: Value = serde_json::from_slice(&fs::read(&export).unwrap()).unwrap();
    let case = &written["cases"][0];
    let limit_ns = case["floor_limit_ns"].as_f64().unwrap();
    assert!((limit_ns - 0.000_165).abs() < 1e-9, "{limit_ns}");
    let warnings = written["warnings"].to_string();
    assert!(warnings.contains("too noisy or too slow"), "{warnings}");
}

#[test]
fn a_run_is_written_in_every_form_and_nothing_else_is_left() {
    let folder = Folder::new();
    let files = ["run.json", "run.md", "run.csv", "run.html"];
    let exports = files.map(|name| format!("--export {}", folder.arg(name)));
    typed(&format!("{QUICK} {CASE} {}", exports.join(" "))).good();
    let mut expected = files.map(str::to_owned);
    expected.sort();
    assert_eq!(folder.names(), expected);
    for name in files {
        let text = fs::read_to_string(folder.path(name)).unwrap();
        assert!(
            text.contains("ipv4/64/strewn-10000-10000/"),
            "{name}: {text}"
        );
    }
    // A file that cannot be written is told before minutes are spent on measuring.
    let run = typed(&format!("{QUICK} {CASE} --export nofolder/run.json"));
    assert_eq!((run.code, &*run.stdout), (74, ""), "{run:#?}");
}

#[test]
fn a_baseline_is_kept_and_a_slower_run_than_it_ends_with_1() {
    let folder = Folder::new();
    let kept = folder.arg("kept/runs");
    let measured = |more: &str| typed(&format!("{QUICK} {CASE} --baseline-dir {kept} {more}"));
    measured("--baseline before").good();
    assert_eq!(fs::read_dir(&kept).unwrap().count(), 1);
    let path = folder.path("kept/runs/before.json");
    let before: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();

    // As if the engine had been a hundred times as fast, or as slow.
    let scaled = |times: f64| {
        let mut run = before.clone();
        let samples = run["cases"][0]["whole"]["samples_ns"]
            .as_array_mut()
            .unwrap();
        for sample in samples {
            *sample = (sample.as_f64().unwrap() * times).into();
        }
        run.to_string()
    };
    fs::write(&path, scaled(0.01)).unwrap();
    let slower = measured("--compare before");
    assert_eq!(slower.code, 1, "{slower:#?}");
    assert!(slower.stdout.contains("regression"), "{slower:#?}");

    let export = folder.file("other.json", scaled(100.0));
    let faster = measured(&format!("--compare {export} --output json"));
    assert_eq!(faster.code, 0, "{faster:#?}");
    assert_eq!(faster.json()["comparison"]["changes"][0]["finding"], "gain");

    let missing = measured("--compare nobody");
    assert_eq!((missing.code, &*missing.stdout), (74, ""), "{missing:#?}");
    fs::write(&path, "{}").unwrap();
    let damaged = measured("--compare before");
    assert_eq!(damaged.code, 74, "{damaged:#?}");
    assert!(damaged.stderr.contains("schema"), "{damaged:#?}");
}

#[test]
fn baselines_are_kept_in_the_users_data_folder() {
    let folder = Folder::new();
    let line = format!("{QUICK} {CASE} --baseline mine");
    let run = Run::of(command(line.split_whitespace()).env("XDG_DATA_HOME", folder.path("data")));
    assert_eq!(run.code, 0, "{run:#?}");
    assert!(folder.path("data/sekisho/bench/mine.json").is_file());
}

#[test]
fn whole_loops_are_measured_alone_and_side_by_side() {
    let found = typed(&format!("{QUICK} {CASE} --loops --output json")).good();
    let found: Value = serde_json::from_str(&found).unwrap();
    let loops = found["loops"].as_array().unwrap();
    let lcores = sekisho::worker::Lcore::usable().unwrap().len().min(2);
    assert_eq!(loops.len(), 3 * lcores, "{found}");
    for (each, (name, frame_bytes)) in loops.chunks(lcores).zip([
        ("memory-port/64", 64),
        ("memory-port/imix", 362),
        ("memory-port/1518", 1_518),
    ]) {
        for (of, workers) in each.iter().zip(1_u32..) {
            assert_eq!(of["name"], name);
            assert_eq!(of["workers"], workers);
            assert_eq!(of["frame_bytes"], frame_bytes);
            let [low, ns, high, mpps] =
                ["low_ns", "ns", "high_ns", "mpps"].map(|key| of[key].as_f64().unwrap());
            assert!(0.0 < low && low <= ns && ns <= high, "{of}");
            // Of one worker the same figure; of two, each is as fast as it is.
            assert!(
                mpps > 0.0 && (workers > 1 || (mpps * ns - 1e3).abs() < 1e-6),
                "{of}"
            );
        }
    }
    let without = typed(&format!("{QUICK} {CASE} --output json")).json();
    assert_eq!(without["loops"], serde_json::json!([]));
}

/// Figures of a debug build mean nothing; that they are of these frames, and hang together, does.
#[test]
fn a_replay_is_measured_beside_reading_and_copying_the_same_captures() {
    let line = format!("bench replay --policy {ALPHA} --allow-debug --output json {DAY} {DAY}");
    let run = typed(&line);
    assert_eq!(run.code, 0, "{run:#?}");
    let found = run.json();
    assert_eq!(found["schema"], "sekisho.bench-replay/1");
    let replayed = typed(&format!(
        "replay --policy {ALPHA} --output json {DAY} {DAY}"
    ))
    .json();
    assert_eq!(found["frames"], replayed["balance"]["rx"]);
    let file = fs::metadata(root().join(DAY)).unwrap();
    assert_eq!(found["bytes"], 2 * file.len());
    let ways = found["ways"].as_array().unwrap();
    let names: Vec<_> = ways.iter().map(|way| &way["name"]).collect();
    assert_eq!(names, ["copy", "read", "replay"]);
    let samples = |way: &Value| -> Vec<f64> {
        let samples = way["busiest_thread"]["samples_ns"].as_array().unwrap();
        samples.iter().map(|ns| ns.as_f64().unwrap()).collect()
    };
    // The median of the ratios of neighbours, worked out anew.
    for (way, key) in [(&ways[0], "speed_of_copy"), (&ways[1], "speed_of_read")] {
        let pairs = samples(way).into_iter().zip(samples(&ways[2]));
        let mut ratios: Vec<_> = pairs.map(|(other, replay)| other / replay).collect();
        ratios.sort_by(f64::total_cmp);
        assert_eq!(ratios.len(), 5);
        let speed = found[key]["ratio"].as_f64().unwrap();
        assert!((speed - ratios[2]).abs() < 1e-9, "{found}");
    }
    let meets = found["speed_of_read"]["ratio"].as_f64() >= found["goal_of_read"].as_f64();
    assert_eq!(found["meets_goal"], meets);
}

#[test]
fn what_cannot_be_replayed_again_and_again_is_not_measured() {
    let folder = Folder::new();
    let empty = folder.file("empty", "");
    for (capture, code, word) in [
        ("/dev/null", 2, "no regular file"),
        ("nofile.pcap", 74, "cannot be opened"),
        (&empty, 74, "is empty"),
    ] {
        let line = format!("bench replay --policy {ALPHA} --allow-debug {capture}");
        let run = typed(&line);
        assert_eq!((run.code, &*run.stdout), (code, ""), "{run:#?}");
        assert!(run.stderr.contains(word), "{capture}: {run:#?}");
    }
}
