//! One evening at two providers, the same however the box is run.

use super::client::Session;
use super::{Attempt, Server, caller, furnish, hold, new_words, peer};
use crate::line::Line;
use crate::program::{Driver, Pipeline, Policy};
use crate::wrapping::Wrapping;
use jiff::{Timestamp, ToSpan};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// From the writing of the policy to the phase: time to start, and to be tried before.
const PHASE_AFTER_S: i64 = 6;

pub(super) fn play(driver: Driver, wrapping: Wrapping) {
    let line = Line::new(wrapping);
    let server = furnish(&line);
    let phase = Timestamp::now() + PHASE_AFTER_S.seconds();
    let phase = Timestamp::from_second(phase.as_second()).unwrap();
    let policy = Policy::new(
        Some(&phase.to_string()),
        &[caller::OFFICE[0], caller::OFFICE[1]],
    );
    let bb_east = Policy::shipped("bb-east.yaml");
    let pipeline = Pipeline::new(driver, &[&policy.file(), &bb_east]);
    let program = pipeline.start(&line);

    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let flow = scope.spawn(|| mail_flows(&line, &server, &over));
        let before = home_reaches(true);
        hold(&line, &server, &before);
        let [a, b] = sessions(&line);
        assert!(
            Timestamp::now() < phase,
            "this machine is too slow for the scenario"
        );

        let wait = Timestamp::now().duration_until(phase);
        thread::sleep(wait.unsigned_abs() + Duration::from_millis(300));
        hold(&line, &server, &all_in_force());
        for (session, to) in [a, b] {
            let words = new_words();
            session.hand_in(&words);
            assert!(
                server.has(to, &words),
                "the session from before the phase is broken"
            );
        }

        let moved = [caller::HOME, caller::OFFICE].concat();
        policy.write(Some(&phase.to_string()), &moved);
        let answer = pipeline.control().ask("reload");
        assert_eq!(answer["answer"], "reloaded", "{answer}");
        hold(&line, &server, &after_the_reload());
        over.store(true, Ordering::Relaxed);
        assert!(flow.join().unwrap() > 3, "no mail flowed meanwhile");
    });
    let balance = program.end().balance();
    assert!(balance.discarded > 0 && balance.transmitted > balance.discarded);
}

/// Of the line whose plan the phase is about, to where it will not reach.
fn home_reaches(reaches: bool) -> Vec<Attempt> {
    Attempt::both(caller::HOME, peer::ELSEWHERE, 25, reaches)
}

/// Conversations of a `home` line with another provider, each with whom.
fn sessions(line: &Line) -> [(Session, SocketAddr); 2] {
    [0, 1].map(|family| {
        let [from, to] = [caller::HOME, peer::ELSEWHERE].map(|ends| ends[family].parse().unwrap());
        let to = SocketAddr::new(to, 25);
        (Session::open(&line.subscriber, from, to), to)
    })
}

/// Both providers' policies.
fn all_in_force() -> Vec<Attempt> {
    let mut attempts = home_reaches(false);
    attempts.extend(Attempt::both(caller::HOME, peer::OWN, 25, true));
    attempts.extend(Attempt::both(caller::HOME, peer::ELSEWHERE, 587, true));
    attempts.extend(Attempt::both(caller::HOME, peer::ELSEWHERE, 465, true));
    attempts.extend(Attempt::both(caller::OFFICE, peer::ELSEWHERE, 25, true));
    attempts.extend(Attempt::both(caller::OFFICE, peer::OWN, 25, true));
    let [elsewhere, _] = peer::ELSEWHERE;
    for (from, reaches) in [
        (caller::BB_BROADBAND, false),
        (caller::BB_FIXED, false),
        (caller::BB_DIALUP, true),
    ] {
        attempts.push(Attempt::new(from, elsewhere, 25, reaches));
        attempts.push(Attempt::new(from, peer::BB_OWN, 25, true));
        attempts.push(Attempt::new(from, elsewhere, 587, true));
        // Another provider's server is nobody's own here, whoever else's it is.
        attempts.push(Attempt::new(from, peer::OWN[0], 25, reaches));
    }
    attempts
}

/// One line was moved, its neighbour was not.
fn after_the_reload() -> Vec<Attempt> {
    let mut attempts = home_reaches(true);
    attempts.extend(Attempt::both(caller::NEIGHBOUR, peer::ELSEWHERE, 25, false));
    attempts.extend(Attempt::both(caller::OFFICE, peer::ELSEWHERE, 25, true));
    attempts
}

/// An office sends one message after the other until it is over; says how many.
fn mail_flows(line: &Line, server: &Server, over: &AtomicBool) -> u32 {
    let mut messages = 0;
    while !over.load(Ordering::Relaxed) {
        let family = usize::from(messages % 2 == 1);
        let [from, to] = [caller::OFFICE[family], peer::ELSEWHERE[family]];
        hold(line, server, &[Attempt::new(from, to, 25, true)]);
        messages += 1;
    }
    messages
}
