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
    let mut runtime = Runtime::build(file.config)?;
    for core in file.cores {
        for (from, to) in [(&file.access, &file.network), (&file.network, &file.access)] {
            let (from, to) = (from.clone(), to.clone());
            runtime.add_pipeline_to_core(core, move |ports| {
                #[expect(
                    clippy::indexing_slicing,
                    reason = "both ports have each of these cores"
                )]
                let [from, to] = [&ports[&from], &ports[&to]];
                batch::splice(from.clone(), to.clone())
            })?;
        }
    }
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
