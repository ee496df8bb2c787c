use super::{ArenaError, Device, DeviceError, DeviceFault, Frames, Lane, Link, Loss, Port, Work};
use crate::io::{CaptureError, CaptureReader, CaptureWriter, OutputError, Record};
use crate::wire::{AsFrame, BURST, Frame, LinkType};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Frames of one capture that may be on their way at once.
const BUFFERS: usize = 16 * BURST;

/// What a port of captures receives, and where it writes what it sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureFiles {
    /// The capture whose frames come; without one, none do.
    pub read: Option<PathBuf>,
    /// Which of its frames come: a capture of a link has both directions.
    pub senders: Senders,
    /// The capture that is written; without one, what is sent is gone.
    pub write: Option<PathBuf>,
}

/// Whose frames a port receives, by the address that Ethernet says a frame is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Senders {
    /// Everybody's.
    #[default]
    All,
    /// Of one.
    Only([u8; 6]),
    /// Of everybody else.
    AllBut([u8; 6]),
}

/// A frame of a capture, with the time at which it was seen there.
#[derive(Debug)]
pub struct CaptureFrame(Rc<Buffer>);

#[derive(Debug, Default)]
struct Buffer {
    octets: Vec<u8>,
    timestamp_ns: Option<i64>,
}

/// A port that receives the frames of a capture in their order, and writes what it sends to another
/// one, each frame with its time stamp.
///
/// A capture may be larger than memory: it is read a stretch at a time, into buffers that go round.
/// A frame whose buffer is still out is waited for. What cannot be read or written ends the port: it
/// receives and sends nothing any more, and [`Captures`] says so.
#[derive(Debug)]
pub struct CapturePort {
    /// Where frames come from, until that is over.
    input: Option<CaptureReader>,
    /// What errors call it.
    file: String,
    /// Of it, so far.
    records: usize,
    senders: Senders,
    /// A buffer that nobody else has is at home.
    buffers: Box<[Rc<Buffer>]>,
    /// The one that the next frame comes into.
    next: usize,
    /// When the last record was seen that was read: the time at which a frame is composed.
    now_ns: Option<i64>,
    output: Output,
    transmitted: u64,
    side: Arc<Side>,
}

#[derive(Debug)]
enum Output {
    /// What is sent is gone.
    Nowhere,
    To(CaptureWriter),
    /// It could not be written.
    Failed,
}

/// What others see of a port.
#[derive(Debug, Default)]
struct Side {
    /// Whether no frame will come any more.
    ended: AtomicBool,
    /// Whether there is a fault.
    failed: AtomicBool,
    faults: Mutex<Vec<DeviceError>>,
}

/// The two ports of captures.
#[derive(Debug)]
pub struct CaptureLane {
    access: Opened,
    network: Opened,
}

/// What a port is made of, on the thread that it belongs to.
#[derive(Debug)]
struct Opened {
    input: Option<CaptureReader>,
    senders: Senders,
    output: Option<CaptureWriter>,
    side: Arc<Side>,
}

/// How far a [`CaptureLane`] is, for whoever waits for it.
#[derive(Clone, Debug)]
pub struct Captures([Arc<Side>; 2]);

/// A side of captures as a device: it has no link and loses nothing by itself.
#[derive(Clone, Debug)]
pub struct CaptureDevice(String);

impl CaptureLane {
    /// Opens what is read, and begins what is written.
    ///
    /// # Errors
    /// A capture cannot be opened, or is none; a file cannot be written.
    pub fn open(
        access: &CaptureFiles,
        network: &CaptureFiles,
    ) -> Result<(Self, Captures), DeviceError> {
        let (access, network) = (Opened::new(access)?, Opened::new(network)?);
        let sides = [&access, &network].map(|opened| Arc::clone(&opened.side));
        Ok((Self { access, network }, Captures(sides)))
    }
}

impl Lane for CaptureLane {
    /// The captures that are written appear when the work is done.
    fn serve<W: Work>(self, work: W) -> W::Output {
        let mut access = CapturePort::new(self.access);
        let mut network = CapturePort::new(self.network);
        let gave = work.work(&mut access, &mut network);
        access.finish();
        network.finish();
        gave
    }
}

