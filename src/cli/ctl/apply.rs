//! `ctl plan apply`: many changes, one after the other, without waiting for each.

use super::connection::Connection;
use super::{expiry, prefix};
use crate::cli::{Exit, Failure, Format, out};
use crate::control::line::{Id, check};
use crate::control::protocol::{Answer, PlanSet, Refusal, Request};
use serde_json::json;
use std::io::Read as _;
use std::path::Path;

/// Requests that are on their way at one time; fewer than a server lets wait.
const WINDOW: usize = 512;

/// How many refusals are told one by one.
const TOLD: usize = 10;

/// A change, and the line that it stands in.
#[derive(Debug, PartialEq)]
struct Line {
    number: u64,
    request: Request,
}

/// How it went.
#[derive(Default)]
struct Outcome {
    changed: u64,
    refused: u64,
    /// The first of them.
    told: Vec<(u64, Refusal)>,
}

pub(super) fn run(socket: Option<&Path>, file: &Path, format: Format) -> Result<Exit, Failure> {
    let (name, text) = read(file)?;
    let lines = parse(&text).map_err(|(number, what)| {
        let message = format!("{name}:{number}: {what}; nothing of this file was carried out");
        Failure::Said(Exit::Config, message)
    })?;
    let mut connection = Connection::open(socket)?;
    let mut outcome = Outcome::default();
    let sent = send(&mut connection, &lines, &mut outcome);
    report(&outcome, &name, lines.len() as u64, format)?;
    sent?;
    Ok(if outcome.refused == 0 {
        Exit::Ok
    } else {
        Exit::No
    })
}

fn read(file: &Path) -> Result<(String, String), Failure> {
    let mut text = String::new();
    let (name, read) = match file == Path::new("-") {
        true => (
            "stdin".to_owned(),
            std::io::stdin().read_to_string(&mut text),
        ),
        false => {
            let read = std::fs::File::open(file).and_then(|mut f| f.read_to_string(&mut text));
            (file.display().to_string(), read)
        }
    };
    read.map_err(|error| Failure::io(format_args!("{name}: {error}")))?;
    Ok((name, text))
}

/// All lines, or the first that is none.
fn parse(text: &str) -> Result<Vec<Line>, (u64, String)> {
    let mut lines = Vec::new();
    for (number, text) in (1..).zip(text.lines()) {
        let text = text.split('#').next().unwrap_or_default();
        let words: Vec<_> = text.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        let request = request(&words).and_then(|request| check(&request).map(|()| request));
        let request = request.map_err(|what| (number, what))?;
        lines.push(Line { number, request });
    }
    Ok(lines)
}

fn request(words: &[&str]) -> Result<Request, String> {
    let named = |text: &str| prefix(text).map_err(|what| format!("{text}: {what}"));
    let given = |word: Option<&&str>| word.filter(|word| **word != "-").map(|w| (*w).to_owned());
    match words {
        ["unset", prefix] => Ok(Request::PlanUnset {
            prefix: named(prefix)?,
        }),
        ["set", prefix, plan, more @ ..] if more.len() <= 2 => {
            let expires = given(more.get(1))
                .map(|time| expiry(&time).map_err(|what| format!("{time}: {what}")));
            Ok(Request::PlanSet(PlanSet {
                prefix: named(prefix)?,
                plan: (*plan).to_owned(),
                ticket: given(more.first()),
                expires: expires.transpose()?,
            }))
        }
        _ => Err("expected `set PREFIX PLAN [TICKET [EXPIRES]]` or `unset PREFIX`".to_owned()),
    }
}

/// Keeps a window of requests on their way, so that those that come together are kept together.
fn send(connection: &mut Connection, lines: &[Line], outcome: &mut Outcome) -> Result<(), Failure> {
    let mut unsent = lines.iter();
    let mut unanswered = lines.iter();
    let mut waiting = 0;
    loop {
        for Line { number, request } in unsent.by_ref().take(WINDOW - waiting) {
            // A line that cannot be sent has no answer either, which is noticed below.
            let _ = connection.send(Some(&Id::Number(*number)), request);
            waiting += 1;
        }
        if waiting == 0 {
            return Ok(());
        }
        let _ = connection.flush();
        // Half of the window stays on its way meanwhile.
        let enough = if unsent.len() == 0 { 0 } else { WINDOW / 2 };
        while waiting > enough {
            let (id, answer) = connection.receive()?;
            waiting -= 1;
            let asked = unanswered.next().map(|line| line.number);
            outcome.note(asked, id, answer)?;
        }
    }
}

