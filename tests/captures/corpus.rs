//! What the fuzz target checks, over files made here; `tests/fuzz.rs` takes its corpus.

use super::build::*;
use proptest::prelude::*;

#[path = "../../fuzz/check_captures.rs"]
mod check_captures;

/// A pcapng file with one of everything.
fn pcapng() -> Vec<u8> {
    let sample = Sample::ethernet(30, 1);
    let mut file = Vec::new();
    for order in [Little, Big] {
        file.extend(section(order));
        file.extend(interface(order, 1, 96, &[(9, &[9]), (14, &[1; 8])]));
        file.extend(interface(order, 101, 0, &[(9, &[0x8a]), (0, &[])]));
        file.extend(enhanced(order, 1, 77, &sample));
        file.extend(block(order, 0xbad, &[0; 9]));
        file.extend(obsolete(order, 0, 77, &sample));
        file.extend(simple(order, &sample));
    }
    file
}

fn captures() -> impl Strategy<Value = Vec<u8>> {
    let samples = [Sample::ethernet(30, 1), Sample::ethernet(0, 2)];
    prop_oneof![
        Just(pcapng()),
        Just(pcap(Little, NANOSECONDS, &samples)),
        Just(pcap(Big, MODIFIED, &samples)),
    ]
}

proptest! {
    #[test]
    fn damage_anywhere_is_survived(
        file in captures(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut file = file;
        for (place, value) in damage {
            let place = place.index(file.len());
            file[place] = value;
        }
        check_captures::check(&file);
    }
}
