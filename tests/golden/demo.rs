//! The demonstration capture: one day on the access side of αWeb, made up, and every frame with the
//! verdict that the policy must give it.

use crate::case::{Case, FrameSpec};
use crate::conversation::{Conversation, Side, frames};
use crate::dice::Dice;
use crate::link::LinkKind;
use jiff::{Span, Timestamp};

/// The day, Monday 15 January 2024, begins in Japan.
const MIDNIGHT: &str = "2024-01-15T00:00:00+09:00";
const HOUR_US: u64 = 3_600_000_000;
const MINUTE_US: u64 = 60_000_000;

/// The rules of config/alpha-web.yaml that this day meets.
const RULE_IPV6: &str = "ipv6";
const RULE_SHARED: &str = "v6plus";
const RULE_CARRIERS: &str = "carriers-first";
const RULE_OTHERS: &str = "everyone-else";

/// A subscriber's line: what it is, and how its frames arrive.
#[derive(Clone, Copy)]
struct Line {
    plan: &'static str,
    address: &'static str,
    stack: &'static [&'static str],
}

const fn line(plan: &'static str, address: &'static str, stack: &'static [&'static str]) -> Line {
    Line {
        plan,
        address,
        stack,
    }
}

const FTTH: [Line; 5] = [
    line("ftth_std", "203.0.113.81", &["vlan 100", "pppoe"]),
    line("ftth_std", "203.0.113.82", &["vlan 100", "pppoe"]),
    line("ftth_std", "203.0.113.83", &["vlan 101", "pppoe"]),
    line("ftth_std", "203.0.113.84", &["vlan 101", "pppoe"]),
    line("ftth_std", "203.0.113.85", &["vlan 101", "pppoe"]),
];
const ADSL: [Line; 3] = [
    line("adsl_std", "203.0.113.65", &["tag 88a8 200", "vlan 11"]),
    line("adsl_std", "203.0.113.66", &["tag 88a8 200", "vlan 12"]),
    line("adsl_std", "203.0.113.67", &["tag 88a8 200", "vlan 13"]),
];
const SLOW: [Line; 2] = [
    line("isdn_std", "203.0.113.97", &["vlan 300"]),
    line("mobile_std", "203.0.113.105", &["vlan 310"]),
];
const FIXED: Line = line("fixed4", "203.0.113.121", &["vlan 500"]);
const SHARED: [Line; 2] = [
    line("v6plus_std", "203.0.113.113", &["vlan 600"]),
    line("v6plus_std", "203.0.113.114", &["vlan 600"]),
];
const IPV6: [Line; 3] = [
    line("ftth_std", "2001:db8:5100::1", &["vlan 110"]),
    line("v6plus_std", "2001:db8:5400::1", &["vlan 600"]),
    line("fixed4", "2001:db8:5500::1", &["vlan 500"]),
];
/// The line whose computer sends spam.
const INFECTED: Line = FTTH[4];

const OWN_MAIL: &str = "192.0.2.81";
const HOSTING: &str = "192.0.2.97";
const RESOLVER: &str = "203.0.113.254";

/// How many of a hundred things happen in each hour of the day.
const RHYTHM: [u64; 24] = [
    3, 2, 1, 1, 1, 1, 2, 3, 4, 5, 5, 5, 6, 5, 5, 5, 5, 5, 6, 7, 7, 7, 5, 4,
];

/// The capture as a case.
pub(crate) fn day() -> Case {
    let mut day = Day {
        frames: Vec::new(),
        dice: Dice::new(25),
    };
    day.web();
    day.names();
    day.mailboxes();
    day.submissions();
    day.own_server();
    day.fixed_customer();
    day.forgotten_settings();
    day.shared_and_ipv6();
    day.spam_bot();
    day.triangle();
    day.neighbours();
    day.into_case()
}

struct Day {
    /// Microseconds since midnight, and the frame.
    frames: Vec<(u64, FrameSpec)>,
    dice: Dice,
}

impl Day {
    /// Browsing, webmail too: half of all there is.
    fn web(&mut self) {
        for _ in 0..150 {
            let line = self
                .dice
                .pick(&[&FTTH[..], &ADSL, &SLOW, &SHARED, &[FIXED], &IPV6].concat());
            let (at, peer) = (self.moment(), self.peer_of(line));
            let (question, answer) = (self.letters(60), self.letters(180));
            self.talk(
                at,
                line,
                &peer,
                443,
                "",
                &[(Side::Subscriber, question), (Side::Peer, answer)],
            );
        }
    }

