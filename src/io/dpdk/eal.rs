use super::ffi::{rte_eal_init, rte_thread_register, rte_thread_unregister, sekisho_errno};
use super::log::{self, Captured};
use super::name::Name;
use super::refusal;
use crate::io::port::{DeviceError, DeviceFault};
use rustix::thread::{CpuSet, sched_getaffinity};
use std::ffi::{CString, c_char, c_int};
use std::ptr;
use std::sync::{Mutex, PoisonError};

/// What EAL was started with; it can be started once in the life of a process.
static STARTED: Mutex<Option<Started>> = Mutex::new(None);

struct Started {
    extra: Vec<String>,
    with_pci: bool,
}

/// Starts EAL, if it does not run yet. It takes no thread for itself, no signals, and no device but
/// the PCI devices that are named.
pub(super) fn start(extra: &[String], names: &[&Name]) -> Result<(), DeviceError> {
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    let wants_pci = names.iter().any(|name| name.is_pci());
    if let Some(before) = &*started {
        if before.extra == extra && (before.with_pci || !wants_pci) {
            return Ok(());
        }
        let message = "DPDK runs in this process, with other arguments";
        return Err(DeviceError::new(DeviceFault::Busy, message)
            .remedy("start another process: EAL is initialised once in each"));
    }
    let arguments = arguments(extra, names)?;
    log::lead_here();
    let captured = Captured::begin();
    let failed = initialise(&arguments);
    if let Some(captured) = captured {
        captured.end();
    }
    let said = log::take();
    failed.map_err(|errno| refusal::of_eal(errno, &said, &arguments))?;
    check_threads()?;
    *started = Some(Started {
        extra: extra.to_vec(),
        with_pci: wants_pci,
    });
    Ok(())
}

/// A worker's thread, as DPDK knows it: it has caches of mbufs of its own, without which each mbuf
/// is fetched from a ring that all share.
pub(super) struct Registered(bool);

impl Registered {
    pub(super) fn this_thread() -> Self {
        // SAFETY: EAL runs, or no lane would exist. A thread that DPDK knows already is refused,
        // and stays what it was.
        Self(unsafe { rte_thread_register() } == 0)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        if self.0 {
            // SAFETY: this thread was registered by the value that is dropped; it is not `Send`
            // to another one, as nothing moves it out of `serve`.
            unsafe { rte_thread_unregister() }
        }
    }
}

/// Each is set unless the operator says otherwise: one lcore of DPDK's own, which is the thread that
/// starts it and stays where it may run; no files, no sockets, no other processes.
fn arguments(extra: &[String], names: &[&Name]) -> Result<Vec<String>, DeviceError> {
    let says = |words: &[&str]| {
        extra.iter().any(|argument| {
            words.iter().any(|word| {
                argument == word
                    || argument
                        .strip_prefix(word)
                        .is_some_and(|rest| rest.starts_with('='))
            })
        })
    };
    let mut arguments = vec!["sekisho".to_owned()];
    if !says(&["-l", "-c", "--lcores"]) {
        arguments.push(format!("--lcores=0@({})", usable_processors()?));
    }
    arguments.push("--no-telemetry".to_owned());
    // EAL refuses the two together.
    arguments.push(match says(&["--no-huge"]) {
        false => "--in-memory".to_owned(),
        true => "--no-shconf".to_owned(),
    });
    let mut pci = names.iter().filter(|name| name.is_pci()).peekable();
    if pci.peek().is_none() {
        arguments.push("--no-pci".to_owned());
    }
    for name in pci {
        arguments.push(format!("--allow={}", name.whole().to_string_lossy()));
    }
    arguments.extend_from_slice(extra);
    Ok(arguments)
}

/// `0,1,5`
fn usable_processors() -> Result<String, DeviceError> {
    let set = sched_getaffinity(None).map_err(|cause| {
        let message = format!("the system does not say which lcores may be used: {cause}");
        DeviceError::new(DeviceFault::System, message)
    })?;
    let numbers = (0..CpuSet::MAX_CPU).filter(|number| set.is_set(*number));
    Ok(numbers
        .map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(","))
}

/// Says which error EAL gives.
fn initialise(arguments: &[String]) -> Result<(), i32> {
    let words = arguments
        .iter()
        .map(|argument| CString::new(argument.as_str()).map(CString::into_raw));
    let mut argv: Vec<*mut c_char> = words.collect::<Result<_, _>>().or(Err(libc::EINVAL))?;
    let argc = c_int::try_from(argv.len()).or(Err(libc::E2BIG))?;
    argv.push(ptr::null_mut());
    // SAFETY: `argc` strings that are leaked, and a null behind them. EAL writes to the array and
    // keeps pointers to it, for which it is leaked, too. It is not running yet: `STARTED` is locked.
    match unsafe { rte_eal_init(argc, argv.leak().as_mut_ptr()) } {
        0.. => Ok(()),
        // SAFETY: reads a variable of this thread.
        _ => Err(unsafe { sekisho_errno() }),
    }
}

/// Workers cannot say that their thread was refused, so another one tries before.
fn check_threads() -> Result<(), DeviceError> {
    let trial = std::thread::spawn(|| {
        let registered = Registered::this_thread();
        registered.0
    });
    if trial.join().unwrap_or(false) {
        return Ok(());
    }
    let said = log::take();
    let message = format!(
        "DPDK takes no threads of workers: {}",
        refusal::words(&said)
    );
    Err(DeviceError::new(DeviceFault::System, message)
        .remedy("leave out what makes it serve several processes, such as `--proc-type`"))
}
