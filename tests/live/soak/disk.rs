use crate::net::Namespace;
use crate::program::Pipeline;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

/// A small disk for the journal and the log of a pipeline. Only the program sees it, so that it is
/// gone when the program is; from outside it is reached through the program's own root.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
}

const BYTES: usize = 256 * 1024;

impl Disk {
    /// Moves the journal of a pipeline there.
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        let folder = pipeline.place("disk");
        fs::create_dir(&folder).unwrap();
        let text = pipeline.text();
        assert!(text.contains("journal: journal"), "{text}");
        pipeline.write(&text.replace("journal: journal", "journal: disk/journal"));
        Self { folder }
    }

    /// The command that runs the pipeline with the disk, where its standard error goes, too.
    pub(super) fn command(&self, namespace: &Namespace, pipeline: &Pipeline) -> Command {
        let script = format!(
            "mount -t tmpfs -o size={BYTES} none \"$0\" && exec nice -n -15 \"$@\" 2>>\"$0/log\""
        );
        let mut command = namespace.command("sh");
        command
            .args(["-c", &script])
            .arg(&self.folder)
            .args([env!("CARGO_BIN_EXE_sekisho"), "run", "--output", "json"])
            .arg(pipeline.file());
        command
    }

    /// Leaves no room on it.
    pub(super) fn fill(&self, process: u32) {
        let full = fs::write(self.filler(process), vec![0; 2 * BYTES]).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }

    pub(super) fn empty(&self, process: u32) {
        fs::remove_file(self.filler(process)).unwrap();
    }

    fn filler(&self, process: u32) -> PathBuf {
        let inside = self.folder.strip_prefix("/").unwrap();
        PathBuf::from(format!("/proc/{process}/root"))
            .join(inside)
            .join("filler")
    }
}
