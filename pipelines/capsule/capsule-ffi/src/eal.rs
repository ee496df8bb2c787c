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
        let word = unsafe { CStr::from_ptr(*argv.add(index)) };
        let renamed = RENAMED.iter().find(|(old, _)| *old == word);
        renamed.map_or(word, |(_, new)| new).to_owned()
    });
    // DPDK keeps pointers to its arguments, and capsule frees them after this call: these copies
    // stay for as long as the program does. getopt(3) may put them into another order, and some
    // of its kin want an end.
    let end = std::ptr::null_mut();
    let words = words.map(CString::into_raw).chain([end]);
    let words: &mut [*mut c_char] = Vec::leak(words.collect());
    // SAFETY: `argc` strings that are never freed.
    unsafe { bindings::rte_eal_init(argc, words.as_mut_ptr()) }
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
