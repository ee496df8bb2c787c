use super::{Lcore, LcoreError};
use crossbeam_utils::CachePadded;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

/// Tells workers to stop: each does after the burst that it is at.
#[derive(Debug, Default)]
pub struct Stop(CachePadded<AtomicBool>);

impl Stop {
    /// Nobody has to stop yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops whoever looks.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether to stop.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Stops when it is dropped, whatever for: nobody waits for workers that nobody stops.
struct StopsAtLast<'s>(&'s Stop);

impl Drop for StopsAtLast<'_> {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Does the same work on several lcores side by side, a thread pinned to each, and gathers what it
/// gave, in their order. Meanwhile the calling thread does `control`, and stops them when that is
/// over.
///
/// Each is given one thing, to be its own. What it makes (its pool, its ports, its worker) is made on
/// its own lcore, and in memory of its own.
///
/// # Errors
/// An lcore is named twice, is none that this program may use, or is refused by the system. Then no
/// work is begun.
pub fn on_lcores<G: Send, T: Send, C>(
    lcores: &[Lcore],
    given: impl IntoIterator<Item = G>,
    work: impl Fn(G, &Stop) -> T + Sync,
    control: impl FnOnce() -> C,
) -> Result<(Vec<T>, C), LcoreError> {
    Lcore::check(lcores)?;
    let stop = Stop::new();
    // Shut until every thread is pinned; it says whether all are.
    let gate = Mutex::new(false);
    thread::scope(|scope| {
        let mut shut = gate.lock().unwrap_or_else(PoisonError::into_inner);
        let (pinned, each_pinned) = mpsc::channel();
        let mut threads = Vec::with_capacity(lcores.len());
        for (index, (lcore, given)) in lcores.iter().copied().zip(given).enumerate() {
            let (work, stop, gate, pinned) = (&work, &stop, &gate, pinned.clone());
            let named = thread::Builder::new().name(format!("worker-{index}"));
            let spawned = named.spawn_scoped(scope, move || {
                let sent = pinned.send(lcore.pin());
                drop(pinned);
                let open = *gate.lock().unwrap_or_else(PoisonError::into_inner);
                (sent.is_ok() && open).then(|| work(given, stop))
            });
            threads.push(spawned.map_err(|cause| LcoreError::Thread { lcore, cause })?);
        }
        drop(pinned);
        each_pinned.iter().collect::<Result<(), _>>()?;
        *shut = true;
        drop(shut);
        let controlled = {
            let _stops = StopsAtLast(&stop);
            control()
        };
        let gave = threads
            .into_iter()
            .filter_map(|thread| match thread.join() {
                Ok(gave) => gave,
                Err(panic) => resume_unwind(panic),
            });
        Ok((gave.collect(), controlled))
    })
}
