//! Nothing is allocated from the frame to its verdict, nor from port to port, nor to make a frame.
#![expect(unsafe_code, reason = "only an allocator can count what is allocated")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use sekisho::io::CaptureReader;
use sekisho::io::port::{Arena, MemoryPort, Pool, Rounds};
use sekisho::limit::{Buckets, Moment};
use sekisho::loadgen::traffic::{Direction, Encapsulation, Generator, Hostile, Model, Network};
use sekisho::lpm::Readers;
use sekisho::policy::{Program, Tables, load};
use sekisho::stage::{Account, Burst, Facing, Settings, Source, Trail, Unparsed};
use sekisho::stats::{Reason, Tally, Verdict};
use sekisho::wire::{BURST, Frame, LinkType, Shape, TcpFlags, tcp_probe};
use sekisho::worker::{Assignment, Order, Post, ReplyRate, Report, TraceRoom, Worker};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::HashSet;
use std::hint::black_box;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts for each thread alone: what the test's runner does meanwhile is not ours.
struct Counting;

// SAFETY: `System` does all the work and keeps the contract. The count allocates nothing: it lies
// in thread-local memory that is initialised by a constant and has no destructor.
unsafe impl GlobalAlloc for Counting {
    // `alloc_zeroed` and `realloc` are left as they come: both call this.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps `alloc`'s contract, which is the same here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: every block was allocated by `System` above, with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` allocates.
fn allocations<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = ALLOCATIONS.get();
    let result = work();
    (ALLOCATIONS.get() - before, result)
}

/// Every frame of every golden case, whole and cut after each of its octets, in each direction: under
/// each policy of the project, and where the case has a policy of its own, under that.
#[test]
fn no_frame_allocates() {
    let (boxed, _) = allocations(|| black_box(Box::new(1_u8)));
    assert_eq!(boxed, 1, "the counter counts an allocation");
    let (grown, _) = allocations(|| black_box(vec![0_u8; 9]).resize(4096, 1));
    assert_eq!(grown, 2, "the counter counts a vector and its growth");

    let cases = files("pcaps", "in.pcap");
    let octets = cases.iter().flat_map(|case| read(case));
    let octets: Vec<Octets> = octets.chain(flood()).collect();
    let frames: Vec<Frame<'_>> = octets.iter().flat_map(Octets::at_every_length).collect();
    let mut seen = Seen::default();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/map-e-border.yaml");
    for policy in files("config", ".yaml") {
        let settings = [Settings::new(Account::Candidates), strictest(&shipped)];
        none_allocates(&frames, policy, settings, &mut seen);
    }
    for policy in files("pcaps", "policy.yaml") {
        let octets = read(&policy.with_file_name("in.pcap"));
        let frames: Vec<_> = octets.iter().flat_map(Octets::at_every_length).collect();
        let own = Some(policy.with_file_name("pipeline.yaml")).filter(|own| own.exists());
        let settings = [
            Settings::new(Account::EveryFrame),
            strictest(own.as_ref().unwrap_or(&shipped)),
        ];
        none_allocates(&frames, policy, settings, &mut seen);
    }
    seen.assert_all(frames.len());
}