    /// Questions to the resolver; some answers come in fragments.
    fn names(&mut self) {
        // An address of "www.example": the question, and the same with an answer.
        let question = "1905 0100 0001 0000 0000 0000 03777777 076578616d706c65 00 0001 0001";
        let answer = "1905 8180 0001 0001 0000 0000 03777777 076578616d706c65 00 0001 0001 \
                      c00c 0001 0001 0000003c 0004 cb007182";
        for turn in 0..120 {
            let line = self
                .dice
                .pick(&[&FTTH[..], &ADSL, &SLOW, &[FIXED]].concat());
            let (at, port) = (self.moment(), self.port());
            let ask = FrameSpec {
                udp: Some(format!("{port} > 53")),
                payload: Some(question.to_owned()),
                ..outbound(line, RESOLVER)
            };
            let reply = FrameSpec {
                udp: Some(format!("53 > {port}")),
                payload: Some(answer.to_owned()),
                fragment: (turn % 20 == 0).then(|| "0 more".to_owned()),
                ..inbound(line, RESOLVER)
            };
            let rest = FrameSpec {
                fragment: Some("8".to_owned()),
                protocol: Some(17),
                payload: Some("0019".repeat(20)),
                ..inbound(line, RESOLVER)
            };
            self.put(at, ask, "forward not-candidate");
            if reply.fragment.is_some() {
                self.put(at + 4_100, rest, "forward later-fragment");
            }
            self.put(at + 4_000, reply, "forward not-candidate");
        }
    }

    /// Mail is collected from the provider, by POP and IMAP.
    fn mailboxes(&mut self) {
        for _ in 0..40 {
            let line = self.dice.pick(&[&FTTH[..], &ADSL, &SLOW, &SHARED].concat());
            let (at, port) = (self.moment(), self.dice.pick(&[110, 993, 995]));
            let letters = self.letters(120);
            self.talk(at, line, OWN_MAIL, port, "", &[(Side::Peer, letters)]);
        }
    }

    /// Mail is handed in as it should be: to a submission port, here or elsewhere.
    fn submissions(&mut self) {
        for _ in 0..40 {
            let line = self
                .dice
                .pick(&[&FTTH[..], &ADSL, &SLOW, &SHARED, &IPV6].concat());
            let (at, port) = (self.moment(), self.dice.pick(&[587, 587, 465]));
            let elsewhere = line.address.contains(':') || self.dice.roll(2) == 0;
            let peer = if elsewhere {
                self.peer_of(line)
            } else {
                OWN_MAIL.to_owned()
            };
            self.talk(at, line, &peer, port, "", &smtp());
        }
    }

    /// Standard lines may still use port 25 of the provider's own servers.
    fn own_server(&mut self) {
        for turn in 0..12 {
            let line = self.dice.pick(&[&FTTH[..4], &ADSL, &SLOW].concat());
            let at = self.moment();
            let peer = if turn % 3 == 0 { HOSTING } else { OWN_MAIL };
            self.talk(at, line, peer, 25, "port25", &smtp());
        }
    }

    /// A customer with a fixed address runs a mail server, in both directions.
    fn fixed_customer(&mut self) {
        for _ in 0..10 {
            let (at, peer) = (self.moment(), self.peer_of(FIXED));
            self.talk(at, FIXED, &peer, 25, "port25", &smtp());
        }
        for _ in 0..8 {
            let (at, peer, port) = (self.moment(), self.peer_of(FIXED), self.port());
            let letter = Conversation {
                subscriber: (FIXED.address, 25),
                peer: (&peer, port),
                opener: Side::Peer,
                letters: &smtp(),
            };
            for (later_us, side, spec) in frames(&letter) {
                let base = on(FIXED, side, spec);
                self.put(at + later_us, base, "forward not-candidate");
            }
        }
    }

    /// Mail programs that were never changed knock at another provider's port 25.
    fn forgotten_settings(&mut self) {
        for _ in 0..24 {
            let line = self.dice.pick(&[&FTTH[..4], &ADSL, &SLOW].concat());
            let (at, peer) = (self.moment(), self.peer_of(line));
            self.knock(at, line, &peer, RULE_OTHERS);
        }
    }

