//! Real captures, with every tunnel opened: what independent readers find in tunnels is found.
//!
//! The captures are not part of the project: the environment variable `SEKISHO_SHARED` names the
//! folder that holds them.

use crate::check_parse::every_tunnel;
use sekisho::io::CaptureReader;
use sekisho::wire::{AsFrame, Frame, Packet, Shape, Unwrap, parse, parse_full, parse_part};
use std::collections::BTreeSet;
use std::path::Path;

fn is_syn25(packet: &Packet) -> bool {
    packet.shape == Shape::Tcp && packet.dst_port == 25 && packet.flags.is_new()
}

fn read(frame: &Frame<'_>, unwrap: &Unwrap) -> Packet {
    parse_part(frame.bytes, frame.missing_bytes(), frame.link_type, unwrap)
}

/// The frames, by number, that are SYNs to port 25 only where tunnels are opened.
fn in_tunnels(capture: &Path, opened: &Unwrap) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    let Ok(mut reader) = CaptureReader::open(capture) else {
        return found;
    };
    let mut number = 0;
    while let Ok(burst) = reader.read_burst() {
        if burst.is_empty() {
            break;
        }
        for frame in burst.iter().map(AsFrame::as_frame) {
            number += 1;
            let [lanes, full] =
                [parse, parse_full].map(|by| by(frame.bytes, frame.link_type, opened));
            assert_eq!(lanes, full, "the lanes differ");
            let outer = read(&frame, &Unwrap::default());
            if is_syn25(&read(&frame, opened)) && !is_syn25(&outer) {
                found.insert(number);
            }
        }
    }
    found
}

#[test]
fn syns_in_tunnels_are_those_that_independent_readers_see() {
    let Some(shared) = std::env::var_os("SEKISHO_SHARED") else {
        println!("no real captures compared: SEKISHO_SHARED=FOLDER was not given");
        return;
    };
    let pcaps = Path::new(&shared).join("pcaps");
    let text = std::fs::read_to_string(pcaps.join("expected.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let opened = Unwrap::new(every_tunnel());
    let (mut compared, mut syns) = (0, 0);
    for (file, entry) in json["files"].as_object().unwrap() {
        let Some(expected) = entry["best"]["syn25_tunnel"].as_array() else {
            continue;
        };
        let expected: BTreeSet<_> = expected.iter().filter_map(|n| n.as_u64()).collect();
        let found = in_tunnels(&pcaps.join("captures").join(file), &opened);
        assert_eq!(found, expected, "{file}");
        (compared, syns) = (compared + 1, syns + found.len());
    }
    assert!(compared > 300 && syns > 0);
    println!("{compared} captures, {syns} SYNs to port 25 in tunnels compared");
}
