//! The wall: every call into C, and every `unsafe`, is in this file. What it gives out is safe.
#![allow(
    unsafe_code,
    reason = "DPDK and libpcap are C libraries; nothing else in the package is unsafe"
)]

use anyhow::{Context as _, Result, bail, ensure};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;

/// Addresses that a bulk call takes at most.
pub(crate) const BURST: usize = 64;

/// What is set in an answer of rte_lpm when a prefix matched; the lower 24 bits are its value.
const LPM_FOUND: u32 = 0x0100_0000;

unsafe extern "C" {
    fn rte_eal_init(argc: c_int, argv: *mut *mut c_char) -> c_int;
    fn peer_dpdk_version() -> *const c_char;
    fn peer_dpdk_error() -> *const c_char;
    fn peer_heap_bytes() -> u64;

    fn peer_lpm_create(rules: u32, groups: u32) -> *mut c_void;
    fn rte_lpm_free(lpm: *mut c_void);
    fn rte_lpm_add(lpm: *mut c_void, address: u32, length: u8, value: u32) -> c_int;
    fn peer_lpm_bulk(lpm: *const c_void, addresses: *const u32, hops: *mut u32, count: u32);
    fn peer_lpm_x4(lpm: *const c_void, addresses: *const u32, hops: *mut u32, count: u32);

    fn peer_fib_create(routes: c_int, groups: u32, entry_bytes_log2: c_int) -> *mut c_void;
    fn rte_fib_free(fib: *mut c_void);
    fn rte_fib_add(fib: *mut c_void, address: u32, length: u8, value: u64) -> c_int;
    fn peer_fib_vector(fib: *mut c_void, vector: c_int) -> c_int;
    fn rte_fib_lookup_bulk(
        fib: *mut c_void,
        addresses: *const u32,
        hops: *mut u64,
        count: c_int,
    ) -> c_int;

    fn peer_fib6_create(routes: c_int, groups: u32, entry_bytes_log2: c_int) -> *mut c_void;
    fn rte_fib6_free(fib: *mut c_void);
    fn rte_fib6_add(fib: *mut c_void, address: *const u8, length: u8, value: u64) -> c_int;
    fn peer_fib6_vector(fib: *mut c_void, vector: c_int) -> c_int;
    fn rte_fib6_lookup_bulk(
        fib: *mut c_void,
        addresses: *const [u8; 16],
        hops: *mut u64,
        count: c_int,
    ) -> c_int;

    fn peer_acl_create(rules: u32) -> *mut c_void;
    fn rte_acl_free(acl: *mut c_void);
    fn peer_acl_add(acl: *mut c_void, source: u32, length: u8) -> c_int;
    fn peer_acl_build(acl: *mut c_void) -> c_int;
    fn rte_acl_set_ctx_classify(acl: *mut c_void, algorithm: c_int) -> c_int;
    fn rte_acl_classify(
        acl: *const c_void,
        frames: *const *const u8,
        results: *mut u32,
        count: u32,
        categories: u32,
    ) -> c_int;

    fn pcap_lib_version() -> *const c_char;
    fn peer_filter_compile(
        text: *const c_char,
        optimise: c_int,
        error: *mut c_char,
        error_size: usize,
    ) -> *mut c_void;
    fn peer_filter_length(filter: *const c_void) -> u32;
    fn peer_filter_free(filter: *mut c_void);
    fn peer_filter_run(
        filter: *const c_void,
        frames: *const *const u8,
        length: u32,
        results: *mut u32,
        count: u32,
    );

    fn peer_packet_open(interface: *const c_char) -> c_int;
    fn peer_packet_send(fd: c_int, frames: *const *const u8, length: u32, count: u32) -> c_int;
}

/// DPDK's environment, once a process: whoever holds it may make DPDK's tables. It is bound to the
/// thread that made it, which is the one lcore.
pub(crate) struct Eal(PhantomData<*mut ()>);