    /// v6 Plus and IPv6 reach no port 25 at all, not even the provider's own.
    fn shared_and_ipv6(&mut self) {
        for turn in 0..10 {
            let (line, at) = (self.dice.pick(&SHARED), self.moment());
            let peer = if turn % 2 == 0 {
                OWN_MAIL.to_owned()
            } else {
                self.peer_of(line)
            };
            self.knock(at, line, &peer, RULE_SHARED);
        }
        for _ in 0..12 {
            let (line, at) = (self.dice.pick(&IPV6), self.moment());
            let peer = self.peer_of(line);
            self.knock(at, line, &peer, RULE_IPV6);
        }
    }

    /// Twelve minutes of the night: one line knocks at a thousand doors, then tries to hide.
    fn spam_bot(&mut self) {
        let begin = 3 * HOUR_US + 12 * MINUTE_US;
        for _ in 0..1000 {
            let at = begin + self.dice.roll(12 * MINUTE_US);
            let (peer, rule) = match self.dice.roll(8) {
                0 => (self.carrier(), RULE_CARRIERS),
                _ => (self.peer_of(INFECTED), RULE_OTHERS),
            };
            let port = self.port();
            let spec = FrameSpec {
                tcp: Some(format!("{port} > 25 S")),
                seq: self.dice.roll(1 << 32) as u32,
                ..outbound(INFECTED, &peer)
            };
            self.put(at, spec, &format!("drop port25-syn by {rule}"));
        }
        for turn in 0..12 {
            let at = begin + (13 + turn) * MINUTE_US;
            let peer = self.peer_of(INFECTED);
            let port = self.port();
            let base = FrameSpec {
                tcp: Some(format!("{port} > 25 S")),
                ..outbound(INFECTED, &peer)
            };
            let (spec, reason) = match turn % 4 {
                0 => (fragment(base, "0 more", Some(8)), "tiny-fragment"),
                1 => (fragment(base, "1", None), "overlapping-fragment"),
                2 => (
                    FrameSpec {
                        ip_payload_octets: Some(13),
                        ..base
                    },
                    "malformed",
                ),
                _ => (
                    FrameSpec {
                        ip_options: Some("94040000".to_owned()),
                        ..base
                    },
                    "port25-syn",
                ),
            };
            self.put(at, spec, &format!("drop {reason} by {RULE_OTHERS}"));
        }
    }

    /// Somebody else sends SYNs in the infected line's name; the answers come here.
    fn triangle(&mut self) {
        let begin = 3 * HOUR_US + 40 * MINUTE_US;
        for turn in 0..80 {
            let at = begin + turn * 2_500_000 + self.dice.roll(1_000_000);
            let (peer, port) = (self.peer_of(INFECTED), self.port());
            let flags = if turn % 16 == 15 { "S" } else { "SA" };
            let spec = FrameSpec {
                tcp: Some(format!("25 > {port} {flags}")),
                seq: self.dice.roll(1 << 32) as u32,
                ack: 1,
                ..inbound(INFECTED, &peer)
            };
            self.put(at, spec, &format!("drop port25-return by {RULE_OTHERS}"));
        }
    }

    /// What the boxes on the wire say to each other.
    fn neighbours(&mut self) {
        for quarter in 0..96 {
            let at = quarter * 15 * MINUTE_US + 7_000_000;
            let lldp = FrameSpec {
                ethertype: Some("88cc".to_owned()),
                payload: Some("0207 04 02000000000a 0402 0731 0602 0078 0000".to_owned()),
                ..FrameSpec::default()
            };
            let arp = FrameSpec {
                arp: Some(format!("{} asks 203.0.113.122", FIXED.address)),
                stack: owned(FIXED.stack),
                ..FrameSpec::default()
            };
            self.put(
                at,
                if quarter % 2 == 0 { lldp } else { arp },
                "forward not-ip",
            );
        }
    }

    /// A whole TCP connection that the line opens; `port25` where its SYNs are looked up.
    fn talk(
        &mut self,
        at: u64,
        line: Line,
        peer: &str,
        peer_port: u16,
        kind: &str,
        letters: &[(Side, String)],
    ) {
        let port = self.port();
        let conversation = Conversation {
            subscriber: (line.address, port),
            peer: (peer, peer_port),
            opener: Side::Subscriber,
            letters,
        };
        for (turn, (later_us, side, spec)) in frames(&conversation).into_iter().enumerate() {
            let expect = match (kind, turn) {
                ("port25", 0) => "forward port25-syn",
                ("port25", 1) => "forward port25-return",
                _ => "forward not-candidate",
            };
            self.put(at + later_us, on(line, side, spec), expect);
        }
    }

