use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where systemd's own hierarchy of processes may be, and the unified one: which of them are there
/// differs from host to host.
const HIERARCHIES: [&str; 3] = [
    "/sys/fs/cgroup",
    "/sys/fs/cgroup/unified",
    "/sys/fs/cgroup/systemd",
];

/// A group of processes for a container, so that what systemd makes for its units in there stays in
/// it, and goes with it.
#[derive(Debug)]
pub(super) struct Cgroup {
    folders: Vec<PathBuf>,
}

impl Cgroup {
    pub(super) fn new(name: &str) -> Self {
        let roots = HIERARCHIES.iter().map(Path::new);
        let roots = roots.filter(|root| root.join("cgroup.procs").exists());
        let folders: Vec<_> = roots.map(|root| root.join(name)).collect();
        for folder in &folders {
            fs::create_dir(folder).unwrap();
        }
        Self { folders }
    }

    /// Shell commands by which a process enters it.
    pub(super) fn enter(&self) -> String {
        let folders = self.folders.iter();
        folders
            .map(|folder| format!("echo $$ >{}/cgroup.procs\n", folder.display()))
            .collect()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        for folder in &self.folders {
            if let Err(error) = remove(folder) {
                println!("{}: {error}", folder.display());
            }
        }
    }
}

/// Such a folder is empty, but for folders and for files of the kernel's that cannot be removed.
fn remove(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        }
    }
    // The kernel lets go of a process a moment after it was waited for.
    for _ in 0..100 {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            other => return other,
        }
    }
    fs::remove_dir(folder)
}