impl Captures {
    /// Whether there is nothing more to do: both sides have received all that there is, and whoever
    /// received it has been back for more; or one of them cannot go on.
    pub fn are_over(&self) -> bool {
        let set = |flag: &AtomicBool| flag.load(Ordering::Acquire);
        self.0.iter().all(|side| set(&side.ended)) || self.0.iter().any(|side| set(&side.failed))
    }

    /// What could not be read or written; it is complete once the lane was served.
    pub fn faults(&self) -> Vec<DeviceError> {
        let of = |side: &Arc<Side>| side.faults().clone();
        self.0.iter().flat_map(of).collect()
    }
}

impl Side {
    fn faults(&self) -> MutexGuard<'_, Vec<DeviceError>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    fn fail(&self, fault: DeviceError) {
        self.faults().push(fault);
        self.failed.store(true, Ordering::Release);
    }
}

impl Opened {
    fn new(files: &CaptureFiles) -> Result<Self, DeviceError> {
        let open = |path: &PathBuf| CaptureReader::open(path).map_err(|error| unread(&error));
        let create =
            |path: &PathBuf| CaptureWriter::create(path).map_err(|error| unwritten(&error));
        Ok(Self {
            input: files.read.as_ref().map(open).transpose()?,
            senders: files.senders,
            output: files.write.as_ref().map(create).transpose()?,
            side: Arc::default(),
        })
    }
}

impl Senders {
    /// Whether a frame is from one of them; what is too short to say so is from nobody.
    fn include(self, octets: &[u8]) -> bool {
        let from = |address: [u8; 6]| octets.get(6..12) == Some(&address[..]);
        match self {
            Self::All => true,
            Self::Only(address) => from(address),
            Self::AllBut(address) => !from(address),
        }
    }
}

impl CapturePort {
    fn new(opened: Opened) -> Self {
        let Opened {
            input,
            senders,
            output,
            side,
        } = opened;
        // A port that receives nothing composes frames all the same.
        let buffers = if input.is_some() { BUFFERS } else { BURST };
        side.ended.store(input.is_none(), Ordering::Release);
        Self {
            file: input.as_ref().map_or("", CaptureReader::name).to_owned(),
            input,
            records: 0,
            senders,
            buffers: (0..buffers).map(|_| Rc::default()).collect(),
            next: 0,
            now_ns: None,
            output: output.map_or(Output::Nowhere, Output::To),
            transmitted: 0,
            side,
        }
    }

    /// Gives what was written its name.
    fn finish(self) {
        if let Output::To(writer) = self.output
            && let Err(error) = writer.finish(LinkType::ETHERNET)
        {
            self.side.fail(unwritten(&error));
        }
    }

    /// How many buffers are at home from the next one on, at most so many.
    fn at_home(&self, most: usize) -> usize {
        let behind = self.buffers.iter().skip(self.next);
        let coming = behind.chain(self.buffers.iter().take(self.next));
        coming
            .take(most)
            .take_while(|buffer| Rc::strong_count(buffer) == 1)
            .count()
    }

    /// Copies what comes of the next records, at most so many, into buffers that are at home; says
    /// how many there were: none at the end.
    fn read(
        &mut self,
        most: usize,
        frames: &mut Frames<CaptureFrame>,
    ) -> Result<usize, ArenaError> {
        let Some(input) = &mut self.input else {
            return Ok(0);
        };
        let records = input.read_at_most(most)?;
        for record in &records {
            self.records += 1;
            if let Some(unfit) = ArenaError::unfit(&self.file, self.records, &record.frame) {
                return Err(unfit);
            }
            if !self.senders.include(record.frame.bytes) {
                continue;
            }
            self.now_ns = record.timestamp_ns;
            frames.extend(fill(
                &mut self.buffers,
                &mut self.next,
                record.frame.bytes,
                record.timestamp_ns,
            ));
        }
        Ok(records.len())
    }

