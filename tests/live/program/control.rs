use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A connection to the socket of a running program: a JSON object a line, each way.
#[derive(Debug)]
pub(crate) struct Control {
    stream: BufReader<UnixStream>,
}

impl Control {
    pub(crate) fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Asks for something that takes no arguments.
    pub(crate) fn ask(&mut self, command: &str) -> Value {
        self.send(&json!({ "command": command }));
        self.answer()
    }

    /// Gives a prefix a plan, or takes it back.
    pub(crate) fn send_plan(&mut self, prefix: &str, plan: Option<&str>) {
        match plan {
            Some(plan) => {
                self.send(&json!({ "command": "plan-set", "prefix": prefix, "plan": plan }));
            }
            None => self.send(&json!({ "command": "plan-unset", "prefix": prefix })),
        }
    }

    /// The answer to the earliest request that has none.
    pub(crate) fn answer(&mut self) -> Value {
        self.hear().unwrap()
    }

    /// Whether somebody is there and answers.
    pub(crate) fn is_answered(&mut self) -> bool {
        self.send(&json!({ "command": "stats" }));
        self.hear().is_ok()
    }

    fn hear(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        serde_json::from_str(&line).map_err(|error| io::Error::other(format!("{error}: {line:?}")))
    }

    fn send(&mut self, request: &Value) {
        let mut request = request.clone();
        request["version"] = json!(1);
        // A program that ends meanwhile is found by who waits for the answer.
        let _ = writeln!(self.stream.get_mut(), "{request}");
    }
}

/// What the devices lost by themselves, as an answer to `stats` says; only what is not 0.
pub(crate) fn losses(stats: &Value) -> String {
    let mut text = Vec::new();
    for device in stats["devices"].as_array().unwrap() {
        let counters = device["losses"].as_array().unwrap().iter();
        for loss in counters.filter(|loss| loss["frames"] != 0) {
            text.push(format!(
                "{} {} {}",
                device["side"], loss["counter"], loss["frames"]
            ));
        }
    }
    if text.is_empty() {
        "no losses".to_owned()
    } else {
        text.join(", ")
    }
}

/// What net_af_packet's sockets had no room for: the kernel counts it at the socket, not at the link.
pub(crate) fn by_packet_sockets(stats: &Value) -> u64 {
    let devices = stats["devices"].as_array().unwrap().iter();
    let all = devices.flat_map(|device| device["losses"].as_array().unwrap());
    let theirs = all.filter(|loss| loss["counter"] == "tp_drops");
    theirs.map(|loss| loss["frames"].as_u64().unwrap()).sum()
}
