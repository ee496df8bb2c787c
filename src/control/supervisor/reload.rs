//! Other policies, in place of the ones that hold.

use super::{Supervisor, Weight, refused};
use crate::control::journal::Overrides;
use crate::control::protocol::{Answer, Override, Reloaded};
use crate::lpm::Readers;
use crate::policy::{self, Live, NoSuchPlan, PlanId, Program, Severity};
use ipnet::IpNet;
use jiff::Timestamp;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Policies that are being compiled.
pub(super) struct Compiling {
    compiled: Receiver<Result<Compiled, String>>,
    /// What was changed above the files since it began, in that order.
    changed: Vec<(IpNet, Option<Override>)>,
    /// Who waits for it.
    answers: Vec<Sender<Answer>>,
    /// Who asked meanwhile, and wants what the files say by then.
    again: Vec<Sender<Answer>>,
    /// Whether a signal asked meanwhile.
    signalled: bool,
}

/// Policies that can take over.
pub struct Compiled {
    /// With the plans above the files.
    pub live: Live,
    /// How many warnings there are about them.
    pub warnings: usize,
    taken: Duration,
}

/// Reads and compiles policies, with plans above them; or says what is wrong, with its places.
///
/// # Errors
/// Errors in the policies, plans above them that they do not have, too little memory.
pub fn compile(
    policies: &[PathBuf],
    overrides: &Overrides,
    readers: &Arc<Readers>,
) -> Result<Compiled, String> {
    let begun = Instant::now();
    let now = Timestamp::now();
    let policy::Loaded {
        sources,
        resolved,
        mut diagnostics,
    } = policy::load(policies, now);
    let program = resolved.map(|resolved| Program::compile(Arc::new(resolved)));
    let program = match program {
        Some(Ok(program)) => Arc::new(program),
        Some(Err(errors)) => {
            diagnostics.extend(errors);
            return Err(only_errors(&sources, diagnostics));
        }
        None => return Err(only_errors(&sources, diagnostics)),
    };
    let above = plans_above(&program, overrides.iter().filter(|o| !is_over(o, now)))?;
    let live = Live::new(program, now, above, readers);
    Ok(Compiled {
        live: live.map_err(|too_large| format!("with the room for changes: {too_large}"))?,
        warnings: diagnostics.len(),
        taken: begun.elapsed(),
    })
}

fn is_over(given: &Override, now: Timestamp) -> bool {
    given.set.expires.is_some_and(|end| end <= now)
}

fn only_errors(sources: &policy::Sources, mut diagnostics: Vec<policy::Diagnostic>) -> String {
    diagnostics.retain(|found| found.severity == Severity::Error);
    policy::render(sources, &diagnostics, false)
}

/// The plans of overrides, by number; or which of them name none.
fn plans_above<'o>(
    program: &Program,
    overrides: impl Iterator<Item = &'o Override>,
) -> Result<HashMap<IpNet, PlanId>, String> {
    let (mut above, mut orphans) = (HashMap::new(), String::new());
    for Override { set, at, who } in overrides {
        match program.plan_for(set.prefix, &set.plan) {
            Ok(plan) => {
                above.insert(set.prefix, plan);
            }
            Err(why) => {
                let _ = writeln!(orphans, "{}", orphan(&why, set.ticket.as_deref(), *at, who));
            }
        }
    }
    if orphans.is_empty() {
        Ok(above)
    } else {
        Err(format!(
            "plans were given above the file that the policies no longer have:\n{orphans}\
             put them back, or take these overrides back: `sekisho ctl plan unset PREFIX` of one \
             that runs, `sekisho run --unset PREFIX` of one that cannot begin"
        ))
    }
}

fn orphan(why: &NoSuchPlan, ticket: Option<&str>, at: Timestamp, who: &str) -> String {
    let ticket = ticket.map_or_else(String::new, |ticket| format!(", ticket {ticket}"));
    format!("  {why} (set by {who} at {at}{ticket})")
}

