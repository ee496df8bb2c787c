//! Numbers as people read them.

/// Two to four digits that count, thousands grouped: `6.72`, `148.8`, `1,234`.
pub fn readable(value: f64) -> String {
    let size = value.abs();
    let decimals = match size {
        _ if !value.is_finite() => return "–".to_owned(),
        _ if value == 0.0 || size >= 999.5 || (size >= 1.0 && value.fract() == 0.0) => 0,
        _ if size >= 99.95 => 1,
        _ if size >= 0.1 => 2,
        _ if size >= 0.01 => 3,
        _ if size >= 0.0001 => 5,
        _ => return format!("{value:.1e}"),
    };
    fixed(value, decimals)
}

/// So many decimals, thousands grouped.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let negative = value < 0.0 && plain.bytes().any(|digit| (b'1'..=b'9').contains(&digit));
    let mut text = String::from(if negative { "−" } else { "" });
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_the_digits_that_count() {
        let shown = [
            0.0,
            2.0,
            1.5,
            6.72,
            14.88,
            99.99,
            148.81,
            999.9,
            3_274_999.4,
            0.012,
            0.0004,
            -12.5,
        ]
        .map(readable);
        assert_eq!(
            shown,
            [
                "0",
                "2",
                "1.50",
                "6.72",
                "14.88",
                "100.0",
                "148.8",
                "1,000",
                "3,274,999",
                "0.012",
                "0.00040",
                "−12.50",
            ]
        );
        assert_eq!(readable(f64::NAN), "–");
        assert_eq!(fixed(-0.001, 1), "0.0");
    }
}
