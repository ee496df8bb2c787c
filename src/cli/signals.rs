//! What happens when a signal ends the program.

use super::Failure;
use crate::io;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// From now on, a signal that ends the program first removes unfinished outputs.
pub(super) fn leave_nothing_half_done() -> Result<(), Failure> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ending = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|s| !is_ignored(&status, *s));
    let mut signals = Signals::new(ending).map_err(Failure::io)?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            io::discard_unfinished();
            // Ends the program as the signal would have, so that a shell sees which one it was.
            let _ = emulate_default_handler(signal);
        }
    });
    Ok(())
}

/// Whether whoever started the program had a signal ignored, as `nohup` does: then it stays so.
fn is_ignored(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nohup_ignores_stays_ignored() {
        let status = "Name:\tsekisho\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert!(is_ignored(status, SIGHUP));
        assert!(!is_ignored(status, SIGTERM));
    }
}
