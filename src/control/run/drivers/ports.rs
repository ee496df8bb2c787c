use crate::control::pipeline::{self, Pipeline};
use crate::control::supervisor::{Say, Weight};
use crate::io::netdev::{self, Capability, Claim, Interface, OnExit, Prepared};
use crate::io::port::DeviceError;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What must be allowed to prepare interfaces and have their frames.
pub(super) const RIGHTS: &[Capability] = &[Capability::NetAdmin, Capability::NetRaw];

/// Interfaces of the system that are prepared, and what becomes of them.
pub(super) struct Ports {
    prepared: Mutex<Option<Prepared>>,
    on_exit: OnExit,
}

impl Ports {
    /// None.
    #[cfg(feature = "dpdk")]
    pub(super) fn none() -> Self {
        Self {
            prepared: Mutex::new(None),
            on_exit: OnExit::Leave,
        }
    }

    pub(super) fn prepare(
        pipeline: &Pipeline,
        interfaces: Vec<Interface>,
        say: Say<'_>,
    ) -> Result<Self, DeviceError> {
        let on_exit = on_exit(pipeline);
        for note in on_exit.check()? {
            say(Weight::Note, format_args!("{note}"));
        }
        let prepared = netdev::prepare(Claim::of(interfaces)?, &run_dir(pipeline))?;
        for note in prepared.notes() {
            say(Weight::Note, format_args!("{note}"));
        }
        Ok(Self {
            prepared: Mutex::new(Some(prepared)),
            on_exit,
        })
    }

    /// Makes the bridge, if one is to take over, while sekisho still has its sockets; says what went
    /// wrong.
    #[cfg(feature = "af-xdp")]
    pub(super) fn bridge(&self) -> Vec<String> {
        match self.on_exit {
            OnExit::KernelBridge(_) => self.leave(),
            OnExit::Leave | OnExit::LinkDown => Vec::new(),
        }
    }

    /// Leaves them, unless that was done; says what went wrong.
    pub(super) fn leave(&self) -> Vec<String> {
        match lock(&self.prepared).take().map(|it| it.exit(&self.on_exit)) {
            None => Vec::new(),
            Some(Ok(left)) => left,
            Some(Err(why)) => vec![why.to_string()],
        }
    }
}

/// Nothing that could panic is done under these locks.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn on_exit(pipeline: &Pipeline) -> OnExit {
    match pipeline.on_exit {
        pipeline::OnExit::Leave => OnExit::Leave,
        pipeline::OnExit::LinkDown => OnExit::LinkDown,
        pipeline::OnExit::KernelBridge => OnExit::KernelBridge(bridge_name(&pipeline.name)),
    }
}

/// What an interface may be called: 15 octets.
fn bridge_name(pipeline: &str) -> String {
    format!("sk-{pipeline}").chars().take(15).collect()
}

fn run_dir(pipeline: &Pipeline) -> PathBuf {
    let run_dir = pipeline.control.run_dir.as_deref();
    run_dir.unwrap_or(Path::new("/run/sekisho")).to_owned()
}
