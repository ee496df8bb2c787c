use crate::io::port::Link;

/// How long a link may take to come up after it was set up: copper negotiates for some seconds,
/// optics with forward error correction for longer.
pub const GRACE_NS: u64 = 10_000_000_000;

/// Where a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Towards subscribers.
    Access,
    /// Towards the rest of the network.
    Network,
}

/// What is to be set at one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLink {
    /// Which.
    pub side: Side,
    /// Up, or down.
    pub up: bool,
}

/// Hands the loss of one link on to the other, as a wire would.
///
/// ```text
///            one is lost                  the lost one is back
///   both ──────────────▶ other held down ──────────────────────▶ other set up
///    ▲                          ▲                                     │
///    │         it is up         │         the first is lost again     │
///    ├──────────────────────────┼─────────────────────────────────────┤
///    │                          └── the grace is over and it is down: now it is the one
///    └──                            that is lost, and the first is held down
/// ```
/// At most one is held down, and only what the *other* one does takes it up again: a device that was
/// set down has no link either, and says nothing by it. One that was set up has so long to get its
/// link before it counts as lost. So the two do not take each other down for ever, and two such boxes
/// in a row do not either.
#[derive(Clone, Debug)]
pub struct Propagation {
    grace_ns: u64,
    access: End,
    network: End,
}

#[derive(Clone, Copy, Debug)]
struct End {
    held: bool,
    /// Until when no link is none lost; `None` once it had one.
    grace_until_ns: Option<u64>,
}

impl Propagation {
    /// Both were set up at this time, on any clock that does not step.
    pub fn new(now_ns: u64, grace_ns: u64) -> Self {
        let end = End {
            held: false,
            grace_until_ns: Some(now_ns.saturating_add(grace_ns)),
        };
        Self {
            grace_ns,
            access: end,
            network: end,
        }
    }

    /// What is to be set now that the links are so. Ask it again and again, also when nothing
    /// changes; what it said counts as done.
    pub fn step(&mut self, now_ns: u64, access: Link, network: Link) -> Option<SetLink> {
        let until = now_ns.saturating_add(self.grace_ns);
        let [lost_access, lost_network] = [
            self.access.is_lost(now_ns, access),
            self.network.is_lost(now_ns, network),
        ];
        if self.access.held {
            return self
                .access
                .release_or_keep(access, network, until)
                .map(|up| Side::Access.set(up));
        }
        if self.network.held {
            return self
                .network
                .release_or_keep(network, access, until)
                .map(|up| Side::Network.set(up));
        }
        match (lost_access, lost_network) {
            // Two that are lost tell each other nothing.
            (true, true) | (false, false) => None,
            (true, false) => {
                self.network.held = true;
                Some(Side::Network.set(false))
            }
            (false, true) => {
                self.access.held = true;
                Some(Side::Access.set(false))
            }
        }
    }

    /// The device that is held down, if one is.
    pub fn held(&self) -> Option<Side> {
        match (self.access.held, self.network.held) {
            (true, _) => Some(Side::Access),
            (_, true) => Some(Side::Network),
            _ => None,
        }
    }
}

impl Side {
    fn set(self, up: bool) -> SetLink {
        SetLink { side: self, up }
    }
}

impl End {
    fn is_lost(&mut self, now_ns: u64, link: Link) -> bool {
        if self.held {
            return false;
        }
        match link {
            Link::Up => {
                self.grace_until_ns = None;
                false
            }
            Link::Gone => true,
            Link::Down => self.grace_until_ns.is_none_or(|until| now_ns >= until),
        }
    }

