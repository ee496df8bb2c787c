//! A file → [`Traffic`], with everything that is wrong in it.

use super::dates::HORIZON_YEARS;
use super::keys::TRAFFIC;
use super::traffic::{
    Addresses, Attack, AttackKind, Frames, Link, Redundancy, Setting, Subscribers, Traffic,
};
use crate::loadgen::{Accounting, Encapsulation, Spread};
use crate::policy::Severity;
use crate::policy::document::{
    Code, Diagnostic, Findings, Kind, Node, Sources, Text, read as document,
};
use jiff::ToSpan;
use jiff::civil::Date;
use std::io;
use std::str::FromStr;

/// What came of reading.
#[derive(Debug)]
pub struct Loaded {
    /// The text that the diagnostics point into.
    pub sources: Sources,
    /// The description, if there is no error.
    pub traffic: Option<Traffic>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

const EMPTY: Code = code("empty-description", "A description that says nothing.");
const BAD_RATE: Code = code("bad-rate", "Not a rate such as 100G.");
const BAD_DATE: Code = code("bad-date", "Not a date, or not one that exists.");
const BAD_REDUNDANCY: Code = code("bad-redundancy", "Not a redundancy such as 1+1.");
const BAD_SHARES: Code = code("bad-shares", "Shares that do not add up to 1.");
const FRAMES_MISSING: Code = code("frames-missing", "A frame-size mix that names no size.");
const TARGET_EARLY: Code = code("target-before-start", "A target date before the start.");
const TARGET_FAR: Code = code("target-too-far", "A target date that nobody plans for.");
const SHARE_ALONE: Code = code(
    "ipv6-share-without-dual",
    "`ipv6-share` without `family: dual`.",
);

const fn code(name: &'static str, text: &'static str) -> Code {
    Code {
        name,
        severity: Severity::Error,
        text,
    }
}

/// Whether a day lies farther from the start than is looked.
pub fn is_too_far(start: Date, day: Date) -> bool {
    let last = start.checked_add(HORIZON_YEARS.years());
    last.is_ok_and(|last| day > last)
}

/// Reads a description of traffic; `name` is what messages call the file.
pub fn read(name: &str, bytes: Vec<u8>) -> io::Result<Loaded> {
    let mut sources = Sources::default();
    let mut findings = Findings::default();
    let kind = Kind {
        table: &TRAFFIC,
        guide: "docs/capacity-planning.md",
        empty: EMPTY,
    };
    let root = document(name, bytes, &kind, &mut sources, &mut findings)?;
    let well_formed = findings.errors() == 0;
    let traffic = root.filter(|_| well_formed).and_then(|root| {
        Reader {
            findings: &mut findings,
        }
        .traffic(&root)
    });
    Ok(Loaded {
        sources,
        traffic: traffic.filter(|_| findings.errors() == 0),
        diagnostics: findings.finish(),
    })
}

/// Reads a well-formed tree: every required key is there, and of its form. `None` is what was
/// complained of.
struct Reader<'a> {
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn traffic(&mut self, root: &Node) -> Option<Traffic> {
        let start = self.date(root.get_text("start")?);
        let target = root
            .get_text("target-date")
            .map(|text| (self.date(text.clone()), text));
        let redundancy = root
            .get_text("redundancy")
            .map(|text| self.redundancy(text));
        let links = list(root, "links")
            .map(|node| self.link(node))
            .collect::<Vec<_>>();
        let frames = root.get("frames").and_then(|node| self.frames(node));
        let subscribers = list(root, "subscribers")
            .map(|node| self.subscribers(node))
            .collect::<Vec<_>>();
        let start = start?;
        if let Some((Some(day), text)) = &target {
            self.target(start, *day, text);
        }
        let growth = |name| root.get("growth").and_then(|node| number(node, name));
        let default_target = start.checked_add(3.years()).unwrap_or(start);
        Some(Traffic {
            name: root.get_scalar("name")?.text,
            start,
            target: Setting::or(target.and_then(|(day, _)| day), default_target),
            links: links.into_iter().collect::<Option<_>>()?,
            frames: frames?,
            subscribers: subscribers.into_iter().collect::<Option<_>>()?,
            port25_share: Setting::or(number(root, "port-25-share"), 0.01),
            account: Setting::or(
                word(root, "account", Accounting::ALL, |w| w.label()),
                Accounting::EveryFrame,
            ),
            attacks: list(root, "attacks").map(attack).collect::<Option<_>>()?,
            subscriber_growth: Setting::or(growth("subscribers"), 0.0),
            traffic_growth: Setting::or(growth("traffic"), 0.0),
            headroom: Setting::or(number(root, "headroom"), 1.25),
            redundancy: Setting::or(
                redundancy.flatten(),
                Redundancy {
                    carrying: 1,
                    spare: 0,
                },
            ),
            io_ns: Setting::or(number(root, "io-ns-per-frame"), 30.0),
            imbalance: Setting::or(number(root, "imbalance"), 1.1),
            scaling: number(root, "scaling"),
            cores: number(root, "cores"),
            ring_frames: Setting::or(number(root, "ring-frames"), 1024),
            buffer_bytes: Setting::or(number(root, "buffer-bytes"), 2304),
        })
    }

