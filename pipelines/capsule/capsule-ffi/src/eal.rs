//! The start of DPDK, and of threads that are not its own.

#![expect(unsafe_code, reason = "DPDK is called, with what capsule gave")]

use crate::bindings;
use std::ffi::{CStr, CString, c_char, c_int};

/// Options by their names until DPDK 20.08, and since.
const RENAMED: [(&CStr, &CStr); 2] = [
    (c"--master-lcore", c"--main-lcore"),
    (c"--pci-whitelist", c"--allow"),
];

/// DPDK's own, with words of capsule's in today's spelling.
///
/// # Safety
/// `argv` holds `argc` strings, each ended by a zero.
pub unsafe fn rte_eal_init(argc: c_int, argv: *mut *mut c_char) -> c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    let words = (0..count).map(|index| {
        // SAFETY: of `argc` strings; the caller keeps them for as long as this call takes.
        unsafe { CStr::from_ptr(*argv.add(index)) }.to_owned()
    });
    // DPDK keeps pointers to its arguments, and capsule frees them after this call: these copies
    // stay for as long as the program does. getopt(3) may put them into another order, and some
    // of its kin want an end.
    let words = of_today(words.collect());
    let end = std::ptr::null_mut();
    let words = words.into_iter().map(CString::into_raw).chain([end]);
    let words: &mut [*mut c_char] = Vec::leak(words.collect());
    // SAFETY: `argc` strings that are never freed.
    unsafe { bindings::rte_eal_init(argc, words.as_mut_ptr()) }
}

/// As many words, as DPDK understands them.
fn of_today(mut words: Vec<CString>) -> Vec<CString> {
    for word in &mut words {
        if let Some((_, new)) = RENAMED.iter().find(|(old, _)| *old == &**word) {
            *word = (*new).to_owned();
        }
    }
    for index in 1..words.len() {
        if let Some([option, device]) = words.get_mut(index - 1..=index)
            && &**option == c"--vdev"
            && is_card(device)
        {
            *option = c"--allow".to_owned();
        }
    }
    words
}

/// Whether a device is a PCI address, with or without arguments: 0000:3b:00.0. capsule takes those for
/// virtual devices that have a letter in them.
fn is_card(device: &CStr) -> bool {
    const ADDRESS: &[u8] = b"xxxx:xx:xx.x";
    let Some((address, arguments)) = device.to_bytes().split_at_checked(ADDRESS.len()) else {
        return false;
    };
    let is_address = ADDRESS
        .iter()
        .zip(address)
        .all(|(place, octet)| match place {
            b'x' => octet.is_ascii_hexdigit(),
            mark => mark == octet,
        });
    is_address && matches!(arguments, [] | [b',', ..])
}

/// DPDK's own, and the thread becomes one of its lcores, as it may since DPDK 20.08: others have no
/// cache of free mbufs.
///
/// # Safety
/// `cpuset` points to a set, and DPDK has begun.
pub unsafe fn rte_thread_set_affinity(cpuset: *mut bindings::rte_cpuset_t) -> c_int {
    // SAFETY: the caller's promises are those that DPDK asks for.
    unsafe {
        bindings::capsule_ffi_register_thread();
        bindings::rte_thread_set_affinity(cpuset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_today_and_cards_are_no_virtual_devices() {
        let (said, heard): (Vec<_>, Vec<_>) = [
            (c"box", c"box"),
            (c"--master-lcore", c"--main-lcore"),
            (c"0", c"0"),
            (c"--pci-whitelist", c"--allow"),
            (c"0000:03:00.0", c"0000:03:00.0"),
            (c"--vdev", c"--allow"),
            (c"0000:3b:00.1", c"0000:3b:00.1"),
            (c"--vdev", c"--allow"),
            (c"0000:af:00.0,a=1", c"0000:af:00.0,a=1"),
            (c"--vdev", c"--vdev"),
            (c"net_null0", c"net_null0"),
            (c"--vdev", c"--vdev"),
            (c"0000:3b:00.10", c"0000:3b:00.10"),
            (c"--vdev", c"--vdev"),
        ]
        .map(|(said, heard)| (said.to_owned(), heard.to_owned()))
        .into_iter()
        .unzip();
        assert_eq!(of_today(said), heard);
    }
}
