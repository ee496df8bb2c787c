use crate::loadgen::{Case, Export};

/// The columns, in their order; a figure that was not measured is an empty field.
const HEAD: [&str; 33] = [
    "case",
    "family",
    "size",
    "encapsulation",
    "table",
    "prefixes",
    "table_bytes",
    "account",
    "port25_share",
    "traffic",
    "frames",
    "sound",
    "floor_ns",
    "floor_low_ns",
    "floor_high_ns",
    "floor_limit_ns",
    "whole_ns",
    "whole_low_ns",
    "whole_high_ns",
    "cycles",
    "ratio",
    "ratio_low",
    "ratio_high",
    "goal_ratio",
    "mpps",
    "parse_ns",
    "classify_ns",
    "decide_ns",
    "count_ns",
    "burst_p50_ns",
    "burst_p99_ns",
    "burst_p99_9_ns",
    "burst_max_ns",
];

/// A run's cases as CSV (RFC 4180), a row each.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn csv(export: &Export) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEAD)?;
    for case in &export.cases {
        writer.write_record(record(case))?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

fn record(case: &Case) -> [String; HEAD.len()] {
    let optional = |figure: Option<f64>| figure.map_or_else(String::new, |ns| ns.to_string());
    let stage = |name: &str| {
        let stage = case.stages.iter().find(|stage| stage.name == name);
        optional(stage.map(|stage| stage.ns))
    };
    let burst = case.burst_latency_ns;
    [
        case.name.clone(),
        case.family.to_string(),
        case.size.to_string(),
        case.encapsulation.to_string(),
        case.table.label().to_owned(),
        case.prefixes.to_string(),
        case.table_bytes.to_string(),
        case.account.to_string(),
        case.port25_share.to_string(),
        case.traffic.to_string(),
        case.frames.to_string(),
        case.is_sound().to_string(),
        case.floor.ns.to_string(),
        case.floor.low_ns.to_string(),
        case.floor.high_ns.to_string(),
        optional(case.floor_limit_ns),
        case.whole.ns.to_string(),
        case.whole.low_ns.to_string(),
        case.whole.high_ns.to_string(),
        optional(case.cycles),
        case.ratio.to_string(),
        case.ratio_low.to_string(),
        case.ratio_high.to_string(),
        optional(case.goal_ratio),
        case.mpps.to_string(),
        stage("parse"),
        stage("classify"),
        stage("decide"),
        stage("count"),
        optional(burst.map(|ns| ns.p50)),
        optional(burst.map(|ns| ns.p99)),
        optional(burst.map(|ns| ns.p99_9)),
        optional(burst.map(|ns| ns.max)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loadgen::made_up;

    #[test]
    fn a_spreadsheet_finds_a_row_for_each_case_under_its_heads() {
        let export = made_up::export(&[("a,\"b\"", &[2.0]), ("c", &[2.5])]);
        let written = csv(&export).unwrap();
        let mut reader = csv::Reader::from_reader(&*written);
        let head = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let cell = |row: usize, column: &str| {
            let place = head.iter().position(|name| name == column).unwrap();
            rows[row][place].to_owned()
        };
        assert_eq!(rows.len(), 2);
        assert_eq!(cell(0, "case"), "a,\"b\"");
        assert_eq!(
            (cell(1, "whole_ns"), cell(1, "ratio")),
            ("2.5".into(), "2.5".into())
        );
        assert_eq!(
            (cell(1, "mpps"), cell(1, "floor_ns")),
            ("400".into(), "1".into())
        );
        assert_eq!(
            (cell(1, "parse_ns"), cell(1, "count_ns")),
            ("0.5".into(), String::new())
        );
        assert_eq!(cell(1, "account"), "every-frame");
    }
}
