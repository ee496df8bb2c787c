//! `check --cases`.

use crate::program::{ALPHA, CASES, FIVE, Folder, Run, STRICT, root, sekisho, typed};
use insta::assert_snapshot;

const HEAD: &str = "id,isp,when_jst,plan,ip_version,direction,peer_class,peer_port,tcp_flags,verdict,note,local_port\n";
const ROW: [&str; 12] = [
    "X1",
    "alpha-web",
    "2024-01-15T12:00:00",
    "ftth_std",
    "4",
    "out",
    "other",
    "25",
    "S",
    "drop",
    "a note",
    "",
];

#[test]
fn all_81_rows_pass_with_the_five_isps_in_one_box() {
    let run = sekisho(["check", "--cases", CASES].iter().chain(&FIVE));
    assert_eq!(run.code, 0, "{run:?}");
    assert_snapshot!(run.stdout.lines().last().unwrap(), @"cases     81 of 81 pass; 23 of other ISPs skipped");
}

/// Connections that come in, rejections, limits, and counting.
#[test]
fn all_23_rows_of_the_example_pass() {
    let run = typed(&format!("check config/ip25b.yaml --cases {CASES}"));
    assert_eq!(run.code, 0, "{run:?}");
    assert_snapshot!(run.stdout.lines().last().unwrap(), @"cases     23 of 23 pass; 81 of other ISPs skipped");
}

#[test]
fn rows_of_other_isps_are_skipped() {
    let mut run = 0;
    for isp in FIVE {
        let found = sekisho(["check", isp, "--cases", CASES, "--output", "json"]);
        assert_eq!(found.code, 0, "{found:?}");
        let cases = &found.json()["cases"];
        let (passed, skipped) = (&cases["passed"], &cases["skipped"]);
        assert_eq!(passed.as_u64().unwrap() + skipped.as_u64().unwrap(), 104);
        run += passed.as_u64().unwrap();
    }
    assert_eq!(run, 81);
}

/// Each row is a frame of its own: one file with every verdict turned proves what 81 files would.
#[test]
fn each_of_the_81_verdicts_counts() {
    let folder = Folder::new();
    let turned = folder.file("turned.csv", rows_turned(|_| true));
    let run = sekisho(["check", "--cases", &turned].iter().chain(&FIVE));
    assert_eq!(run.code, 1, "{run:?}");
    for (line, (id, isp)) in (2..).zip(ids()) {
        if isp == "ip25b-example" {
            continue;
        }
        let named = format!("{turned}:{line}: {id}: expected ");
        let told = run.stdout.lines().filter(|said| said.starts_with(&named));
        assert_eq!(told.count(), 1, "{id} at line {line}\n{}", run.stdout);
    }
    assert!(
        run.stdout
            .ends_with("cases     0 of 81 pass; 23 of other ISPs skipped\n")
    );
}

