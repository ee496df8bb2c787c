//! Where a running sekisho is asked.

use crate::cli::Failure;
use crate::control::accounts;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

const FOLDER: &str = "/run/sekisho";

/// The socket that was named, or the only one there is.
pub(super) fn socket(named: Option<&Path>) -> Result<PathBuf, Failure> {
    match named {
        Some(path) => Ok(path.to_owned()),
        None => only_one(Path::new(FOLDER)),
    }
}

fn only_one(folder: &Path) -> Result<PathBuf, Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => Some(entries),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            let message = format!("{}: {error}; name one with --socket", folder.display());
            return Err(Failure::io(message));
        }
    };
    let paths = entries.into_iter().flatten().flatten();
    let mut sockets: Vec<_> = paths
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "sock"))
        .collect();
    sockets.sort();
    match &sockets[..] {
        [only] => Ok(only.clone()),
        [] => Err(Failure::io(format_args!(
            "there is no socket in {}: is `sekisho run` running? Elsewhere, name it with --socket",
            folder.display()
        ))),
        several => {
            let names: Vec<_> = several
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            Err(Failure::usage(format_args!(
                "there are several: name one with --socket: {}",
                names.join(", ")
            )))
        }
    }
}

/// Says why nobody could be asked there.
pub(super) fn unreachable(path: &Path, error: &io::Error) -> Failure {
    let path_shown = path.display();
    Failure::io(match error.kind() {
        io::ErrorKind::NotFound => {
            format!("nobody answers: there is no {path_shown}; is `sekisho run` running?")
        }
        io::ErrorKind::ConnectionRefused if !is_socket(path) => {
            format!("{path_shown} is no socket")
        }
        io::ErrorKind::ConnectionRefused => format!(
            "nobody answers at {path_shown}: the sekisho that made it has ended without \
             removing it"
        ),
        io::ErrorKind::PermissionDenied => match who_may(path) {
            Some(who) => format!("{path_shown} is for {who}"),
            None => format!("{path_shown}: {error}"),
        },
        _ => format!("{path_shown}: {error}"),
    })
}

fn is_socket(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| there.file_type().is_socket())
}

/// `the user root and the group noc`.
fn who_may(path: &Path) -> Option<String> {
    let there = fs::metadata(path).ok()?;
    let user = accounts::user_name(there.uid()).unwrap_or_else(|| there.uid().to_string());
    let group = accounts::group_name(there.gid()).unwrap_or_else(|| there.gid().to_string());
    Some(format!("the user {user} and the group {group}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Exit;

    #[test]
    fn one_socket_needs_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let missing = only_one(&folder.path().join("none")).unwrap_err();
        assert_eq!(missing.exit(), Exit::Io);
        assert_eq!(only_one(folder.path()).unwrap_err().exit(), Exit::Io);
        let paths = ["b.sock", "b.sock.lock", "a.sock"].map(|name| folder.path().join(name));
        for path in &paths[..2] {
            fs::write(path, "").unwrap();
        }
        assert_eq!(only_one(folder.path()).unwrap(), paths[0]);
        fs::write(&paths[2], "").unwrap();
        let Failure::Said(Exit::Usage, message) = only_one(folder.path()).unwrap_err() else {
            panic!("it is a matter of usage");
        };
        let names = format!("{}, {}", paths[2].display(), paths[0].display());
        assert!(message.ends_with(&names), "{message}");
    }
}
