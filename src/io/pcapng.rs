use super::bytes::{ByteOrder, Fields};
use super::{BlockFault, Found, Halt, MAX_CAPTURED_BYTES, Step};
use crate::wire::LinkType;

/// The type of the block that begins a section; reads the same in both byte orders.
pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;

const INTERFACE_DESCRIPTION: u32 = 1;
/// Obsolete, and still found in old files.
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// The largest block that is believed: what libpcap and Wireshark believe, too.
const MAX_BLOCK_BYTES: u32 = 16 * 1024 * 1024;

/// The most interfaces that a section may describe: they are kept, and a small file can be
/// unpacked to any number of them.
const MAX_INTERFACES: usize = 1 << 16;

/// The type and the two lengths of a block.
const FRAMING_BYTES: u32 = 12;

/// The body of a block begins behind its type and its first length.
const BODY_AT: usize = 8;

const END_OF_OPTIONS: u16 = 0;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;

/// A pcapng file: the section that is being read.
pub(super) struct PcapNg {
    order: ByteOrder,
    interfaces: Vec<Interface>,
}

struct Interface {
    link_type: LinkType,
    /// 0 for no limit.
    snap_len: u32,
    resolution: Resolution,
    offset_seconds: i64,
}

/// What one unit of an interface's time stamps is.
#[derive(Clone, Copy)]
enum Resolution {
    /// So many nanoseconds.
    Ns(u64),
    /// A nanosecond is so many units.
    UnitsPerNs(u64),
    /// A second is 2 to this power of units.
    Binary(u8),
}

/// The framing of a block is checked; its body is not.
struct Block<'a> {
    kind: u32,
    order: ByteOrder,
    /// What stands between the two lengths, padding included.
    body: &'a [u8],
    /// Bytes from block to block.
    total_bytes: usize,
    /// As the block itself has it.
    length: u32,
}

impl PcapNg {
    pub(super) fn new() -> Self {
        Self {
            // The first block, a section header, brings its own.
            order: ByteOrder::Little,
            interfaces: Vec::new(),
        }
    }

    /// A section, an interface, a packet, or something that is passed over: statistics, names,
    /// secrets, custom blocks and whatever else is not a frame.
    pub(super) fn step(&mut self, unread: &[u8]) -> Result<Step, Halt> {
        let block = Block::split_off(unread, self.order)?;
        let record = match block.kind {
            SECTION_HEADER => {
                block.check_version()?;
                self.order = block.order;
                self.interfaces.clear();
                return Ok(Step::Skip(block.total_bytes));
            }
            INTERFACE_DESCRIPTION if self.interfaces.len() == MAX_INTERFACES => {
                let most = MAX_INTERFACES;
                return Err(Halt::Block(BlockFault::TooManyInterfaces { most }));
            }
            INTERFACE_DESCRIPTION => {
                self.interfaces.push(Interface::read(&block)?);
                return Ok(Step::Skip(block.total_bytes));
            }
            ENHANCED_PACKET => self.enhanced_packet(&block)?,
            SIMPLE_PACKET => self.simple_packet(&block)?,
            PACKET => self.packet(&block)?,
            _ => return Ok(Step::Skip(block.total_bytes)),
        };
        Ok(Step::Record(record, block.total_bytes))
    }

    fn enhanced_packet(&self, block: &Block<'_>) -> Result<Found, Halt> {
        let mut fields = block.fields();
        let interface = fields.u32().ok_or_else(|| block.too_short(32))?;
        let interface = self.interface(interface)?;
        timed_packet(block, fields, interface).ok_or_else(|| block.too_short(32))?
    }

    fn packet(&self, block: &Block<'_>) -> Result<Found, Halt> {
        let mut fields = block.fields();
        let (Some(interface), Some(_drops)) = (fields.u16(), fields.u16()) else {
            return Err(block.too_short(32));
        };
        let interface = self.interface(u32::from(interface))?;
        timed_packet(block, fields, interface).ok_or_else(|| block.too_short(32))?
    }

