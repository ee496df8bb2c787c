//! Whether an interface has IPv6.
//!
//! `disable_ipv6` is the strongest of the kernel's switches, and takes in all others: no address, no
//! router solicitation, no advertisement that is believed, no search for duplicates, no answer to
//! anybody. `accept_ra`, `autoconf` and `addr_gen_mode` would each leave one of them.

use std::fs;
use std::io;
use std::path::PathBuf;

/// Whether IPv6 is on; `None` where the kernel has none.
pub(super) fn is_on(interface: &str) -> io::Result<Option<bool>> {
    match fs::read_to_string(switch(interface)) {
        Ok(text) => Ok(Some(text.trim() == "0")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Switches it, where it is otherwise and there is any.
pub(super) fn set(interface: &str, on: bool) -> io::Result<()> {
    if is_on(interface)?.is_none_or(|is| is == on) {
        return Ok(());
    }
    fs::write(switch(interface), if on { "0" } else { "1" })
}

/// The file is that of the network namespace of whoever opens it.
fn switch(interface: &str) -> PathBuf {
    ["/proc/sys/net/ipv6/conf", interface, "disable_ipv6"]
        .iter()
        .collect()
}
