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
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn send(&mut self, request: &Value) {
        let mut request = request.clone();
        request["version"] = json!(1);
        writeln!(self.stream.get_mut(), "{request}").unwrap();
    }
}

/// What the system lost by itself of frames for the program, as it says in its answer to `stats`.
pub(crate) fn device_losses(stats: &Value) -> u64 {
    let devices = stats["devices"].as_array().unwrap().iter();
    let losses = devices.flat_map(|device| device["losses"].as_array().unwrap());
    losses.map(|loss| loss["frames"].as_u64().unwrap()).sum()
}
