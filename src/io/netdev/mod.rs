//! Linux network interfaces as the system knows them: what they are like, what is set while sekisho
//! has them and undone afterwards, and what becomes of them meanwhile.
//!
//! ```text
//!  Interface::named ─▶ Claim::of ─▶ prepare ─▶ Prepared ─▶ exit: Leave, LinkDown, KernelBridge
//!   is it there?        is it free?    │           │       or dropped: Leave
//!                                      ▼           ▼
//!                            folder: what was    NetDevice::watch: link, losses
//!                            found, one file
//!                            an interface
//! ```
//! An interface is known by its number, which stays when it gets another name. Everything is asked of
//! the kernel through sockets of the interface's network namespace; `/sys` may show another one.
//!
//! What cannot be kept quiet: IPv4 addresses stay, so that a route through such an interface still
//! sends, to nobody; programs of the host (`lldpd`, a DHCP client, NetworkManager) must be told to
//! leave it alone; and when IPv6 is switched off on an interface that is up, the kernel takes leave of
//! its multicast groups with a last report.

mod bridge;
mod capability;
mod claim;
mod clock;
mod device;
mod fault;
mod interface;
mod ipv6;
mod link;
mod netlink;
mod offload;
mod prepare;
mod propagation;
mod restore;
mod state;
mod wall;

pub use capability::{Capability, capabilities_missing};
pub use claim::Claim;
pub use clock::clock_is_synchronised;
pub use device::NetDevice;
pub use interface::{Channels, Interface, Operstate, Rings};
pub use prepare::{OnExit, Prepared, prepare};
pub use propagation::{GRACE_NS, Propagation, SetLink, Side};
pub use restore::recover;