    /// Whether an end that is held down is to be set up, or down once more.
    fn release_or_keep(&mut self, link: Link, other: Link, until_ns: u64) -> Option<bool> {
        if other == Link::Up {
            self.held = false;
            self.grace_until_ns = Some(until_ns);
            return Some(true);
        }
        // Somebody set it up meanwhile.
        (link == Link::Up).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Link::{Down, Gone, Up};

    const NETWORK_DOWN: Option<SetLink> = Some(SetLink {
        side: Side::Network,
        up: false,
    });
    const NETWORK_UP: Option<SetLink> = Some(SetLink {
        side: Side::Network,
        up: true,
    });
    const ACCESS_DOWN: Option<SetLink> = Some(SetLink {
        side: Side::Access,
        up: false,
    });
    const ACCESS_UP: Option<SetLink> = Some(SetLink {
        side: Side::Access,
        up: true,
    });

    /// Times are seconds; the grace is ten.
    fn run(steps: &[(u64, Link, Link, Option<SetLink>)]) -> Propagation {
        let mut propagation = Propagation::new(0, 10);
        for (number, (now, access, network, expected)) in steps.iter().enumerate() {
            let set = propagation.step(*now, *access, *network);
            assert_eq!(set, *expected, "step {number} at {now}");
        }
        propagation
    }

    #[test]
    fn a_lost_link_takes_the_other_down_until_it_is_back() {
        run(&[
            (1, Up, Up, None),
            (2, Down, Up, NETWORK_DOWN),
            (3, Down, Down, None),
            (60, Down, Down, None),
            (61, Up, Down, NETWORK_UP),
            (62, Up, Down, None),
            (64, Up, Up, None),
            (65, Up, Down, ACCESS_DOWN),
            (66, Down, Up, ACCESS_UP),
            (67, Up, Up, None),
        ]);
    }

    #[test]
    fn links_that_are_still_coming_up_are_not_lost() {
        run(&[
            (0, Down, Down, None),
            (3, Up, Down, None),
            (9, Up, Down, None),
            (10, Up, Down, ACCESS_DOWN),
            (11, Down, Down, None),
            (12, Down, Up, ACCESS_UP),
            (13, Up, Up, None),
        ]);
    }

    #[test]
    fn one_that_does_not_come_back_holds_the_other_down_without_flapping() {
        run(&[
            (1, Up, Up, None),
            (2, Down, Up, NETWORK_DOWN),
            // Meanwhile somebody pulls the other plug too, which cannot be seen.
            (5, Down, Down, None),
            (6, Up, Down, NETWORK_UP),
            (15, Up, Down, None),
            (16, Up, Down, ACCESS_DOWN),
            (17, Down, Down, None),
            (1000, Down, Down, None),
            (1001, Down, Up, ACCESS_UP),
            (1002, Up, Up, None),
        ]);
    }

    #[test]
    fn one_that_is_lost_again_while_the_other_comes_up_takes_it_down_again() {
        run(&[
            (1, Up, Up, None),
            (2, Down, Up, NETWORK_DOWN),
            (3, Up, Down, NETWORK_UP),
            (4, Down, Down, NETWORK_DOWN),
            (5, Up, Down, NETWORK_UP),
        ]);
    }

    #[test]
    fn two_that_are_lost_together_are_left_alone() {
        let both = run(&[
            (1, Up, Up, None),
            (2, Down, Down, None),
            (90, Down, Down, None),
        ]);
        assert_eq!(both.held(), None);
        let one = run(&[
            (1, Up, Up, None),
            (2, Down, Down, None),
            (3, Up, Down, ACCESS_DOWN),
        ]);
        assert_eq!(one.held(), Some(Side::Access));
    }

    #[test]
    fn a_device_that_is_gone_is_lost_and_one_set_up_by_somebody_is_set_down_again() {
        run(&[
            (1, Gone, Up, NETWORK_DOWN),
            (2, Gone, Up, NETWORK_DOWN),
            (3, Gone, Down, None),
        ]);
    }

    /// Two boxes in a row, whose inner links are one wire, and a wire at each end: whatever is pulled
    /// and plugged, all is up at last.
    #[test]
    fn two_boxes_in_a_row_come_up_whatever_order_their_ends_return_in() {
        for pattern in 0_u32..1 << 16 {
            let mut boxes = [Propagation::new(0, 3), Propagation::new(0, 3)];
            let mut admin = [[true; 2]; 2];
            let mut settled = 0;
            for now in 0..60 {
                let plug =
                    |end: u32| now >= 16 / 2 || pattern >> (now * 2 + u64::from(end)) & 1 == 1;
                let inner = admin[0][1] && admin[1][0];
                let up = |is: bool| if is { Up } else { Down };
                let links = [
                    [up(plug(0) && admin[0][0]), up(inner)],
                    [up(inner), up(plug(1) && admin[1][1])],
                ];
                for (which, one) in boxes.iter_mut().enumerate() {
                    let [access, network] = links[which];
                    if let Some(set) = one.step(now, access, network) {
                        admin[which][usize::from(set.side == Side::Network)] = set.up;
                        settled = now;
                    }
                }
            }
            assert_eq!(admin, [[true; 2]; 2], "{pattern:016b}");
            assert!(settled < 40, "{pattern:016b}: still moving at {settled}");
        }
    }
}
