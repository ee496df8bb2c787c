use sekisho::loadgen::traffic::{Generator, Model, Network, Protocols, Sizes};

/// A large ring of receive descriptors.
pub(crate) const RING_FRAMES: usize = 32_768;

/// A ring of TCP frames, of which such a share opens connections to port 25.
pub(crate) fn frames(network: &Network, sizes: Sizes, port_25: f64) -> Vec<Vec<u8>> {
    let model = Model {
        sizes,
        port_25,
        protocols: Protocols {
            tcp: 1.0,
            udp: 0.0,
            icmp: 0.0,
            esp: 0.0,
        },
        ..Model::default()
    };
    let mut generator = Generator::new(&model, network, 1).unwrap();
    let frame = |_| {
        let mut frame = Vec::new();
        generator.append_frame(&mut frame);
        frame
    };
    (0..RING_FRAMES).map(frame).collect()
}
