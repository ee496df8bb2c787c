//! Lines of the protocol: a [`Request`] or an [`Answer`] beside its version and its id.

use super::protocol::{
    Answer, MAX_TRACED_FRAMES, MAX_WORD_CHARS, PlanSet, Refusal, Request, VERSION,
};
use ipnet::IpNet;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::io::{self, Write};

/// What a client calls its request by; it comes back with the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Id {
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
}

/// A request as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its id, where it has one.
    pub id: Option<Id>,
    /// What is asked for.
    pub request: Request,
}

/// A line that holds no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// Its id, where one could be read.
    pub id: Option<Id>,
    /// What is wrong.
    pub refusal: Refusal,
}

/// Each command, and the keys that it may have beside `version`, `id` and `command`.
pub const COMMANDS: [(&str, &[&str]); 9] = [
    ("stats", &[]),
    ("show-runtime", &[]),
    ("phases", &[]),
    ("reload", &[]),
    ("drain", &[]),
    ("plan-set", &["prefix", "plan", "ticket", "expires"]),
    ("plan-unset", &["prefix"]),
    ("plan-list", &[]),
    ("trace", &["frames"]),
];

/// Reads a request. Nothing is guessed: an unknown key, and one that stands twice, are refused.
///
/// # Errors
/// The line is no request.
pub fn read_request(line: &[u8]) -> Result<Call, Misread> {
    let misread = |id, refusal| Misread { id, refusal };
    let mut keys: Keys = serde_json::from_slice(line)
        .map_err(|error| misread(None, Refusal::new("not-json", error.to_string())))?;
    let id = keys.take_id().map_err(|refusal| misread(None, refusal))?;
    match keys.request() {
        Ok(request) => Ok(Call { id, request }),
        Err(refusal) => Err(misread(id, refusal)),
    }
}

/// Writes a request, with the end of its line.
///
/// # Errors
/// Those of `out`.
pub fn write_request(out: &mut impl Write, id: Option<&Id>, request: &Request) -> io::Result<()> {
    write(out, id, request)
}

/// Reads an answer; keys that are not known are left to later versions.
///
/// # Errors
/// The line is no answer of this version.
pub fn read_answer(line: &[u8]) -> Result<(Option<Id>, Answer), serde_json::Error> {
    #[derive(Deserialize)]
    struct Line {
        version: u32,
        #[serde(default)]
        id: Option<Id>,
        #[serde(flatten)]
        answer: Answer,
    }
    let read: Line = serde_json::from_slice(line)?;
    match read.version {
        VERSION => Ok((read.id, read.answer)),
        other => Err(serde_json::Error::custom(format_args!("version {other}"))),
    }
}

/// Writes an answer, with the end of its line.
///
/// # Errors
/// Those of `out`.
pub fn write_answer(out: &mut impl Write, id: Option<&Id>, answer: &Answer) -> io::Result<()> {
    write(out, id, answer)
}

fn write(out: &mut impl Write, id: Option<&Id>, body: &impl Serialize) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a, T> {
        version: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a Id>,
        #[serde(flatten)]
        body: &'a T,
    }
    let version = VERSION;
    serde_json::to_writer(&mut *out, &Line { version, id, body })?;
    out.write_all(b"\n")
}

/// The keys of an object; none stands twice.
struct Keys(Map<String, Value>);

impl Keys {
    fn take_id(&mut self) -> Result<Option<Id>, Refusal> {
        let id = self.0.remove("id").map(Id::deserialize).transpose();
        id.map_err(|_| Refusal::new("bad-value", "`id` is a text, or a number from 0 on"))
    }

    fn request(mut self) -> Result<Request, Refusal> {
        self.take_version()?;
        let (command, allowed) = self.command()?;
        let known = |key: &&String| *key == "command" || allowed.contains(&key.as_str());
        if let Some(key) = self.0.keys().find(|key| !known(key)) {
            let allowed = ["version", "id", "command"].iter().chain(allowed);
            let message = format!("{command}: `{key}` is not among {}", quoted(allowed));
            return Err(Refusal::new("unknown-key", message));
        }
        let request = Request::deserialize(Value::Object(self.0))
            .map_err(|error| bad_value(command, &error))?;
        check(&request).map_err(|message| bad_value(command, &message))?;
        Ok(request)
    }

    fn take_version(&mut self) -> Result<(), Refusal> {
        match self.0.remove("version") {
            Some(version) if version == VERSION => Ok(()),
            Some(other) => {
                let message = format!("version {other}, where this sekisho speaks {VERSION}");
                Err(Refusal::new("wrong-version", message))
            }
            None => {
                let message = format!("`\"version\": {VERSION}` is missing");
                Err(Refusal::new("wrong-version", message))
            }
        }
    }

    fn command(&self) -> Result<(&'static str, &'static [&'static str]), Refusal> {
        let found = self.0.get("command");
        let known = COMMANDS
            .into_iter()
            .find(|(name, _)| found.is_some_and(|found| found == name));
        known.ok_or_else(|| {
            let commands = quoted(COMMANDS.iter().map(|(name, _)| name));
            let message = match found {
                None => format!("`command` is missing: one of {commands}"),
                Some(found) => format!("{found} is none of {commands}"),
            };
            Refusal::new("unknown-command", message)
        })
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut read: A) -> Result<Keys, A::Error> {
                let mut keys = Map::new();
                while let Some((key, value)) = read.next_entry::<String, Value>()? {
                    if keys.contains_key(&key) {
                        return Err(A::Error::custom(format_args!("`{key}` stands twice")));
                    }
                    keys.insert(key, value);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// What the types of a request leave open: prefixes without host bits, words that can be shown.
///
/// # Errors
/// Names the key, and what is wrong with it.
pub fn check(request: &Request) -> Result<(), String> {
    match request {
        Request::PlanSet(PlanSet {
            prefix,
            plan,
            ticket,
            expires: _,
        }) => {
            check_prefix(prefix)?;
            check_word("plan", plan)?;
            ticket
                .as_deref()
                .map_or(Ok(()), |t| check_word("ticket", t))
        }
        Request::PlanUnset { prefix } => check_prefix(prefix),
        Request::Trace { frames } => match (1..=MAX_TRACED_FRAMES).contains(frames) {
            true => Ok(()),
            false => Err(format!(
                "frames: {frames} is not in 1 to {MAX_TRACED_FRAMES}"
            )),
        },
        Request::Stats
        | Request::ShowRuntime
        | Request::Phases
        | Request::Reload
        | Request::Drain
        | Request::PlanList => Ok(()),
    }
}

fn check_prefix(prefix: &IpNet) -> Result<(), String> {
    match prefix.trunc() {
        whole if whole == *prefix => Ok(()),
        whole => Err(format!(
            "prefix: {prefix} has host bits set; its prefix is {whole}"
        )),
    }
}

/// Words are shown on terminals and kept in the journal.
fn check_word(key: &str, word: &str) -> Result<(), String> {
    if word.is_empty() {
        return Err(format!("{key}: is empty"));
    }
    if word.chars().any(char::is_control) {
        return Err(format!("{key}: has a control character"));
    }
    match word.chars().count() {
        chars if chars > MAX_WORD_CHARS => Err(format!(
            "{key}: {chars} characters, and {MAX_WORD_CHARS} at most"
        )),
        _ => Ok(()),
    }
}

fn bad_value(command: &str, message: &impl fmt::Display) -> Refusal {
    Refusal::new("bad-value", format!("{command}: {message}"))
}

fn quoted<'a>(words: impl Iterator<Item = &'a &'a str>) -> String {
    let words: Vec<_> = words.map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
