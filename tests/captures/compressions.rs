//! Captures in gzip, zstd and lz4: whole, in several pieces, cut and damaged.

use super::build::*;
use flate2::write::GzEncoder;
use insta::assert_snapshot;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::{Cursor, Write};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// Blocks of 64 KiB, each with what came before as its window, and checksums.
fn lz4(bytes: &[u8]) -> Vec<u8> {
    let form = FrameInfo::new()
        .block_size(BlockSize::Max64KB)
        .block_mode(BlockMode::Linked)
        .content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(form, Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A frame of four bytes that zstd and lz4 are to pass over.
const SKIPPABLE: [u8; 12] = [0x5f, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];

type Compress = fn(&[u8]) -> Vec<u8>;

const COMPRESSIONS: [Compress; 3] = [gzip, zstd, lz4];

/// Records that do not compress well: some 750 KB of them.
fn many() -> Vec<Sample> {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 & 0x3f
    };
    let mut samples = vec![];
    for second in 0..500 {
        let mut sample = Sample::ethernet(1500, second);
        sample.bytes.fill_with(&mut noise);
        samples.push(sample);
    }
    samples
}

#[test]
fn a_compressed_capture_is_the_capture() {
    for compress in COMPRESSIONS {
        let file = compress(&pcap(Little, NANOSECONDS, &many()));
        let (samples, stopped) = read_all(Trickle::new(file, vec![1, 10_000, 3]));
        assert_eq!((samples, stopped), (many(), None));
    }
}

#[test]
fn a_capture_may_be_spread_over_members_and_frames() {
    for compress in COMPRESSIONS {
        let capture = pcap(Big, MICROSECONDS, &many());
        let (first, rest) = capture.split_at(700_001);
        let mut file = compress(first);
        file.extend(compress(&[]));
        file.extend(compress(rest));
        assert_eq!(read_whole(file), many());
    }
}

#[test]
fn skippable_frames_are_passed_over_wherever_they_stand() {
    for compress in [zstd, lz4] {
        let capture = pcap(Big, MICROSECONDS, &many());
        let (first, rest) = capture.split_at(700_001);
        let mut file = [SKIPPABLE, SKIPPABLE].concat();
        for part in [first, rest] {
            file.extend(compress(part));
            file.extend(SKIPPABLE);
        }
        assert_eq!(read_whole(file), many());
    }
}

#[test]
fn pcapng_may_be_compressed_too() {
    let mut file = section(Big);
    file.extend(interface(Big, 1, 0, &[]));
    file.extend(enhanced(Big, 0, 5_000_000, &Sample::ethernet(60, 5)));
    for compress in COMPRESSIONS {
        assert_eq!(read_whole(compress(&file)), [Sample::ethernet(60, 5)]);
    }
}

/// What is read of a file that stops early: only records that are right, then the message.
fn cut(file: &[u8], len: usize) -> (usize, String) {
    let (samples, stopped) = read_all(Cursor::new(file[..len].to_vec()));
    assert_eq!(samples, many()[..samples.len()]);
    (samples.len(), stopped.expect("a fault"))
}

#[test]
fn gzip_cut() {
    let file = gzip(&pcap(Little, NANOSECONDS, &many()));
    let (whole, message) = cut(&file, file.len() / 2);
    assert!((235..265).contains(&whole), "{whole}");
    let place = format!("record {}, at byte {}", whole + 1, 24 + whole * 1516);
    let message = message.replace(&place, "[place]");
    assert_snapshot!(message, @"x.pcap: [place], after decompression: the gzip stream is cut");
}

#[test]
fn zstd_cut() {
    let file = zstd(&pcap(Little, NANOSECONDS, &many()));
    let (whole, message) = cut(&file, file.len() / 2);
    // Whatever stands in whole blocks of 128 KiB, though the decoder holds back a window of them.
    assert!((150..265).contains(&whole), "{whole}");
    let place = format!("record {}, at byte {}", whole + 1, 24 + whole * 1516);
    let message = message.replace(&place, "[place]");
    assert_snapshot!(message, @"x.pcap: [place], after decompression: the zstd stream is cut");
}

#[test]
fn lz4_cut() {
    let file = lz4(&pcap(Little, NANOSECONDS, &many()));
    let (whole, message) = cut(&file, file.len() / 2);
    assert!((200..265).contains(&whole), "{whole}");
    let place = format!("record {}, at byte {}", whole + 1, 24 + whole * 1516);
    let message = message.replace(&place, "[place]");
    assert_snapshot!(message, @"x.pcap: [place], after decompression: the lz4 stream is cut");
}

#[test]
fn no_cut_of_a_compressed_capture_is_taken_for_its_end() {
    let samples = [Sample::ethernet(60, 1), Sample::ethernet(70, 2)];
    for compress in COMPRESSIONS {
        let mut file = compress(&pcap(Little, NANOSECONDS, &samples[..1]));
        let member_bytes = file.len();
        file.extend(compress(&pcap_record(Little, NANOSECONDS, &samples[1])));
        // Where a member ends, a file may.
        for len in (1..file.len()).filter(|len| *len != member_bytes) {
            let (read, stopped) = read_all(Cursor::new(file[..len].to_vec()));
            assert!(stopped.is_some(), "cut to {len} of {}", file.len());
            assert_eq!(read, samples[..read.len()]);
        }
        assert_eq!(read_whole(file), samples);
    }
}

/// The message for a file with one byte of another value.
fn damaged(mut file: Vec<u8>, place: usize) -> String {
    file[place] ^= 0xff;
    let (_, stopped) = read_all(Cursor::new(file));
    stopped.expect("a fault")
}

fn one_record() -> Vec<u8> {
    pcap(Little, NANOSECONDS, &[Sample::ethernet(60, 1)])
}

#[test]
fn gzip_damaged() {
    let file = gzip(&one_record());
    let checksum = file.len() - 8;
    assert_snapshot!(damaged(file, checksum), @"x.pcap: record 2, at byte 100, after decompression: the gzip stream is damaged: invalid data or checksum");
}

#[test]
fn what_stands_before_the_damage_in_gzip_is_read() {
    let capture = one_record();
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]; // gzip header
    file.push(0); // deflate block, stored, not the last
    file.extend(Little.u16(capture.len() as u16));
    file.extend(Little.u16(!capture.len() as u16));
    file.extend(&capture);
    file.push(0b111); // the last block, of a kind that is not there
    let (samples, stopped) = read_all(Cursor::new(file));
    assert_eq!(samples, [Sample::ethernet(60, 1)]);
    assert_snapshot!(stopped.unwrap(), @"x.pcap: record 2, at byte 100, after decompression: the gzip stream is damaged: invalid data or checksum");
}

#[test]
fn zstd_damaged() {
    let file = zstd(&one_record());
    let checksum = file.len() - 4;
    assert_snapshot!(damaged(file, checksum), @"x.pcap: record 2, at byte 100, after decompression: the zstd stream is damaged: the checksum of a frame does not match");
}

#[test]
fn lz4_damaged() {
    let file = lz4(&one_record());
    let checksum = file.len() - 4;
    assert_snapshot!(damaged(file, checksum), @"x.pcap: record 2, at byte 100, after decompression: the lz4 stream is damaged: ContentChecksumError");
}

#[test]
fn something_else_compressed() {
    let (_, stopped) = read_all(Cursor::new(gzip(b"a letter")));
    assert_snapshot!(stopped.unwrap(), @"x.pcap: is no capture: it begins with 61 20 6c 65, and neither as pcap nor as pcapng (plain, or in gzip, zstd or lz4)");
}

#[test]
fn nothing_compressed() {
    for compress in COMPRESSIONS {
        let (_, stopped) = read_all(Cursor::new(compress(b"")));
        let message = "x.pcap: is empty, where a capture has a file header";
        assert_eq!(stopped.as_deref(), Some(message));
    }
}
