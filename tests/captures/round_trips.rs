//! Whatever the frames, and however they arrive: what was written is what is read, by this
//! project's reader and by another.

use super::build::*;
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};
use proptest::collection::vec;
use proptest::prelude::*;
use sekisho::io::CaptureWriter;
use sekisho::wire::LinkType;
use std::io::Cursor;

/// Frames of one link type, with microsecond times that every format can hold.
fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let micros = 0..u64::from(u32::MAX) * 1_000_000;
    let frame = (vec(any::<u8>(), 0..200), 0..2000_u32, micros);
    (vec(frame, 0..200), any::<u16>()).prop_map(|(frames, link_type)| {
        let sample = |(bytes, beyond, micros): (Vec<u8>, u32, u64)| Sample {
            original_len: bytes.len() as u32 + beyond,
            bytes,
            link_type,
            timestamp_ns: Some(micros as i64 * 1_000),
        };
        frames.into_iter().map(sample).collect()
    })
}

fn read_sizes() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        Just(vec![usize::MAX]),
        vec(1..40_usize, 1..5),
        vec(1..3000_usize, 1..5),
    ]
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Little), Just(Big)]
}

fn micros(sample: &Sample) -> u64 {
    sample.timestamp_ns.unwrap() as u64 / 1_000
}

/// What pcap-parser reads of a file without a fault: bytes, original length, nanoseconds.
fn read_by_pcap_parser(file: &[u8]) -> Vec<(Vec<u8>, u32, i64)> {
    let mut reader = create_reader(1 << 20, Cursor::new(file.to_vec())).unwrap();
    let mut frames = Vec::new();
    let mut ns_per_unit = 1_000;
    loop {
        let consumed = match reader.next() {
            Ok((consumed, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) if header.is_nanosecond_precision() => {
                        ns_per_unit = 1;
                    }
                    PcapBlockOwned::Legacy(record) => {
                        let ns = i64::from(record.ts_sec) * 1_000_000_000
                            + i64::from(record.ts_usec) * ns_per_unit;
                        frames.push((record.data.to_vec(), record.origlen, ns));
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let (seconds, micros) = packet.decode_ts(0, 1_000_000);
                        let ns = i64::from(seconds) * 1_000_000_000 + i64::from(micros) * 1_000;
                        frames.push((packet.packet_data().to_vec(), packet.origlen, ns));
                    }
                    _ => {}
                }
                consumed
            }
            Err(PcapError::Incomplete(_)) => {
                reader.refill().unwrap();
                continue;
            }
            Err(PcapError::Eof) => return frames,
            Err(error) => panic!("{error:?}"),
        };
        reader.consume(consumed);
    }
}

fn without_link_type(samples: &[Sample]) -> Vec<(Vec<u8>, u32, i64)> {
    let fields = |s: &Sample| (s.bytes.clone(), s.original_len, s.timestamp_ns.unwrap());
    samples.iter().map(fields).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pcap_of_every_flavour_is_read_as_it_was_written(
        samples in samples(),
        order in order(),
        magic in prop_oneof![Just(MICROSECONDS), Just(NANOSECONDS), Just(MODIFIED)],
        sizes in read_sizes(),
    ) {
        let file = pcap(order, magic, &samples);
        let (read, stopped) = read_all(Trickle::new(file, sizes));
        prop_assert_eq!(stopped, None);
        prop_assert_eq!(read, samples);
    }

    #[test]
    fn pcapng_is_read_as_it_was_written_and_as_another_reader_reads_it(
        sections in vec((order(), samples()), 1..4),
        sizes in read_sizes(),
    ) {
        let mut file = Vec::new();
        for (order, samples) in &sections {
            file.extend(section(*order));
            file.extend(interface(*order, samples.first().map_or(0, |s| s.link_type), 0, &[]));
            let packets = samples.iter().map(|s| enhanced(*order, 0, micros(s), s));
            file.extend(packets.flatten());
        }
        let samples: Vec<_> = sections.into_iter().flat_map(|(_, samples)| samples).collect();
        let (read, stopped) = read_all(Trickle::new(file.clone(), sizes));
        prop_assert_eq!(stopped, None);
        prop_assert_eq!(&read, &samples);
        prop_assert_eq!(read_by_pcap_parser(&file), without_link_type(&samples));
    }

    #[test]
    fn what_the_writer_writes_both_readers_read(
        samples in samples(),
        nanoseconds in 0..1_000_i64,
        sizes in read_sizes(),
    ) {
        let mut samples = samples;
        for time in samples.iter_mut().filter_map(|sample| sample.timestamp_ns.as_mut()) {
            *time += nanoseconds;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.pcap");
        let mut writer = CaptureWriter::create(&path).unwrap();
        for sample in &samples {
            writer.write(&sample.record()).unwrap();
        }
        prop_assert_eq!(writer.finish(LinkType::ETHERNET).unwrap(), samples.len() as u64);
        let file = std::fs::read(&path).unwrap();
        prop_assert_eq!(read_by_pcap_parser(&file), without_link_type(&samples));
        let (read, stopped) = read_all(Trickle::new(file, sizes));
        prop_assert_eq!(stopped, None);
        prop_assert_eq!(read, samples);
    }

    /// Cutting anywhere costs only the records that are not whole.
    #[test]
    fn a_cut_capture_gives_every_whole_record(
        samples in samples(),
        order in order(),
        cut in any::<prop::sample::Index>(),
        sizes in read_sizes(),
    ) {
        let mut file = pcap(order, MICROSECONDS, &samples);
        let len = 24 + cut.index(file.len() - 23);
        file.truncate(len);
        let mut whole = 0;
        let mut end = 24;
        for sample in &samples {
            let next = end + 16 + sample.bytes.len();
            if next > len {
                break;
            }
            (whole, end) = (whole + 1, next);
        }
        let (read, stopped) = read_all(Trickle::new(file, sizes));
        prop_assert_eq!(read, &samples[..whole]);
        prop_assert_eq!(stopped.is_some(), end < len);
    }
}