impl Eal {
    pub(crate) fn start(arguments: &[String]) -> Result<Self> {
        let mut argv = Vec::new();
        for argument in ["sekisho-peers"]
            .into_iter()
            .chain(arguments.iter().map(|a| &**a))
        {
            argv.push(CString::new(argument)?.into_raw());
        }
        let count = c_int::try_from(argv.len())?;
        argv.push(std::ptr::null_mut());
        let argv = Box::leak(argv.into_boxed_slice());
        // SAFETY: argv holds `count` writable strings and a NULL. All are leaked: EAL keeps
        // pointers to them and writes to them.
        let status = unsafe { rte_eal_init(count, argv.as_mut_ptr()) };
        ensure!(status >= 0, "rte_eal_init {arguments:?}: {}", dpdk_error());
        Ok(Self(PhantomData))
    }
}

pub(crate) fn dpdk_version() -> String {
    // SAFETY: it returns a C string that lives as long as the process.
    text(unsafe { peer_dpdk_version() })
}

pub(crate) fn pcap_version() -> String {
    // SAFETY: it returns a C string that lives as long as the process.
    text(unsafe { pcap_lib_version() })
}

fn dpdk_error() -> String {
    // SAFETY: it returns a C string of this thread that lives until the next call; it is copied.
    text(unsafe { peer_dpdk_error() })
}

fn text(string: *const c_char) -> String {
    if string.is_null() {
        return "no text".to_owned();
    }
    // SAFETY: the callers pass what C functions have returned as terminated strings.
    unsafe { CStr::from_ptr(string) }
        .to_string_lossy()
        .into_owned()
}

/// Bytes in use in the heaps of this process, DPDK's among them.
pub(crate) fn heap_bytes(_: &Eal) -> u64 {
    // SAFETY: it reads statistics; EAL runs.
    unsafe { peer_heap_bytes() }
}

/// What DPDK calls an error, of a function that returns 0 or a negative errno.
fn check(status: c_int, what: impl FnOnce() -> String) -> Result<()> {
    if status != 0 {
        bail!("{}: {}", what(), std::io::Error::from_raw_os_error(-status));
    }
    Ok(())
}

/// A table of DPDK's rte_lpm.
pub(crate) struct Lpm<'e>(NonNull<c_void>, PhantomData<&'e Eal>);

impl<'e> Lpm<'e> {
    pub(crate) fn new(_: &'e Eal, rules: usize, groups: usize) -> Result<Self> {
        let (rules, groups) = (u32::try_from(rules)?, u32::try_from(groups)?);
        // SAFETY: EAL runs, as the reference to it shows.
        let table = unsafe { peer_lpm_create(rules, groups) };
        let table =
            NonNull::new(table).with_context(|| format!("rte_lpm_create: {}", dpdk_error()))?;
        Ok(Self(table, PhantomData))
    }

    pub(crate) fn add(&mut self, address: u32, length: u8, value: u8) -> Result<()> {
        // SAFETY: the table is alive until `drop`.
        let status = unsafe { rte_lpm_add(self.0.as_ptr(), address, length, value.into()) };
        check(status, || format!("rte_lpm_add {address:#010x}/{length}"))
    }

    pub(crate) fn bulk(&self, addresses: &[u32], hops: &mut [u32; BURST]) {
        let count = addresses.len().min(BURST) as u32;
        // SAFETY: both arrays hold `count` elements at least; the table is alive.
        unsafe {
            peer_lpm_bulk(
                self.0.as_ptr(),
                addresses.as_ptr(),
                hops.as_mut_ptr(),
                count,
            )
        }
    }

    /// A count that is no multiple of four leaves the last addresses unasked.
    pub(crate) fn x4(&self, addresses: &[u32], hops: &mut [u32; BURST]) {
        let count = addresses.len().min(BURST) as u32 & !3;
        // SAFETY: both arrays hold `count` elements at least; the table is alive.
        unsafe {
            peer_lpm_x4(
                self.0.as_ptr(),
                addresses.as_ptr(),
                hops.as_mut_ptr(),
                count,
            )
        }
    }

