//! A file → [`Pipeline`], with everything that is wrong in it.

use super::findings::{
    BAD_GROUP, BAD_PATH, BAD_RUN_NAME, EMPTY, LCORE_TWICE, NO_LINK, NO_TICKET, NOT_SPREAD,
    ONE_LCORE, POLICY_UNREADABLE,
};
use super::keys::{GUIDE, PIPELINE};
use super::words::{DriverKind, Framing, Idle, LinkLoss, OnExit};
use super::{Control, Pipeline};
use crate::io::is_stdout;
use crate::policy::Origin;
use crate::policy::document::{
    self, Code, Diagnostic, Findings, Kind, Node, Sources, Text, beside,
};
use crate::stage::{Account, Settings, Source, Unparsed};
use crate::worker::{Lcore, ReplyRate};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where runs leave what the next one finds.
const RUN_DIR: &str = "/run/sekisho";
/// Where journals are kept.
const STATE_DIR: &str = "/var/lib/sekisho";
const STALL_MS: u32 = 1000;

/// What the system takes for the name of a socket, without its final zero.
const SOCKET_PATH_BYTES: usize = 107;
/// Leaves room for a folder before it and an ending behind it.
const NAME_BYTES: usize = 64;

/// What came of reading.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The text that the diagnostics point into.
    pub sources: Sources,
    /// The pipeline, if there is no error.
    pub pipeline: Option<Pipeline>,
    /// The policies that it names and that can be opened, whatever else is wrong.
    pub policies: Vec<PathBuf>,
    /// Errors, then warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a pipeline file, and looks whether its policies are there; what they say is not read.
pub fn load(path: &Path) -> Loaded {
    let name = path.to_string_lossy();
    read(&name, fs::read(path), &|policy| {
        fs::File::open(policy).map(drop)
    })
}

/// The same of a text of one's own: `name` is what messages call it, and where its paths begin;
/// `open` says whether a policy can be opened.
pub fn read(
    name: &str,
    text: io::Result<Vec<u8>>,
    open: &dyn Fn(&Path) -> io::Result<()>,
) -> Loaded {
    let mut sources = Sources::default();
    let mut findings = Findings::default();
    let kind = Kind {
        table: &PIPELINE,
        guide: GUIDE,
        empty: EMPTY,
    };
    let root = text.and_then(|text| document::read(name, text, &kind, &mut sources, &mut findings));
    let root = root.unwrap_or_else(|error| {
        findings.push(document::unreadable("pipeline", name, &error, &mut sources));
        None
    });
    let mut reader = Reader {
        name,
        findings: &mut findings,
    };
    let policies = root.as_ref().map(|root| reader.policies(root, open));
    let pipeline = root.and_then(|root| reader.pipeline(&root));
    let policies = policies.unwrap_or_default();
    Loaded {
        sources,
        pipeline: pipeline
            .filter(|_| findings.errors() == 0)
            .map(|pipeline| Pipeline {
                policies: policies.clone(),
                ..pipeline
            }),
        policies,
        diagnostics: findings.finish(),
    }
}

