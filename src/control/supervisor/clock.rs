use super::{Supervisor, Weight};
use crate::control::journal::{Change, Entry};
use jiff::Timestamp;
use std::time::{Duration, Instant};

/// What is not worth a word: a clock that is being steered.
const STEP_BACK: Duration = Duration::from_secs(1);

/// How long nothing is tried again that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// How far the clock has been followed.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// That it stands before what has happened was said.
    said_back: bool,
    /// Nothing is tried before this.
    pause: Option<Instant>,
}

impl Clock {
    /// How long it is until an instant; nothing if it has passed.
    pub(super) fn until(&self, next: Option<Timestamp>) -> Option<Duration> {
        if self.pauses() {
            return None;
        }
        let left = next?.duration_since(Timestamp::now());
        Some(Duration::try_from(left).unwrap_or_default())
    }

    fn pauses(&self) -> bool {
        self.pause.is_some_and(|pause| Instant::now() < pause)
    }
}

impl Supervisor<'_> {
    /// When the clock next changes anything.
    pub(super) fn next_instant(&self) -> Option<Timestamp> {
        let (event, expiry) = (self.live.next_event(), self.overrides.next_expiry());
        event.into_iter().chain(expiry).min()
    }

    /// Does what the clock brings.
    pub(super) fn follow_clock(&mut self) {
        if self.clock.pauses() {
            return;
        }
        let now = Timestamp::now();
        self.notice_step_back(now);
        if self.next_instant().is_none_or(|next| now < next) {
            return;
        }
        let done = self.advance(now).and_then(|()| self.expire(now));
        if let Err(why) = done {
            self.clock.pause = Some(Instant::now() + PAUSE);
            (self.say)(
                Weight::Warning,
                format_args!("what the clock brings cannot be done yet: {why}"),
            );
        }
    }

    /// Goes over the policy's own events.
    fn advance(&mut self, now: Timestamp) -> Result<(), String> {
        let before = self.live.as_of();
        if self.live.next_event().is_none_or(|next| now < next) {
            return Ok(());
        }
        let begun = Instant::now();
        self.patiently(|live| live.advance(now))?;
        let workers = self.assign(false);
        let taken_ms = begun.elapsed().as_secs_f64() * 1e3;
        let (all, program) = (self.crew.workers(), self.live.program());
        for event in program.events() {
            if before < event.at && event.at <= now {
                let tenant = program.legend().tenants().get(event.tenant);
                let isp = tenant.map_or("", |tenant| &tenant.name);
                let text = event.text();
                (self.say)(
                    Weight::Note,
                    format_args!(
                        "{isp}: {text}: {workers} of {all} workers after {taken_ms:.1} ms"
                    ),
                );
            }
        }
        Ok(())
    }

    /// Takes back plans above the file whose time is over.
    fn expire(&mut self, now: Timestamp) -> Result<(), String> {
        let over: Vec<_> = self.overrides.expired(now).map(|o| o.set.prefix).collect();
        for prefix in &over {
            let entry = Entry {
                at: now,
                who: "sekisho".to_owned(),
                change: Change::Expired { prefix: *prefix },
            };
            self.patiently(|live| live.unset(*prefix))?;
            self.overrides.apply(&entry);
            self.remember_for_compiling(*prefix, None);
            // Where this line is missing, the next start finds the plan expired all the same.
            if let Err(why) = self.journal.append(&[entry]) {
                (self.say)(Weight::Warning, format_args!("{why}"));
            }
            (self.say)(
                Weight::Note,
                format_args!("{prefix}: its plan above the file is over"),
            );
        }
        if !over.is_empty() {
            self.settle();
        }
        Ok(())
    }

    /// A clock that goes back over an event does not undo it; a reload does.
    fn notice_step_back(&mut self, now: Timestamp) {
        let back = self.live.as_of().duration_since(now);
        let is_back = Duration::try_from(back).is_ok_and(|back| back > STEP_BACK);
        if is_back && !self.clock.said_back {
            let as_of = self.live.as_of();
            (self.say)(
                Weight::Warning,
                format_args!(
                    "the clock was set back before {as_of}: what has begun or ended since then \
                     stays so until a reload"
                ),
            );
        }
        self.clock.said_back = is_back;
    }
}