    /// The value in an answer of `bulk`.
    pub(crate) fn bulk_value(hop: u32) -> u8 {
        if hop & LPM_FOUND == 0 { 0 } else { hop as u8 }
    }
}

impl Drop for Lpm<'_> {
    fn drop(&mut self) {
        // SAFETY: the table was made by `new` and is freed once.
        unsafe { rte_lpm_free(self.0.as_ptr()) }
    }
}

/// How a FIB looks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Scalar,
    Avx512,
}

/// Bytes of an entry of a FIB, as a power of two.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry {
    Two = 1,
    Four = 2,
}

impl Entry {
    /// The smallest that can number so many groups of 256 entries: a bit of each is taken.
    pub(crate) fn for_groups(groups: usize) -> Self {
        if groups < 1 << 15 {
            Self::Two
        } else {
            Self::Four
        }
    }
}

/// A table of DPDK's rte_fib, DIR24_8.
pub(crate) struct Fib<'e>(NonNull<c_void>, PhantomData<&'e Eal>);

impl<'e> Fib<'e> {
    pub(crate) fn new(_: &'e Eal, routes: usize, groups: usize) -> Result<Self> {
        let entry = Entry::for_groups(groups) as c_int;
        let (routes, groups) = (c_int::try_from(routes)?, u32::try_from(groups)?);
        // SAFETY: EAL runs, as the reference to it shows.
        let table = unsafe { peer_fib_create(routes, groups, entry) };
        let table =
            NonNull::new(table).with_context(|| format!("rte_fib_create: {}", dpdk_error()))?;
        Ok(Self(table, PhantomData))
    }

    pub(crate) fn add(&mut self, address: u32, length: u8, value: u8) -> Result<()> {
        // SAFETY: the table is alive until `drop`.
        let status = unsafe { rte_fib_add(self.0.as_ptr(), address, length, value.into()) };
        check(status, || format!("rte_fib_add {address:#010x}/{length}"))
    }

    pub(crate) fn select(&self, lane: Lane) -> Result<()> {
        // SAFETY: the table is alive; nobody looks up meanwhile, for it is bound to this thread.
        let status = unsafe { peer_fib_vector(self.0.as_ptr(), (lane == Lane::Avx512).into()) };
        check(status, || format!("rte_fib_select_lookup {lane:?}"))
    }

    pub(crate) fn bulk(&self, addresses: &[u32], hops: &mut [u64; BURST]) {
        let count = addresses.len().min(BURST) as c_int;
        // SAFETY: both arrays hold `count` elements at least; the table is alive. The addresses
        // are not written to, though DPDK 22.11 declares them so.
        unsafe {
            rte_fib_lookup_bulk(
                self.0.as_ptr(),
                addresses.as_ptr(),
                hops.as_mut_ptr(),
                count,
            );
        }
    }
}

impl Drop for Fib<'_> {
    fn drop(&mut self) {
        // SAFETY: the table was made by `new` and is freed once.
        unsafe { rte_fib_free(self.0.as_ptr()) }
    }
}

/// A table of DPDK's rte_fib6, TRIE.
pub(crate) struct Fib6<'e>(NonNull<c_void>, PhantomData<&'e Eal>);

impl<'e> Fib6<'e> {
    pub(crate) fn new(_: &'e Eal, routes: usize, groups: usize) -> Result<Self> {
        let entry = Entry::for_groups(groups) as c_int;
        let (routes, groups) = (c_int::try_from(routes)?, u32::try_from(groups)?);
        // SAFETY: EAL runs, as the reference to it shows.
        let table = unsafe { peer_fib6_create(routes, groups, entry) };
        let table =
            NonNull::new(table).with_context(|| format!("rte_fib6_create: {}", dpdk_error()))?;
        Ok(Self(table, PhantomData))
    }

