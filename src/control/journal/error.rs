use std::io;
use std::path::PathBuf;

/// Why the journal cannot be used, or a change not kept.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum JournalError {
    #[error("{}: another process writes this journal", .path.display())]
    Taken { path: PathBuf },

    #[error(
        "{}: line {line}, at byte {offset}: {what}; which plans were given is not certain, so \
         nothing starts: mend or remove the line, and compare what `ctl plan list` then says",
        .path.display()
    )]
    Damaged {
        path: PathBuf,
        line: u64,
        offset: u64,
        what: String,
    },

    #[error("{}: cannot {what}: {cause}; the journal is as it was", .path.display())]
    System {
        path: PathBuf,
        what: &'static str,
        cause: io::Error,
    },

    #[error("{}: the journal takes no changes until it is written anew: {why}", .path.display())]
    Broken { path: PathBuf, why: String },
}

impl JournalError {
    /// Whether another process has it.
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Taken { .. })
    }
}