fn none_allocates(frames: &[Frame<'_>], policy: PathBuf, settings: [Settings; 2], seen: &mut Seen) {
    let (tables, mut tally) = compile(policy);
    for facing in [Facing::Auto, Facing::Out, Facing::In] {
        for settings in settings.clone() {
            let mut burst = Burst::new(facing, settings);
            for frames in frames.chunks(BURST) {
                let (count, ()) = allocations(|| {
                    burst.run(frames, &tables, Moment::default());
                    burst.count(frames, &mut tally);
                });
                let trails: Vec<_> = burst.trails(frames, &tables).collect();
                let shapes: HashSet<_> = trails.iter().map(|t| t.packet.shape).collect();
                assert_eq!(count, 0, "facing {facing:?}, frames of {shapes:?}");
                seen.note(&trails);
            }
        }
    }
}

/// Every frame is counted, the tunnels of a pipeline are opened, strangers and what cannot be read are
/// dropped, and hardly a subscriber's rate can be remembered.
fn strictest(pipeline: &Path) -> Settings {
    let name = pipeline.display().to_string();
    let read = sekisho::control::pipeline::read(&name, std::fs::read(pipeline), &|_| Ok(()));
    Settings {
        account: Account::EveryFrame,
        unwrap: Arc::new(read.pipeline.unwrap().opens()),
        source: Source::Known,
        unparsed: Unparsed::Drop,
        buckets: Arc::new(Buckets::new(1)),
    }
}

/// Nor does a worker: whether it forwards, discards, finds no room, finds nothing to do, or other
/// tables.
#[test]
fn no_poll_allocates() {
    let network = Network::synthetic(&"dense-10k".parse().unwrap()).unwrap();
    let mut generator = Generator::new(&hostile_model(), &network, 2).unwrap();
    let frames = (0..10_000).map(|_| {
        let mut frame = Vec::new();
        generator.append_frame(&mut frame);
        frame
    });
    let arena = Arena::of(frames).unwrap();
    let (pool, none) = (Pool::new(&arena), Pool::default());
    let (post, mut orders) = Post::new(network.tables(), &Readers::new());
    let access = MemoryPort::new(&pool, Rounds::Once, 64);
    let uplink = MemoryPort::new(&none, Rounds::Once, 100).with_link(50);
    let mut worker = Worker::new(post, &Settings::new(Account::EveryFrame), access, uplink);
    let (mut received, mut done) = (0, 0);
    for poll in 0..200 {
        let order = match poll {
            50 => Some(Order::Trace(Some(TraceRoom::new(100)))),
            100 => Some(Order::Assign(Assignment::new(network.tables()))),
            120 => Some(Order::Report(Report::room(&network.tables().legend))),
            140 => Some(Order::Trace(None)),
            _ => None,
        };
        done += usize::from(orders.take_back().is_some());
        order.map_or(Ok(()), |order| orders.give(order)).unwrap();
        let (count, frames) = allocations(|| worker.poll_once());
        assert_eq!(count, 0, "at poll {poll} of {frames} frames");
        received += frames;
    }
    assert_eq!((received, done), (10_000, 4));
    let done = worker.finish();
    assert!(done.balance.holds(), "{}", done.balance);
    assert!(done.balance.discarded > 0 && done.tx_full.frames > 0);
}

/// Nor does one that answers what it rejects: at once, where nobody may be answered, above the rate,
/// and where the ring has no room or the pool nothing left.
#[test]
fn no_reply_allocates() {
    let folder = tempfile::tempdir().unwrap();
    let text = |answer: &str| {
        format!(
            "isp: a\ntime_zone: UTC\nreply-source: {{ ipv4: 192.0.2.254, ipv6: \"2001:db8::fe\" }}\n\
             plans: {{ home: {{ kind: dynamic }} }}\n\
             subscribers:\n  - {{ plan: home, prefixes: [198.51.100.0/25, 2001:db8:100::/48] }}\n\
             rules:\n  - {{ name: op25b, plans: [home], action: {{ reject: {answer} }} }}\n"
        )
    };
    let ends = [
        ["198.51.100.9", "203.0.113.25"],
        ["2001:db8:100::9", "2001:db8:e::25"],
    ];
    let probe = |number: u16| {
        let [from, to] = ends[usize::from(number % 2)].map(|end| end.parse().unwrap());
        let flags = if number.is_multiple_of(7) { "SR" } else { "S" };
        let flags = TcpFlags::from_letters(flags).unwrap();
        tcp_probe(from, to, number, 25, flags).unwrap()
    };
    let arena = Arena::of((1..=2_000).map(probe)).unwrap();
    for answer in ["icmp", "rst"] {
        let policy = folder.path().join(answer);
        std::fs::write(&policy, text(answer)).unwrap();
        let (tables, _) = compile(policy);
        let (pool, none) = (Pool::with_spares(&arena, 30), Pool::default());
        let (post, _) = Post::new(&tables, &Readers::new());
        let access = MemoryPort::new(&pool, Rounds::Once, 25).with_link(5);
        let uplink = MemoryPort::new(&none, Rounds::Once, 64);
        let rate = ReplyRate {
            per_second: 1,
            burst: 500,
        };
        let worker = Worker::new(post, &Settings::new(Account::Candidates), access, uplink);
        let mut worker = worker.with_replies(rate, 1);
        for poll in 0..50 {
            let (count, frames) = allocations(|| worker.poll_once());
            assert_eq!(count, 0, "at poll {poll} of {frames} frames");
        }
        let done = worker.finish();
        assert!(done.balance.holds(), "{}", done.balance);
        let replies = done.replies;
        let each = [replies.generated, replies.withheld, replies.impossible];
        assert!(each.iter().all(|count| *count > 0), "{replies}");
        assert!(done.tx_full.frames > 0 && done.balance.transmitted > 0);
    }
}

/// Nor does a generated one, where there is room for it.
#[test]
fn no_generated_frame_allocates() {
    let network = Network::synthetic(&"dense-10k".parse().unwrap()).unwrap();
    let mut generator = Generator::new(&hostile_model(), &network, 1).unwrap();
    let mut room = Vec::with_capacity(4 << 20);
    let (count, ()) = allocations(|| {
        for _ in 0..5_000 {
            generator.append_frame(&mut room);
        }
    });
    assert_eq!(count, 0, "for {} octets", room.len());
}

fn hostile_model() -> Model {
    let shares = |share| Hostile {
        spoofed: share,
        options: share,
        chain: share,
        tiny_fragments: share,
        four_tags: share,
        source_routed: share,
    };
    Model {
        zipf: Some(1.0),
        ipv6: 0.5,
        direction: Direction::Both,
        encapsulation: Encapsulation::Mixed,
        hostile: shares(0.1),
        ..Model::default()
    }
}

/// Which outcomes the frames had: the proof holds for those that occurred.
#[derive(Default)]
struct Seen {
    shapes: HashSet<Shape>,
    outcomes: HashSet<(Verdict, Reason)>,
}

impl Seen {
    fn note(&mut self, trails: &[Trail]) {
        for trail in trails {
            self.shapes.insert(trail.packet.shape);
            let decision = trail.decision;
            self.outcomes.insert((decision.verdict, decision.reason));
        }
    }

    fn assert_all(&self, frames: usize) {
        const SHAPES: usize = 11;
        assert!(frames > 10_000, "{frames} frames are few");
        assert_eq!(self.shapes.len(), SHAPES, "{:?}", self.shapes);
        for reason in Reason::ALL {
            let occurred = self.outcomes.iter().any(|(_, r)| r == reason);
            assert!(occurred, "no frame was decided as {reason}");
        }
        for reason in [
            Reason::Port25Syn,
            Reason::Port25Return,
            Reason::TinyFragment,
        ] {
            for verdict in [Verdict::Forward, Verdict::Drop] {
                let both = self.outcomes.contains(&(verdict, reason));
                assert!(both, "no {verdict} for {reason}");
            }
        }
    }
}

/// More subscribers under a rate than the smallest table remembers.
fn flood() -> impl Iterator<Item = Octets> {
    let campus = (0..64_u128).map(|line| (0x2001_0db8_6200 << 80 | line << 72).into());
    campus.map(|line: Ipv6Addr| {
        let peer = "2001:db8:ffff::25".parse().unwrap();
        let flags = TcpFlags(TcpFlags::SYN);
        let bytes = tcp_probe(line.into(), peer, 40_000, 25, flags).unwrap();
        let original_len = bytes.len() as u32;
        let frame = Frame {
            bytes: &[],
            original_len,
            link_type: LinkType::ETHERNET,
        };
        Octets { bytes, frame }
    })
}

/// A frame of a capture, kept.
struct Octets {
    bytes: Vec<u8>,
    frame: Frame<'static>,
}

impl Octets {
    /// The frame as captures with every snapshot length would hold it.
    fn at_every_length(&self) -> impl Iterator<Item = Frame<'_>> {
        (0..=self.bytes.len().min(192)).map(|len| Frame {
            bytes: self.bytes.get(..len).unwrap_or_default(),
            ..self.frame
        })
    }
}

fn read(capture: &Path) -> Vec<Octets> {
    let mut reader = CaptureReader::open(capture).unwrap();
    let mut kept = Vec::new();
    loop {
        let records = reader.read_burst().unwrap();
        if records.is_empty() {
            return kept;
        }
        kept.extend(records.iter().map(|record| Octets {
            bytes: record.frame.bytes.to_vec(),
            frame: Frame {
                bytes: &[],
                ..record.frame
            },
        }));
    }
}

fn compile(policy: PathBuf) -> (Arc<Tables>, Tally) {
    let name = policy.display().to_string();
    let as_of = "2026-07-01T00:00:00Z".parse().unwrap();
    let resolved = load(&[policy], as_of).resolved.expect(&name);
    let program = Program::compile(Arc::new(resolved)).expect(&name);
    let legend = program.legend();
    let counters = Tally::new(legend.rule_ids().len(), legend.plan_ids().len());
    (program.at(as_of).expect(&name).tables, counters)
}

/// The project's files below a folder whose names end so, in order.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
