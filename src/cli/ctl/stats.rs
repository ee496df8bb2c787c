//! Counters and the balance, for people.

use super::text::{rows, span};
use crate::cli::out::{grouped, table};
use crate::control::protocol::{Balance, Counted, DeviceStats, Replies, Stats};

/// The counters, and where there are earlier ones, what came a second since.
pub(super) fn text(stats: &Stats, earlier: Option<&Stats>) -> String {
    let up = span(stats.uptime_s.max(0.0) as u64);
    let mut text = format!("generation {}, up {up}\n\n", stats.generation);
    text += &balance(&stats.balance);
    text += &replies(&stats.replies);
    let since = earlier.and_then(|earlier| Since::new(stats, earlier));
    if let (Some(since), Some(earlier)) = (&since, earlier) {
        text += &format!(
            "{}/s received, {}/s transmitted\n",
            since.rate(stats.balance.rx, earlier.balance.rx),
            since.rate(stats.balance.transmitted, earlier.balance.transmitted),
        );
    }
    type Counts = fn(&Stats) -> &[Counted];
    let kinds: [(&str, Counts); 3] = [
        ("COUNTER", |stats| &stats.reasons),
        ("RULE", |stats| &stats.rules),
        ("PLAN", |stats| &stats.plans),
    ];
    for (title, counts) in kinds {
        let before = earlier.map(counts).unwrap_or_default();
        text += &counters(title, counts(stats), since.as_ref().map(|s| (s, before)));
    }
    text + &devices(&stats.devices)
}

/// The law, with its figures.
fn balance(balance: &Balance) -> String {
    let Balance {
        rx,
        generated,
        transmitted,
        discarded,
        tx_full,
        held,
    } = *balance;
    let [left, dropped, full, on_their_way] = [transmitted, discarded, tx_full, held].map(grouped);
    let mut text = format!("{} frames received", grouped(rx));
    if generated > 0 {
        text += &format!(" + {} generated", grouped(generated));
    }
    text += &format!(
        " = {left} transmitted + {dropped} discarded + {full} tx-full + {on_their_way} held"
    );
    let found: u128 = [transmitted, discarded, tx_full, held]
        .map(u128::from)
        .iter()
        .sum();
    let counted = u128::from(rx) + u128::from(generated);
    if found < counted {
        text += &format!("; {} not found yet", grouped(counted - found));
    } else if found > counted {
        text += &format!(
            "; {} found since they were counted",
            grouped(found - counted)
        );
    }
    text + "\n"
}

/// Nothing where no frame was to be answered.
fn replies(replies: &Replies) -> String {
    let Replies {
        generated,
        withheld,
        impossible,
    } = *replies;
    let [made, not_yet, never] = [generated, withheld, impossible].map(grouped);
    match generated + withheld + impossible {
        0 => String::new(),
        _ => format!(
            "{made} replies generated; {not_yet} frames without one by the rate of replies, {never} \
             that cannot be answered\n"
        ),
    }
}

/// A table of counters; empty where nothing was counted.
fn counters(title: &str, counts: &[Counted], since: Option<(&Since, &[Counted])>) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let mut head = vec![title, "VERDICT", "FRAMES", "BYTES"];
    head.extend(since.map(|_| "FRAMES/S"));
    let row = |counted: &Counted| {
        let mut row = vec![
            counted.name.clone(),
            counted.verdict.clone(),
            grouped(counted.frames),
            grouped(counted.bytes),
        ];
        row.extend(since.map(|(since, before)| {
            let same =
                |other: &&Counted| other.name == counted.name && other.verdict == counted.verdict;
            let before = before.iter().find(same).map_or(0, |other| other.frames);
            since.rate(counted.frames, before)
        }));
        row
    };
    let rows = rows(&head, counts.iter().map(row));
    format!("\n{}", table(&rows, &[2, 3, 4]))
}

fn devices(devices: &[DeviceStats]) -> String {
    let row = |device: &DeviceStats| {
        let losses = device.losses.iter().filter(|loss| loss.frames > 0);
        let losses: Vec<_> = losses
            .map(|loss| format!("{} {}", loss.counter, grouped(loss.frames)))
            .collect();
        let lost = match losses.is_empty() {
            true => "nothing".to_owned(),
            false => losses.join(", "),
        };
        vec![
            device.name.clone(),
            device.side.clone(),
            device.link.clone(),
            lost,
        ]
    };
    let head = ["DEVICE", "SIDE", "LINK", "LOST BY ITSELF"];
    format!("\n{}", table(&rows(&head, devices.iter().map(row)), &[]))
}

/// The time between two looks at one process.
struct Since {
    seconds: f64,
}

impl Since {
    /// `None` where sekisho was started in between.
    fn new(now: &Stats, earlier: &Stats) -> Option<Self> {
        let seconds = now.uptime_s - earlier.uptime_s;
        (seconds > 0.0).then_some(Self { seconds })
    }

    fn rate(&self, now: u64, earlier: u64) -> String {
        grouped((now.saturating_sub(earlier) as f64 / self.seconds).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_balance_says_what_it_cannot_place() {
        let mut found = Balance {
            rx: 1_000,
            generated: 0,
            transmitted: 900,
            discarded: 60,
            tx_full: 30,
            held: 10,
        };
        let law = "1,000 frames received = 900 transmitted + 60 discarded + 30 tx-full + 10 held";
        assert_eq!(balance(&found), format!("{law}\n"));
        found.rx = 1_005;
        assert!(balance(&found).ends_with("held; 5 not found yet\n"));
        found.rx = 995;
        assert!(balance(&found).ends_with("held; 5 found since they were counted\n"));
        found.generated = 5;
        let law = "995 frames received + 5 generated = 900 transmitted + 60 discarded + 30 tx-full";
        assert_eq!(balance(&found), format!("{law} + 10 held\n"));
    }

    fn stats(uptime_s: f64, frames: u64) -> Stats {
        Stats {
            generation: 1,
            uptime_s,
            balance: Balance {
                rx: frames,
                transmitted: frames,
                ..Balance::default()
            },
            reasons: vec![Counted {
                name: "forward-not-candidate".to_owned(),
                verdict: "forward".to_owned(),
                frames,
                bytes: 64 * frames,
            }],
            rules: Vec::new(),
            plans: Vec::new(),
            replies: Replies::default(),
            devices: Vec::new(),
        }
    }

    #[test]
    fn rates_are_of_the_time_between_two_looks() {
        let shown = text(&stats(12.0, 9_000), Some(&stats(10.0, 6_000)));
        assert!(
            shown.contains("\n1,500/s received, 1,500/s transmitted\n"),
            "{shown}"
        );
        let row = "forward-not-candidate  forward   9,000  576,000     1,500\n";
        assert!(shown.contains(row), "{shown}");
        // It was started anew in between.
        let shown = text(&stats(1.0, 9_000), Some(&stats(10.0, 6_000)));
        assert!(!shown.contains("/s"), "{shown}");
    }
}
