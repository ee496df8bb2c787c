//! How slow a floor may be.

/// Floors of a limit study: distinct frames of one line each, and nanoseconds a frame.
const STUDY: [(f64, f64); 4] = [
    (8_192.0, 1.65),
    (32_768.0, 1.66),
    (131_072.0, 1.78),
    (1_000_000.0, 2.0),
];

/// A line of memory at 100 ns, ten of them under way at a time: what a line costs that no
/// prefetcher sees coming, because other lines lie between.
const SCATTERED_LINE_NS: f64 = 10.0;

/// The most that a floor may take, in nanoseconds a frame, when it may be `factor` times what it
/// should be.
///
/// Packed lines are held against the limit study at the same number of lines (between its rows
/// the larger row, beyond its last row the last), as many times as a frame has lines. Lines with
/// payload between them may take 10 ns each.
pub fn floor_limit_ns(frames: usize, header_lines: usize, packed: bool, factor: f64) -> f64 {
    let lines = header_lines as f64;
    let line_ns = if packed {
        let row = STUDY.iter().find(|(pool, _)| lines <= *pool);
        row.or(STUDY.last())
            .map_or(SCATTERED_LINE_NS, |(_, ns)| *ns)
    } else {
        SCATTERED_LINE_NS
    };
    factor * line_ns * lines / frames.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_are_held_against_the_limit_study() {
        let limit = |frames, lines| floor_limit_ns(frames, lines, true, 1.3);
        assert_eq!(limit(4_096, 4_096), 1.3 * 1.65);
        assert_eq!(limit(32_768, 32_768), 1.3 * 1.66);
        assert_eq!(limit(32_769, 32_769), 1.3 * 1.78);
        assert_eq!(limit(1_000_000, 1_000_000), 1.3 * 2.0);
        assert_eq!(limit(4_000_000, 4_000_000), 1.3 * 2.0);
        // Two lines a frame: twice as much, at twice as many lines.
        assert_eq!(limit(32_768, 65_536), 1.3 * 1.78 * 2.0);
        assert_eq!(floor_limit_ns(1_000, 1_000, false, 1.3), 13.0);
    }
}