/// Reads what is well-formed. `None` is what was complained of, here or by the table of keys.
pub(super) struct Reader<'a> {
    /// Of the file.
    name: &'a str,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    /// Everything but the policies.
    fn pipeline(&mut self, root: &Node) -> Option<Pipeline> {
        let kind = word(root, "driver", DriverKind::of);
        let name = self.run_name(root);
        let driver = kind.and_then(|kind| self.driver(root, kind));
        let lcores = self.lcores(root, kind);
        let unwrap = self.tunnels(root);
        let control = self.control(root, kind, name.as_deref());
        let frames = word(root, "frames", Framing::of).unwrap_or(Framing::Ethernet);
        self.warn_of_rss(root, frames, &lcores);
        let idle = match kind {
            Some(DriverKind::Dpdk) => Idle::Spin,
            _ => Idle::Sleep,
        };
        let section = |name| root.get(name);
        Some(Pipeline {
            stall_ms: section("watchdog")
                .and_then(|watchdog| number(watchdog, "stall-ms"))
                .unwrap_or(STALL_MS),
            record_destinations: section("record-destinations")
                .and_then(|record| self.ticket(record)),
            link_loss: self.link_loss(root, kind),
            on_exit: self.on_exit(root, kind),
            name: name?,
            policies: Vec::new(),
            driver: driver?,
            lcores,
            account: word(root, "account", account).unwrap_or(Account::EveryFrame),
            idle: word(root, "idle", Idle::of).unwrap_or(idle),
            frames,
            unwrap,
            unparsed: word(root, "unparsed", unparsed).unwrap_or(Unparsed::Forward),
            source: section("access")
                .and_then(|access| word(access, "source", source))
                .unwrap_or(Source::Any),
            replies: replies(section("replies")),
            limit_subscribers: number(root, "limit-subscribers")
                .unwrap_or(Settings::LIMIT_SUBSCRIBERS),
            control,
        })
    }

    fn run_name(&mut self, root: &Node) -> Option<String> {
        const HELP: &str = "small letters, digits and single `-` between them";
        if let Some(name) = root.get_text("name") {
            let found = is_run_name(&name.text).then(|| name.text.clone());
            if found.is_none() {
                let message = format!("`{}` cannot name a run", name.text);
                self.complain(BAD_RUN_NAME, &name, message, HELP);
            }
            return found;
        }
        let stem = Path::new(self.name).file_stem().unwrap_or_default();
        let stem = stem.to_string_lossy();
        if !is_run_name(&stem) {
            let message = format!("the file's name `{stem}` cannot name the run");
            let mut place = root.origin.clone();
            place.span.end = place.span.start;
            let found = Diagnostic::new(BAD_RUN_NAME, message, &place, "no `name` in here");
            self.findings
                .push(found.help(format!("add `name:`, of {HELP}")));
            return None;
        }
        Some(stem.into_owned())
    }

    fn policies(&mut self, root: &Node, open: &dyn Fn(&Path) -> io::Result<()>) -> Vec<PathBuf> {
        let mut policies = Vec::new();
        for text in root.get_list("policies").unwrap_or(&[]) {
            let Some((text, path)) = text.text().and_then(|text| self.path(text)) else {
                continue;
            };
            match open(&path) {
                Ok(()) => policies.push(path),
                Err(error) => {
                    let shown = path.display();
                    let message = format!("the policy `{shown}` cannot be read: {error}");
                    let found =
                        Diagnostic::new(POLICY_UNREADABLE, message, &text.origin, "named here");
                    self.push(found.help("the path is relative to the folder of this pipeline"));
                }
            }
        }
        policies
    }

    fn lcores(&mut self, root: &Node, kind: Option<DriverKind>) -> Vec<Lcore> {
        let mut lcores: Vec<Lcore> = Vec::new();
        let nodes = root.get_list("lcores").unwrap_or(&[]);
        for node in nodes {
            let Some(lcore) = node.scalar().and_then(|text| text.parse().ok()).map(Lcore) else {
                continue;
            };
            if lcores.contains(&lcore) {
                let message = format!("lcore {lcore} stands twice");
                let found = Diagnostic::new(LCORE_TWICE, message, &node.origin, "again here");
                self.push(found.help("each worker has an lcore of its own: name another, or none"));
            }
            lcores.push(lcore);
        }
        if let (Some(DriverKind::Pcap), [_, second, ..]) = (kind, nodes) {
            let message = "captures are read by one worker";
            let found = Diagnostic::new(ONE_LCORE, message, &second.origin, "a second lcore");
            self.push(found.help("frames of a capture have one order: name one lcore"));
        }
        lcores
    }

    /// A pipeline over captures ends by itself, and asks for no folder of the system.
    fn control(&mut self, root: &Node, kind: Option<DriverKind>, name: Option<&str>) -> Control {
        let section = root.get("control");
        let mut path = |key| {
            let text = section?.get_text(key)?;
            self.path(text)
        };
        let (run_dir, socket, journal) = (path("run-dir"), path("socket"), path("journal"));
        let lives = kind != Some(DriverKind::Pcap);
        let run_dir = run_dir
            .map(|(_, path)| path)
            .or_else(|| lives.then(|| PathBuf::from(RUN_DIR)));
        let file = |folder: &Path, ending| Some(folder.join(format!("{}.{ending}", name?)));
        let place = socket
            .as_ref()
            .map_or_else(|| root.origin.clone(), |(text, _)| text.origin.clone());
        let socket = match socket {
            Some((_, path)) => Some(path),
            None => run_dir.as_deref().and_then(|folder| file(folder, "sock")),
        };
        self.socket_fits(socket.as_deref(), &place);
        Control {
            socket,
            group: section
                .and_then(|section| section.get_text("group"))
                .and_then(|group| self.group(&group)),
            journal: match journal {
                Some((_, path)) => Some(path),
                None if lives => file(Path::new(STATE_DIR), "journal"),
                None => None,
            },
            run_dir,
        }
    }

    fn socket_fits(&mut self, socket: Option<&Path>, place: &Origin) {
        let Some(path) = socket.filter(|path| path.as_os_str().len() > SOCKET_PATH_BYTES) else {
            return;
        };
        let bytes = path.as_os_str().len();
        let message = format!(
            "the path of the socket has {bytes} octets, where a socket's has \
             {SOCKET_PATH_BYTES} at most"
        );
        let mut place = place.clone();
        place.span.end = place.span.start;
        let label = format!("it is {}", path.display());
        let found = Diagnostic::new(BAD_PATH, message, &place, label);
        self.push(found.help("name a shorter one under `control`: `socket:`"));
    }

    fn group(&mut self, group: &Text) -> Option<String> {
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.$".contains(&octet);
        let good =
            group.text.bytes().all(plain) && !group.text.is_empty() && !group.text.starts_with('-');
        if !good {
            let message = format!("`{}` is not the name of a group", group.text);
            self.complain(BAD_GROUP, group, message, "a group such as `sekisho`");
        }
        good.then(|| group.text.clone())
    }

    fn ticket(&mut self, record: &Node) -> Option<String> {
        let ticket = record.get_scalar("ticket")?;
        if ticket.text.trim().is_empty() {
            let message = "a ticket that says nothing".to_owned();
            self.complain(NO_TICKET, &ticket, message, "who asked for it, and why");
            return None;
        }
        Some(ticket.text)
    }

    fn link_loss(&mut self, root: &Node, kind: Option<DriverKind>) -> LinkLoss {
        let wanted = word(root, "link-loss", LinkLoss::of).unwrap_or(LinkLoss::Ignore);
        if let (LinkLoss::Propagate, Some(DriverKind::Pcap)) = (wanted, kind) {
            self.no_link(root, "link-loss", "a capture has no link", "`ignore`");
        }
        wanted
    }

    fn on_exit(&mut self, root: &Node, kind: Option<DriverKind>) -> OnExit {
        let wanted = word(root, "on-exit", OnExit::of).unwrap_or(OnExit::Leave);
        match (wanted, kind) {
            (OnExit::LinkDown | OnExit::KernelBridge, Some(DriverKind::Pcap)) => {
                self.no_link(root, "on-exit", "a capture has no link", "`leave`");
            }
            (OnExit::KernelBridge, Some(DriverKind::Dpdk)) => {
                let why = "the kernel has no part in a device of DPDK";
                self.no_link(root, "on-exit", why, "`link-down` or `leave`");
            }
            _ => {}
        }
        wanted
    }

    fn no_link(&mut self, root: &Node, key: &str, why: &str, help: &str) {
        if let Some(found) = root.get_text(key) {
            let message = format!("`{key}: {}` cannot be: {why}", found.text);
            self.complain(NO_LINK, &found, message, help);
        }
    }

    fn warn_of_rss(&mut self, root: &Node, frames: Framing, lcores: &[Lcore]) {
        if let (Framing::QinqPppoe, [first, _, ..], Some(text)) =
            (frames, lcores, root.get_text("frames"))
        {
            let message =
                "most network cards do not look behind PPPoE or two tags when they spread frames";
            let label = format!("all frames may come to one lcore, such as {first}");
            let found = Diagnostic::new(NOT_SPREAD, message, &text.origin, label);
            self.findings.push(found.help(
                "name one lcore; or, where `ctl show-runtime` shows that all of them have \
                 frames, write `frames: ethernet`",
            ));
        }
    }

    /// A path relative to the folder of the pipeline.
    pub(super) fn path(&mut self, text: Text) -> Option<(Text, PathBuf)> {
        if text.text.is_empty() || is_stdout(Path::new(&text.text)) || text.text.contains('\0') {
            let message = "this path names no file".to_owned();
            self.complain(BAD_PATH, &text, message, "the path of a file");
            return None;
        }
        let path = beside(self.name, &text.text);
        Some((text, path))
    }

    pub(super) fn complain(&mut self, code: Code, text: &Text, message: String, expected: &str) {
        let found = Diagnostic::new(code, message, &text.origin, "found here");
        self.push(found.help(format!("expected {expected}")));
    }

    pub(super) fn push(&mut self, found: Diagnostic) {
        self.findings.push(found);
    }
}

