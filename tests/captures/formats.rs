//! What the formats say, written by hand.

use super::build::*;

const PCAP_MAGICS: [u32; 3] = [MICROSECONDS, NANOSECONDS, MODIFIED];

fn three() -> Vec<Sample> {
    let mut samples = vec![
        Sample::ethernet(60, 1_200_000_000),
        Sample::ethernet(1514, 1_200_000_001),
        Sample::ethernet(0, 1_200_000_002),
    ];
    samples[0].timestamp_ns = Some(1_200_000_000_123_456_000);
    samples[1].original_len = 9000;
    samples
}

#[test]
fn pcap_in_both_byte_orders_and_every_magic() {
    for order in [Little, Big] {
        for magic in PCAP_MAGICS {
            assert_eq!(read_whole(pcap(order, magic, &three())), three());
        }
    }
}

#[test]
fn nanoseconds_are_kept() {
    let mut samples = three();
    samples[2].timestamp_ns = Some(1_200_000_000_123_456_789);
    assert_eq!(read_whole(pcap(Big, NANOSECONDS, &samples)), samples);
}

#[test]
fn the_upper_half_of_the_link_type_field_is_not_link_type() {
    // 4 octets of frame check sequence (bits 28–31), their flag (bit 26).
    let mut file = pcap_header(Little, MICROSECONDS, 0x4400_0001);
    file.extend(pcap_record(Little, MICROSECONDS, &three()[0]));
    assert_eq!(read_whole(file), three()[..1]);
}

#[test]
fn a_fraction_of_a_second_and_more_is_carried_over() {
    let mut file = pcap_header(Little, MICROSECONDS, 1);
    file.extend(Little.words(&[10, 2_500_000, 0, 0]));
    assert_eq!(read_whole(file)[0].timestamp_ns, Some(12_500_000_000));
}

#[test]
fn the_last_second_of_pcap_fits() {
    let mut file = pcap_header(Little, NANOSECONDS, 1);
    file.extend(Little.words(&[u32::MAX, u32::MAX, 0, 0]));
    let ns = 4_294_967_295_000_000_000 + 4_294_967_295;
    assert_eq!(read_whole(file)[0].timestamp_ns, Some(ns));
}

#[test]
fn an_original_length_below_the_captured_one_is_raised() {
    let mut sample = Sample::ethernet(60, 1);
    sample.original_len = 14;
    let read = read_whole(pcap(Little, MICROSECONDS, &[sample]));
    assert_eq!(read, [Sample::ethernet(60, 1)]);
}

#[test]
fn the_largest_record_passes_and_so_does_a_jumbo_frame() {
    let samples = [
        Sample::ethernet(65_535, 1),
        Sample::ethernet(262_144, 2),
        Sample::ethernet(60, 3),
    ];
    assert_eq!(read_whole(pcap(Little, MICROSECONDS, &samples)), samples);
}

#[test]
fn lengths_stand_the_other_way_round_before_version_2_3() {
    let mut file = pcap_header(Little, MICROSECONDS, 1);
    file[6] = 2; // version 2.2
    file.extend(Little.words(&[1, 0, 1000, 4])); // original, captured
    file.extend([1, 2, 3, 4]);
    let read = read_whole(file);
    assert_eq!((read[0].bytes.len(), read[0].original_len), (4, 1000));
}

#[test]
fn version_2_3_was_written_both_ways_round() {
    let mut file = pcap_header(Little, MICROSECONDS, 1);
    file[6] = 3; // version 2.3
    for lengths in [[1000, 4], [4, 1000]] {
        file.extend(Little.words(&[1, 0]));
        file.extend(Little.words(&lengths));
        file.extend([1, 2, 3, 4]);
    }
    for sample in read_whole(file) {
        assert_eq!((sample.bytes.len(), sample.original_len), (4, 1000));
    }
}

#[test]
fn a_pcap_without_records_is_whole() {
    assert_eq!(read_whole(pcap_header(Little, MICROSECONDS, 1)), []);
}

#[test]
fn pcapng_packets_of_every_kind_in_both_byte_orders() {
    for order in [Little, Big] {
        let [first, second, third] = three().try_into().unwrap();
        let mut file = section(order);
        file.extend(interface(order, 1, 0, &[]));
        file.extend(enhanced(order, 0, 1_200_000_000_123_456, &first));
        file.extend(obsolete(order, 0, 1_200_000_001_000_000, &second));
        file.extend(simple(order, &third));
        let third = Sample {
            timestamp_ns: None,
            ..third
        };
        assert_eq!(read_whole(file), [first, second, third]);
    }
}

#[test]
fn interfaces_of_one_section_have_link_types_of_their_own() {
    let ethernet = Sample::ethernet(60, 5);
    let raw = Sample {
        link_type: 101,
        ..Sample::ethernet(40, 6)
    };
    let mut file = section(Little);
    file.extend(interface(Little, 1, 0, &[]));
    file.extend(interface(Little, 101, 0, &[]));
    file.extend(enhanced(Little, 1, 6_000_000, &raw));
    file.extend(enhanced(Little, 0, 5_000_000, &ethernet));
    assert_eq!(read_whole(file), [raw, ethernet]);
}

#[test]
fn a_section_has_its_own_byte_order_and_interfaces() {
    let raw = Sample {
        link_type: 101,
        ..Sample::ethernet(40, 6)
    };
    let mut file = section(Little);
    file.extend(interface(Little, 1, 0, &[]));
    file.extend(enhanced(Little, 0, 5_000_000, &Sample::ethernet(60, 5)));
    file.extend(section(Big));
    file.extend(interface(Big, 101, 0, &[]));
    file.extend(enhanced(Big, 0, 6_000_000, &raw));
    assert_eq!(read_whole(file), [Sample::ethernet(60, 5), raw]);
}

