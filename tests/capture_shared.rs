//! Real captures of the shared folder, against the packet counts that three other readers agree
//! on. The folder is not part of the project; the environment variable `SEKISHO_SHARED` names it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]
#![allow(clippy::print_stdout, reason = "says what was compared")]

use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};
use sekisho::io::{CaptureReader, Record};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Whole records that the reader hands out, and what stopped it.
fn count(path: &Path) -> (u64, Option<String>) {
    let mut reader = match CaptureReader::open(path) {
        Ok(reader) => reader,
        Err(error) => return (0, Some(error.to_string())),
    };
    let mut records = 0;
    loop {
        match reader.read_burst() {
            Ok(burst) if burst.is_empty() => return (records, None),
            Ok(burst) => records += burst.len() as u64,
            Err(error) => return (records, Some(error.to_string())),
        }
    }
}

/// Packets by file, of those that the other readers do not dispute.
fn expected(pcaps: &Path) -> BTreeMap<PathBuf, u64> {
    let json = std::fs::read_to_string(pcaps.join("expected.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let real = json["files"].as_object().unwrap().iter();
    let real = real.filter_map(|(name, says)| {
        let packets = says["best"]["packets"].as_u64()?;
        Some((pcaps.join("captures").join(name), packets))
    });
    let derived = std::fs::read_to_string(pcaps.join("derived/derived.tsv")).unwrap();
    let derived = derived.lines().skip(1).map(|line| {
        let mut columns = line.split('\t');
        let file = pcaps.join("derived/captures").join(columns.next().unwrap());
        (file, columns.next().unwrap().parse().unwrap())
    });
    real.chain(derived).collect()
}

/// Captured bytes and original length.
type Packet = (Vec<u8>, u32);

/// The packets that we see before the end or a fault.
fn packets(path: &Path) -> Vec<Packet> {
    let packet = |record: &Record<'_>| (record.frame.bytes.to_vec(), record.frame.original_len);
    let mut packets = Vec::new();
    if let Ok(mut reader) = CaptureReader::open(path) {
        while let Ok(burst) = reader.read_burst()
            && !burst.is_empty()
        {
            packets.extend(burst.iter().map(packet));
        }
    }
    packets
}

/// The packets that pcap-parser sees before the end or a fault. It reads nothing compressed, no
/// obsolete packet blocks, and no lengths the other way round.
fn packets_by_pcap_parser(path: &Path) -> Vec<Packet> {
    let mut packets = Vec::new();
    let Ok(mut reader) = create_reader(1 << 20, File::open(path).unwrap()) else {
        return packets;
    };
    loop {
        let (consumed, block) = match reader.next() {
            Ok(next) => next,
            Err(PcapError::Incomplete(_)) => {
                reader.refill().unwrap();
                continue;
            }
            Err(_) => return packets,
        };
        match block {
            PcapBlockOwned::Legacy(record) => {
                packets.push((record.data.to_vec(), record.origlen.max(record.caplen)));
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let len = packet.origlen.max(packet.caplen);
                packets.push((packet.packet_data().to_vec(), len));
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                packets.push((packet.packet_data().to_vec(), packet.origlen));
            }
            _ => {}
        }
        reader.consume(consumed);
    }
}

#[test]
fn every_real_capture_has_the_bytes_that_another_reader_sees() {
    let Some(shared) = std::env::var_os("SEKISHO_SHARED") else {
        println!("no real captures compared: SEKISHO_SHARED=FOLDER was not given");
        return;
    };
    let mut compared = 0;
    let mut differences = Vec::new();
    for folder in ["pcaps/captures", "pcaps/derived/captures"] {
        for entry in std::fs::read_dir(Path::new(&shared).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let (ours, theirs) = (packets(&path), packets_by_pcap_parser(&path));
            // What it cannot read, it reads nothing of.
            if theirs.is_empty() || ours == theirs {
                compared += theirs.len();
            } else {
                let (ours, theirs) = (ours.len(), theirs.len());
                differences.push(format!("{}: {ours}, {theirs}", path.display()));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(compared > 0);
    println!("{compared} records compared byte by byte with pcap-parser");
}

#[test]
fn every_real_capture_has_the_packets_that_other_readers_see() {
    let Some(shared) = std::env::var_os("SEKISHO_SHARED") else {
        println!("no real captures compared: SEKISHO_SHARED=FOLDER was not given");
        return;
    };
    let expected = expected(&Path::new(&shared).join("pcaps"));
    assert!(!expected.is_empty());
    let mut differences = Vec::new();
    for (path, packets) in &expected {
        let (records, stopped) = count(path);
        if records != *packets {
            let path = path.display();
            differences.push(format!("{path}: {records}, not {packets}; {stopped:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let records: u64 = expected.values().sum();
    println!("{} captures, {records} records compared", expected.len());
}
