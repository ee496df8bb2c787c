use super::ffi::{sekisho_flush, sekisho_log_to};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stderr, dup2_stdout, stderr, stdout};
use std::collections::VecDeque;
use std::ffi::{c_char, c_void};
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lines that are kept, the last ones: a driver may complain of each frame.
const LINES: usize = 64;

/// What DPDK wrote lately, so that our own output stays ours.
static LOG: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Leads DPDK's log here; before EAL is initialised.
pub(super) fn lead_here() {
    // SAFETY: any thread may call `written`, at any time until the program ends. Where there is no
    // memory for a stream, DPDK writes to its own.
    unsafe { sekisho_log_to(written) };
}

/// Takes what is there, the oldest line first.
pub(super) fn take() -> Vec<String> {
    log().drain(..).collect()
}

/// EAL prints faults in its arguments, and how they are written, to standard output and standard
/// error. While it starts, those lead elsewhere; what came there is kept with the log.
pub(super) struct Captured {
    said: File,
    out: Option<OwnedFd>,
    error: Option<OwnedFd>,
}

impl Captured {
    /// None where the system has no memory or descriptors left; then the terminal shows it.
    pub(super) fn begin() -> Option<Self> {
        let said = memfd_create("eal", MemfdFlags::CLOEXEC).ok()?;
        let another = |fd: BorrowedFd<'_>| fcntl_dupfd_cloexec(fd, 3).ok();
        let (out, error) = (another(stdout()), another(stderr()));
        // One that was closed stays so.
        if out.is_some() {
            dup2_stdout(&said).ok()?;
        }
        if error.is_some() {
            let _to_the_terminal = dup2_stderr(&said);
        }
        let said = said.into();
        Some(Self { said, out, error })
    }

    pub(super) fn end(mut self) {
        // SAFETY: C's standard output exists as long as the program.
        unsafe { sekisho_flush() };
        let _nowhere_else = self.out.map(dup2_stdout);
        let _nowhere_else = self.error.map(dup2_stderr);
        let mut text = String::new();
        if self.said.rewind().is_ok() && self.said.read_to_string(&mut text).is_ok() {
            // Its description of all its options follows, longer than what is kept.
            keep(text.split("Usage:").next().unwrap_or_default());
        }
    }
}

/// Called by the C library, when a line of DPDK's log is written.
extern "C" fn written(_: *mut c_void, text: *const c_char, count: usize) -> isize {
    if text.is_null() {
        return 0;
    }
    // SAFETY: a stream passes its buffer, and how much of it is filled.
    let text = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), count) };
    keep(&String::from_utf8_lossy(text));
    isize::try_from(count).unwrap_or(isize::MAX)
}

fn keep(text: &str) {
    let mut log = log();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if log.len() == LINES {
            log.pop_front();
        }
        log.push_back(line.to_owned());
    }
}

fn log() -> MutexGuard<'static, VecDeque<String>> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}
