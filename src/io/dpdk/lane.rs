use super::device::Running;
use super::eal::Registered;
use super::held::Serving;
use super::pool::Pool;
use super::port::DpdkPort;
use crate::io::port::{Lane, Work};
use std::sync::Arc;

/// What lanes, devices and the owner hold together. The devices are before the pools that they
/// receive into: they are closed first.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) access: Running,
    pub(super) network: Running,
    /// Of each lane.
    pub(super) pools: Vec<LanePools>,
}

/// Where the ports of one lane receive.
#[derive(Debug)]
pub(super) struct LanePools {
    /// Of the access port; and of the network port, where that has none of its own.
    pub(super) access: Pool,
    /// Where the devices are on different NUMA nodes.
    pub(super) network: Option<Pool>,
}

impl LanePools {
    pub(super) fn network(&self) -> &Pool {
        self.network.as_ref().unwrap_or(&self.access)
    }

    fn out(&self) -> u32 {
        self.access.out() + self.network.as_ref().map_or(0, Pool::out)
    }
}

impl Shared {
    /// Stops and closes the devices; says how many mbufs are still not in their pools, and no
    /// driver's.
    pub(super) fn close(self) -> u32 {
        let Self {
            access,
            network,
            pools,
        } = self;
        let kept_by_driver = access.keeps_mbufs() || network.keeps_mbufs();
        drop((access, network));
        match kept_by_driver {
            true => 0,
            false => pools.iter().map(LanePools::out).sum(),
        }
    }
}

/// The same queue of both devices, for one worker.
#[derive(Debug)]
pub struct DpdkLane {
    shared: Arc<Shared>,
    queue: u16,
}

impl DpdkLane {
    pub(super) fn all(shared: &Arc<Shared>) -> Vec<Self> {
        (0..)
            .zip(&shared.pools)
            .map(|(queue, _)| Self {
                shared: Arc::clone(shared),
                queue,
            })
            .collect()
    }
}

impl Lane for DpdkLane {
    fn serve<W: Work>(self, work: W) -> W::Output {
        let _registered = Registered::this_thread();
        let Self { shared, queue } = &self;
        let Some(pools) = shared.pools.get(usize::from(*queue)) else {
            unreachable!("a lane is made for each of the pools")
        };
        let (access, network) = (shared.access.port(), shared.network.port());
        let _serving = Serving::begin(access);
        // SAFETY: the queue is one of those that `setup` made on both devices, receiving into these
        // pools. The devices are open as long as `shared` is held, which is longer than this call.
        // There is one lane for each queue, and it is used up here; ports and frames are not `Send`,
        // so this thread alone has them.
        let (access, network) = unsafe {
            (
                DpdkPort::new(access, *queue, &pools.access, shared.access.gate()),
                DpdkPort::new(network, *queue, pools.network(), shared.network.gate()),
            )
        };
        work.work(access, network)
    }
}
