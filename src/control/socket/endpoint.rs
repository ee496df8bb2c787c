use super::SocketError;
use crate::control::accounts;
use crate::control::lock::open_alone;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use rustix::fs::{AtFlags, CWD, Gid, Mode, chmodat, chownat, fchmod};
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType};
use rustix::net::{bind, connect, listen, shutdown, socket_with};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// Connections that wait to be taken.
const BACKLOG: i32 = 64;

/// The socket's name in the file system, which this process alone has.
#[derive(Debug)]
pub(super) struct Endpoint {
    path: PathBuf,
    /// Beside the socket, held as long as it is there: of two that start at one time, one gets it.
    lock_path: PathBuf,
    _lock: File,
    /// Of the socket's file.
    inode: u64,
    /// The listener once more, to end whoever waits at it.
    listener: UnixListener,
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
        let lock_path = beside(path);
        let lock = take(path, &lock_path)?;
        // From here on, what is at the path belongs to this process, to a dead one, or to another
        // program.
        let claimed = (|| {
            remove_stale(path)?;
            let (listener, inode) = listen_at(path, gid.zip(group))?;
            let again = listener.try_clone();
            let again = again.map_err(|cause| fault("its descriptor", cause))?;
            Ok((listener, again, inode))
        })();
        match claimed {
            Ok((listener, again, inode)) => {
                let endpoint = Self {
                    path: path.to_owned(),
                    lock_path,
                    _lock: lock,
                    inode,
                    listener: again,
                };
                Ok((endpoint, listener))
            }
            Err(error) => {
                let _ = fs::remove_file(&lock_path);
                Err(error)
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn fault(&self, what: &'static str, cause: io::Error) -> SocketError {
        fault(&self.path, what, cause)
    }

    /// Nobody gets in any more; a thread that waits for connections is woken.
    pub(super) fn close(&self) {
        let _ = shutdown(&self.listener, Shutdown::Both);
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.close();
        // Not one that somebody put there since.
        if fs::symlink_metadata(&self.path).is_ok_and(|there| there.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
        // Still locked: whoever opens it now sees that it is gone, and makes another.
        let _ = fs::remove_file(&self.lock_path);
    }
}

fn fault(path: &Path, what: &'static str, cause: io::Error) -> SocketError {
    let path = path.to_owned();
    SocketError::System { path, what, cause }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn group_id(path: &Path, group: &str) -> Result<u32, SocketError> {
    accounts::group_id(group).ok_or_else(|| SocketError::NoSuchGroup {
        path: path.to_owned(),
        group: group.to_owned(),
    })
}

/// Takes the lock, and leaves this process's number in it.
fn take(path: &Path, lock_path: &Path) -> Result<File, SocketError> {
    let taken = open_alone(lock_path, 0o600).map_err(|cause| fault(path, "its lock", cause))?;
    let Some(mut lock) = taken else {
        return Err(match pid_in(lock_path) {
            Some(pid) => answered(path, pid),
            None => SocketError::Taken {
                path: path.to_owned(),
            },
        });
    };
    let noted = lock
        .set_len(0)
        .and_then(|()| writeln!(lock, "{}", std::process::id()));
    noted.map_err(|cause| fault(path, "its lock", cause))?;
    Ok(lock)
}

fn pid_in(lock_path: &Path) -> Option<i32> {
    let mut text = String::new();
    let file = File::open(lock_path).ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn answered(path: &Path, pid: i32) -> SocketError {
    SocketError::Answered {
        path: path.to_owned(),
        pid,
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
    let knock = || -> rustix::io::Result<i32> {
        let client = stream_socket()?;
        connect(&client, &SocketAddrUnix::new(path)?)?;
        // Whoever listens; 0 where it cannot be seen from here, as from within a container.
        Ok(getsockopt(&client, PeerCredentials).map_or(0, |listening| listening.pid()))
    };
    match knock() {
        Ok(pid) if pid > 0 => Err(answered(path, pid)),
        Err(Errno::CONNREFUSED) => {
            fs::remove_file(path).map_err(|cause| fault(path, "what a dead process left", cause))
        }
        // The latter: so many knock there that one more would have to wait.
        Ok(_) | Err(Errno::AGAIN) => Err(SocketError::Taken {
            path: path.to_owned(),
        }),
        Err(errno) => Err(fault(path, "what is there", errno.into())),
    }
}

fn stream_socket() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

/// Listens at a path; at no moment has the file wider rights than it is to have.
fn listen_at(path: &Path, group: Option<(u32, &str)>) -> Result<(UnixListener, u64), SocketError> {
    let fault = |what, errno: Errno| fault(path, what, errno.into());
    let address = SocketAddrUnix::new(path).map_err(|errno| fault("is too long", errno))?;
    let socket = stream_socket().map_err(|errno| fault("a socket", errno))?;
    // The file gets the rights of the socket, less the umask; wider ones come with the group.
    fchmod(&socket, Mode::RUSR | Mode::WUSR).map_err(|errno| fault("its rights", errno))?;
    bind(&socket, &address).map_err(|errno| fault("cannot be made", errno))?;
    let opened = (|| {
        if let Some((gid, name)) = group {
            let gid = Some(Gid::from_raw(gid));
            let given = chownat(CWD, path, None, gid, AtFlags::SYMLINK_NOFOLLOW);
            given.map_err(|errno| SocketError::Group {
                path: path.to_owned(),
                group: name.to_owned(),
                cause: errno.into(),
            })?;
        }
        chmodat(CWD, path, Mode::from_raw_mode(0o660), AtFlags::empty())
            .map_err(|errno| fault("its rights", errno))?;
        listen(&socket, BACKLOG).map_err(|errno| fault("cannot listen", errno))?;
        let listener = UnixListener::from(socket);
        let blocking = listener.set_nonblocking(false);
        let inode = blocking.and_then(|()| fs::symlink_metadata(path));
        let inode = inode.map_err(|cause| self::fault(path, "its file", cause))?;
        Ok((listener, inode.ino()))
    })();
    if opened.is_err() {
        let _ = fs::remove_file(path);
    }
    opened
}
