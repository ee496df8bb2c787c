//! Classic capture files, written without the product's own writer.

/// One record of a capture.
pub(crate) struct Record {
    /// Since 1970, UTC.
    pub(crate) time_ns: u64,
    /// What the capture holds.
    pub(crate) bytes: Vec<u8>,
    /// What was on the wire.
    pub(crate) original_octets: usize,
}

/// How a file writes its time stamps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamps {
    Microseconds,
    Nanoseconds,
}

/// A whole file, little-endian.
pub(crate) fn file<'a>(
    link_type: u32,
    stamps: Stamps,
    records: impl IntoIterator<Item = &'a Record>,
) -> Vec<u8> {
    let (magic, fraction_ns) = match stamps {
        Stamps::Microseconds => (0xa1b2_c3d4_u32, 1_000),
        Stamps::Nanoseconds => (0xa1b2_3c4d, 1),
    };
    // Magic, version 2.4, zone and accuracy (always zero), snapshot length, link type.
    let header = [magic, 0x0004_0002, 0, 0, SNAP_OCTETS, link_type];
    let mut file: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    for record in records {
        let seconds = u32::try_from(record.time_ns / 1_000_000_000).expect("before 2106");
        let fraction = u32::try_from(record.time_ns % 1_000_000_000).expect("a fraction");
        let captured = u32::try_from(record.bytes.len()).expect("a frame");
        let original = u32::try_from(record.original_octets).expect("a frame");
        let words = [seconds, fraction / fraction_ns, captured, original];
        file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        file.extend(&record.bytes);
    }
    file
}

const SNAP_OCTETS: u32 = 262_144;
