//! Where the socket is: its rights, its folder, and who else wants the place.

use crate::supervisor::{Client, Supervisor};
use sekisho::control::protocol::Asked;
use sekisho::control::socket::{Server, SocketError};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};

fn bind(path: &Path) -> Result<(Server, Receiver<Asked>), SocketError> {
    bind_for(path, None)
}

fn bind_for(path: &Path, group: Option<&str>) -> Result<(Server, Receiver<Asked>), SocketError> {
    let (inbox, asked) = mpsc::channel();
    Server::bind(path, group, inbox).map(|server| (server, asked))
}

fn said(path: &Path) -> String {
    let error = bind(path).unwrap_err().to_string();
    error.replace(path.parent().unwrap().to_str().unwrap(), "DIR")
}

#[test]
fn the_socket_is_for_its_user_and_group_in_a_folder_that_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/sekisho/box.sock");
    let (server, _asked) = bind(&path).unwrap();
    assert_eq!(server.path(), path);
    let made = std::fs::metadata(&path).unwrap();
    assert!(made.file_type().is_socket());
    assert_eq!(made.permissions().mode() & 0o7777, 0o660);
    let within = std::fs::metadata(path.parent().unwrap()).unwrap();
    assert_eq!(within.permissions().mode() & 0o7777, 0o755);
    let lock = std::fs::metadata(folder.path().join("run/sekisho/box.sock.lock")).unwrap();
    assert_eq!(lock.permissions().mode() & 0o7777, 0o600);
    drop(server);
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_group_may_be_named_or_numbered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box.sock");
    // The only group that whoever runs the tests surely may give a file to.
    let own = rustix::process::getegid().as_raw();
    drop(bind_for(&path, Some(&own.to_string())).unwrap());
    if own == 0 {
        let (_server, _asked) = bind_for(&path, Some("daemon")).unwrap();
        let daemon = std::fs::read_to_string("/etc/group").unwrap();
        let line = daemon.lines().find(|line| line.starts_with("daemon:"));
        let gid: u32 = line.unwrap().split(':').nth(2).unwrap().parse().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().gid(), gid);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o660);
    }
    let error = bind_for(&folder.path().join("other.sock"), Some("no-such-group"));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("there is no group no-such-group"), "{error}");
    assert!(!folder.path().join("other.sock").exists());
}

#[test]
fn a_second_one_is_told_who_answers() {
    let supervisor = Supervisor::start();
    let pid = std::process::id();
    let told = said(&supervisor.path());
    assert_eq!(
        told,
        format!("another sekisho (pid {pid}) answers at DIR/box.sock")
    );
    // The first one has not noticed.
    supervisor
        .client()
        .ask(r#"{"version":1,"command":"stats"}"#);
}

#[test]
fn of_many_that_start_at_once_one_has_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box.sock");
    // What a killed one left tempts all of them to remove it.
    drop(UnixListener::bind(&path).unwrap());
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || bind(&path).ok())
        })
        .collect();
    let started: Vec<_> = starts
        .into_iter()
        .filter_map(|start| start.join().unwrap())
        .collect();
    assert_eq!(started.len(), 1);
    Client::at(&path).write("\n");
}

#[test]
fn what_a_killed_one_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box.sock");
    // Neither file goes with a process that is killed; the lock on the second one does.
    drop(UnixListener::bind(&path).unwrap());
    std::fs::write(folder.path().join("box.sock.lock"), "999999\n").unwrap();
    let (_server, _asked) = bind(&path).unwrap();
    Client::at(&path).write("\n");
    let pid = std::fs::read_to_string(folder.path().join("box.sock.lock")).unwrap();
    assert_eq!(pid, format!("{}\n", std::process::id()));
}

#[test]
fn what_belongs_to_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.sock");
    let _listener = UnixListener::bind(&other).unwrap();
    let pid = std::process::id();
    assert_eq!(
        said(&other),
        format!("another sekisho (pid {pid}) answers at DIR/other.sock")
    );
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    assert_eq!(
        said(&file),
        "DIR/file: is there, and is no socket: remove it, or name another path"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let mut left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["file", "other.sock"]);
}

#[test]
fn a_socket_that_somebody_put_there_since_is_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box.sock");
    let (server, _asked) = bind(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "mine").unwrap();
    drop(server);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn a_path_that_no_socket_can_have_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let told = said(&folder.path().join("x".repeat(200)));
    assert!(told.contains("is too long"), "{told}");
    let told = said(Path::new("/proc/no-such-folder/box.sock"));
    assert!(told.contains("its folder"), "{told}");
}