#[test]
fn blocks_that_are_no_frames_are_passed_over() {
    let mut file = section(Big);
    file.extend(interface(Big, 1, 0, &[]));
    for kind in [4, 5, 9, 10, 0xbad, 0x4000_0bad, 0x8000_0001, 0x7777] {
        file.extend(block(Big, kind, &[0xff; 30]));
        file.extend(block(Big, kind, &[]));
    }
    file.extend(enhanced(Big, 0, 5_000_000, &Sample::ethernet(60, 5)));
    // Larger than the read buffer, and smaller than what is believed.
    file.extend(block(Big, 0xbad, &[0xff; 700_000]));
    file.extend(enhanced(Big, 0, 6_000_000, &Sample::ethernet(61, 6)));
    let read = read_whole(file);
    assert_eq!(read, [Sample::ethernet(60, 5), Sample::ethernet(61, 6)]);
}

#[test]
fn options_after_a_packet_are_passed_over() {
    let sample = Sample::ethernet(4, 5);
    let mut body = Little.words(&[0, 0, 5_000_000, 4, 4]);
    body.extend(&sample.bytes);
    body.extend([2, 0, 4, 0, 1, 0, 0, 0]); // epb_flags: inbound
    body.extend([0, 0, 0, 0]); // end of options
    let mut file = section(Little);
    file.extend(interface(Little, 1, 0, &[]));
    file.extend(block(Little, 6, &body));
    assert_eq!(read_whole(file), [sample]);
}

/// The time that an interface with these options gives to `units`.
fn time(order: Order, options: Options<'_>, units: u64) -> Option<i64> {
    let mut file = section(order);
    file.extend(interface(order, 1, 0, options));
    file.extend(enhanced(order, 0, units, &Sample::ethernet(14, 0)));
    read_whole(file)[0].timestamp_ns
}

const TSRESOL: u16 = 9;
const TSOFFSET: u16 = 14;

#[test]
fn times_are_in_the_units_of_their_interface() {
    let seconds_4: [(Options<'_>, u64); 7] = [
        (&[], 4_000_000),
        (&[(TSRESOL, &[0])], 4),
        (&[(TSRESOL, &[3])], 4_000),
        (&[(TSRESOL, &[9])], 4_000_000_000),
        (&[(TSRESOL, &[12])], 4_000_000_000_000),
        (&[(TSRESOL, &[0x80])], 4),
        (&[(TSRESOL, &[0x80 | 32])], 4 << 32),
    ];
    for order in [Little, Big] {
        for (options, units) in seconds_4 {
            assert_eq!(time(order, options, units), Some(4_000_000_000));
        }
    }
    // 2^-10 s = 976562.5 ns
    assert_eq!(time(Little, &[(TSRESOL, &[0x8a])], 1), Some(976_562));
}

#[test]
fn times_count_from_the_offset_of_their_interface() {
    for order in [Little, Big] {
        let ten = order.u64(10);
        let minus_two = order.u64(2_u64.wrapping_neg());
        let ten_later = time(order, &[(TSRESOL, &[9]), (TSOFFSET, &ten)], 5);
        assert_eq!(ten_later, Some(10_000_000_005));
        let two_earlier = time(order, &[(TSOFFSET, &minus_two)], 1_000_000);
        assert_eq!(two_earlier, Some(-1_000_000_000));
    }
}

#[test]
fn times_beyond_every_calendar_are_the_nearest_that_can_be_told() {
    assert_eq!(time(Little, &[(TSRESOL, &[0])], u64::MAX), Some(i64::MAX));
    let long_ago = Little.u64(1 << 63);
    assert_eq!(time(Little, &[(TSOFFSET, &long_ago)], 0), Some(i64::MIN));
    // Units so small that all of 64 bits is less than a nanosecond.
    assert_eq!(time(Little, &[(TSRESOL, &[127])], u64::MAX - 1), Some(0));
    assert_eq!(time(Little, &[(TSRESOL, &[0xff])], u64::MAX), Some(0));
}

#[test]
fn options_count_only_up_to_their_end() {
    let options: Options<'_> = &[(0, &[]), (TSRESOL, &[0])];
    assert_eq!(time(Little, options, 4_000_000), Some(4_000_000_000));
}

#[test]
fn a_simple_packet_is_cut_at_the_snapshot_length() {
    let mut sample = Sample::ethernet(96, 0);
    sample.original_len = 1514;
    sample.timestamp_ns = None;
    let mut file = section(Little);
    file.extend(interface(Little, 1, 96, &[]));
    file.extend(simple(Little, &sample));
    assert_eq!(read_whole(file), [sample]);
}

#[test]
fn a_block_length_without_its_padding_is_understood() {
    let sample = Sample::ethernet(5, 4);
    let mut packet = obsolete(Little, 0, 4_000_000, &sample);
    let [first, last] = [4, packet.len() - 4];
    let unpadded = Little.u32(packet.len() as u32 - 3);
    packet[first..first + 4].copy_from_slice(&unpadded);
    packet[last..].copy_from_slice(&unpadded);
    let mut file = section(Little);
    file.extend(interface(Little, 1, 0, &[]));
    file.extend(packet);
    assert_eq!(read_whole(file), [sample]);
}