    fn target(&mut self, start: Date, day: Date, text: &Text) {
        if day < start {
            let message = "the target date lies before `start`".to_owned();
            self.complain(TARGET_EARLY, text, message, "a day after `start`");
        } else if is_too_far(start, day) {
            let message = format!("the target date lies more than {HORIZON_YEARS} years ahead");
            self.complain(TARGET_FAR, text, message, "a day that can be planned for");
        }
    }

    fn link(&mut self, node: &Node) -> Option<Link> {
        let rate = node.get_text("rate")?;
        let Some(rate_bps) = rate_bps(&rate.text) else {
            let message = format!("`{}` is not a rate", rate.text);
            self.complain(
                BAD_RATE,
                &rate,
                message,
                "bits a second with k, M, G or T, such as 100G",
            );
            return None;
        };
        Some(Link {
            name: node.get_text("name")?.text,
            rate_bps,
            count: number(node, "count").unwrap_or(1),
            up: number(node, "up")?,
            down: number(node, "down")?,
        })
    }

    fn frames(&mut self, node: &Node) -> Option<Frames> {
        if node.get("mix").is_some() {
            return Some(Frames::imix());
        }
        if node.get("sequence").is_some() {
            let sizes = list(node, "sequence").map(|size| size.scalar()?.parse().ok());
            return Some(Frames::sequence(&sizes.collect::<Option<Vec<u32>>>()?));
        }
        let Some(shares) = node.get("shares") else {
            let place = Diagnostic::new(
                FRAMES_MISSING,
                "a frame-size mix needs `mix`, `sequence` or `shares`",
                &node.origin,
                "none of them is here",
            );
            self.findings
                .push(place.help("the commonest is `frames: { mix: imix }`"));
            return None;
        };
        let pair = |size: &Node| Some((number(size, "bytes")?, number(size, "share")?));
        let sizes = list(node, "shares")
            .map(pair)
            .collect::<Option<Vec<(u32, f64)>>>()?;
        let sum: f64 = sizes.iter().map(|(_, share)| share).sum();
        if (sum - 1.0).abs() > 1e-6 {
            let message = format!("the shares add up to {sum}");
            let found = Diagnostic::new(BAD_SHARES, message, &shares.origin, "these");
            self.findings.push(found.help("shares add up to 1"));
            return None;
        }
        let parts: Vec<String> = sizes
            .iter()
            .map(|(bytes, share)| format!("{:.4} % {bytes} octets", share * 100.0))
            .collect();
        Some(Frames {
            label: parts.join(", "),
            sizes,
        })
    }

