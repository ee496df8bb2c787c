use super::{leftovers, run};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// Where iproute2 keeps the namespaces that have a name.
const FOLDER: &str = "/run/netns";

/// A network of its own: no interface but the loopback, no route, no IPv6 that nobody asked for.
#[derive(Debug)]
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one; its role stands in its name.
    pub(crate) fn new(role: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        assert!(
            rustix::process::geteuid().is_root(),
            "the live tests make network namespaces, which only root may: \
             sudo -E cargo test --test live -- --include-ignored --test-threads=1"
        );
        leftovers::remove_once();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = leftovers::name(std::process::id(), number, role);
        run(Command::new("ip").args(["netns", "add", &name]));
        let made = Self { name };
        made.ip(&["link", "set", "lo", "up"]);
        // Hosts that nobody asked for an IPv6 address send nothing by themselves: frames are counted.
        made.set("net/ipv6/conf/all/disable_ipv6", "1");
        made.set("net/ipv6/conf/default/disable_ipv6", "1");
        made.set("net/ipv6/conf/lo/disable_ipv6", "0");
        made
    }

    /// The name that `ip netns` knows.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is one of this name.
    pub(crate) fn exists(name: &str) -> bool {
        Path::new(FOLDER).join(name).exists()
    }

    /// A command to be run in it. Its `/sys` is that of the namespace too. It ends when the thread
    /// that starts it does, so that a killed test leaves no process behind.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "ip", "netns", "exec"])
            .args([&self.name, program]);
        command
    }

    /// Does something on a thread that is in it. Sockets stay there wherever they are taken.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let place = File::open(Path::new(FOLDER).join(&self.name)).unwrap();
        let there = || {
            move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network))
                .expect("a thread of root may enter a namespace");
            work()
        };
        thread::scope(|scope| scope.spawn(there).join())
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// `ip` in it.
    pub(crate) fn ip(&self, arguments: &[&str]) -> String {
        run(Command::new("ip").args(["-n", &self.name]).args(arguments))
    }

    /// Gives a link an address with the length of its network.
    pub(crate) fn add_address(&self, link: &str, address: &str) {
        if !address.contains(':') {
            self.ip(&["address", "add", address, "dev", link]);
            return;
        }
        let key = |what: &str| format!("net/ipv6/conf/{link}/{what}");
        // No address of its own making and no question for a router.
        self.set(&key("addr_gen_mode"), "1");
        self.set(&key("accept_ra"), "0");
        self.set(&key("disable_ipv6"), "0");
        // No wait for whether somebody else has it: these wires have two ends.
        self.ip(&["address", "add", address, "dev", link, "nodad"]);
    }

    /// Looks for the hosts of a network at the other end of a link.
    pub(crate) fn add_route(&self, network: &str, link: &str) {
        let family = if network.contains(':') { "-6" } else { "-4" };
        self.ip(&[family, "route", "add", network, "dev", link]);
    }

    /// Sets a kernel parameter of it: `net/ipv4/ip_forward`.
    pub(crate) fn set(&self, key: &str, value: &str) {
        let file = Path::new("/proc/sys").join(key);
        let written = self.enter(|| fs::write(&file, value));
        written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Not `run`: a second panic while one unwinds would end the process, and all clean-up with it.
        let _ = Command::new("ip")
            .args(["netns", "delete", &self.name])
            .status();
    }
}
