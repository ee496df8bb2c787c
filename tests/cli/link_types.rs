//! Captures whose frames are of many link types, and of some that are not read.

use super::program::{Folder, STRICT, root, sekisho};
use std::fs;

/// One link type each: the seeds of the fuzz target `parse`, whose first two octets number it.
fn seeds() -> Vec<(u16, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(root().join("fuzz/corpus/parse"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let split = |file: Vec<u8>| (u16::from_be_bytes([file[0], file[1]]), file[2..].to_vec());
    files
        .iter()
        .map(|path| split(fs::read(path).unwrap()))
        .collect()
}

/// A little-endian block of a pcapng.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let len = (padded as u32 + 12).to_le_bytes();
    let mut block = [&kind.to_le_bytes()[..], &len, body].concat();
    block.resize(padded + 8, 0);
    block.extend(len);
    block
}

/// A section with one interface for each frame, and then the frames.
fn pcapng(frames: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_le_bytes()).collect() };
    let section = words(&[0x1a2b_3c4d, 1, 0xffff_ffff, 0xffff_ffff]);
    let mut file = block(0x0a0d_0d0a, &section);
    for (link_type, _) in frames {
        file.extend(block(1, &words(&[u32::from(*link_type), 0])));
    }
    for (index, (_, frame)) in frames.iter().enumerate() {
        let len = frame.len() as u32;
        let header = words(&[index as u32, 0, 0, len, len]);
        file.extend(block(6, &[header, frame.clone()].concat()));
    }
    file
}

/// One answer for each frame, whatever stood before it in the file.
#[test]
fn every_frame_of_a_file_is_read_by_its_own_link_type() {
    let folder = Folder::new();
    let frames = seeds();
    let mixed = folder.file("mixed.pcapng", pcapng(&frames));
    let answers = |capture: &str| {
        let verdicts = folder.arg("verdicts.csv");
        let args = ["replay", "--policy", STRICT, "--direction", "out"];
        let run = sekisho(args.iter().chain(&["--verdicts", &verdicts, capture]));
        assert!(run.stderr.is_empty(), "{run:?}");
        run.good();
        let text = fs::read_to_string(verdicts).unwrap();
        let without_place = |line: &str| line.splitn(3, ',').nth(2).unwrap().to_owned();
        text.lines().skip(1).map(without_place).collect::<Vec<_>>()
    };
    let together = answers(&mixed);
    assert_eq!(together.len(), frames.len());
    for (frame, answer) in frames.into_iter().zip(&together) {
        let alone = folder.file("alone.pcapng", pcapng(&[frame]));
        assert_eq!(answers(&alone), std::slice::from_ref(answer));
    }
    let dropped = together
        .iter()
        .filter(|row| row.starts_with("drop,port25-syn,"));
    assert!(
        dropped.count() >= 29,
        "a SYN under every link type: {together:#?}"
    );
}

#[test]
fn a_link_type_that_is_not_read_is_named_and_its_frames_are_forwarded() {
    let folder = Folder::new();
    let syn = || vec![0x45; 60];
    let frames = [(147, syn()), (1, vec![0xff; 60]), (8, syn()), (147, syn())];
    let capture = folder.file("odd.pcapng", pcapng(&frames));
    let args = ["replay", "--policy", STRICT, "--output", "json", &capture];
    let run = sekisho(args);
    assert_eq!(
        folder.without_path(&run.complaint()),
        "warning: odd.pcapng: link type 8 is not read: its frames are forwarded as unparsed\n\
         warning: odd.pcapng: link type 147 is not read: its frames are forwarded as unparsed\n"
    );
    assert_eq!(run.code, 0);
    assert_eq!(run.json()["counters"]["forward-unparsed"]["frames"], 3);
}
