use crate::net::Namespace;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

/// What came of an attempt to hand in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The server took it.
    Taken,
    /// Nobody answered the first segment.
    Silence,
    /// Anything else, in the client's words.
    Other(String),
}

/// Hands a message in with swaks; over 465 with TLS from the start, over 587 with STARTTLS.
pub(super) fn hand_in(
    namespace: &Namespace,
    from: IpAddr,
    to: SocketAddr,
    patience_s: u32,
    words: &str,
) -> Outcome {
    let mut swaks = namespace.command("swaks");
    swaks
        .args([
            "--server",
            &to.ip().to_string(),
            "--port",
            &to.port().to_string(),
        ])
        .args([
            "--local-interface",
            &from.to_string(),
            "--timeout",
            &patience_s.to_string(),
        ])
        .args([
            "--from",
            "sender@subscriber.example",
            "--to",
            "reader@mail.example",
        ])
        .args(["--helo", "subscriber.example", "--header"])
        .arg(format!("Subject: {words}"));
    if to.is_ipv6() {
        swaks.arg("-6");
    }
    match to.port() {
        465 => swaks.arg("--tls-on-connect"),
        587 => swaks.arg("--tls"),
        _ => &mut swaks,
    };
    let output = swaks.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Outcome::Taken,
        Some(2) if said.contains("connect: timeout") => Outcome::Silence,
        _ => Outcome::Other(said.into_owned()),
    }
}

/// A conversation that takes its time between greeting and message.
#[derive(Debug)]
pub(super) struct Session {
    stream: BufReader<TcpStream>,
}

impl Session {
    /// Connects and greets.
    pub(super) fn open(namespace: &Namespace, from: IpAddr, to: SocketAddr) -> Self {
        let stream = namespace.enter(|| {
            let family = match to {
                SocketAddr::V4(_) => AddressFamily::INET,
                SocketAddr::V6(_) => AddressFamily::INET6,
            };
            let socket = socket(family, SocketType::STREAM, None).unwrap();
            bind(&socket, &SocketAddr::new(from, 0)).unwrap();
            connect(&socket, &to).unwrap_or_else(|error| panic!("{from} to {to}: {error}"));
            TcpStream::from(socket)
        });
        let patience = Some(Duration::from_secs(10));
        stream.set_read_timeout(patience).unwrap();
        let mut session = Self {
            stream: BufReader::new(stream),
        };
        session.expect("220");
        session.say("EHLO subscriber.example", "250");
        session
    }

    /// Hands the message in, and says good-bye.
    pub(super) fn hand_in(mut self, words: &str) {
        self.say("MAIL FROM:<sender@subscriber.example>", "250");
        self.say("RCPT TO:<reader@mail.example>", "250");
        self.say("DATA", "354");
        let message = format!("Subject: {words}\r\n\r\nThe session was open before.\r\n.");
        self.say(&message, "250");
        self.say("QUIT", "221");
    }

    fn say(&mut self, line: &str, code: &str) {
        write!(self.stream.get_mut(), "{line}\r\n").unwrap();
        self.expect(code);
    }

    fn expect(&mut self, code: &str) {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            assert!(line.starts_with(code), "expected {code}, got {line:?}");
            // A dash behind the code: more lines follow.
            if line.as_bytes().get(3) != Some(&b'-') {
                return;
            }
        }
    }
}
