//! Files that appear only when they are finished.

use super::build::*;
use insta::assert_snapshot;
use sekisho::io::{CaptureReader, CaptureWriter, OutputFile};
use sekisho::wire::LinkType;
use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A message without the folder that it was written to.
fn without(folder: &TempDir, message: impl ToString) -> String {
    let prefix = format!("{}/", folder.path().display());
    message.to_string().replace(&prefix, "")
}

#[test]
fn a_capture_is_written_as_pcap_with_nanoseconds() {
    let folder = folder();
    let path = folder.path().join("out.pcap");
    let mut writer = CaptureWriter::create(&path).unwrap();
    let mut sample = Sample::ethernet(3, 1);
    sample.timestamp_ns = Some(0x0102_0304 * 1_000_000_000 + 5);
    sample.original_len = 1500;
    sample.link_type = 276;
    writer.write(&sample.record()).unwrap();
    assert_eq!(writer.finish(LinkType::ETHERNET).unwrap(), 1);
    let expected = [
        0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, // magic, version 2.4
        0, 0, 0, 0, 0, 0, 0, 0, // time zone, accuracy
        0, 0, 4, 0, 0x14, 1, 0, 0, // snapshot length 262144, link type 276
        4, 3, 2, 1, 5, 0, 0, 0, // seconds, nanoseconds
        3, 0, 0, 0, 0xdc, 5, 0, 0, // captured 3, original 1500
        0, 1, 2,
    ];
    assert_eq!(fs::read(&path).unwrap(), expected);
}

#[test]
fn an_empty_capture_is_a_capture() {
    let folder = folder();
    let path = folder.path().join("out.pcap");
    let writer = CaptureWriter::create(&path).unwrap();
    assert_eq!(writer.finish(LinkType::RAW).unwrap(), 0);
    let bytes = fs::read(&path).unwrap();
    assert_eq!((bytes.len(), bytes[20]), (24, 101));
    assert_eq!(read_whole(bytes), []);
}

#[test]
fn a_record_without_a_time_gets_time_0() {
    let folder = folder();
    let path = folder.path().join("out.pcap");
    let mut sample = Sample::ethernet(60, 0);
    sample.timestamp_ns = None;
    let mut writer = CaptureWriter::create(&path).unwrap();
    writer.write(&sample.record()).unwrap();
    writer.finish(LinkType::ETHERNET).unwrap();
    assert_eq!(
        read_whole(fs::read(path).unwrap()),
        [Sample::ethernet(60, 0)]
    );
}

#[test]
fn a_file_has_its_name_only_when_it_is_finished() {
    let folder = folder();
    let path = folder.path().join("out.csv");
    fs::write(&path, "old").unwrap();
    let mut output = OutputFile::create(&path).unwrap();
    output.write_all(b"new").unwrap();
    output.flush().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    output.finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names(&folder), ["out.csv"]);
}

