use super::fault::system;
use super::link::Address;
use crate::io::port::DeviceError;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const SCHEMA: &str = "sekisho.port-state/1";

/// What is kept of an interface on disk, from before anything of it is changed until all is as it
/// was: what a killed run found, the next one finds here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    schema: String,
    /// Which start of the system; interfaces are set anew at each.
    boot: String,
    /// The network namespace: two of them may have interfaces of the same number.
    namespace: u64,
    pub(super) interface: Identity,
    pub(super) found: Found,
    pub(super) left: Left,
}

/// Which interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    /// For people: an interface may get another name.
    pub(super) name: String,
    pub(super) index: u32,
    pub(super) address: Vec<u8>,
}

/// How an interface was before the first of the runs that did not undo what they did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Found {
    pub(super) up: bool,
    pub(super) arp: bool,
    /// Sekisho sets this no more than needed by a socket of its own, which vanishes with it; DPDK's
    /// driver for packet sockets sets it for good.
    pub(super) promiscuous: bool,
    /// Whether it had IPv6; `None` where the kernel has none.
    pub(super) ipv6: Option<bool>,
    /// Those that do not expire: the kernel forgets them when IPv6 is switched off.
    pub(super) ipv6_addresses: Vec<Address>,
    /// The features that were wished for, of those that are switched off.
    pub(super) features: Vec<String>,
}

/// In what state a run leaves an interface on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Left {
    /// It still runs, or it was killed.
    Prepared,
    /// Set down.
    LinkDown,
    /// In the bridge of this name.
    KernelBridge(String),
}

impl State {
    /// The same, left otherwise.
    pub(super) fn left(self, left: Left) -> Self {
        Self { left, ..self }
    }
}

/// The folder that states are kept in, one file an interface, and for which network namespace they
/// are meant.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    boot: String,
    namespace: u64,
}

impl Folder {
    /// Makes the folder where there is none; for the network namespace of this thread.
    pub(super) fn open(path: &Path) -> Result<Self, DeviceError> {
        fs::create_dir_all(path)
            .map_err(|cause| system(format!("{}: cannot be made", path.display()), &cause))?;
        let unknown = |cause| system("the system does not say which network this is", &cause);
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").map_err(unknown)?;
        let namespace = namespace().map_err(unknown)?;
        Ok(Self {
            path: path.to_owned(),
            boot: boot.trim().to_owned(),
            namespace,
        })
    }

    /// Whether this thread is in the network namespace that the states are of. It must be where a
    /// parameter in `/proc/sys` is set; whatever else is set goes there from everywhere.
    pub(super) fn is_of_this_network(&self) -> io::Result<()> {
        if namespace()? == self.namespace {
            return Ok(());
        }
        Err(io::Error::other(
            "this thread is in another network namespace",
        ))
    }

    pub(super) fn state(&self, interface: Identity, found: Found) -> State {
        State {
            schema: SCHEMA.to_owned(),
            boot: self.boot.clone(),
            namespace: self.namespace,
            interface,
            found,
            left: Left::Prepared,
        }
    }