    /// A simple packet is of the section's first interface and has no captured length of its own.
    fn simple_packet(&self, block: &Block<'_>) -> Result<Found, Halt> {
        let mut fields = block.fields();
        let original = fields.u32().ok_or_else(|| block.too_short(16))?;
        let interface = self.interface(0)?;
        let captured = match interface.snap_len {
            0 => original,
            snap_len => original.min(snap_len),
        };
        let start = block.start_of(&fields, captured)?;
        Ok(interface.found(start, [captured, original], None))
    }

    fn interface(&self, id: u32) -> Result<&Interface, Halt> {
        let found = usize::try_from(id)
            .ok()
            .and_then(|i| self.interfaces.get(i));
        found.ok_or(Halt::Block(BlockFault::UnknownInterface {
            interface: id,
            described: self.interfaces.len(),
        }))
    }
}

/// What an enhanced and an obsolete packet have alike: time, lengths, bytes. `None` if the block
/// ends before its fixed part does.
fn timed_packet(
    block: &Block<'_>,
    mut fields: Fields<'_>,
    interface: &Interface,
) -> Option<Result<Found, Halt>> {
    let (high, low) = (fields.u32()?, fields.u32()?);
    let (captured, original) = (fields.u32()?, fields.u32()?);
    let time = u64::from(high) << 32 | u64::from(low);
    let start = block.start_of(&fields, captured);
    Some(start.map(|start| interface.found(start, [captured, original], Some(time))))
}

impl<'a> Block<'a> {
    /// Takes the block off the front of `unread`.
    fn split_off(unread: &'a [u8], section_order: ByteOrder) -> Result<Self, Halt> {
        let Some(framing) = unread.get(..FRAMING_BYTES as usize) else {
            return Err(Halt::More(FRAMING_BYTES as usize));
        };
        let order = if framing.starts_with(&SECTION_HEADER.to_be_bytes()) {
            section_byte_order(framing)?
        } else {
            section_order
        };
        let mut fields = Fields::new(unread, order);
        let (Some(kind), Some(length)) = (fields.u32(), fields.u32()) else {
            return Err(Halt::More(FRAMING_BYTES as usize));
        };
        if length < FRAMING_BYTES {
            let least = FRAMING_BYTES;
            return Err(Halt::Block(BlockFault::TooShort { length, least }));
        }
        if length > MAX_BLOCK_BYTES {
            let most = MAX_BLOCK_BYTES;
            return Err(Halt::Block(BlockFault::TooLong { length, most }));
        }
        // Lengths are multiples of 4. An old writer leaves the padding out of its count, but not
        // out of the file: the second length tells that it is so.
        let total_bytes = length.next_multiple_of(4) as usize;
        let body_bytes = total_bytes - FRAMING_BYTES as usize;
        let (Some(body), Some(last)) = (fields.bytes(body_bytes), fields.u32()) else {
            return Err(Halt::More(total_bytes));
        };
        if last != length {
            let first = length;
            return Err(Halt::Block(BlockFault::LengthsDiffer { first, last }));
        }
        Ok(Self {
            kind,
            order,
            body,
            total_bytes,
            length,
        })
    }

    fn fields(&self) -> Fields<'a> {
        Fields::new(self.body, self.order)
    }

    fn check_version(&self) -> Result<(), Halt> {
        let mut fields = self.fields();
        fields.u32();
        let (Some(major), Some(minor), Some(_section_length)) =
            (fields.u16(), fields.u16(), fields.i64())
        else {
            return Err(self.too_short(28));
        };
        match (major, minor) {
            (1, 0 | 2) => Ok(()),
            _ => Err(Halt::Block(BlockFault::Version { major, minor })),
        }
    }

    /// Where, in the block, so many captured bytes begin that are next in its fields.
    fn start_of(&self, fields: &Fields<'_>, captured: u32) -> Result<u32, Halt> {
        let held = fields.rest().len();
        if captured > MAX_CAPTURED_BYTES {
            Err(Halt::AbsurdLength(captured))
        } else if captured as usize > held {
            let fault = BlockFault::CapturedBeyondBlock { captured, held };
            Err(Halt::Block(fault))
        } else {
            // A block is not larger than `MAX_BLOCK_BYTES`.
            Ok((BODY_AT + self.body.len() - held) as u32)
        }
    }

    fn too_short(&self, least: u32) -> Halt {
        let length = self.length;
        Halt::Block(BlockFault::TooShort { length, least })
    }
}