#[test]
fn one_turned_verdict_is_enough_to_fail() {
    let folder = Folder::new();
    let turned = folder.file("turned.csv", rows_turned(|id| id == "A05"));
    let run = sekisho(["check", "--cases", &turned].iter().chain(&FIVE));
    assert_eq!(run.code, 1, "{run:?}");
    let said: Vec<_> = run.stdout.lines().rev().take(2).collect();
    assert_snapshot!(folder.without_path(&format!("{}\n{}", said[1], said[0])), @r#"
    turned.csv:67: A05: expected forward, found drop (port25-syn, everyone-else)
    cases     80 of 81 pass; 23 of other ISPs skipped
    "#);
}

#[test]
fn a_row_that_cannot_be_asked_says_why() {
    let changes: [&[(usize, &str)]; 11] = [
        &[(3, "gold")],
        &[(6, "space")],
        &[(4, "5")],
        &[(8, "XYZ")],
        &[(9, "maybe")],
        &[(9, "forward")],
        &[(5, "in"), (9, "forward")],
        &[(5, "in"), (11, "25"), (9, "forward")],
        &[(7, "587")],
        &[(8, "SA")],
        &[(2, "2006-11-30T23:59:59")],
    ];
    let mut csv = HEAD.to_owned();
    for (number, change) in (1..).zip(changes) {
        let id = format!("X{number}");
        let mut row = ROW;
        row[0] = &id;
        for (column, text) in change {
            row[*column] = text;
        }
        csv += &format!("{}\n", row.join(","));
    }
    let run = with_cases(&csv);
    assert_eq!(run.code, 1, "{run:?}");
    assert_snapshot!(run.stdout, @r#"
    cases.csv:2: X1: the policy has no plan gold
    cases.csv:3: X2: the policy has no destination class space
    cases.csv:4: X3: ip_version is 5, expected 4 or 6
    cases.csv:5: X4: tcp_flags XYZ: expected letters of SFRPAUECN
    cases.csv:6: X5: maybe is no verdict
    cases.csv:7: X6: expected forward, found drop (port25-syn, everyone-else)
    cases.csv:8: X7: expected forward, found drop (port25-return, everyone-else)
    cases.csv:9: X8: expected forward, found drop (port25-return, everyone-else)
    cases.csv:10: X9: expected drop, found forward (not-candidate, no rule)
    cases.csv:11: X10: expected drop, found forward (not-candidate, no rule)
    cases.csv:12: X11: expected drop, found forward (port25-syn, no rule)
    cases     0 of 11 pass; 0 of other ISPs skipped
    "#);
}

#[test]
fn a_plan_or_a_class_without_an_address_of_the_family_says_so() {
    let folder = Folder::new();
    let policy = folder.file(
        "policy.yaml",
        "isp: small\ntime_zone: Asia/Tokyo\n\
        plans: { both: { kind: dynamic }, four: { kind: dynamic } }\n\
        subscribers: [{ plan: both, prefixes: [10.0.0.0/24, 2001:db8:1::/48] }, \
        { plan: four, prefixes: [10.0.1.0/24] }]\n\
        destinations: { own: { prefixes: [192.0.2.0/24] } }\n\
        rules: [{ name: all, action: drop }]\n",
    );
    let row = |plan, class| format!("X,small,2024-01-15,{plan},6,out,{class},25,S,drop,,\n");
    let rows = [
        row("both", "other"),
        row("both", "own"),
        row("four", "other"),
    ]
    .concat();
    let run = with_cases_of(&policy, &format!("{HEAD}{rows}"));
    assert_eq!(run.code, 1, "{run:?}");
    let said = "cases.csv:3: X: class own has no IPv6 address\n\
        cases.csv:4: X: plan four has no IPv6 address\n\
        cases     1 of 3 pass; 0 of other ISPs skipped\n";
    assert_eq!(run.stdout, said);
}

#[test]
fn a_file_without_a_row_for_the_isp_fails() {
    for csv in ["", HEAD, "id,isp\n"] {
        let run = with_cases(csv);
        assert_eq!(run.code, 1, "{csv}: {run:?}");
        let said = "cases.csv: alpha-web: no row is about alpha-web\n\
            cases     0 of 0 pass; 0 of other ISPs skipped\n";
        assert_eq!(run.stdout, said);
    }
}

#[test]
fn a_file_that_is_no_table_of_cases_is_a_configuration_error() {
    let row = ROW.join(",");
    let malformed = [
        format!("id,isp\n{row}\n"),
        format!("{HEAD}{row},more\n"),
        format!("{HEAD}{}\n", row.replace(",4,out", ",four,out")),
        format!("{HEAD}{}\n", row.replace(",25,", ",65536,")),
        format!("{HEAD}{}\n", row.replace("2024-01-15T12", "2024-13-15T12")),
        format!("{HEAD}{}\n", row.replace(",out,", ",sideways,")),
        format!(
            "{}{row},x\n",
            HEAD.replace("local_port", "local_port,colour")
        ),
    ];
    let mut said = String::new();
    for csv in malformed {
        let run = with_cases(&csv);
        assert_eq!(run.code, 78, "{csv}: {run:?}");
        said += &run.stderr;
    }
    assert_snapshot!(said, @r#"
    error: cases.csv:2: has 12 columns, where the first line has 2
    error: cases.csv:2: has 13 columns, where the first line has 12
    error: cases.csv:2: ip_version: invalid digit found in string
    error: cases.csv:2: peer_port: number too large to fit in target type
    error: cases.csv:2: failed to parse two digit integer as month: parameter 'month' is not in the required range of 1..=12
    error: cases.csv:2: unknown variant `sideways`, expected `out` or `in`
    error: cases.csv:2: unknown field `colour`, expected one of `id`, `isp`, `when_jst`, `plan`, `ip_version`, `direction`, `peer_class`, `peer_port`, `tcp_flags`, `verdict`, `note`, `local_port`
    "#);
}

#[test]
fn a_spreadsheet_may_have_written_the_file() {
    let csv = format!("\u{feff}{HEAD}{}\n", ROW.join(",")).replace('\n', "\r\n");
    let run = with_cases(&csv);
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn a_cases_file_that_cannot_be_read_is_an_input_error() {
    for (file, why) in [
        ("no-such.csv", "cannot be opened"),
        ("config", "cannot be read"),
    ] {
        let run = typed(&format!("check {STRICT} --cases {file}"));
        assert_eq!(run.code, 74, "{run:?}");
        assert!(
            run.stderr.contains(&format!("error: {file}: {why}: ")),
            "{run:?}"
        );
    }
}

fn with_cases(csv: &str) -> Run {
    with_cases_of(ALPHA, csv)
}

/// Runs cases under a policy; only what is said of the cases is left of stdout, and only
/// the error of stderr.
fn with_cases_of(policy: &str, csv: &str) -> Run {
    let folder = Folder::new();
    let file = folder.file("cases.csv", csv);
    let run = sekisho(["check", policy, "--cases", &file]);
    let of_cases = |line: &&str| line.starts_with(&file) || line.starts_with("cases ");
    let kept = |text: &str, of: &dyn Fn(&&str) -> bool| -> String {
        let lines = text.lines().filter(of);
        lines
            .map(|line| format!("{}\n", folder.without_path(line)))
            .collect()
    };
    Run {
        code: run.code,
        stdout: kept(&run.stdout, &of_cases),
        stderr: kept(&run.stderr, &|line| line.starts_with("error: ")),
    }
}

/// Of every row, its id and its ISP.
fn ids() -> Vec<(String, String)> {
    let mut reader = csv::Reader::from_path(root().join(CASES)).unwrap();
    let rows = reader.records().map(Result::unwrap);
    let ids: Vec<_> = rows
        .map(|row| (row[0].to_owned(), row[1].to_owned()))
        .collect();
    assert_eq!(ids.len(), 104);
    ids
}

/// The acceptance cases, with forward for drop and drop for forward in some rows.
fn rows_turned(turns: impl Fn(&str) -> bool) -> String {
    let mut reader = csv::Reader::from_path(root().join(CASES)).unwrap();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = reader.headers().unwrap().clone();
    let verdict = head.iter().position(|name| name == "verdict").unwrap();
    writer.write_record(&head).unwrap();
    for row in reader.records().map(Result::unwrap) {
        let turned = row.iter().enumerate().map(|(column, text)| match text {
            "forward" if column == verdict && turns(&row[0]) => "drop",
            "drop" if column == verdict && turns(&row[0]) => "forward",
            same => same,
        });
        writer.write_record(turned).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}
