/// Placeholder while the IPv4 part is landed.
#[derive(Debug)]
pub struct Ipv6Writer;