/// The byte order of a section, from the first bytes of its header.
fn section_byte_order(framing: &[u8]) -> Result<ByteOrder, Halt> {
    let magic = framing.last_chunk().copied().unwrap_or_default();
    match u32::from_le_bytes(magic) {
        BYTE_ORDER_MAGIC => Ok(ByteOrder::Little),
        magic if magic.swap_bytes() == BYTE_ORDER_MAGIC => Ok(ByteOrder::Big),
        magic => Err(Halt::Block(BlockFault::ByteOrder { magic })),
    }
}

impl Interface {
    fn read(block: &Block<'_>) -> Result<Self, Halt> {
        let mut fields = block.fields();
        let (Some(link_type), Some(_reserved), Some(snap_len)) =
            (fields.u16(), fields.u16(), fields.u32())
        else {
            return Err(block.too_short(20));
        };
        let mut interface = Self {
            link_type: LinkType(link_type),
            snap_len,
            resolution: Resolution::Ns(1_000),
            offset_seconds: 0,
        };
        while let Some((code, value)) = next_option(&mut fields) {
            let mut value = Fields::new(value, block.order);
            match code {
                IF_TSRESOL => {
                    if let Some([resolution]) = value.bytes(1) {
                        interface.resolution = Resolution::read(*resolution);
                    }
                }
                IF_TSOFFSET => interface.offset_seconds = value.i64().unwrap_or_default(),
                _ => {}
            }
        }
        Ok(interface)
    }

    #[inline]
    fn found(&self, start: u32, [captured, original]: [u32; 2], time: Option<u64>) -> Found {
        Found {
            start,
            captured,
            original_len: original.max(captured),
            link_type: self.link_type,
            timestamp_ns: time.map(|units| self.timestamp_ns(units)),
        }
    }

    fn timestamp_ns(&self, units: u64) -> i64 {
        let ns = self.resolution.ns(units) + i128::from(self.offset_seconds) * 1_000_000_000;
        // The clamp makes the cast exact.
        ns.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }
}

/// Code and value of the next option, until the end of options or something that is none.
fn next_option<'a>(fields: &mut Fields<'a>) -> Option<(u16, &'a [u8])> {
    let (code, len) = (fields.u16()?, fields.u16()?);
    if code == END_OF_OPTIONS {
        return None;
    }
    let padded = fields.bytes(usize::from(len).next_multiple_of(4))?;
    Some((code, padded.get(..usize::from(len))?))
}

impl Resolution {
    /// As the option if_tsresol has it: a power of 10, or with the top bit set of 2.
    fn read(option: u8) -> Self {
        match option {
            0..=9 => Self::Ns(10_u64.pow(9 - u32::from(option))),
            10..=0x7f => {
                // Where this overflows, the whole range of time stamps is below a nanosecond.
                let units = 10_u64.checked_pow(u32::from(option) - 9);
                Self::UnitsPerNs(units.unwrap_or(u64::MAX))
            }
            0x80.. => Self::Binary(option & 0x7f),
        }
    }

    fn ns(self, units: u64) -> i128 {
        let units = i128::from(units);
        match self {
            Self::Ns(ns) => units * i128::from(ns),
            Self::UnitsPerNs(per_ns) => units / i128::from(per_ns),
            Self::Binary(power) => (units * 1_000_000_000) >> power,
        }
    }
}