impl Supervisor<'_> {
    /// Begins to compile what the policies say now; whoever asked is answered when it holds.
    pub(super) fn begin_reload(&mut self, answer: Option<Sender<Answer>>) {
        if let Some(compiling) = &mut self.compiling {
            compiling.signalled |= answer.is_none();
            compiling.again.extend(answer);
            return;
        }
        let (send, compiled) = channel();
        let (policies, overrides) = (self.setup.policies.clone(), self.overrides.clone());
        let readers = Arc::clone(self.live.readers());
        let compiler = thread::Builder::new().name("compiler".to_owned());
        let begun = compiler.spawn(move || {
            // Nobody waits for it when the run has ended meanwhile.
            let _ = send.send(compile(&policies, &overrides, &readers));
        });
        match begun {
            Ok(_) => {
                self.compiling = Some(Compiling {
                    compiled,
                    changed: Vec::new(),
                    answers: answer.into_iter().collect(),
                    again: Vec::new(),
                    signalled: false,
                });
            }
            Err(cause) => {
                (self.say)(
                    Weight::Warning,
                    format_args!("no reload: no thread: {cause}"),
                );
                if let Some(answer) = answer {
                    let _ = answer.send(refused("no-thread", &cause));
                }
            }
        }
    }

    /// Has the new tables change as the ones that hold do.
    pub(super) fn remember_for_compiling(&mut self, prefix: IpNet, given: Option<Override>) {
        if let Some(compiling) = &mut self.compiling {
            compiling.changed.push((prefix, given));
        }
    }

    /// Lets compiled policies take over, if they are there.
    pub(super) fn take_compiled(&mut self) {
        let Some(compiling) = &mut self.compiling else {
            return;
        };
        let compiled = match compiling.compiled.try_recv() {
            Ok(compiled) => compiled,
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => Err("the compiler has ended early".to_owned()),
        };
        let Some(done) = self.compiling.take() else {
            return;
        };
        let taken_over = compiled.and_then(|compiled| self.take_over(compiled, &done.changed));
        let answer = match taken_over {
            Ok(reloaded) => {
                (self.say)(Weight::Note, format_args!("{reloaded}"));
                Answer::Reloaded(reloaded)
            }
            Err(why) => {
                (self.say)(
                    Weight::Warning,
                    format_args!("no reload, generation {} stays: {why}", self.generation),
                );
                refused("bad-policy", why)
            }
        };
        for waiting in done.answers {
            let _ = waiting.send(answer.clone());
        }
        if done.signalled || !done.again.is_empty() {
            let mut again = done.again.into_iter();
            self.begin_reload(again.next());
            if let Some(compiling) = &mut self.compiling {
                compiling.answers.extend(again);
            }
        }
    }

    fn take_over(
        &mut self,
        compiled: Compiled,
        changed: &[(IpNet, Option<Override>)],
    ) -> Result<Reloaded, String> {
        let Compiled {
            mut live,
            warnings,
            taken,
        } = compiled;
        for (prefix, given) in changed {
            let done = match given {
                Some(given) => {
                    let plan = plans_above(live.program(), std::iter::once(given))?;
                    let plan = plan.values().next().copied().unwrap_or(PlanId::NONE);
                    live.set(*prefix, plan)
                }
                None => live.unset(*prefix),
            };
            done.map_err(|why| why.to_string())?;
        }
        let begun = Instant::now();
        let before = std::mem::replace(&mut self.live, live);
        let workers = self.assign(true);
        let swapped = begun.elapsed();
        // Its tables are freed here, or by whoever of us takes the last of them back.
        drop(before);
        self.generation += 1;
        if warnings > 0 {
            (self.say)(
                Weight::Note,
                format_args!("{warnings} warnings about the policies: see `sekisho check`"),
            );
        }
        Ok(Reloaded {
            from: self.generation - 1,
            to: self.generation,
            compile_ms: taken.as_secs_f64() * 1e3,
            swap_ms: swapped.as_secs_f64() * 1e3,
            workers,
            of_workers: self.crew.workers(),
            overrides: self.overrides.len(),
        })
    }

    /// Gives the tables that hold to the workers; says how many have them.
    pub(super) fn assign(&mut self, renumbered: bool) -> usize {
        let tables = Arc::clone(self.live.tables());
        self.crew.assign(&tables, renumbered)
    }
}
