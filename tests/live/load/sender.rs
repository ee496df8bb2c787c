use super::frames::Frames;
use super::socket::{Hears, SEND_FRAMES, Socket};
use super::{have_first_processor, now_ns};
use crate::net::Namespace;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

/// A sender that is later than this takes its time from now on instead of hurrying: the pace is
/// never above what was asked for by much.
const HURRY: Duration = Duration::from_millis(2);

/// Sends numbered frames into a link.
#[derive(Debug)]
pub(crate) struct Sender {
    socket: Socket,
    frames: Frames,
    next: u64,
}

/// What was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Frames that the kernel took.
    pub(crate) frames: u64,
    /// Frames that it did not take: their numbers were never on the wire.
    pub(crate) refused: Vec<u64>,
    /// The number behind the last.
    pub(crate) end: u64,
    /// The first number of each call, and when it was made.
    pub(crate) calls: Vec<(u64, u64)>,
    took: Duration,
}

impl Sender {
    pub(crate) fn new(namespace: &Namespace, link: &str, frames: Frames) -> Self {
        Self {
            socket: Socket::open(namespace, link, Hears::Nothing),
            frames,
            next: 0,
        }
    }

    /// Sends so many frames, so many a second.
    pub(crate) fn send(&mut self, frames: u64, pps: u32) -> Sent {
        let last = self.next + frames;
        self.send_while(pps, |next| next < last, last)
    }

    /// Sends frames as long as the next number pleases, never beyond the last.
    pub(crate) fn send_while(
        &mut self,
        pps: u32,
        goes_on: impl Fn(u64) -> bool + Send,
        last: u64,
    ) -> Sent {
        let sending = || {
            have_first_processor();
            self.send_here(pps, goes_on, last)
        };
        // A thread of its own: what the caller starts later is not to be bound to that processor.
        thread::scope(|scope| scope.spawn(sending).join().unwrap())
    }

    fn send_here(&mut self, pps: u32, goes_on: impl Fn(u64) -> bool, last: u64) -> Sent {
        let began = Instant::now();
        let mut sent = Sent {
            frames: 0,
            end: self.next,
            refused: Vec::new(),
            calls: Vec::new(),
            took: Duration::ZERO,
        };
        let mut burst = vec![Vec::new(); SEND_FRAMES];
        let mut due = began;
        while goes_on(self.next) && self.next < last {
            let count = usize::try_from(last - self.next).unwrap().min(SEND_FRAMES);
            for (frame, number) in burst.iter_mut().zip(self.next..last) {
                self.frames.write(number, frame);
            }
            wait_until(&mut due);
            sent.calls.push((self.next, now_ns()));
            self.burst(&burst[..count], &mut sent);
            due += Duration::from_secs(1) * u32::try_from(count).unwrap() / pps;
        }
        sent.end = self.next;
        sent.took = began.elapsed();
        sent
    }

    fn burst(&mut self, mut burst: &[Vec<u8>], sent: &mut Sent) {
        while !burst.is_empty() {
            // The kernel says why it did not take the first of those that are left.
            let (gone, skipped) = match self.socket.send(burst) {
                Ok(count) => (count as u64, 0),
                Err(error) => {
                    let known = [libc::ENOBUFS, libc::EAGAIN, libc::EINTR, libc::ENETDOWN];
                    assert!(
                        error
                            .raw_os_error()
                            .is_some_and(|code| known.contains(&code)),
                        "send: {error}"
                    );
                    sent.refused.push(self.next);
                    (0, 1)
                }
            };
            sent.frames += gone;
            self.next += gone + skipped;
            burst = &burst[usize::try_from(gone + skipped).unwrap()..];
        }
    }
}

/// Sleeps as long as the timer is exact enough, and lets others run for the rest.
fn wait_until(due: &mut Instant) {
    loop {
        let now = Instant::now();
        if now >= *due {
            if now - *due > HURRY {
                *due = now;
            }
            return;
        }
        if *due - now > Duration::from_micros(100) {
            thread::sleep(*due - now - Duration::from_micros(60));
        } else {
            thread::yield_now();
        }
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pps = self.frames as f64 / self.took.as_secs_f64();
        write!(
            f,
            "sent {} frames in {:.2?} ({:.0} kpps), refused by the kernel: {}",
            self.frames,
            self.took,
            pps / 1000.0,
            self.refused.len()
        )
    }
}