pub(super) fn number(node: &Node, name: &str) -> Option<u32> {
    node.get_scalar(name)?.text.parse().ok()
}

pub(super) fn word<T>(node: &Node, name: &str, of: impl Fn(&str) -> Option<T>) -> Option<T> {
    of(&node.get_text(name)?.text)
}

fn account(word: &str) -> Option<Account> {
    match word {
        "every-frame" => Some(Account::EveryFrame),
        "candidates" => Some(Account::Candidates),
        _ => None,
    }
}

fn unparsed(word: &str) -> Option<Unparsed> {
    match word {
        "forward" => Some(Unparsed::Forward),
        "drop" => Some(Unparsed::Drop),
        _ => None,
    }
}

fn source(word: &str) -> Option<Source> {
    match word {
        "any" => Some(Source::Any),
        "known" => Some(Source::Known),
        _ => None,
    }
}

fn replies(section: Option<&Node>) -> ReplyRate {
    let given = |key| section.and_then(|section| number(section, key));
    let default = ReplyRate::default();
    ReplyRate {
        per_second: given("per-second").unwrap_or(default.per_second),
        burst: given("burst").unwrap_or(default.burst),
    }
}

fn is_run_name(name: &str) -> bool {
    let letters = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit())
    };
    name.len() <= NAME_BYTES && name.split('-').all(letters)
}