#[test]
fn a_file_that_is_dropped_leaves_nothing() {
    let folder = folder();
    let mut output = OutputFile::create(&folder.path().join("out.csv")).unwrap();
    output.write_all(&[0; 1_000_000]).unwrap();
    assert_eq!(names(&folder).len(), 1);
    drop(output);
    assert_eq!(names(&folder), [""; 0]);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_has_the_permissions_of_an_ordinary_one() {
    let folder = folder();
    let ordinary = folder.path().join("ordinary");
    fs::write(&ordinary, "").unwrap();
    let path = folder.path().join("out.csv");
    OutputFile::create(&path).unwrap().finish().unwrap();
    assert_eq!(mode(&path), mode(&ordinary));
}

#[test]
fn a_file_that_is_replaced_keeps_its_permissions() {
    let folder = folder();
    let path = folder.path().join("out.csv");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    OutputFile::create(&path).unwrap().finish().unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn the_file_behind_a_symbolic_link_is_replaced_and_not_the_link() {
    let folder = folder();
    let path = folder.path().join("real.csv");
    fs::write(&path, "old").unwrap();
    let link = folder.path().join("link.csv");
    symlink("real.csv", &link).unwrap();
    let mut output = OutputFile::create(&link).unwrap();
    output.write_all(b"new").unwrap();
    output.finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_device_is_written_and_not_replaced() {
    let mut output = OutputFile::create(Path::new("/dev/null")).unwrap();
    output.write_all(b"gone").unwrap();
    output.finish().unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn a_full_device_is_an_error() {
    let mut writer = CaptureWriter::create(Path::new("/dev/full")).unwrap();
    writer.write(&Sample::ethernet(60, 1).record()).unwrap();
    let error = writer.finish(LinkType::ETHERNET).unwrap_err();
    assert_snapshot!(error, @"/dev/full: cannot be written: No space left on device (os error 28)");
    assert!(!error.is_broken_pipe());
}

#[test]
fn a_reader_that_went_away_can_be_told() {
    let (reader, pipe) = std::io::pipe().unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&pipe);
    let path = format!("/proc/self/fd/{fd}");
    let mut writer = CaptureWriter::create(Path::new(&path)).unwrap();
    drop(reader);
    writer.write(&Sample::ethernet(60, 1).record()).unwrap();
    let error = writer.finish(LinkType::ETHERNET).unwrap_err();
    assert!(error.is_broken_pipe(), "{error}");
}

#[test]
fn no_such_folder() {
    let folder = folder();
    let error = OutputFile::create(&folder.path().join("no/out.csv")).unwrap_err();
    assert_snapshot!(without(&folder, error), @"no/out.csv: cannot be written: No such file or directory (os error 2)");
}

#[test]
fn a_folder_is_no_output() {
    let folder = folder();
    fs::create_dir(folder.path().join("out.pcap")).unwrap();
    let error = OutputFile::create(&folder.path().join("out.pcap")).unwrap_err();
    assert_snapshot!(without(&folder, error), @"out.pcap: cannot be written: Is a directory (os error 21)");
}

#[test]
fn a_second_link_type_is_refused_and_nothing_is_left() {
    let folder = folder();
    let mut writer = CaptureWriter::create(&folder.path().join("out.pcap")).unwrap();
    writer.write(&Sample::ethernet(60, 1).record()).unwrap();
    let mut raw = Sample::ethernet(60, 2);
    raw.link_type = 101;
    let error = writer.write(&raw.record()).unwrap_err();
    assert_snapshot!(without(&folder, error), @"out.pcap: record 2 is of link type 101, and the records before it of 1: a pcap file holds one link type, so write them to different files");
    drop(writer);
    assert_eq!(names(&folder), [""; 0]);
}

#[test]
fn a_time_that_pcap_cannot_hold_is_refused() {
    let folder = folder();
    let mut writer = CaptureWriter::create(&folder.path().join("out.pcap")).unwrap();
    let error = writer.write(&Sample::ethernet(60, 4_294_967_296).record());
    assert_snapshot!(without(&folder, error.unwrap_err()), @"out.pcap: record 1 has the time 4294967296000000000 ns since 1970, where a pcap file holds 0 to 4294967295 s");
    let mut before = Sample::ethernet(60, 0);
    before.timestamp_ns = Some(-1);
    let error = writer.write(&before.record());
    assert_snapshot!(without(&folder, error.unwrap_err()), @"out.pcap: record 1 has the time -1 ns since 1970, where a pcap file holds 0 to 4294967295 s");
    writer
        .write(&Sample::ethernet(60, 4_294_967_295).record())
        .unwrap();
}

#[test]
fn a_record_that_no_reader_would_believe_is_refused() {
    let folder = folder();
    let mut writer = CaptureWriter::create(&folder.path().join("out.pcap")).unwrap();
    let error = writer.write(&Sample::ethernet(262_145, 1).record());
    assert_snapshot!(without(&folder, error.unwrap_err()), @"out.pcap: record 1 holds 262145 bytes, where 262144 is the most that a record holds");
}

#[test]
fn a_reader_tells_how_far_it_is() {
    let folder = folder();
    let path = folder.path().join("in.pcap");
    let samples: Vec<_> = (0..2000)
        .map(|second| Sample::ethernet(1500, second))
        .collect();
    let bytes = pcap(Little, MICROSECONDS, &samples);
    fs::write(&path, &bytes).unwrap();
    let mut reader = CaptureReader::open(&path).unwrap();
    assert_eq!(reader.name(), path.display().to_string());
    assert_eq!(reader.len_bytes(), Some(bytes.len() as u64));
    reader.read_burst().unwrap();
    assert!(reader.bytes_read() < bytes.len() as u64);
    while !reader.read_burst().unwrap().is_empty() {}
    assert_eq!(reader.bytes_read(), bytes.len() as u64);
    let piped = CaptureReader::from_read("pipe", Cursor::new(bytes)).unwrap();
    assert_eq!(piped.len_bytes(), None);
}
