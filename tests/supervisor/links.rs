//! Links that come and go.

use super::bench::{POLICY, Place};
use sekisho::control::supervisor::{Ending, Watched};
use sekisho::io::netdev::Side;
use sekisho::io::port::{Device, DeviceError, DeviceFault, Link, Loss};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

/// A device whose cable the test holds.
#[derive(Clone)]
struct Cable {
    name: &'static str,
    state: Arc<Mutex<State>>,
}

struct State {
    plugged: Link,
    /// As set by whoever administers it.
    up: bool,
}

impl Cable {
    fn new(name: &'static str) -> Self {
        let state = State {
            plugged: Link::Up,
            up: true,
        };
        let state = Arc::new(Mutex::new(state));
        Self { name, state }
    }

    fn plug(&self, link: Link) {
        self.state.lock().unwrap().plugged = link;
    }

    fn is_up(&self) -> bool {
        self.state.lock().unwrap().up
    }
}

impl Device for Cable {
    fn name(&self) -> &str {
        self.name
    }

    fn link(&mut self) -> Link {
        let state = self.state.lock().unwrap();
        match (state.plugged, state.up) {
            (Link::Up, false) => Link::Down,
            (plugged, _) => plugged,
        }
    }

    fn set_link(&mut self, up: bool) -> Result<(), DeviceError> {
        self.state.lock().unwrap().up = up;
        Ok(())
    }

    fn losses(&mut self) -> Vec<Loss> {
        let counter = "rx_missed_errors".to_owned();
        vec![Loss { counter, frames: 7 }]
    }
}

fn devices() -> ([Cable; 2], Vec<Watched>) {
    let cables = [Cable::new("one"), Cable::new("two")];
    let [one, two] = cables.clone();
    let access = Watched::new(Side::Access, Box::new(one));
    let network = Watched::new(Side::Network, Box::new(two));
    (cables, vec![access, network])
}

#[test]
fn a_lost_link_is_told_of_handed_on_and_comes_back() {
    let ([one, two], devices) = devices();
    let (ending, stats) = Place::new(POLICY).run_with(devices, |client| {
        // A link that was never seen up has ten seconds to come.
        sleep(Duration::from_millis(300));
        one.plug(Link::Down);
        client.wait_until(|_| !two.is_up());
        let devices = client.stats().devices;
        let links: Vec<_> = devices.iter().map(|device| &*device.link).collect();
        assert_eq!(links, ["down", "down"]);
        assert_eq!(devices[0].losses[0].frames, 7);
        one.plug(Link::Up);
        client.wait_until(|_| two.is_up());
        client.wait_until(|client| client.said().contains(&"two: link up".to_owned()));
        assert!(client.said().contains(&"one: link down".to_owned()));
    });
    assert_eq!(ending, Ending::Drained);
    assert_eq!(stats.devices.len(), 2);
    assert!(!one.is_up() && !two.is_up(), "taken down at the end");
}

#[test]
fn a_device_that_vanishes_ends_the_run() {
    let ([one, _], devices) = devices();
    let (ending, _) = Place::new(POLICY).run_with(devices, |_| {
        one.plug(Link::Gone);
        // The run ends by itself: the client does not ask for it.
        sleep(Duration::from_millis(500));
    });
    let Ending::Gone(why) = ending else {
        panic!("{ending:?}");
    };
    assert_eq!(why.fault, DeviceFault::Gone);
    assert_eq!(why.to_string(), "one is gone");
}
