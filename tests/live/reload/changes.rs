use super::Subscriber;
use super::timeline::{Change, Timeline};
use crate::load::now_ns;
use crate::program::{Pipeline, Policy};
use std::thread;
use std::time::Duration;

/// Requests that are on their way at once.
const WINDOW: usize = 16;

/// A prime: changes go over the subscribers in an order that load does not share.
const STRIDE: usize = 769;

/// Moves one subscriber after the other to an office line, and back at the next visit; says what held
/// when for each.
pub(super) fn change_plans(
    pipeline: &Pipeline,
    subscribers: &[Subscriber],
    changes: usize,
) -> Vec<Timeline> {
    let mut control = pipeline.control();
    let mut timelines = vec![Timeline::default(); subscribers.len()];
    let mut visits = vec![0_usize; subscribers.len()];
    let mut done = 0;
    while done < changes {
        let window = done..changes.min(done + WINDOW);
        let asked: Vec<_> = window
            .clone()
            .map(|number| {
                let at = number * STRIDE % subscribers.len();
                let blocked = visits[at] % 2 == 1;
                visits[at] += 1;
                let plan = (!blocked).then_some("office");
                let asked_ns = now_ns();
                control.send_plan(&subscribers[at].prefix, plan);
                (at, blocked, asked_ns)
            })
            .collect();
        for (at, blocked, asked_ns) in asked {
            let answer = control.answer();
            assert_eq!(answer["answer"], "changed", "{answer}");
            timelines[at].push(Change {
                asked_ns,
                answered_ns: now_ns(),
                blocked,
            });
        }
        done = window.end;
    }
    timelines
}

/// Writes the policy anew and has it read, so often; each time some subscribers are moved to office
/// lines, or back. Says what held when for those.
pub(super) fn reload_often(
    pipeline: &Pipeline,
    policy: &Policy,
    moved: &[Subscriber],
    reloads: usize,
) -> Timeline {
    let mut control = pipeline.control();
    let prefixes: Vec<_> = moved.iter().map(|subscriber| &*subscriber.prefix).collect();
    let mut timeline = Timeline::default();
    let (mut compile_ms, mut generation) = (0.0, None);
    for number in 0..reloads {
        let blocked = number % 2 == 1;
        let asked_ns = now_ns();
        policy.write(None, if blocked { &[] } else { &prefixes });
        let answer = control.ask("reload");
        assert_eq!(answer["answer"], "reloaded", "{answer}");
        timeline.push(Change {
            asked_ns,
            answered_ns: now_ns(),
            blocked,
        });
        let [from, to] = ["from", "to"].map(|end| answer[end].as_u64().unwrap());
        assert!(
            from < to && generation.is_none_or(|before| before == from),
            "{answer}"
        );
        generation = Some(to);
        compile_ms += answer["compile_ms"].as_f64().unwrap();
        thread::sleep(Duration::from_millis(20));
    }
    println!(
        "{reloads} reloads, {:.1} ms of compiling each",
        compile_ms / reloads as f64
    );
    timeline
}
