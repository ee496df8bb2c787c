use super::wall;

/// Whether the system's clock follows a better one (NTP, PTP), as the kernel was told; `None` where
/// it does not say.
///
/// Phases of a policy begin at a second: a clock that nobody sets is worth an alarm.
pub fn clock_is_synchronised() -> Option<bool> {
    let (state, status) = wall::clock().ok()?;
    Some(state != libc::TIME_ERROR && status & libc::STA_UNSYNC == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_without_any_right() {
        assert!(clock_is_synchronised().is_some());
    }
}