    /// All states that are kept for this network namespace. A file that cannot be read is put aside,
    /// with a note; so is what an earlier start of the system left.
    pub(super) fn states(&self, notes: &mut Vec<String>) -> Vec<State> {
        let mut found = Vec::new();
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            if file.extension().is_none_or(|ending| ending != "state") {
                continue;
            }
            let read = fs::read(&file).and_then(|octets| Ok(serde_json::from_slice(&octets)?));
            match read {
                Ok(State { schema, .. }) if schema != SCHEMA => {
                    self.put_aside(&file, &format!("its schema is {schema:?}"), notes);
                }
                Ok(state) if state.boot != self.boot => {
                    let _ = fs::remove_file(&file);
                }
                Ok(state) if state.namespace == self.namespace => found.push(state),
                Ok(_) => {}
                Err(error) => self.put_aside(&file, &error.to_string(), notes),
            }
        }
        found
    }

    fn put_aside(&self, file: &Path, why: &str, notes: &mut Vec<String>) {
        let aside = file.with_extension("damaged");
        let moved = fs::rename(file, &aside);
        notes.push(format!(
            "{}: what an earlier run found cannot be read, so that it is not put back: {why}{}",
            file.display(),
            match moved {
                Ok(()) => format!("; the file is {} now", aside.display()),
                Err(error) => format!("; nor can it be moved: {error}"),
            }
        ));
    }

    /// Writes a state: whole, or not at all, and so that a loss of power does not lose it.
    pub(super) fn write(&self, state: &State) -> Result<(), DeviceError> {
        let file = self.file(state.interface.index);
        self.try_write(&file, state)
            .map_err(|cause| system(format!("{}: cannot be written", file.display()), &cause))
    }

    fn try_write(&self, file: &Path, state: &State) -> io::Result<()> {
        // The interface is claimed: nobody else writes this one.
        let growing = file.with_extension("unfinished");
        match fs::remove_file(&growing) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let written = || {
            let mut new = OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&growing)?;
            new.write_all(&serde_json::to_vec_pretty(state)?)?;
            new.write_all(b"\n")?;
            new.sync_all()?;
            fs::rename(&growing, file)?;
            File::open(&self.path)?.sync_all()
        };
        written().inspect_err(|_| {
            let _ = fs::remove_file(&growing);
        })
    }

    /// Forgets a state: all is as it was.
    pub(super) fn remove(&self, index: u32) -> Result<(), DeviceError> {
        let file = self.file(index);
        match fs::remove_file(&file) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(system(
                format!("{}: cannot be removed", file.display()),
                &cause,
            )),
            _ => Ok(()),
        }
    }

    fn file(&self, index: u32) -> PathBuf {
        let name = format!("port-{}-{index}.state", self.namespace);
        self.path.join(name)
    }
}

/// The network namespace of this thread.
fn namespace() -> io::Result<u64> {
    Ok(fs::metadata("/proc/thread-self/ns/net")?.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(folder: &Folder, index: u32) -> State {
        let interface = Identity {
            name: "eth1".to_owned(),
            index,
            address: vec![2, 0, 0, 0, 0, 1],
        };
        let address = Address {
            address: "2001:db8::1".parse().unwrap(),
            prefix_len: 64,
            flags: 0x80,
        };
        let found = Found {
            up: true,
            arp: true,
            promiscuous: false,
            ipv6: Some(true),
            ipv6_addresses: vec![address],
            features: vec!["rx-gro".to_owned()],
        };
        folder.state(interface, found)
    }

    #[test]
    fn what_is_kept_is_found_again_until_it_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(&place.path().join("run/sekisho")).unwrap();
        let mut first = state(&folder, 7);
        folder.write(&first).unwrap();
        first.left = Left::KernelBridge("br0".to_owned());
        folder.write(&first).unwrap();
        let second = state(&folder, 8);
        folder.write(&second).unwrap();
        let mut notes = Vec::new();
        assert_eq!(folder.states(&mut notes), [first, second.clone()]);
        folder.remove(7).unwrap();
        folder.remove(7).unwrap();
        assert_eq!(folder.states(&mut notes), [second]);
        assert_eq!(notes, [""; 0]);
    }

    #[test]
    fn a_damaged_file_is_put_aside_with_a_note_and_only_once() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        folder.write(&state(&folder, 7)).unwrap();
        let whole = fs::read_to_string(folder.file(7)).unwrap();
        let files = [
            ("cut.state", &whole[..whole.len() / 2]),
            (
                "later.state",
                &whole.replace("port-state/1", "port-state/2"),
            ),
            ("empty.state", ""),
            ("key.state", &whole.replace("\"left\"", "\"right\"")),
        ];
        for (name, text) in files {
            fs::write(place.path().join(name), text).unwrap();
        }
        let mut notes = Vec::new();
        assert_eq!(folder.states(&mut notes).len(), 1);
        assert_eq!(notes.len(), files.len(), "{notes:?}");
        assert_eq!(folder.states(&mut notes).len(), 1);
        assert_eq!(notes.len(), files.len());
        assert!(place.path().join("cut.damaged").exists());
    }

    #[test]
    fn what_is_of_another_boot_is_forgotten_and_of_another_network_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let mut old = state(&folder, 7);
        old.boot = "another".to_owned();
        folder.write(&old).unwrap();
        let mut elsewhere = state(&folder, 8);
        elsewhere.namespace += 1;
        folder.write(&elsewhere).unwrap();
        let mut notes = Vec::new();
        assert_eq!(folder.states(&mut notes), []);
        assert!(!folder.file(7).exists());
        assert!(folder.file(8).exists());
        assert_eq!(notes, [""; 0]);
    }
}