    fn subscribers(&mut self, node: &Node) -> Option<Subscribers> {
        let ipv6_share = number(node, "ipv6-share");
        let addresses = match node.get_text("family").map(|text| text.text).as_deref() {
            Some("dual") => Addresses::Dual {
                ipv6_share: ipv6_share.unwrap_or(0.5),
            },
            Some("ipv6") => Addresses::Ipv6,
            _ => Addresses::Ipv4,
        };
        if let (Some(share), false) = (
            node.get_scalar("ipv6-share"),
            matches!(addresses, Addresses::Dual { .. }),
        ) {
            self.complain(
                SHARE_ALONE,
                &share,
                "`ipv6-share` is of subscribers with both families".into(),
                "`family: dual` beside it, or no `ipv6-share`",
            );
        }
        Some(Subscribers {
            plan: node.get_text("plan")?.text,
            count: number(node, "count")?,
            addresses,
            encapsulation: word(node, "encapsulation", Encapsulation::ALL, |w| w.label())
                .unwrap_or(Encapsulation::None),
            spread: word(node, "spread", Spread::ALL, |w| w.label()).unwrap_or(Spread::Dense),
        })
    }

    fn date(&mut self, text: Text) -> Option<Date> {
        let date = text.text.parse();
        if date.is_err() {
            let message = format!("`{}` is not a date", text.text);
            self.complain(BAD_DATE, &text, message, "a date, such as 2027-01-01");
        }
        date.ok()
    }

    fn redundancy(&mut self, text: Text) -> Option<Redundancy> {
        let numbers = text.text.split_once('+').and_then(|(carrying, spare)| {
            Some((carrying.trim().parse().ok()?, spare.trim().parse().ok()?))
        });
        match numbers {
            Some((carrying @ 1..=1000, spare @ 0..=1000)) => Some(Redundancy { carrying, spare }),
            _ => {
                let message = format!("`{}` is not a redundancy", text.text);
                self.complain(
                    BAD_REDUNDANCY,
                    &text,
                    message,
                    "carrying boxes and spare boxes, such as 1+1 or 2+1",
                );
                None
            }
        }
    }

    fn complain(&mut self, code: Code, text: &Text, message: String, expected: &str) {
        let found = Diagnostic::new(code, message, &text.origin, "found here");
        self.findings
            .push(found.help(format!("expected {expected}")));
    }
}

fn attack(node: &Node) -> Option<Attack> {
    let kind = match node.get_text("kind")?.text.as_str() {
        "adversarial" => AttackKind::Adversarial,
        "spoofed" => AttackKind::Spoofed,
        _ => AttackKind::Port25Flood,
    };
    Some(Attack {
        name: node.get_scalar("name")?.text,
        kind,
        share: number(node, "share")?,
        frame_bytes: number(node, "frame-bytes").unwrap_or(64),
    })
}

fn list<'a>(node: &'a Node, name: &str) -> impl Iterator<Item = &'a Node> + use<'a> {
    node.get_list(name).unwrap_or(&[]).iter()
}

fn number<T: FromStr>(node: &Node, name: &str) -> Option<T> {
    node.get_scalar(name)?.text.parse().ok()
}

fn word<T: Copy>(
    node: &Node,
    name: &str,
    all: &[T],
    label: impl Fn(T) -> &'static str,
) -> Option<T> {
    let found = node.get_text(name)?;
    all.iter().copied().find(|word| label(*word) == found.text)
}

/// `100G`, `2.5G`, `100 Gbit/s`.
fn rate_bps(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (digits, unit) = text.split_at_checked(end)?;
    let unit = unit.trim();
    let unit = unit
        .strip_suffix("bit/s")
        .or_else(|| unit.strip_suffix("b/s"))
        .unwrap_or(unit);
    let factor = match unit {
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        _ => return None,
    };
    let rate = digits.parse::<f64>().ok()? * factor;
    (rate > 0.0 && rate <= 1e15).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_a_unit() {
        let read = [
            "100G",
            "2.5G",
            "400 Gbit/s",
            "10M",
            "100",
            "G",
            "0G",
            "-1G",
            "1e3G",
            "",
        ]
        .map(rate_bps);
        assert_eq!(
            read,
            [
                Some(100e9),
                Some(2.5e9),
                Some(400e9),
                Some(10e6),
                None,
                None,
                None,
                None,
                None,
                None
            ]
        );
    }
}