impl Outcome {
    fn note(&mut self, asked: Option<u64>, id: Option<Id>, answer: Answer) -> Result<(), Failure> {
        match (asked, id, answer) {
            (Some(line), Some(Id::Number(id)), answer) if id == line => match answer {
                Answer::Refused(refusal) => {
                    self.refused += 1;
                    if self.told.len() < TOLD {
                        self.told.push((line, refusal));
                    }
                }
                _ => self.changed += 1,
            },
            // One without an id speaks of the connection.
            (_, None, Answer::Refused(refusal)) => {
                let message = format!("{} ({})", refusal.message, refusal.code);
                return Err(Failure::io(message));
            }
            (_, id, _) => {
                return Err(Failure::io(format_args!(
                    "an answer came to what was not asked: {id:?}"
                )));
            }
        }
        Ok(())
    }
}

fn report(outcome: &Outcome, name: &str, lines: u64, format: Format) -> Result<(), Failure> {
    let Outcome {
        changed,
        refused,
        told,
    } = outcome;
    let unanswered = lines - changed - refused;
    if format == Format::Json {
        let told: Vec<_> = told
            .iter()
            .map(|(line, Refusal { code, message })| {
                json!({ "line": line, "code": code, "message": message })
            })
            .collect();
        let body = json!({
            "file": name,
            "changes": lines,
            "carried_out": changed,
            "refused": refused,
            "unanswered": unanswered,
            "refusals": told,
        });
        return out::print_json("ctl-plan-apply", &body);
    }
    for (line, refusal) in told {
        let Refusal { code, message } = refusal;
        let message = format_args!("{name}:{line}: {}", message.trim_end());
        out::complain(&format!("refused ({code})"), message);
    }
    let more = refused.saturating_sub(told.len() as u64);
    if more > 0 {
        out::complain("refused", format_args!("and {} more", out::grouped(more)));
    }
    let [lines, changed, refused] = [lines, *changed, *refused].map(out::grouped);
    let mut text = format!("{lines} changes: {changed} carried out, {refused} refused");
    if unanswered > 0 {
        let unanswered = out::grouped(unanswered);
        text += &format!(", {unanswered} without an answer: whether they hold, `plan list` says");
    }
    out::print(&(text + "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_change() {
        let text = "# from the CRM\n\nset 203.0.113.7 fixed\n\
                    set 2001:db8::/56 fixed NOC-1 2026-12-01T00:00:00Z # until then\n\
                    set 10.0.0.0/24 p - 2026-12-01T00:00:00Z\nunset 203.0.113.7/32\n";
        let set = |prefix: &str, plan: &str, ticket: Option<&str>, expires: Option<&str>| {
            Request::PlanSet(PlanSet {
                prefix: prefix.parse().unwrap(),
                plan: plan.to_owned(),
                ticket: ticket.map(str::to_owned),
                expires: expires.map(|at| at.parse().unwrap()),
            })
        };
        let end = Some("2026-12-01T00:00:00Z");
        let prefix = "203.0.113.7/32".parse().unwrap();
        let expected = [
            (3, set("203.0.113.7/32", "fixed", None, None)),
            (4, set("2001:db8::/56", "fixed", Some("NOC-1"), end)),
            (5, set("10.0.0.0/24", "p", None, end)),
            (6, Request::PlanUnset { prefix }),
        ]
        .map(|(number, request)| Line { number, request });
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn the_first_line_that_is_no_change_is_named() {
        for line in [
            "give 10.0.0.0/8 fixed",
            "set 10.0.0.0/8",
            "set 10.0.0.1/8 fixed",
            "set 10.0.0.0/8 fixed T now",
            "set 10.0.0.0/8 fixed T soon",
            "set 10.0.0.0/8 fixed T 2026-12-01 x",
            "unset",
            "unset 10.0.0.0/8 fixed",
            "unset host.example",
            &format!("set 10.0.0.0/8 fixed {}", "x".repeat(256)),
        ] {
            let (number, _) = parse(&format!("unset ::/0\n{line}\n")).unwrap_err();
            assert_eq!(number, 2, "{line}");
        }
    }
}
