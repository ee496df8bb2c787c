//! What stands between the IP header of a tunnel and the packet inside.

const UDP: u8 = 17;
const GRE: u8 = 47;

/// The protocol of the outer header, and what follows it.
pub(crate) fn wrap(
    words: &str,
    ethertype: u16,
    packet: Vec<u8>,
    udp: impl Fn((u16, u16), &[u8]) -> Result<Vec<u8>, String>,
) -> Result<(u8, Vec<u8>), String> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let announced = ethertype.to_be_bytes();
    match words[..] {
        ["gre"] => Ok((GRE, [&[0, 0][..], &announced, &packet].concat())),
        ["gre", "key"] => {
            let key = [0, 0, 0, 7];
            Ok((GRE, [&[0x20, 0][..], &announced, &key, &packet].concat()))
        }
        ["gtp-u"] => {
            let length = u16::try_from(packet.len()).map_err(|e| e.to_string())?;
            let header = [&[0x30, 255][..], &length.to_be_bytes(), &[0, 0, 0, 9]].concat();
            Ok((UDP, udp((2152, 2152), &[header, packet].concat())?))
        }
        ["vxlan"] => {
            let header = [8, 0, 0, 0, 0, 0, 42, 0];
            let macs = [2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a];
            let data = [&header[..], &macs, &announced, &packet].concat();
            Ok((UDP, udp((49_999, 4789), &data)?))
        }
        ["l2tp", ..] => Ok((UDP, udp((1701, 1701), &l2tp(&words, ethertype, &packet))?)),
        _ => Err(format!("through: {words:?} is nothing known here")),
    }
}

/// L2TPv2 data: length, sequence numbers and an offset of two octets where their bits are asked for.
fn l2tp(words: &[&str], ethertype: u16, packet: &[u8]) -> Vec<u8> {
    let says = |word: &str| words.contains(&word);
    let mut ppp = Vec::new();
    if !says("no-address") {
        ppp.extend([0xff, 0x03]);
    }
    let protocol: u8 = if ethertype == 0x0800 { 0x21 } else { 0x57 };
    if !says("short-protocol") {
        ppp.push(0);
    }
    ppp.push(protocol);
    ppp.extend(packet);

    let bit = |word, bit: u16| if says(word) { bit } else { 0 };
    let flags = 2 | bit("L", 0x4000) | bit("S", 0x0800) | bit("O", 0x0200);
    let mut rest = vec![0, 11, 0, 22];
    if says("S") {
        rest.extend([0, 1, 0, 0]);
    }
    if says("O") {
        rest.extend([0, 2, 0xee, 0xee]);
    }
    rest.extend(ppp);
    let mut octets = flags.to_be_bytes().to_vec();
    if says("L") {
        octets.extend((rest.len() as u16 + 4).to_be_bytes());
    }
    octets.extend(rest);
    octets
}
