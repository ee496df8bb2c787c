use super::port::XdpPort;
use super::socket::Socket;
use super::umem::{Owner, Umem};
use crate::io::port::{Lane, Work};

/// The same queue of both devices, and the memory that their frames lie in: what one received, the
/// other sends from where it is.
#[derive(Debug)]
pub struct XdpLane {
    pub(super) access: Socket,
    pub(super) network: Socket,
    /// Behind the sockets: they go first.
    pub(super) umem: Umem,
}

impl Lane for XdpLane {
    fn serve<W: Work>(self, work: W) -> W::Output {
        let Self {
            access,
            network,
            umem,
        } = self;
        let access = XdpPort::new(&umem, access, Owner::Access);
        let network = XdpPort::new(&umem, network, Owner::Network);
        work.work(access, network)
    }
}