    /// A SYN to port 25 that nobody answers, and its two repetitions.
    fn knock(&mut self, at: u64, line: Line, peer: &str, rule: &str) {
        let port = self.port();
        for later_us in [0, 1_000_000, 3_000_000] {
            let spec = FrameSpec {
                tcp: Some(format!("{port} > 25 S")),
                seq: 1,
                ..outbound(line, peer)
            };
            self.put(at + later_us, spec, &format!("drop port25-syn by {rule}"));
        }
    }

    fn put(&mut self, at_us: u64, mut spec: FrameSpec, expect: &str) {
        spec.expect = expect.to_owned();
        self.frames.push((at_us, spec));
    }

    /// Sometime in the day, as the rhythm has it, and not in its last minutes.
    fn moment(&mut self) -> u64 {
        let mut share = self.dice.roll(RHYTHM.iter().sum());
        let mut hour = 0;
        while share >= RHYTHM[hour] {
            share -= RHYTHM[hour];
            hour += 1;
        }
        hour as u64 * HOUR_US + self.dice.roll(HOUR_US - 5 * MINUTE_US)
    }

    /// Somebody outside, of the line's family.
    fn peer_of(&mut self, line: Line) -> String {
        let host = self.dice.roll(120);
        if line.address.contains(':') {
            format!("2001:db8:ffff:{:x}::{:x}", 1 + host / 8, 1 + host % 8)
        } else {
            format!("203.0.113.{}", 130 + host)
        }
    }

    /// A host in a mobile carrier's prefix.
    fn carrier(&mut self) -> String {
        format!("27.80.0.{}", 1 + self.dice.roll(200))
    }

    fn port(&mut self) -> u16 {
        32_768 + self.dice.roll(28_000) as u16
    }

    /// What a reader of the wire would see of encrypted text.
    fn letters(&mut self, at_most: u64) -> String {
        ".".repeat(8 + self.dice.roll(at_most) as usize)
    }

    fn into_case(mut self) -> Case {
        self.frames.sort_by_key(|(at_us, _)| *at_us);
        let midnight: Timestamp = MIDNIGHT.parse().unwrap();
        let frames = self.frames.into_iter().map(|(at_us, spec)| {
            let time = midnight + Span::new().microseconds(at_us as i64);
            FrameSpec {
                time: Some(time.to_string()),
                ..spec
            }
        });
        Case {
            proves: "A day at an ISP: mail goes its proper ways, and a spam bot does not.".into(),
            policy: "config/alpha-web.yaml".into(),
            pipeline: None,
            at: "capture".into(),
            direction: "auto".into(),
            link_type: LinkKind::Ethernet,
            rule: None,
            plan: None,
            frames: frames.collect(),
        }
    }
}

/// The few lines by which SMTP is known.
fn smtp() -> [(Side, String); 4] {
    [
        (Side::Peer, "220 mail.example ESMTP\r\n".to_owned()),
        (Side::Subscriber, "EHLO client.example\r\n".to_owned()),
        (
            Side::Peer,
            "250-mail.example\r\n250 STARTTLS\r\n".to_owned(),
        ),
        (Side::Subscriber, "STARTTLS\r\n".to_owned()),
    ]
}

fn outbound(line: Line, peer: &str) -> FrameSpec {
    let ip = Some(format!("{} > {peer}", line.address));
    on(
        line,
        Side::Subscriber,
        FrameSpec {
            ip,
            ..FrameSpec::default()
        },
    )
}

fn inbound(line: Line, peer: &str) -> FrameSpec {
    let ip = Some(format!("{peer} > {}", line.address));
    on(
        line,
        Side::Peer,
        FrameSpec {
            ip,
            ..FrameSpec::default()
        },
    )
}

/// The frame as it passes on this line.
fn on(line: Line, sender: Side, spec: FrameSpec) -> FrameSpec {
    let link = match sender {
        Side::Subscriber => vec![],
        Side::Peer => vec!["from-network".to_owned()],
    };
    FrameSpec {
        link,
        stack: owned(line.stack),
        plan: Some(line.plan.to_owned()),
        ..spec
    }
}

fn fragment(spec: FrameSpec, words: &str, ip_payload_octets: Option<usize>) -> FrameSpec {
    FrameSpec {
        fragment: Some(words.to_owned()),
        ip_payload_octets,
        ..spec
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
