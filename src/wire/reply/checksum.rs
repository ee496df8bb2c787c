//! The checksum of the internet, from etherparse's sum.

use etherparse::checksum::Sum16BitWords;

/// Of an IPv4 header that holds zero where its checksum goes; zero of one that holds the right one.
pub(super) fn of_header(header: &[u8]) -> u16 {
    Sum16BitWords::new()
        .add_slice(header)
        .ones_complement()
        .to_be()
}

/// Of a UDP datagram between two addresses; what it holds for a checksum is zero.
pub(super) fn of_udp(addresses: &[u8], datagram: &[u8]) -> u16 {
    let [high, low] = (datagram.len() as u16).to_be_bytes();
    Sum16BitWords::new()
        .add_slice(addresses)
        .add_2bytes([0, etherparse::ip_number::UDP.0])
        .add_2bytes([high, low])
        .add_slice(datagram)
        .to_ones_complement_with_no_zero()
        .to_be()
}