    pub(crate) fn add(&mut self, address: [u8; 16], length: u8, value: u8) -> Result<()> {
        // SAFETY: the table is alive until `drop`; the address has the 16 bytes that are read.
        let status =
            unsafe { rte_fib6_add(self.0.as_ptr(), address.as_ptr(), length, value.into()) };
        check(status, || format!("rte_fib6_add {address:02x?}/{length}"))
    }

    pub(crate) fn select(&self, lane: Lane) -> Result<()> {
        // SAFETY: the table is alive; nobody looks up meanwhile, for it is bound to this thread.
        let status = unsafe { peer_fib6_vector(self.0.as_ptr(), (lane == Lane::Avx512).into()) };
        check(status, || format!("rte_fib6_select_lookup {lane:?}"))
    }

    pub(crate) fn bulk(&self, addresses: &[[u8; 16]], hops: &mut [u64; BURST]) {
        let count = addresses.len().min(BURST) as c_int;
        // SAFETY: both arrays hold `count` elements at least; the table is alive. The addresses
        // are not written to, though DPDK 22.11 declares them so.
        unsafe {
            rte_fib6_lookup_bulk(
                self.0.as_ptr(),
                addresses.as_ptr(),
                hops.as_mut_ptr(),
                count,
            );
        }
    }
}

impl Drop for Fib6<'_> {
    fn drop(&mut self) {
        // SAFETY: the table was made by `new` and is freed once.
        unsafe { rte_fib6_free(self.0.as_ptr()) }
    }
}

/// Octets of an untagged IPv4 frame with TCP, to the end of TCP's flags and window: as far as a
/// list's rules look.
const RULE_OCTETS: usize = 50;

/// Where frames begin, as C takes them; none is shorter than `octets`.
fn beginnings(frames: &[&[u8]], octets: usize) -> [*const u8; BURST] {
    let mut beginnings = [std::ptr::null(); BURST];
    for (beginning, frame) in beginnings.iter_mut().zip(frames) {
        assert!(frame.len() >= octets, "a frame is shorter than its headers");
        *beginning = frame.as_ptr();
    }
    beginnings
}

/// How rte_acl walks its tries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Algorithm {
    Scalar = 1,
    Sse = 2,
    Avx2 = 3,
    Avx512x16 = 6,
    Avx512x32 = 7,
}

/// DPDK's access control list, with one rule for each source prefix.
pub(crate) struct Acl<'e>(NonNull<c_void>, PhantomData<&'e Eal>);

impl<'e> Acl<'e> {
    pub(crate) fn new(_: &'e Eal, sources: &[(u32, u8)]) -> Result<Self> {
        let rules = u32::try_from(sources.len())?;
        // SAFETY: EAL runs, as the reference to it shows.
        let acl = unsafe { peer_acl_create(rules) };
        let acl = NonNull::new(acl).with_context(|| format!("rte_acl_create: {}", dpdk_error()))?;
        let acl = Self(acl, PhantomData);
        for &(source, length) in sources {
            // SAFETY: the list is alive until `drop`; the rule is copied.
            let status = unsafe { peer_acl_add(acl.0.as_ptr(), source, length) };
            check(status, || {
                format!("rte_acl_add_rules {source:#010x}/{length}")
            })?;
        }
        // SAFETY: the list is alive.
        let status = unsafe { peer_acl_build(acl.0.as_ptr()) };
        check(status, || "rte_acl_build".to_owned())?;
        Ok(acl)
    }

    pub(crate) fn select(&self, algorithm: Algorithm) -> Result<()> {
        // SAFETY: the list is alive; nobody classifies meanwhile, for it is bound to this thread.
        let status = unsafe { rte_acl_set_ctx_classify(self.0.as_ptr(), algorithm as c_int) };
        check(status, || format!("rte_acl_set_ctx_classify {algorithm:?}"))
    }

