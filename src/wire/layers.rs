use super::{Family, TunnelKind};

/// Tunnels, one in the other, that are opened in one frame.
const TUNNELS_CAP: usize = 2;

/// Where the headers around the judged IP header stand, for those who answer the frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layers {
    /// The PPPoE session header before the outermost IP header.
    pub(super) pppoe: Option<u16>,
    /// The tunnels that were opened, the outermost first.
    pub(super) outer: [Option<Outer>; TUNNELS_CAP],
}

/// The outer header of a tunnel that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outer {
    pub(super) kind: TunnelKind,
    /// Of the IP header.
    pub(super) family: Family,
    /// Where the IP header begins.
    pub(super) ip: u16,
    /// Where what it carries begins, behind its extension headers.
    pub(super) payload: u16,
}

impl Layers {
    /// Notes a tunnel; `false` when it is one too many.
    pub(super) fn enter(&mut self, outer: Outer) -> bool {
        let free = self.outer.iter_mut().find(|slot| slot.is_none());
        free.map(|slot| *slot = Some(outer)).is_some()
    }

    /// Notes a session header.
    pub(super) fn pass_session(&mut self, at: u16) {
        if let [None, ..] = self.outer {
            self.pppoe = Some(at);
        }
    }
}