    fn write(&mut self, frame: &CaptureFrame) -> bool {
        let Output::To(writer) = &mut self.output else {
            return matches!(self.output, Output::Nowhere);
        };
        let record = Record {
            frame: frame.as_frame(),
            timestamp_ns: frame.0.timestamp_ns,
        };
        let written = writer.write(&record);
        if let Err(error) = &written {
            self.side.fail(unwritten(error));
            self.output = Output::Failed;
        }
        written.is_ok()
    }
}

/// Copies a frame into the next buffer, if that is at home.
fn fill(
    buffers: &mut [Rc<Buffer>],
    next: &mut usize,
    octets: &[u8],
    timestamp_ns: Option<i64>,
) -> Option<CaptureFrame> {
    let round = buffers.len();
    let home = buffers.get_mut(*next)?;
    let buffer = Rc::get_mut(home)?;
    buffer.octets.clear();
    buffer.octets.extend_from_slice(octets);
    buffer.timestamp_ns = timestamp_ns;
    *next = (*next + 1) % round;
    Some(CaptureFrame(Rc::clone(home)))
}

impl Port for CapturePort {
    type Frame = CaptureFrame;

    fn rx_burst(&mut self, frames: &mut Frames<CaptureFrame>) -> usize {
        let before = frames.len();
        let most = self.at_home(frames.remaining_capacity());
        if most == 0 {
            return 0;
        }
        match self.read(most, frames) {
            Ok(0) => {
                self.input = None;
                self.side.ended.store(true, Ordering::Release);
            }
            Ok(_) => {}
            Err(error) => {
                self.input = None;
                self.side.fail(unfit(&error));
            }
        }
        frames.len() - before
    }

    fn tx_burst(&mut self, frames: &mut Frames<CaptureFrame>) -> usize {
        let taken = frames.iter().take_while(|frame| self.write(frame)).count();
        frames.drain(..taken);
        self.transmitted += taken as u64;
        taken
    }

    fn compose(&mut self, octets: &[u8]) -> Option<CaptureFrame> {
        fill(&mut self.buffers, &mut self.next, octets, self.now_ns)
    }

    /// Nothing waits here: what is sent is written at once.
    fn reap(&mut self) -> usize {
        0
    }

    fn transmitted(&self) -> u64 {
        self.transmitted
    }

    fn held(&self) -> u64 {
        let out = |buffer: &&Rc<Buffer>| Rc::strong_count(buffer) > 1;
        self.buffers.iter().filter(out).count() as u64
    }
}

impl AsFrame for CaptureFrame {
    #[inline]
    fn as_frame(&self) -> Frame<'_> {
        let octets = &self.0.octets;
        Frame {
            bytes: octets,
            // A record holds 256 KiB at most.
            original_len: octets.len() as u32,
            link_type: LinkType::ETHERNET,
        }
    }
}

impl CaptureDevice {
    /// By this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

impl Device for CaptureDevice {
    fn name(&self) -> &str {
        &self.0
    }

    fn link(&mut self) -> Link {
        Link::Up
    }

    fn set_link(&mut self, _: bool) -> Result<(), DeviceError> {
        let message = format!("{}: a capture has no link", self.0);
        Err(DeviceError::new(DeviceFault::Shape, message))
    }

    fn losses(&mut self) -> Vec<Loss> {
        Vec::new()
    }
}

fn unread(error: &CaptureError) -> DeviceError {
    let fault = match error {
        CaptureError::Open { cause, .. } => of_kind(cause),
        _ => DeviceFault::Shape,
    };
    DeviceError::new(fault, error.to_string())
}

fn unfit(error: &ArenaError) -> DeviceError {
    DeviceError::new(DeviceFault::Shape, error.to_string())
}

fn unwritten(error: &OutputError) -> DeviceError {
    let fault = match error {
        OutputError::Write { cause, .. } => of_kind(cause),
        _ => DeviceFault::Shape,
    };
    DeviceError::new(fault, error.to_string())
}

fn of_kind(cause: &io::Error) -> DeviceFault {
    match cause.kind() {
        io::ErrorKind::NotFound => DeviceFault::Missing,
        io::ErrorKind::PermissionDenied => DeviceFault::Permission,
        _ => DeviceFault::System,
    }
}
