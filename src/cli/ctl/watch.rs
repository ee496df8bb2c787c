//! `ctl stats --watch`: the counters again and again, with rates.

use super::connection::Connection;
use super::{show, stats};
use crate::cli::{Exit, Failure, Format, out};
use crate::control::protocol::{Answer, Request};
use std::path::Path;
use std::time::Duration;

/// Asks until interrupted. Each time by a connection of its own: the place is not held meanwhile.
pub(super) fn run(socket: Option<&Path>, every: u32, format: Format) -> Result<Exit, Failure> {
    let mut earlier = None;
    loop {
        let answer = Connection::open(socket)?.ask(&Request::Stats)?;
        let Answer::Stats(found) = &answer else {
            return show(&answer, format);
        };
        match format {
            Format::Json => out::print_json("ctl", &answer)?,
            Format::Text => out::print(&format!("{}\n", stats::text(found, earlier.as_ref())))?,
        }
        earlier = Some(found.clone());
        std::thread::sleep(Duration::from_secs(every.into()));
    }
}
