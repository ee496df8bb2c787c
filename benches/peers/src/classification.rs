//! Verdicts on the same frames: sekisho's stages, DPDK's access control lists, and a filter of
//! libpcap, all with the same rules: a SYN without ACK to port 25 from one of these prefixes.

use crate::contest::{Ask, Asked, Contest, Limit, Peer, need_avx512};
use crate::ffi::{Acl, Algorithm, BURST, Eal, Filter};
use crate::frames::{Frames, Traffic};
use crate::measure::{Effort, thread_time};
use crate::prefixes::strewn_ipv4;
use crate::provider;
use crate::report::Report;
use anyhow::{Context as _, Result, ensure};
use ipnet::Ipv4Net;
use sekisho::limit::Moment;
use sekisho::policy::Tables;
use sekisho::stage::{Account, Burst, Facing, Settings};
use sekisho::stats::Verdict;
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// A large ring of receive buffers.
const FRAMES: usize = 32_768;

/// Numbers of source prefixes, taken from table (a) so that they lie all over it.
const RULES: [usize; 4] = [16, 250, 2_000, usize::MAX];

const TRAFFIC: [Traffic; 2] = [
    Traffic {
        name: "1 % to port 25",
        port_25: 0.01,
        strangers: 0.1,
    },
    Traffic {
        name: "all to port 25",
        port_25: 1.0,
        strangers: 0.5,
    },
];

/// Runs all numbers of rules.
pub(crate) fn run_all(eal: &Eal, effort: Effort, report: &mut Report) {
    report.section(
        "## Classification\n\n\
         Nanoseconds of thread CPU time a frame, and how many times those of the first line (the \
         median of the ratios within each turn). 32,768 distinct frames of 60 octets; the stages \
         parse each of them, the others are told that all are untagged IPv4.",
    );
    let all = strewn_ipv4();
    for count in RULES {
        let step = (all.len() / count).max(1);
        let nets = all.iter().map(|(net, _)| *net).step_by(step).take(count);
        run(eal, &nets.collect::<Vec<_>>(), effort, report);
    }
}

fn run(eal: &Eal, nets: &[Ipv4Net], effort: Effort, report: &mut Report) {
    let destination = Ipv4Net::default();
    let pools =
        TRAFFIC.map(|traffic| Frames::new(FRAMES, traffic, nets, [[2; 6], [4; 6]], destination));
    let asked: Vec<Asked<&[u8]>> = TRAFFIC
        .iter()
        .zip(&pools)
        .map(|(traffic, frames)| Asked {
            name: traffic.name,
            questions: frames.list(),
            timed: true,
        })
        .collect();
    let mut contest = Contest::new(format!("{} source prefixes", nets.len()), eal);
    let mut tables = None;
    contest.enter("sekisho, candidates looked up", || {
        let built = provider::tables(nets.iter().copied())?;
        tables = Some(Arc::clone(&built));
        Ok(Box::new(Engine::new(built, Account::Candidates)))
    });
    contest.enter_again(
        "sekisho, every frame looked up",
        "sekisho, candidates looked up",
        || {
            let tables = tables.context("no tables")?;
            Ok(Box::new(Engine::new(tables, Account::EveryFrame)))
        },
    );
    enter_lists(&mut contest, eal, nets);
    contest.enter("libpcap, bpf_filter", || {
        Ok(Box::new(compile_filter(nets, effort.patience / 4)?))
    });
    contest.run(&asked, &[], effort, report);
}

