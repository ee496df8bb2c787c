//! One broken capture for each way to break, with the exact message.

use super::build::*;
use insta::assert_snapshot;
use sekisho::io::CaptureReader;
use std::io::{self, Read};
use std::path::Path;

/// The message that stops the reader after `whole` records, none lost and none made up.
fn fault_after(whole: usize, file: Vec<u8>) -> String {
    let (samples, stopped) = read_all(io::Cursor::new(file.clone()));
    assert_eq!(samples.len(), whole);
    let trickle = || Trickle::new(file.clone(), vec![1, 7, 30]);
    for (again, stopped_again) in [read_all(trickle()), read_all_ahead(trickle())] {
        assert_eq!((&again, &stopped_again), (&samples, &stopped));
    }
    stopped.expect("a fault")
}

fn two_records() -> Vec<u8> {
    let samples = [Sample::ethernet(60, 1), Sample::ethernet(60, 2)];
    pcap(Little, MICROSECONDS, &samples)
}

/// A section, an Ethernet interface, one packet: 120 bytes.
fn one_packet() -> Vec<u8> {
    let mut file = section(Little);
    file.extend(interface(Little, 1, 0, &[]));
    file.extend(enhanced(Little, 0, 0, &Sample::ethernet(40, 0)));
    assert_eq!(file.len(), 120);
    file
}

fn one_packet_and(block: Vec<u8>) -> Vec<u8> {
    let mut file = one_packet();
    file.extend(block);
    file
}

#[test]
fn no_such_file() {
    let error = CaptureReader::open(Path::new("no/such.pcap")).unwrap_err();
    assert_snapshot!(error, @"no/such.pcap: cannot be opened: No such file or directory (os error 2)");
}

#[test]
fn a_folder() {
    let error = CaptureReader::open(Path::new("tests")).unwrap_err();
    assert_snapshot!(error, @"tests: cannot be opened: is a directory");
}

#[test]
fn nothing_at_all() {
    assert_snapshot!(fault_after(0, vec![]), @"x.pcap: is empty, where a capture has a file header");
}

#[test]
fn something_else() {
    assert_snapshot!(fault_after(0, b"PK\x03\x04 a zip file".to_vec()), @"x.pcap: is no capture: it begins with 50 4b 03 04, and neither as pcap nor as pcapng (plain, or in gzip, zstd or lz4)");
}

#[test]
fn something_short() {
    assert_snapshot!(fault_after(0, b"\n".to_vec()), @"x.pcap: is no capture: it begins with 0a, and neither as pcap nor as pcapng (plain, or in gzip, zstd or lz4)");
}

#[test]
fn file_header_cut() {
    let header = two_records()[..23].to_vec();
    assert_snapshot!(fault_after(0, header), @"x.pcap: the file header is cut: it takes 24 bytes, and 23 are there");
}

#[test]
fn unknown_pcap_version() {
    let mut file = two_records();
    file[4] = 3;
    assert_snapshot!(fault_after(0, file), @"x.pcap: is pcap version 3.4, where only 2.x is known");
}

#[test]
fn record_header_cut() {
    let mut file = two_records();
    file.extend([0; 15]);
    assert_snapshot!(fault_after(2, file), @"x.pcap: record 3, at byte 176: cut: it takes 16 bytes, and 15 are left");
}

#[test]
fn record_cut() {
    let mut file = two_records();
    file.pop();
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 100: cut: it takes 76 bytes, and 75 are left");
}

#[test]
fn record_of_absurd_length() {
    let mut file = two_records();
    file.extend(Little.words(&[3, 0, 262_145, 262_145]));
    file.extend([0; 300_000]);
    assert_snapshot!(fault_after(2, file), @"x.pcap: record 3, at byte 176: claims 262145 captured bytes, where 262144 is the most that a record holds");
}

#[test]
fn the_whole_records_of_many_bursts_come_before_the_fault() {
    let samples: Vec<_> = (0..1000)
        .map(|second| Sample::ethernet(90, second))
        .collect();
    let mut file = pcap(Big, NANOSECONDS, &samples);
    file.extend([0xff; 16]);
    assert_snapshot!(fault_after(1000, file), @"x.pcap: record 1001, at byte 106024: claims 4294967295 captured bytes, where 262144 is the most that a record holds");
}

#[test]
fn section_header_cut() {
    let file = one_packet()[..20].to_vec();
    assert_snapshot!(fault_after(0, file), @"x.pcap: record 1, at byte 0: cut: it takes 28 bytes, and 20 are left");
}

#[test]
fn block_cut() {
    let file = one_packet()[..119].to_vec();
    assert_snapshot!(fault_after(0, file), @"x.pcap: record 1, at byte 48: cut: it takes 72 bytes, and 71 are left");
}

#[test]
fn block_framing_cut() {
    let file = one_packet_and(vec![6, 0, 0, 0, 60]);
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 120: cut: it takes 12 bytes, and 5 are left");
}

#[test]
fn block_shorter_than_its_own_framing() {
    let file = one_packet_and(Little.words(&[6, 8, 8, 0]));
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 120: bad block: its length is 8, where this kind takes at least 12");
}

