//! Several who answer the same questions: first compared, then measured by turns.
//!
//! Every answer is compared with the first one's before anything is timed: a peer is also a judge.

use crate::ffi::{BURST, Eal, heap_bytes};
use crate::measure::{Effort, Pass, by_turns, median, ratio, thread_time};
use crate::report::{Goal, Report};
use anyhow::{Result, ensure};
use std::fmt::{self, Write as _};
use std::hint::black_box;
use std::time::Duration;

/// Whom sekisho should be ahead of, on which questions, and how many times.
pub(crate) type Goals = &'static [(&'static str, &'static str, f64)];

/// Who answers questions, whatever the answers are in its own words.
pub(crate) trait Ask<Question> {
    /// What is timed: all are answered, and the answers are left somewhere in memory.
    fn pass(&self, questions: &[Question]);
    /// The answers, in the words that all have in common.
    fn values(&self, questions: &[Question]) -> Vec<u8>;
}

/// Who answers a burst at a time.
pub(crate) trait Peer<Question> {
    type Answer: Copy + Default;

    /// Comes before every pass.
    fn prepare(&self) {}
    /// At most [`BURST`] questions.
    fn burst(&self, questions: &[Question], answers: &mut [Self::Answer; BURST]);
    fn value(answer: Self::Answer) -> u8;
}

impl<Question, P: Peer<Question>> Ask<Question> for P {
    fn pass(&self, questions: &[Question]) {
        self.prepare();
        let mut answers = [P::Answer::default(); BURST];
        for burst in black_box(questions).chunks(BURST) {
            self.burst(burst, &mut answers);
            black_box(&mut answers);
        }
    }

    fn values(&self, questions: &[Question]) -> Vec<u8> {
        self.prepare();
        let mut answers = [P::Answer::default(); BURST];
        let mut values = Vec::with_capacity(questions.len());
        for burst in questions.chunks(BURST) {
            self.burst(burst, &mut answers);
            let answers = burst.iter().zip(answers);
            values.extend(answers.map(|(_, answer)| P::value(answer)));
        }
        values
    }
}

/// Questions of one kind.
pub(crate) struct Asked<Question> {
    pub(crate) name: &'static str,
    pub(crate) questions: Vec<Question>,
    /// Whether it is timed; else the answers are only compared.
    pub(crate) timed: bool,
}

/// Why someone cannot take part, where it is no fault.
#[derive(Debug)]
pub(crate) struct Limit(pub(crate) String);

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Limit {}

/// The processor's, for the widest of DPDK's lookups.
pub(crate) fn need_avx512() -> Result<()> {
    let wide = std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512bw");
    ensure!(wide, Limit("this processor has no AVX-512".into()));
    Ok(())
}

/// Those who take part; the first is sekisho.
pub(crate) struct Contest<'p, Question> {
    title: String,
    eal: &'p Eal,
    entries: Vec<Entry<'p, Question>>,
}

