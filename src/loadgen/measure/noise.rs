/// What the system says of itself at one instant; what it does not say is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// Processor time of all processors since the start, in the system's ticks.
    pub ticks: Option<u64>,
    /// That part of it which the host gave to others.
    pub stolen_ticks: Option<u64>,
    /// Tasks that run or could, this one too.
    pub runnable: Option<u32>,
    /// How often this thread had to make room for another.
    pub interruptions: Option<u64>,
}

impl Reading {
    /// From the texts of `/proc/stat`, `/proc/loadavg` and `/proc/thread-self/status`.
    pub fn parse(stat: &str, load: &str, status: &str) -> Self {
        let words = |text: &str, key: &str| {
            let line = text
                .lines()
                .find(|line| line.split_whitespace().next() == Some(key))?;
            let numbers = line
                .split_whitespace()
                .skip(1)
                .map_while(|word| word.parse().ok());
            Some(numbers.collect::<Vec<u64>>())
        };
        // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user and nice.
        let cpu = words(stat, "cpu");
        let running = load
            .split_whitespace()
            .nth(3)
            .and_then(|word| word.split_once('/'));
        Self {
            ticks: cpu.as_ref().map(|cpu| cpu.iter().take(8).sum()),
            stolen_ticks: cpu.and_then(|cpu| cpu.get(7).copied()),
            runnable: running.and_then(|(running, _)| running.parse().ok()),
            interruptions: words(status, "nonvoluntary_ctxt_switches:")
                .and_then(|counts| counts.first().copied()),
        }
    }
}

/// What disturbed a run.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    /// Before the first case.
    pub before: Reading,
    /// After the last one.
    pub after: Reading,
    /// Processors that the run may use.
    pub cores: u32,
    /// Seconds of processor time that the measuring took.
    pub busy_seconds: f64,
    /// What the clock's rate was found to be, case after case.
    pub clock_mhz: Vec<f64>,
}

/// More steal than this is worth a warning.
const STEAL_SHARE: f64 = 0.01;

/// More change of the clock than this is.
const CLOCK_SHARE: f64 = 0.05;

/// More interruptions in a second of work than this are: the scheduler's tick alone makes none.
const INTERRUPTIONS_PER_SECOND: f64 = 10.0;

impl Noise {
    /// The share of the processors' time that the host gave to others.
    pub fn steal_share(&self) -> Option<f64> {
        let ticks = self.after.ticks?.checked_sub(self.before.ticks?)?;
        let stolen = self
            .after
            .stolen_ticks?
            .checked_sub(self.before.stolen_ticks?)?;
        (ticks > 0).then(|| stolen as f64 / ticks as f64)
    }

    /// A sentence for each thing that speaks against the figures.
    pub fn warnings(&self) -> Vec<String> {
        let mut said = Vec::new();
        if let Some(share) = self.steal_share().filter(|share| *share > STEAL_SHARE) {
            said.push(format!(
                "the host gave {:.1} % of the processors' time to others (steal)",
                share * 100.0
            ));
        }
        let others =
            |reading: &Reading| reading.runnable.map_or(0, |tasks| tasks.saturating_sub(1));
        let others = others(&self.before).max(others(&self.after));
        if others > 0 {
            let tasks = if others == 1 { "task" } else { "tasks" };
            said.push(format!(
                "{others} other {tasks} could run when it began or ended"
            ));
        }
        if let (Some(before), Some(after)) = (self.before.interruptions, self.after.interruptions) {
            let times = after.saturating_sub(before);
            if times as f64 > INTERRUPTIONS_PER_SECOND * self.busy_seconds.max(1.0) {
                said.push(format!(
                    "the run was interrupted {times} times by other tasks"
                ));
            }
        }
        let slowest = self.clock_mhz.iter().copied().reduce(f64::min);
        let fastest = self.clock_mhz.iter().copied().reduce(f64::max);
        if let (Some(slowest), Some(fastest)) = (slowest, fastest)
            && fastest > slowest * (1.0 + CLOCK_SHARE)
        {
            said.push(format!(
                "the clock's rate changed between cases, from {slowest:.0} to {fastest:.0} MHz"
            ));
        }
        if self.cores == 1 {
            said.push("there is one processor: whatever else runs takes it and its caches".into());
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  100 0 50 800 10 0 0 40 5 0\ncpu0 100 0 50 800 10 0 0 40 5 0\nintr 1\n";

    #[test]
    fn the_systems_texts_are_read() {
        let status =
            "Name:\tsekisho\nvoluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t9\n";
        let reading = Reading::parse(STAT, "1.29 0.71 0.95 3/250 4711\n", status);
        let expected = Reading {
            ticks: Some(1_000),
            stolen_ticks: Some(40),
            runnable: Some(3),
            interruptions: Some(9),
        };
        assert_eq!(reading, expected);
        assert_eq!(Reading::parse("", "nonsense", "cpu x"), Reading::default());
    }

    #[test]
    fn a_quiet_machine_gives_no_warning_and_a_noisy_one_says_what_it_was() {
        let before = Reading {
            ticks: Some(1_000),
            stolen_ticks: Some(40),
            runnable: Some(1),
            interruptions: Some(9),
        };
        let mut noise = Noise {
            before,
            after: Reading {
                ticks: Some(2_000),
                ..before
            },
            cores: 2,
            busy_seconds: 2.0,
            clock_mhz: vec![2_000.0, 2_050.0],
        };
        assert_eq!(noise.steal_share(), Some(0.0));
        assert_eq!(noise.warnings(), Vec::<String>::new());
        noise.after = Reading {
            ticks: Some(2_000),
            stolen_ticks: Some(240),
            runnable: Some(3),
            interruptions: Some(109),
        };
        noise.clock_mhz.push(3_000.0);
        noise.cores = 1;
        let said = noise.warnings().join("\n");
        for word in [
            "20.0 %",
            "2 other tasks",
            "100 times",
            "2000 to 3000 MHz",
            "one processor",
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
    }

    #[test]
    fn what_the_system_does_not_say_is_no_warning() {
        let noise = Noise {
            cores: 2,
            ..Noise::default()
        };
        assert_eq!(noise.steal_share(), None);
        assert_eq!(noise.warnings(), Vec::<String>::new());
    }
}