/// Enters rte_acl with each of its algorithms.
fn enter_lists<'p>(contest: &mut Contest<'p, &'p [u8]>, eal: &'p Eal, nets: &[Ipv4Net]) {
    const WIDEST: &str = "rte_acl, AVX-512 × 32";
    let mut list = None;
    let mut enter = |name, algorithm| {
        let build = || -> Result<Box<dyn Ask<&'p [u8]> + 'p>> {
            if matches!(algorithm, Algorithm::Avx512x16 | Algorithm::Avx512x32) {
                need_avx512()?;
            }
            let acl = match &list {
                Some(list) => Rc::clone(list),
                None => {
                    let sources = nets
                        .iter()
                        .map(|net| (net.network().into(), net.prefix_len()));
                    Rc::new(Acl::new(eal, &sources.collect::<Vec<_>>())?)
                }
            };
            acl.select(algorithm)?;
            list = Some(Rc::clone(&acl));
            Ok(Box::new(List { acl, algorithm }))
        };
        if name == WIDEST {
            contest.enter(name, build);
        } else {
            contest.enter_again(name, WIDEST, build);
        }
    };
    enter(WIDEST, Algorithm::Avx512x32);
    enter("rte_acl, AVX-512 × 16", Algorithm::Avx512x16);
    enter("rte_acl, AVX2", Algorithm::Avx2);
    enter("rte_acl, SSE", Algorithm::Sse);
    enter("rte_acl, scalar", Algorithm::Scalar);
}

/// sekisho's stages.
pub(crate) struct Engine {
    burst: RefCell<Burst>,
    tables: Arc<Tables>,
}

impl Engine {
    pub(crate) fn new(tables: Arc<Tables>, account: Account) -> Self {
        Self {
            burst: RefCell::new(Burst::new(Facing::Out, Settings::new(account))),
            tables,
        }
    }
}

impl Ask<&[u8]> for Engine {
    fn pass(&self, frames: &[&[u8]]) {
        let burst = &mut *self.burst.borrow_mut();
        for frames in black_box(frames).chunks(BURST) {
            burst.run(frames, &self.tables, Moment::default());
            black_box(&mut *burst);
        }
    }

    fn values(&self, frames: &[&[u8]]) -> Vec<u8> {
        let burst = &mut *self.burst.borrow_mut();
        let mut values = Vec::with_capacity(frames.len());
        for frames in frames.chunks(BURST) {
            burst.run(frames, &self.tables, Moment::default());
            let dropped = burst.decisions().map(|it| it.verdict == Verdict::Drop);
            values.extend(dropped.map(u8::from));
        }
        values
    }
}

struct List<'e> {
    acl: Rc<Acl<'e>>,
    algorithm: Algorithm,
}

impl Peer<&[u8]> for List<'_> {
    type Answer = u32;

    fn prepare(&self) {
        assert!(
            self.acl.select(self.algorithm).is_ok(),
            "was selected before"
        );
    }

    fn burst(&self, frames: &[&[u8]], answers: &mut [u32; BURST]) {
        self.acl.burst(frames, answers);
    }

    fn value(answer: u32) -> u8 {
        u8::from(answer != 0)
    }
}

impl Peer<&[u8]> for Filter {
    type Answer = u32;

    fn burst(&self, frames: &[&[u8]], answers: &mut [u32; BURST]) {
        Self::burst(self, frames, answers);
    }

    fn value(answer: u32) -> u8 {
        u8::from(answer != 0)
    }
}

/// Compiles for more and more prefixes, and gives up before the next step would need more than its
/// patience: libpcap's optimiser takes more than twice the time for twice the prefixes, and cannot
/// be stopped.
fn compile_filter(nets: &[Ipv4Net], patience: Duration) -> Result<Filter> {
    let mut count = 16.min(nets.len());
    loop {
        let begin = thread_time();
        let some = nets.get(..count).unwrap_or(nets);
        let filter = Filter::compile(&expression(some), true)
            .with_context(|| format!("{count} prefixes"))?;
        let taken = thread_time() - begin;
        if count == nets.len() {
            return Ok(filter);
        }
        let next = (count * 2).min(nets.len());
        ensure!(
            taken * 8 < patience,
            Limit(format!(
                "{count} prefixes were compiled to {} instructions in {:.1} s of CPU time, and the \
                 time grows faster than the number",
                filter.instructions(),
                taken.as_secs_f64()
            ))
        );
        count = next;
    }
}

fn expression(nets: &[Ipv4Net]) -> String {
    let sources: Vec<_> = nets.iter().map(|net| format!("src net {net}")).collect();
    format!(
        "ip and tcp dst port 25 and tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn and ({})",
        sources.join(" or ")
    )
}
