//! capsule alone: what one port receives, the other sends. What the stages are measured beside.
//!
//! `cargo run --release --example splice -- RUNTIME.toml`

use anyhow::Context as _;
use capsule::{Runtime, batch};
use sekisho_capsule::ledger::Sent;
use sekisho_capsule::runtime_file::RuntimeFile;
use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    let file = std::env::args_os().nth(1).context("no runtime file")?;
    let file = RuntimeFile::read(file.as_ref())?;
    let mut runtime = Runtime::build(file.config.clone())?;
    file.install(&mut runtime, |_, from, to| batch::splice(from, to))?;
    runtime.execute()?;
    let Sent {
        transmitted,
        tx_full,
    } = Sent::by_capsule();
    let balance = format!("balance   rx {}", transmitted + tx_full);
    writeln!(
        std::io::stdout(),
        "{balance} = transmitted {transmitted} + tx-full {tx_full}"
    )?;
    Ok(())
}
