//! Every capture through the stages, with tunnels opened: what the other readers find inside them.

use sekisho::io::CaptureReader;
use sekisho::limit::Moment;
use sekisho::policy::{self, Epoch, Program};
use sekisho::stage::{Account, Burst, Facing, Settings};
use sekisho::stats::{Reason, Verdict};
use sekisho::wire::{Subscriber, Tunnel, TunnelKind, Unwrap};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// `config/strict.yaml`, as of now.
pub fn strict() -> Epoch {
    let now = jiff::Timestamp::now();
    let name = "config/strict.yaml".to_owned();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let loaded = policy::load_with(&[name], now, &|path| std::fs::read(root.join(path)));
    let program = Program::compile(Arc::new(loaded.resolved.unwrap())).unwrap();
    program.at(now).unwrap()
}

/// Tunnels of every kind, wherever they end.
fn every() -> Unwrap {
    use TunnelKind::{Gre, GtpU, Ipv4InIpv6, Ipv6InIpv4, L2tp, Vxlan};
    let tunnel = |kind| Tunnel {
        kind,
        endpoints: ["0.0.0.0/0", "::/0"]
            .map(|text| text.parse().unwrap())
            .to_vec(),
        subscriber: Subscriber::Inner,
        rules: Vec::new(),
    };
    let kinds = [Ipv4InIpv6, Ipv6InIpv4, L2tp, Gre, Vxlan, GtpU];
    Unwrap::new(kinds.map(tunnel).to_vec())
}

/// The frames of a capture that are dropped as connections to port 25, in whichever tunnel.
pub fn syns(path: &Path, epoch: &Epoch) -> BTreeSet<u64> {
    let settings = Settings {
        unwrap: Arc::new(every()),
        ..Settings::new(Account::Candidates)
    };
    let mut burst = Burst::new(Facing::Out, settings);
    let mut found = BTreeSet::new();
    let mut before = 0;
    let Ok(mut reader) = CaptureReader::open(path) else {
        return found;
    };
    // A fault ends the file, after all whole records before it.
    while let Ok(records) = reader.read_burst()
        && !records.is_empty()
    {
        burst.run(&records, &epoch.tables, Moment::default());
        for (number, decision) in (before + 1..).zip(burst.decisions()) {
            if (decision.verdict, decision.reason) == (Verdict::Drop, Reason::Port25Syn) {
                found.insert(number);
            }
        }
        before += records.len() as u64;
    }
    found
}
