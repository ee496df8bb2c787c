use crate::support::{Forward, Moved, options, read_capture, serve, write_capture};

#[test]
fn from_file_to_file_every_octet_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (
        folder.path().join("in.pcap"),
        folder.path().join("out.pcap"),
    );
    let frames: Vec<Vec<u8>> = (0..3_000_u32).map(frame).collect();
    write_capture(&before, &frames);
    let access = format!("net_pcap0,rx_pcap={}", before.display());
    let network = format!("net_pcap1,tx_pcap={}", after.display());
    let moved = serve(&options(&access, &network), Forward);
    let count = frames.len() as u64;
    assert_eq!(
        moved,
        Moved {
            received: count,
            transmitted: count,
            held: 0
        }
    );
    assert!(read_capture(&after) == frames, "octets differ");
}

/// From 60 octets on, each different.
fn frame(number: u32) -> Vec<u8> {
    let octets = 60 + number % 1_455;
    (0..octets)
        .map(|place| (number.wrapping_mul(31).wrapping_add(place * 7) >> 3) as u8)
        .collect()
}

#[test]
fn zz_probe() {
    for name in [
        "net_ring7",
        "net_null7",
        "net_pcap7,iface=lo",
        "net_null8,no-rx=1",
        "net_tap7",
        "net_af_packet7,iface=lo",
        "net_nosuch0",
        "net_af_packet8,iface=nope",
        "net_null9,copy=x",
        "net_pcap9,rx_pcap=/nonexistent",
    ] {
        let mut o = options(name, "net_ring8");
        o.mtu_bytes = 1500;
        match sekisho::io::dpdk::open(&o) {
            Ok(mut opened) => {
                use sekisho::io::port::Device;
                println!(
                    "{name}: {} {:?} {:?}",
                    opened.access.shape().to_owned(),
                    opened.access.link(),
                    opened.access.losses()
                );
                println!(
                    "   down {:?} {:?}",
                    opened.access.set_link(false),
                    opened.access.link()
                );
                println!(
                    "   up {:?} {:?}",
                    opened.access.set_link(true),
                    opened.access.link()
                );
                let sekisho::io::dpdk::Opened {
                    lanes,
                    access,
                    network,
                    owner,
                } = opened;
                drop((lanes, access, network));
                println!("   close {:?}", owner.close());
            }
            Err(e) => println!("{name}: {:?} {e}", e.fault),
        }
    }
}
