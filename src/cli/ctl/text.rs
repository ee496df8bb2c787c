//! Answers, for people.

use super::stats;
use crate::cli::out::{grouped, table};
use crate::control::protocol::{
    Answer, Changed, Override, Phase, Phases, Refusal, Runtime, WorkerRuntime,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(super) fn text(answer: &Answer) -> String {
    match answer {
        Answer::Stats(found) => stats::text(found, None),
        Answer::Runtime(found) => runtime(found),
        Answer::Phases(found) => phases(found),
        Answer::Reloaded(reloaded) => format!("{reloaded}\n"),
        Answer::Draining => "draining: sekisho ends when its frames have left\n".to_owned(),
        Answer::Changed(changed) => change(changed),
        Answer::Plans { overrides } => plans(overrides),
        Answer::Trace { frames } => trace(frames),
        Answer::Refused(Refusal { code, message }) => {
            format!("refused ({code}): {}\n", message.trim_end())
        }
    }
}

fn change(changed: &Changed) -> String {
    let name = |plan: &Option<String>| plan.clone().unwrap_or_else(|| "no plan".to_owned());
    let (before, now) = (name(&changed.before), name(&changed.now));
    let prefix = changed.prefix;
    let mut text = match before == now {
        true => format!("{prefix}: {now}, as before"),
        false => format!("{prefix}: {before} → {now}"),
    };
    let Changed {
        workers,
        of_workers,
        ..
    } = changed;
    if workers < of_workers {
        text += &format!(", {workers} of {of_workers} workers: the others are stalled");
    }
    text + "\n"
}

fn plans(overrides: &[Override]) -> String {
    if overrides.is_empty() {
        return "no plan is given above the policy's file\n".to_owned();
    }
    let row = |given: &Override| {
        vec![
            given.set.prefix.to_string(),
            given.set.plan.clone(),
            given.set.expires.map_or_else(none, instant),
            given.set.ticket.clone().unwrap_or_else(none),
            instant(given.at),
            given.who.clone(),
        ]
    };
    let head = ["PREFIX", "PLAN", "UNTIL", "TICKET", "GIVEN", "BY"];
    table(&rows(&head, overrides.iter().map(row)), &[])
}

fn phases(found: &Phases) -> String {
    let row = |event: &Phase| {
        let away = event.at.duration_since(found.now).as_secs();
        let state = match event.past {
            true => "holds".to_owned(),
            false => format!("in {}", span(away.unsigned_abs())),
        };
        vec![
            instant(event.at),
            event.isp.clone(),
            event.change.clone(),
            state,
        ]
    };
    let now = format!("as of {}\n\n", instant(found.now));
    if found.events.is_empty() {
        return now + "nothing in the policy has a date\n";
    }
    let head = ["AT", "ISP", "CHANGE", ""];
    now + &table(&rows(&head, found.events.iter().map(row)), &[])
}

fn runtime(found: &Runtime) -> String {
    let row = |worker: &WorkerRuntime| {
        let per_burst = match worker.bursts {
            0 => none(),
            bursts => format!("{:.1}", worker.frames as f64 / bursts as f64),
        };
        let answered = worker.answered_ms.map(|ms| format!("{ms:.2} ms"));
        vec![
            worker.worker.to_string(),
            worker.lcore.to_string(),
            grouped(worker.frames),
            grouped(worker.bursts),
            per_burst,
            grouped(worker.polls),
            share(worker.empty_polls, worker.polls),
            answered.unwrap_or_else(|| "stalled".to_owned()),
        ]
    };
    let head = [
        "WORKER",
        "LCORE",
        "FRAMES",
        "BURSTS",
        "FRAMES/BURST",
        "POLLS",
        "EMPTY",
        "ANSWERS IN",
    ];
    let rows = rows(&head, found.workers.iter().map(row));
    format!(
        "generation {}\n\n{}",
        found.generation,
        table(&rows, &[0, 1, 2, 3, 4, 5, 6, 7])
    )
}

fn trace(frames: &[String]) -> String {
    if frames.is_empty() {
        return "no frame came\n".to_owned();
    }
    let frames: Vec<_> = frames.iter().map(|frame| frame.trim_end()).collect();
    frames.join("\n\n") + "\n"
}

/// A head and what is below it.
pub(super) fn rows(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let head = head.iter().map(|title| (*title).to_owned()).collect();
    std::iter::once(head).chain(rows).collect()
}

/// As the clock on the wall shows it here, and how far that is from UTC.
pub(super) fn instant(at: Timestamp) -> String {
    let here = at.to_zoned(TimeZone::system());
    here.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// The two greatest units of a time: `2 d 3 h`.
pub(super) fn span(seconds: u64) -> String {
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let shown = units.iter().skip(first).take(2);
    let shown: Vec<_> = shown
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    shown.join(" ")
}

fn share(part: u64, whole: u64) -> String {
    match whole {
        0 => none(),
        whole => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
    }
}

fn none() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_its_two_greatest_units() {
        let told = [0, 59, 60, 3_599, 3_600, 93_784, 31_536_000].map(span);
        let expected = [
            "0 s",
            "59 s",
            "1 min 0 s",
            "59 min 59 s",
            "1 h 0 min",
            "1 d 2 h",
            "365 d 0 h",
        ];
        assert_eq!(told, expected);
    }
}
