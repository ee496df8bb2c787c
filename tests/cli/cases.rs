//! `check --cases`.

use crate::program::{ALPHA, CASES, FIVE, Folder, Run, root, sekisho, typed};
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
fn all_77_rows_pass_with_the_five_isps_in_one_box() {
    let run = sekisho(["check", "--cases", CASES].iter().chain(&FIVE));
    assert_eq!(run.code, 0, "{run:?}");
    assert_snapshot!(run.stdout.lines().last().unwrap(), @"cases     77 of 77 pass; 0 of other ISPs skipped");
}

#[test]
fn rows_of_other_isps_are_skipped() {
    let mut run = 0;
    for isp in FIVE {
        let found = sekisho(["check", isp, "--cases", CASES, "--output", "json"]);
        assert_eq!(found.code, 0, "{found:?}");
        let cases = &found.json()["cases"];
        let (passed, skipped) = (&cases["passed"], &cases["skipped"]);
        assert_eq!(passed.as_u64().unwrap() + skipped.as_u64().unwrap(), 77);
        run += passed.as_u64().unwrap();
    }
    assert_eq!(run, 77);
}

/// Each row is a frame of its own: one file with every verdict turned proves what 77 files would.
#[test]
fn each_of_the_77_verdicts_counts() {
    let folder = Folder::new();
    let turned = folder.file("turned.csv", rows_turned(|_| true));
    let run = sekisho(["check", "--cases", &turned].iter().chain(&FIVE));
    assert_eq!(run.code, 1, "{run:?}");
    for (line, id) in (2..).zip(ids()) {
        let named = format!("{turned}:{line}: {id}: expected ");
        let told = run.stdout.lines().filter(|said| said.starts_with(&named));
        assert_eq!(told.count(), 1, "{id} at line {line}\n{}", run.stdout);
    }
    assert!(
        run.stdout
            .ends_with("cases     0 of 77 pass; 0 of other ISPs skipped\n")
    );
}

#[test]
fn one_turned_verdict_is_enough_to_fail() {
    let folder = Folder::new();
    let turned = folder.file("turned.csv", rows_turned(|id| id == "A05"));
    let run = sekisho(["check", "--cases", &turned].iter().chain(&FIVE));
    assert_eq!(run.code, 1, "{run:?}");
    let said: Vec<_> = run.stdout.lines().rev().take(2).collect();
    assert_snapshot!(folder.without_path(&format!("{}\n{}", said[1], said[0])), @"");
}

#[test]
fn a_row_that_cannot_be_asked_says_why() {
    let changes: [&[(usize, &str)]; 12] = [
        &[(3, "gold")],
        &[(6, "space")],
        &[(4, "5")],
        &[(8, "XYZ")],
        &[(9, "maybe")],
        &[(3, "fixed4"), (6, "mobile"), (4, "6")],
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
    assert_snapshot!(run.stdout, @"");
}

#[test]
fn a_file_without_a_row_for_the_isp_fails() {
    for csv in ["", HEAD, "id,isp\n"] {
        let run = with_cases(csv);
        assert_eq!(run.code, 1, "{csv}: {run:?}");
        assert_snapshot!(run.stdout, @r"
        cases.csv: alpha-web: no row is about alpha-web
        cases     0 of 0 pass; 0 of other ISPs skipped
        ");
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
    assert_snapshot!(said, @"");
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
        let run = typed(&format!(
            "check {STRICT} --cases {file}",
            STRICT = crate::program::STRICT
        ));
        assert_eq!(run.code, 74, "{run:?}");
        assert!(
            run.stderr.contains(&format!("error: {file}: {why}: ")),
            "{run:?}"
        );
    }
}

/// Runs cases under the policy of αWeb; only what is said of the cases is left of stdout, and only
/// the error of stderr.
fn with_cases(csv: &str) -> Run {
    let folder = Folder::new();
    let file = folder.file("cases.csv", csv);
    let run = sekisho(["check", ALPHA, "--cases", &file]);
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

fn ids() -> Vec<String> {
    let mut reader = csv::Reader::from_path(root().join(CASES)).unwrap();
    let rows = reader.records().map(|row| row.unwrap()[0].to_owned());
    let ids: Vec<_> = rows.collect();
    assert_eq!(ids.len(), 77);
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
