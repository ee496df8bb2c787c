use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A policy of the test's own: `home` lines may not call port 25 of others, `office` lines may.
#[derive(Debug)]
pub(crate) struct Policy {
    folder: TempDir,
}

/// The subscribers of the policy, all on `home` lines but for what is given.
const TEXT: &str = "\
isp: example-net
time_zone: Asia/Tokyo
plans:
  home:   { kind: dynamic }
  office: { kind: fixed }
destinations:
  own: { prefixes: [192.0.2.16/28, 2001:db8:25::/64] }
subscribers:
  - { plan: home, prefixes: [198.51.100.0/25, 100.64.0.0/10, 2001:db8:100::/48] }
";

impl Policy {
    /// In force since ever, or from an instant on; with these prefixes on `office` lines.
    pub(crate) fn new(from: Option<&str>, offices: &[&str]) -> Self {
        let made = Self {
            folder: TempDir::new().unwrap(),
        };
        made.write(from, offices);
        made
    }

    /// Writes it anew: whole or not at all, as whoever reads it meanwhile wants it.
    pub(crate) fn write(&self, from: Option<&str>, offices: &[&str]) {
        let mut text = String::from(TEXT);
        for prefix in offices {
            let _ = writeln!(text, "  - {{ plan: office, prefixes: [\"{prefix}\"] }}");
        }
        text += "rules:\n  - name: op25b\n    kinds: [dynamic]\n    to-other-than: [own]\n";
        if let Some(from) = from {
            let _ = writeln!(text, "    from: {from}");
        }
        text += "    action: drop\n";
        self.replace(&text);
    }

    /// The same with any text.
    pub(crate) fn replace(&self, text: &str) {
        let new = self.folder.path().join("new.yaml");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("example-net.yaml")
    }

    /// A policy that is shipped.
    pub(crate) fn shipped(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("config")
            .join(name)
    }
}
