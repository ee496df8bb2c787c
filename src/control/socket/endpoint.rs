use super::SocketError;
use crate::control::accounts;
use crate::control::lock::Locked;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use rustix::fs::{AtFlags, CWD, Gid, Mode, chmodat, chownat, fchmod};
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType};
use rustix::net::{bind, connect, shutdown, socket_with};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// Connections that wait to be taken.
const BACKLOG: i32 = 64;

/// A socket's file, and the right to have it there. Dropped, both are given back.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// The listener once more, to end whoever waits at it.
    listener: UnixListener,
    // In this order they are dropped: the file goes while the place is still this process's.
    file: SocketFile,
    _place: Place,
}

impl Endpoint {
    pub(super) fn open(
        path: &Path,
        group: Option<&str>,
    ) -> Result<(Self, UnixListener), SocketError> {
        let fault = |what, cause| fault(path, what, cause);
        let gid = group.map(|group| group_id(path, group)).transpose()?;
        if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
            let mut builder = DirBuilder::new();
            let made = builder.recursive(true).mode(0o755).create(folder);
            made.map_err(|cause| fault("its folder", cause))?;
        }
        let place = Place::take(path)?;
        remove_stale(path)?;
        let (file, socket) = SocketFile::bind(path)?;
        file.open_to(gid.zip(group))?;
        rustix::net::listen(&socket, BACKLOG).map_err(|e| fault("cannot listen", e.into()))?;
        let listener = UnixListener::from(socket);
        let again = listener
            .set_nonblocking(false)
            .and_then(|()| listener.try_clone())
            .map_err(|cause| fault("its descriptor", cause))?;
        let endpoint = Self {
            listener: again,
            file,
            _place: place,
        };
        Ok((endpoint, listener))
    }

    pub(super) fn path(&self) -> &Path {
        &self.file.path
    }

    pub(super) fn fault(&self, what: &'static str, cause: io::Error) -> SocketError {
        fault(self.path(), what, cause)
    }

    /// Nobody gets in any more; a thread that waits for connections is woken.
    pub(super) fn close(&self) {
        let _ = shutdown(&self.listener, Shutdown::Both);
    }
}

/// The right to have a socket at a path: a file beside it, locked as long as the socket is there.
/// Of two processes that start at one time, one gets it.
#[derive(Debug)]
struct Place {
    lock_path: PathBuf,
    _lock: Locked,
}

impl Place {
    /// Takes the place, and leaves this process's number in it.
    fn take(path: &Path) -> Result<Self, SocketError> {
        let fault = |cause| fault(path, "its lock", cause);
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        let Some(lock) = Locked::open(&lock_path, 0o600).map_err(fault)? else {
            return Err(taken(path, pid_in(&lock_path)));
        };
        let place = Self {
            lock_path,
            _lock: lock,
        };
        let lock = &place._lock;
        let emptied = lock.set_len(0);
        let noted = emptied.and_then(|()| writeln!(&**lock, "{}", std::process::id()));
        noted.map_err(fault)?;
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Still locked: whoever opens it now sees that it is gone, and makes another.
        let _ = fs::remove_file(&self.lock_path);
    }
}

fn pid_in(lock_path: &Path) -> Option<i32> {
    let mut text = String::new();
    let file = File::open(lock_path).ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// The name of a socket in the file system.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl SocketFile {
    /// Makes the file, for this process's user alone; nobody can connect yet.
    fn bind(path: &Path) -> Result<(Self, OwnedFd), SocketError> {
        let fault = |what, errno: Errno| fault(path, what, errno.into());
        let address = SocketAddrUnix::new(path).map_err(|errno| fault("is too long", errno))?;
        let socket = stream_socket().map_err(|errno| fault("a socket", errno))?;
        // The file gets the rights of the socket, so that at no moment it has wider ones.
        fchmod(&socket, Mode::RUSR | Mode::WUSR).map_err(|errno| fault("its rights", errno))?;
        bind(&socket, &address).map_err(|errno| fault("cannot be made", errno))?;
        let made = fs::symlink_metadata(path);
        let made = made.map_err(|cause| self::fault(path, "its file", cause))?;
        let file = Self {
            path: path.to_owned(),
            inode: made.ino(),
        };
        Ok((file, socket))
    }

    /// Lets the group in: the one that is given, or else that of the process.
    fn open_to(&self, group: Option<(u32, &str)>) -> Result<(), SocketError> {
        let path = &self.path;
        if let Some((gid, name)) = group {
            let gid = Some(Gid::from_raw(gid));
            let given = chownat(CWD, path, None, gid, AtFlags::SYMLINK_NOFOLLOW);
            given.map_err(|errno| SocketError::Group {
                path: path.clone(),
                group: name.to_owned(),
                cause: errno.into(),
            })?;
        }
        chmodat(CWD, path, Mode::from_raw_mode(0o660), AtFlags::empty())
            .map_err(|errno| fault(path, "its rights", errno.into()))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Not one that somebody put there since.
        if fs::symlink_metadata(&self.path).is_ok_and(|there| there.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn fault(path: &Path, what: &'static str, cause: io::Error) -> SocketError {
    let path = path.to_owned();
    SocketError::System { path, what, cause }
}

fn group_id(path: &Path, group: &str) -> Result<u32, SocketError> {
    accounts::group_id(group).ok_or_else(|| SocketError::NoSuchGroup {
        path: path.to_owned(),
        group: group.to_owned(),
    })
}

/// Another sekisho has the place; which one, where that is known.
fn taken(path: &Path, pid: Option<i32>) -> SocketError {
    let path = path.to_owned();
    match pid {
        Some(pid) => SocketError::Answered { path, pid },
        None => SocketError::Taken { path },
    }
}

/// Removes a socket at which nobody listens; anything else stays, and is an error.
fn remove_stale(path: &Path) -> Result<(), SocketError> {
    let there = match fs::symlink_metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(fault(path, "it is there", cause)),
    };
    if !there.file_type().is_socket() {
        return Err(SocketError::NotASocket {
            path: path.to_owned(),
        });
    }
    match knock(path) {
        Ok(pid) => Err(taken(path, pid)),
        Err(Errno::CONNREFUSED) => {
            fs::remove_file(path).map_err(|cause| fault(path, "what a dead process left", cause))
        }
        // So many knock there that one more would have to wait.
        Err(Errno::AGAIN) => Err(taken(path, None)),
        Err(errno) => Err(fault(path, "what is there", errno.into())),
    }
}

/// Connects; gives the number of whoever listens.
fn knock(path: &Path) -> rustix::io::Result<Option<i32>> {
    let client = stream_socket()?;
    connect(&client, &SocketAddrUnix::new(path)?)?;
    let listening = getsockopt(&client, PeerCredentials).map(|listening| listening.pid());
    // 0: it cannot be seen from here, as from within a container.
    Ok(listening.ok().filter(|pid| *pid > 0))
}

fn stream_socket() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}
