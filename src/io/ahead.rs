use super::stretch::{Stretch, Then};
use super::walk::Walk;
use std::panic;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

/// One is ready while another is being filled: more would only take more of the caches.
const STRETCHES_AHEAD: usize = 2;

/// A capture that is walked by a thread of its own, some stretches ahead.
///
/// The same few stretches go round: filled there, read here.
pub(super) struct Ahead {
    filled: Receiver<Stretch>,
    read: Sender<Stretch>,
    /// `None` once it has ended.
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Gives the walk back where the system has no thread to give.
    pub(super) fn begin(walk: Box<Walk>) -> Result<Self, Box<Walk>> {
        let (give, given) = channel();
        let (fill, filled) = channel();
        let (read, empty) = channel();
        let fill_all = move || {
            if let Ok(walk) = given.recv() {
                run(walk, &empty, &fill);
            }
        };
        let thread = thread::Builder::new().name("read-ahead".to_owned());
        let Ok(thread) = thread.spawn(fill_all) else {
            return Err(walk);
        };
        // None of this fails: the thread waits for the walk, and then for stretches.
        let _ = give.send(walk);
        for _ in 0..STRETCHES_AHEAD {
            let _ = read.send(Stretch::default());
        }
        Ok(Self {
            filled,
            read,
            thread: Some(thread),
        })
    }

    /// Takes the next stretch for one that was read.
    pub(super) fn exchange(&mut self, stretch: &mut Stretch) {
        // Nobody takes it when the last one was filled already.
        let _ = self.read.send(std::mem::take(stretch));
        match self.filled.recv() {
            Ok(next) => *stretch = next,
            Err(_) => {
                stretch.then = Then::End;
                // It ends before the last stretch only by a panic, which is not to pass for an end.
                if let Some(Err(cause)) = self.thread.take().map(JoinHandle::join) {
                    panic::resume_unwind(cause);
                }
            }
        }
    }
}

/// Fills what was read, until the capture ends or nobody wants more of it.
fn run(mut walk: Box<Walk>, empty: &Receiver<Stretch>, fill: &Sender<Stretch>) {
    for mut stretch in empty {
        walk.fill(&mut stretch);
        let more = matches!(stretch.then, Then::More);
        if fill.send(stretch).is_err() || !more {
            return;
        }
    }
}
