use super::netlink::{
    CREATE, Message, Netlink, REPLACE, attributes, nested, text, u16_at, u32_at, u64_at,
};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_MASTER: u16 = 10;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_STATS64: u16 = 23;
const IFLA_PROMISCUITY: u16 = 30;
const IFLA_NUM_RX_QUEUES: u16 = 32;
const IFLA_CARRIER: u16 = 33;
const IFLA_XDP: u16 = 43;

const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;
const IFLA_XDP_PROG_ID: u16 = 4;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;

/// Flags of an interface.
pub(super) const UP: u32 = libc::IFF_UP.cast_unsigned();
pub(super) const NO_ARP: u32 = libc::IFF_NOARP.cast_unsigned();
/// Set by whoever administers it; a packet socket that listens to everything does not show here.
pub(super) const PROMISCUOUS: u32 = libc::IFF_PROMISC.cast_unsigned();

/// An address does not expire.
const PERMANENT: u32 = 0x80;
/// What may be said of an address when it is set: no search for duplicates, a home address, the
/// parent of temporary ones, no route of its own.
const SETTABLE: u32 = 0x02 | 0x10 | 0x100 | 0x200;

/// How many counters of losses the kernel has.
pub(super) const LOSS_COUNTERS: usize = 8;

/// The kernel's counters of what was lost, by their places in `struct rtnl_link_stats64`.
const LOSSES: [(usize, &str); LOSS_COUNTERS] = [
    (4, "rx_errors"),
    (6, "rx_dropped"),
    (14, "rx_fifo_errors"),
    (15, "rx_missed_errors"),
    (5, "tx_errors"),
    (7, "tx_dropped"),
    (18, "tx_fifo_errors"),
    (17, "tx_carrier_errors"),
];

/// An interface as `rtnetlink` describes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Described {
    pub(super) index: u32,
    /// `ARPHRD_ETHER`, `ARPHRD_LOOPBACK`.
    pub(super) hardware: u16,
    pub(super) name: String,
    pub(super) flags: u32,
    pub(super) mtu_bytes: u32,
    pub(super) address: Vec<u8>,
    pub(super) operstate: u8,
    pub(super) carrier: bool,
    /// What made it: `veth`, `bridge`; a NIC has none.
    pub(super) kind: Option<String>,
    pub(super) master: Option<u32>,
    pub(super) alias: Option<String>,
    pub(super) promiscuity: u32,
    /// How many receive queues there is room for.
    pub(super) rx_queues: u32,
    pub(super) xdp_program: Option<u32>,
    /// In the order of [`loss_counters`].
    pub(super) losses: [u64; LOSS_COUNTERS],
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Address {
    pub(super) address: IpAddr,
    pub(super) prefix_len: u8,
    pub(super) flags: u32,
}

/// The names of the counters in [`Described::losses`].
pub(super) fn loss_counters() -> [&'static str; LOSS_COUNTERS] {
    LOSSES.map(|(_, name)| name)
}

impl Described {
    fn read(body: &[u8]) -> Self {
        let mut found = Self {
            hardware: u16_at(body, 2).unwrap_or_default(),
            index: u32_at(body, 4).unwrap_or_default(),
            flags: u32_at(body, 8).unwrap_or_default(),
            ..Self::default()
        };
        for (kind, value) in attributes(body.get(16..).unwrap_or_default()) {
            let word = || u32_at(value, 0);
            let octet = || value.first().copied().unwrap_or_default();
            match kind {
                IFLA_IFNAME => found.name = text(value),
                IFLA_MTU => found.mtu_bytes = word().unwrap_or_default(),
                IFLA_ADDRESS => found.address = value.to_vec(),
                IFLA_OPERSTATE => found.operstate = octet(),
                IFLA_CARRIER => found.carrier = octet() == 1,
                IFLA_LINKINFO => found.kind = inside(value, IFLA_INFO_KIND).map(text),
                IFLA_MASTER => found.master = word(),
                IFLA_IFALIAS => found.alias = Some(text(value)),
                IFLA_PROMISCUITY => found.promiscuity = word().unwrap_or_default(),
                IFLA_NUM_RX_QUEUES => found.rx_queues = word().unwrap_or_default(),
                IFLA_XDP => {
                    let id = inside(value, IFLA_XDP_PROG_ID).and_then(|id| u32_at(id, 0));
                    found.xdp_program = id.filter(|id| *id != 0);
                }
                IFLA_STATS64 => {
                    found.losses = LOSSES.map(|(at, _)| u64_at(value, at * 8).unwrap_or_default());
                }
                _ => {}
            }
        }
        found
    }

    pub(super) fn is_up(&self) -> bool {
        self.flags & UP != 0
    }
}

fn inside(value: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut found = attributes(value);
    found.find_map(|(kind, value)| (kind == wanted).then_some(value))
}

/// `struct ifinfomsg`: of an interface, with those flags set that are in `change`.
fn fixed(index: u32, flags: u32, change: u32) -> Vec<u8> {
    [0, index, flags, change]
        .iter()
        .flat_map(|word| word.to_ne_bytes())
        .collect()
}