    /// At most [`BURST`] frames; the result is not 0 where a rule matches.
    pub(crate) fn burst(&self, frames: &[&[u8]], results: &mut [u32; BURST]) {
        let count = frames.len().min(BURST) as u32;
        let beginnings = beginnings(frames, RULE_OCTETS);
        // SAFETY: both arrays hold `count` elements at least, and each frame as many octets as the
        // rules look at; the list is alive and was built.
        let status = unsafe {
            rte_acl_classify(
                self.0.as_ptr(),
                beginnings.as_ptr(),
                results.as_mut_ptr(),
                count,
                1,
            )
        };
        assert_eq!(status, 0, "one category is a valid number of them");
    }
}

impl Drop for Acl<'_> {
    fn drop(&mut self) {
        // SAFETY: the list was made by `new` and is freed once.
        unsafe { rte_acl_free(self.0.as_ptr()) }
    }
}

/// A filter of libpcap, for Ethernet.
pub(crate) struct Filter(NonNull<c_void>);

impl Filter {
    pub(crate) fn compile(text: &str, optimise: bool) -> Result<Self> {
        let text = CString::new(text)?;
        let mut error = [0; 256];
        // SAFETY: text is a C string; error has room for as many octets as is said.
        let filter = unsafe {
            peer_filter_compile(
                text.as_ptr(),
                optimise.into(),
                error.as_mut_ptr(),
                error.len(),
            )
        };
        let filter = NonNull::new(filter);
        // The last octet of `error` is 0 as it was: what is written ends before it.
        let filter =
            filter.with_context(|| format!("pcap_compile: {}", self::text(error.as_ptr())));
        Ok(Self(filter?))
    }

    pub(crate) fn instructions(&self) -> u32 {
        // SAFETY: the filter is alive.
        unsafe { peer_filter_length(self.0.as_ptr()) }
    }

    /// At most [`BURST`] frames, which are as long as the first or longer; the result is not 0
    /// where the filter matches.
    pub(crate) fn burst(&self, frames: &[&[u8]], results: &mut [u32; BURST]) {
        let count = frames.len().min(BURST) as u32;
        let octets = frames.first().map_or(0, |frame| frame.len());
        let beginnings = beginnings(frames, octets);
        // SAFETY: both arrays hold `count` elements at least, and each frame `octets` octets, which
        // the filter does not look beyond; the filter is alive.
        unsafe {
            peer_filter_run(
                self.0.as_ptr(),
                beginnings.as_ptr(),
                octets as u32,
                results.as_mut_ptr(),
                count,
            );
        }
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        // SAFETY: the filter was made by `compile` and is freed once.
        unsafe { peer_filter_free(self.0.as_ptr()) }
    }
}

/// A socket that sends whole frames out of one interface.
pub(crate) struct PacketSocket(OwnedFd);

impl PacketSocket {
    /// Of an interface in the network namespace of this thread.
    pub(crate) fn open(interface: &str) -> io::Result<Self> {
        let interface = CString::new(interface)?;
        // SAFETY: it is a C string.
        let fd = unsafe { peer_packet_open(interface.as_ptr()) };
        if fd < 0 {
            return Err(io::Error::from_raw_os_error(-fd));
        }
        // SAFETY: the descriptor was just opened, and nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// How many of at most [`BURST`] frames, all as long as the first or longer, were sent.
    pub(crate) fn send(&self, frames: &[&[u8]]) -> io::Result<usize> {
        let octets = frames.first().map_or(0, |frame| frame.len());
        let beginnings = beginnings(frames, octets);
        let count = frames.len().min(BURST) as u32;
        // SAFETY: the array holds `count` elements at least, each the beginning of so many octets.
        let sent = unsafe {
            peer_packet_send(
                self.0.as_raw_fd(),
                beginnings.as_ptr(),
                octets as u32,
                count,
            )
        };
        usize::try_from(sent).map_err(|_| io::Error::from_raw_os_error(-sent))
    }
}