#[test]
fn packets_shorter_than_their_fixed_part() {
    let enhanced = one_packet_and(block(Little, 6, &[0; 16]));
    assert_snapshot!(fault_after(1, enhanced), @"x.pcap: record 2, at byte 120: bad block: its length is 28, where this kind takes at least 32");
    let obsolete = one_packet_and(block(Little, 2, &[0; 16]));
    assert_snapshot!(fault_after(1, obsolete), @"x.pcap: record 2, at byte 120: bad block: its length is 28, where this kind takes at least 32");
    let simple = one_packet_and(block(Little, 3, &[]));
    assert_snapshot!(fault_after(1, simple), @"x.pcap: record 2, at byte 120: bad block: its length is 12, where this kind takes at least 16");
}

#[test]
fn interface_shorter_than_its_fixed_part() {
    let file = one_packet_and(block(Little, 1, &[1, 0, 0, 0]));
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 120: bad block: its length is 16, where this kind takes at least 20");
}

#[test]
fn section_shorter_than_its_fixed_part() {
    let mut body = Little.u32(0x1a2b_3c4d).to_vec();
    body.extend([1, 0, 0, 0]);
    let file = one_packet_and(block(Little, 0x0a0d_0d0a, &body));
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 120: bad block: its length is 20, where this kind takes at least 28");
}

#[test]
fn block_of_absurd_length() {
    let file = one_packet_and(Little.words(&[6, 16_777_220, 0]));
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 120: bad block: its length is 16777220, where 16777216 is the most that is believed");
}

#[test]
fn block_whose_lengths_differ() {
    let mut file = one_packet();
    file[116] = 76;
    assert_snapshot!(fault_after(0, file), @"x.pcap: record 1, at byte 48: bad block: its length is 72 at its start and 76 at its end");
}

#[test]
fn block_length_that_is_no_multiple_of_4_and_does_not_come_again() {
    let mut file = one_packet();
    file[52] = 71;
    assert_snapshot!(fault_after(0, file), @"x.pcap: record 1, at byte 48: bad block: its length is 71 at its start and 72 at its end");
}

#[test]
fn section_of_no_byte_order() {
    let mut file = one_packet();
    file[8] = 0x4e;
    assert_snapshot!(fault_after(0, file), @"x.pcap: record 1, at byte 0: bad block: the section's byte-order magic is 0x1a2b3c4e, where it should be 0x1a2b3c4d");
}

#[test]
fn section_of_an_unknown_version() {
    let mut second = section(Little);
    second[12] = 2;
    let file = one_packet_and(second);
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 120: bad block: the section is pcapng version 2.0, where 1.0 and 1.2 are known");
}

#[test]
fn packet_of_an_interface_that_is_not_described() {
    let file = one_packet_and(enhanced(Little, 1, 0, &Sample::ethernet(40, 0)));
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 120: bad block: it is of interface 1, and the section describes 1 so far");
}

/// They are kept in memory, and a few bytes of gzip unpack to any number of them.
#[test]
fn more_interfaces_than_a_section_may_describe() {
    let file = one_packet_and(interface(Little, 1, 0, &[]).repeat(65_536));
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 1310820: bad block: it describes another interface, where a section has 65536 at most");
}

#[test]
fn interfaces_do_not_outlive_their_section() {
    let mut blocks = section(Little);
    blocks.extend(simple(Little, &Sample::ethernet(40, 0)));
    let file = one_packet_and(blocks);
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 148: bad block: it is of interface 0, and the section describes 0 so far");
}

#[test]
fn packet_that_claims_more_than_its_block_holds() {
    let mut file = one_packet();
    file[68] = 41;
    assert_snapshot!(fault_after(0, file), @"x.pcap: record 1, at byte 48: bad block: it claims 41 captured bytes and holds 40");
}

#[test]
fn simple_packet_that_claims_more_than_its_block_holds() {
    let mut sample = Sample::ethernet(40, 0);
    sample.original_len = 1514;
    let file = one_packet_and(simple(Little, &sample));
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 120: bad block: it claims 1514 captured bytes and holds 40");
}

#[test]
fn packet_of_absurd_length_in_a_block_that_holds_it() {
    let file = one_packet_and(enhanced(Big, 0, 0, &Sample::ethernet(262_145, 0)));
    // The section is little-endian, so the block is not what it seems.
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 120: bad block: its length is 603980800, where 16777216 is the most that is believed");
    let file = one_packet_and(enhanced(Little, 0, 0, &Sample::ethernet(262_145, 0)));
    assert_snapshot!(fault_after(1, file), @"x.pcap: record 2, at byte 120: claims 262145 captured bytes, where 262144 is the most that a record holds");
}

/// A disk that fails after some bytes.
struct Failing(io::Cursor<Vec<u8>>);

impl Read for Failing {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match self.0.read(space)? {
            0 => Err(io::Error::from_raw_os_error(5)),
            len => Ok(len),
        }
    }
}

#[test]
fn reading_fails() {
    let (samples, stopped) = read_all(Failing(io::Cursor::new(two_records())));
    assert_eq!(samples.len(), 2);
    assert_snapshot!(stopped.unwrap(), @"x.pcap: record 3, at byte 176: cannot be read: Input/output error (os error 5)");
}