impl Netlink {
    /// An interface; `None` where there is none of this index.
    pub(super) fn describe(&mut self, index: u32) -> io::Result<Option<Described>> {
        match self.ask(&Message::new(RTM_GETLINK, &fixed(index, 0, 0))) {
            Ok(body) => Ok(Some(Described::read(&body))),
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An interface by its name; `None` where there is none.
    pub(super) fn find(&mut self, name: &str) -> io::Result<Option<Described>> {
        match self.index_of(name) {
            Ok(index) => self.describe(index),
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All interfaces.
    pub(super) fn interfaces(&mut self) -> io::Result<Vec<Described>> {
        let mut found = Vec::new();
        self.dump(&Message::new(RTM_GETLINK, &fixed(0, 0, 0)), |body| {
            found.push(Described::read(body));
        })?;
        Ok(found)
    }

    /// Sets those flags of an interface that are in `change`.
    pub(super) fn set_flags(&mut self, index: u32, flags: u32, change: u32) -> io::Result<()> {
        self.tell(&Message::new(RTM_NEWLINK, &fixed(index, flags, change)), 0)
    }

    /// The addresses of an interface.
    pub(super) fn addresses(&mut self, index: u32) -> io::Result<Vec<Address>> {
        let mut found = Vec::new();
        self.dump(&Message::new(RTM_GETADDR, &[0; 8]), |body| {
            if u32_at(body, 4) == Some(index) {
                found.extend(Address::read(body));
            }
        })?;
        Ok(found)
    }

    /// Gives an interface an address, whether it has it already or not.
    pub(super) fn add_address(&mut self, index: u32, address: &Address) -> io::Result<()> {
        let (family, octets) = match address.address {
            IpAddr::V4(v4) => (libc::AF_INET, v4.octets().to_vec()),
            IpAddr::V6(v6) => (libc::AF_INET6, v6.octets().to_vec()),
        };
        // The kernel knows the scope of an IPv6 address from its prefix.
        let mut body = vec![family as u8, address.prefix_len, 0, 0];
        body.extend(index.to_ne_bytes());
        let message = Message::new(RTM_NEWADDR, &body)
            .with(IFA_LOCAL, &octets)
            .with(IFA_ADDRESS, &octets)
            .with(IFA_FLAGS, &(address.flags & SETTABLE).to_ne_bytes());
        self.tell(&message, REPLACE)
    }

    /// Makes a bridge, down, with these attributes of bridges.
    pub(super) fn add_bridge(&mut self, name: &str, settings: &[(u16, &[u8])]) -> io::Result<()> {
        let message = Message::new(RTM_NEWLINK, &fixed(0, 0, 0))
            .with(IFLA_IFNAME, name.as_bytes())
            .with(
                IFLA_LINKINFO,
                &nested(&[
                    (IFLA_INFO_KIND, b"bridge"),
                    (IFLA_INFO_DATA, &nested(settings)),
                ]),
            );
        self.tell(&message, CREATE)
    }

    /// Says of an interface, to whoever looks at it, what it is for.
    pub(super) fn set_alias(&mut self, index: u32, alias: &str) -> io::Result<()> {
        let message =
            Message::new(RTM_NEWLINK, &fixed(index, 0, 0)).with(IFLA_IFALIAS, alias.as_bytes());
        self.tell(&message, 0)
    }

    /// Makes an interface a port of a bridge, with these attributes of bridge ports.
    pub(super) fn enslave(
        &mut self,
        index: u32,
        bridge: u32,
        settings: &[(u16, &[u8])],
    ) -> io::Result<()> {
        let message =
            Message::new(RTM_NEWLINK, &fixed(index, 0, 0)).with(IFLA_MASTER, &bridge.to_ne_bytes());
        self.tell(&message, 0)?;
        let message = Message::new(RTM_NEWLINK, &fixed(index, 0, 0)).with(
            IFLA_LINKINFO,
            &nested(&[
                (IFLA_INFO_SLAVE_KIND, b"bridge"),
                (IFLA_INFO_SLAVE_DATA, &nested(settings)),
            ]),
        );
        self.tell(&message, 0)
    }

    /// Takes away an interface that is made of software.
    pub(super) fn delete(&mut self, index: u32) -> io::Result<()> {
        self.tell(&Message::new(RTM_DELLINK, &fixed(index, 0, 0)), 0)
    }
}

impl Address {
    /// Whether it does not expire: somebody set it, or the interface made it for itself.
    pub(super) fn is_permanent(&self) -> bool {
        self.flags & PERMANENT != 0
    }

    fn read(body: &[u8]) -> Option<Self> {
        let family = i32::from(*body.first()?);
        let mut found = Self {
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            prefix_len: *body.get(1)?,
            flags: u32::from(*body.get(2)?),
        };
        let mut local = None;
        for (kind, value) in attributes(body.get(8..)?) {
            match kind {
                // Where both are there, IFA_ADDRESS is that of the other end.
                IFA_LOCAL => local = Some(value),
                IFA_ADDRESS => local = local.or(Some(value)),
                IFA_FLAGS => found.flags = u32_at(value, 0)?,
                _ => {}
            }
        }
        let octets = local?;
        found.address = match family {
            libc::AF_INET => IpAddr::V4(Ipv4Addr::from(*octets.first_chunk()?)),
            libc::AF_INET6 => IpAddr::V6(Ipv6Addr::from(*octets.first_chunk()?)),
            _ => return None,
        };
        Some(found)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}