/// What became of one who was invited.
enum Entry<'p, Question> {
    Stands(Standing<'p, Question>),
    /// What a peer cannot do by its nature, or this machine; a result as any other.
    Limit(&'static str, String),
    /// What should have run; the whole run fails.
    Failed(&'static str, anyhow::Error),
}

/// Who is ready to answer, and what it took.
struct Standing<'p, Question> {
    name: &'static str,
    memory_bytes: u64,
    built: Duration,
    asked: Box<dyn Ask<Question> + 'p>,
}

/// Of one kind of questions, the samples of all who stand, in their order.
type Timed = (&'static str, Vec<Vec<f64>>);

impl<'p, Question: fmt::Debug> Contest<'p, Question> {
    pub(crate) fn new(title: String, eal: &'p Eal) -> Self {
        Self {
            title,
            eal,
            entries: Vec::new(),
        }
    }

    pub(crate) fn enter(
        &mut self,
        name: &'static str,
        build: impl FnOnce() -> Result<Box<dyn Ask<Question> + 'p>>,
    ) {
        let heap_before = heap_bytes(self.eal);
        let begin = thread_time();
        let entry = match build() {
            Ok(asked) => Entry::Stands(Standing {
                name,
                built: thread_time() - begin,
                memory_bytes: heap_bytes(self.eal).saturating_sub(heap_before),
                asked,
            }),
            Err(error) => match error.downcast::<Limit>() {
                Ok(limit) => Entry::Limit(name, limit.0),
                Err(error) => Entry::Failed(name, error),
            },
        };
        self.entries.push(entry);
    }

    /// Enters one who uses what another has built, in another way.
    pub(crate) fn enter_again(
        &mut self,
        name: &'static str,
        of: &str,
        build: impl FnOnce() -> Result<Box<dyn Ask<Question> + 'p>>,
    ) {
        self.enter(name, build);
        let other = self.standing().find(|standing| standing.name == of);
        let shared = other.map(|other| (other.memory_bytes, other.built));
        if let (Some(shared), Some(Entry::Stands(last))) = (shared, self.entries.last_mut()) {
            (last.memory_bytes, last.built) = shared;
        }
    }

    /// Compares and measures all, and writes the table.
    pub(crate) fn run(
        mut self,
        asked: &[Asked<Question>],
        goals: Goals,
        effort: Effort,
        report: &mut Report,
    ) {
        self.compare(asked);
        let mut timed: Vec<Timed> = Vec::new();
        for asked in asked.iter().filter(|asked| asked.timed) {
            let pass = |one: &'_ Standing<'p, Question>| one.asked.pass(&asked.questions);
            let passes: Vec<Pass<'_>> = self
                .standing()
                .map(|one| Box::new(move || pass(one)) as Pass<'_>)
                .collect();
            timed.push((asked.name, by_turns(&passes, asked.questions.len(), effort)));
        }
        for &(name, peer, goal) in goals {
            let place = self.standing().position(|one| one.name == peer);
            let samples = timed.iter().find(|timed| timed.0 == name);
            report.goal(Goal {
                what: format!("{}, {name}: against {peer}", self.title),
                goal,
                measured: samples.and_then(|(_, all)| Some(ratio(all.get(place?)?, all.first()?))),
            });
        }
        report.section(&self.render(&timed));
        for entry in self.entries {
            match entry {
                Entry::Stands(_) => {}
                Entry::Limit(name, why) => report.limit(&format!("{}: {name}: {why}", self.title)),
                Entry::Failed(name, error) => {
                    report.fail(&format!("{}: {name}", self.title), &error);
                }
            }
        }
    }

    fn standing(&self) -> impl Iterator<Item = &Standing<'p, Question>> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Stands(standing) => Some(standing),
            Entry::Limit(..) | Entry::Failed(..) => None,
        })
    }

    /// Whoever answers otherwise than the first is out.
    fn compare(&mut self, asked: &[Asked<Question>]) {
        let Some(first) = self.standing().next() else {
            return;
        };
        let expected = asked
            .iter()
            .map(|asked| first.asked.values(&asked.questions));
        let expected: Vec<_> = expected.collect();
        for entry in &mut self.entries {
            if let Entry::Stands(standing) = entry
                && let Err(error) = standing.agrees(&expected, asked)
            {
                *entry = Entry::Failed(standing.name, error);
            }
        }
    }

    fn render(&self, timed: &[Timed]) -> String {
        let mut text = format!("### {}\n\n| | MiB | built in ms |", self.title);
        for (name, _) in timed {
            let _ = write!(text, " {name}, ns | × |");
        }
        let columns = "---:|---:|".repeat(timed.len());
        let _ = writeln!(text, "\n|---|---:|---:|{columns}");
        let mut place = 0;
        for entry in &self.entries {
            let _ = match entry {
                Entry::Stands(standing) => {
                    let figures = standing.figures(place, timed);
                    place += 1;
                    writeln!(text, "{figures}")
                }
                Entry::Limit(name, why) => writeln!(text, "| {name} | not measured: {why} |"),
                Entry::Failed(name, error) => {
                    writeln!(text, "| {name} | could not run: {error:#} |")
                }
            };
        }
        text
    }
}

impl<Question: fmt::Debug> Standing<'_, Question> {
    fn agrees(&self, expected: &[Vec<u8>], asked: &[Asked<Question>]) -> Result<()> {
        for (asked, expected) in asked.iter().zip(expected) {
            let values = self.asked.values(&asked.questions);
            let answers = values.iter().zip(expected).zip(&asked.questions);
            for ((value, first), question) in answers {
                ensure!(
                    value == first,
                    "{}: of {question:02x?} it says {value}, sekisho {first}",
                    asked.name
                );
            }
        }
        Ok(())
    }

    fn figures(&self, place: usize, timed: &[Timed]) -> String {
        let mebibytes = self.memory_bytes as f64 / (1 << 20) as f64;
        let milliseconds = self.built.as_secs_f64() * 1e3;
        let mut text = format!("| {} | {mebibytes:.1} | {milliseconds:.0} |", self.name);
        for (_, samples) in timed {
            if let (Some(own), Some(first)) = (samples.get(place), samples.first()) {
                let times = ratio(own, first);
                let _ = write!(text, " {:.2} | {times:.2} |", median(own));
            }
        }
        text
    }
}
