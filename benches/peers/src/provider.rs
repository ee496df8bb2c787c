//! A provider whose subscribers are these prefixes, as sekisho's policy says it: whoever is in one
//! opens no connection to port 25.

use anyhow::{Result, bail};
use ipnet::Ipv4Net;
use jiff::Timestamp;
use sekisho::policy::{Program, Tables, load_with};
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

const POLICY: &str = "\
isp: peers
time_zone: Asia/Tokyo
plans:
  home: { kind: dynamic }
subscribers:
  - { file: subscribers.txt }
rules:
  - { name: op25b, plans: [home], action: drop }
";

/// Compiles the policy.
pub(crate) fn tables(subscribers: impl Iterator<Item = Ipv4Net>) -> Result<Arc<Tables>> {
    let mut file = String::new();
    for net in subscribers {
        writeln!(file, "{net} home")?;
    }
    let read = |path: &Path| match path.to_str() {
        Some("policy.yaml") => Ok(POLICY.into()),
        Some("subscribers.txt") => Ok(file.as_str().into()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let now = Timestamp::UNIX_EPOCH;
    let loaded = load_with(&["policy.yaml".to_owned()], now, &read);
    let Some(resolved) = loaded.resolved else {
        bail!("the policy: {:?}", loaded.diagnostics.first());
    };
    let program = match Program::compile(Arc::new(resolved)) {
        Ok(program) => program,
        Err(faults) => bail!("the policy: {:?}", faults.first()),
    };
    match program.at(now) {
        Ok(epoch) => Ok(Arc::clone(&epoch.tables)),
        Err(error) => bail!("the policy at {now}: {error:?}"),
    }
}
