use crate::net::{Namespace, Running, run};
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Mail servers of several providers, all in one process: what comes in is kept apart by the address
/// and the port that it came to.
#[derive(Debug)]
pub(super) struct Server {
    folder: TempDir,
    _daemon: Running,
}

/// As this user Debian's Exim runs.
const USER: &str = "Debian-exim";

impl Server {
    /// Starts it, and waits until it listens: on 25 and 587, and on 465 with TLS from the start.
    pub(super) fn start(namespace: &Namespace, addresses: &[IpAddr]) -> Self {
        let folder = TempDir::new().unwrap();
        let place = folder.path();
        for part in ["spool", "log", "boxes"] {
            fs::create_dir(place.join(part)).unwrap();
        }
        make_certificate(place);
        fs::write(place.join("exim.conf"), settings(place, addresses)).unwrap();
        run(Command::new("chmod").arg("0755").arg(place));
        let owned = ["spool", "log", "boxes", "key.pem"].map(|part| place.join(part));
        run(Command::new("chown").arg(USER).args(owned));
        // It says on its standard error that it gives up privileges, once a message.
        let said = fs::File::create(place.join("log/said")).unwrap();
        let daemon = Running::start(
            namespace
                .command("/usr/sbin/exim4")
                .arg("-C")
                .arg(place.join("exim.conf"))
                .arg("-bdf")
                .stderr(said),
        );
        for address in addresses {
            wait_for_listener(namespace, SocketAddr::new(*address, 25));
        }
        Self {
            folder,
            _daemon: daemon,
        }
    }

    /// Whether a message with these words came to a server's port; waits for one on its way.
    pub(super) fn has(&self, server: SocketAddr, words: &str) -> bool {
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if self.has_now(server, words) {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// The same without waiting.
    pub(super) fn has_now(&self, server: SocketAddr, words: &str) -> bool {
        let name = format!("{}-{}", server.ip(), server.port());
        let new = self.folder.path().join("boxes").join(name).join("new");
        let messages = fs::read_dir(new).into_iter().flatten().flatten();
        let mut texts = messages.flat_map(|message| fs::read_to_string(message.path()));
        texts.any(|text| text.contains(words))
    }
}

/// RSA: what every client of these years takes.
fn make_certificate(place: &Path) {
    run(Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args(["-subj", "/CN=mail.example", "-keyout"])
        .arg(place.join("key.pem"))
        .arg("-out")
        .arg(place.join("cert.pem")));
}

fn settings(place: &Path, addresses: &[IpAddr]) -> String {
    let place = place.display();
    let listen = addresses.iter().map(IpAddr::to_string);
    let listen = listen.collect::<Vec<_>>().join(" ; ");
    format!(
        "primary_hostname = mail.example\n\
         local_interfaces = <; {listen}\n\
         daemon_smtp_ports = 25 : 587 : 465\n\
         tls_on_connect_ports = 465\n\
         tls_advertise_hosts = *\n\
         tls_certificate = {place}/cert.pem\n\
         tls_privatekey = {place}/key.pem\n\
         spool_directory = {place}/spool\n\
         log_file_path = {place}/log/%slog\n\
         pid_file_path = {place}/log/pid\n\
         keep_environment =\n\
         host_lookup =\n\
         rfc1413_query_timeout = 0s\n\
         smtp_accept_max = 100\n\
         acl_smtp_rcpt = accept\n\
         begin routers\n\
         every:\n  driver = accept\n  transport = box\n\
         begin transports\n\
         box:\n  driver = appendfile\n  maildir_format\n  create_directory\n  user = {USER}\n  \
         directory = {place}/boxes/${{received_ip_address}}-${{received_port}}\n"
    )
}

fn wait_for_listener(namespace: &Namespace, at: SocketAddr) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while namespace
        .enter(|| std::net::TcpStream::connect(at))
        .is_err()
    {
        assert!(Instant::now() < deadline, "no mail server listens on {at}");
        thread::sleep(Duration::from_millis(20));
    }
}
