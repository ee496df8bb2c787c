use super::ask::{Question, SMTP};
use super::{Deployment, Failure, Policies};
use crate::cli::policies::show_instant;
use crate::limit::Moment;
use crate::policy::{self, Action, Direction, Lang, Path, Rule, Situation, Tenant};
use crate::stage::{Account, Burst, Decision, Ends, Facing, Trail};
use crate::wire::{self, Family, Fragment, Packet, Route, Shape};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::net::IpAddr;

/// What the stages found about one frame, and where the policy says so.
pub(super) struct Answer<'a> {
    policies: &'a Policies,
    question: &'a Question,
    at: Timestamp,
    packet: Packet,
    ends: Ends,
    decision: Decision,
}

/// One line of an answer.
struct Step {
    name: &'static str,
    label: &'static str,
    text: String,
    /// File and line.
    place: Option<String>,
}

impl<'a> Answer<'a> {
    /// Takes the frame through the very stages that `replay` runs.
    pub(super) fn new(
        deployment: &'a Deployment,
        question: &'a Question,
        facing: Facing,
        at: Timestamp,
    ) -> Result<Self, Failure> {
        let policies = &deployment.policies;
        let epoch = policies.epoch(at)?;
        let frame = [question.frame()];
        let mut burst = Burst::new(facing, deployment.settings(Account::EveryFrame));
        burst.run(&frame, &epoch.tables, Moment::default());
        let trail = burst.trails(&frame, &epoch.tables).next();
        let Some(Trail {
            packet,
            ends,
            decision,
        }) = trail
        else {
            return Err(Failure::usage("there is no frame"));
        };
        Ok(Self {
            policies,
            question,
            at,
            packet,
            ends,
            decision,
        })
    }

    pub(super) fn text(&self, lang: Lang) -> String {
        let mut text = String::new();
        for step in self.steps(lang) {
            let place = step
                .place
                .map(|place| format!("  ({place})"))
                .unwrap_or_default();
            text += &format!(
                "{}{}{place}\n",
                crate::cli::out::padded(step.label, 12),
                step.text
            );
        }
        text
    }

    pub(super) fn json(&self, lang: Lang) -> Value {
        let legend = self.policies.legend();
        let steps: Vec<_> = self
            .steps(lang)
            .into_iter()
            .map(|step| json!({ "step": step.name, "text": step.text, "place": step.place }))
            .collect();
        json!({
            "verdict": self.decision.verdict.label(),
            "reason": self.decision.reason.label(),
            "rule": self.rule().map(|(_, rule)| &rule.name),
            "isp": self.plan().map(|(tenant, _)| &tenant.name),
            "plan": self.plan().map(|(_, plan)| &plan.name),
            "peer_class": self.plan().map(|_| legend.class_name(self.decision.plan, self.decision.peer_set)),
            "direction": self.packet.family.map(|_| self.ends.way.label()),
            "at": self.at.to_string(),
            "customer": self.customer(lang),
            "steps": steps,
        })
    }
}

impl Answer<'_> {
    fn steps(&self, lang: Lang) -> Vec<Step> {
        let label = |en, ja| match lang {
            Lang::En => en,
            Lang::Ja => ja,
        };
        let mut steps = vec![step(
            "frame",
            label("frame", "フレーム"),
            self.frame_text(),
            None,
        )];
        let about_it = self
            .tunnel_text(lang)
            .into_iter()
            .chain(self.route_text(lang));
        let texts = about_it.chain(self.port_set_text(lang));
        steps.extend(texts.map(|(name, label, text)| step(name, label, text, None)));
        if self.packet.family.is_some() {
            let (text, place) = self.subscriber_text(lang);
            steps.push(step(
                "subscriber",
                label("subscriber", "契約者"),
                text,
                place,
            ));
            if let Some((text, place)) = self.peer_text(lang) {
                steps.push(step("peer", label("peer", "通信相手"), text, place));
            }
        }
        let (text, place) = self.rule_text(lang);
        steps.push(step("rule", label("rule", "規則"), text, place));
        let (verdict, reason) = (self.decision.verdict, self.decision.reason);
        let text = format!(
            "{verdict}-{reason}: {}",
            label(reason.text(), reason.japanese())
        );
        steps.push(step("verdict", label("verdict", "判定"), text, None));
        steps.push(step(
            "customer",
            label("customer", "お客様へ"),
            self.customer(lang),
            None,
        ));
        steps
    }

    /// What was parsed.
    fn frame_text(&self) -> String {
        let Question {
            taken_from,
            bytes,
            original_len,
            link_type,
        } = self.question;
        let mut text = match taken_from {
            Some((file, number)) => format!("{file}, frame {number}: "),
            None => String::new(),
        };
        text += &format!("{} octets", bytes.len());
        if self.question.frame().is_cut() {
            text += &format!(" of {original_len}");
        }
        text += &format!(", link type {link_type}");
        let packet = &self.packet;
        if let (Some(src), Some(dst)) = (packet.src_addr(), packet.dst_addr()) {
            text += &format!(
                "; {} → {}",
                end(src, packet, 2, packet.src_port),
                end(dst, packet, 4, packet.dst_port)
            );
        }
        text += match packet.fragment {
            Fragment::None => "",
            Fragment::First => ", first fragment",
            Fragment::Later => ", later fragment",
        };
        if packet.shape == Shape::Tcp {
            text += &format!(", TCP flags {}", packet.flags);
        }
        text
    }

    /// The subscriber's end, as it is known, and the peer's, in the direction that decided.
    fn two_ends(&self) -> Option<(IpAddr, IpAddr)> {
        let packet = &self.packet;
        let (known, peer) = match self.decision.path.direction() {
            Direction::Out => (packet.subscriber_src()?, packet.dst_addr()?),
            Direction::In => (packet.subscriber_dst()?, packet.src_addr()?),
        };
        let (family, address) = known;
        Some((family.address(address), peer))
    }

    /// What a tunnel says of the subscriber.
    fn tunnel_text(&self, lang: Lang) -> Option<(&'static str, &'static str, String)> {
        self.packet.identity?;
        let (subscriber, _) = self.two_ends()?;
        Some(match lang {
            Lang::En => (
                "tunnel",
                "tunnel",
                format!("opened; the subscriber is known by {subscriber}"),
            ),
            Lang::Ja => (
                "tunnel",
                "トンネル",
                format!("開封しました。契約者は {subscriber} で識別します"),
            ),
        })
    }

    /// Where a source route leads.
    fn route_text(&self, lang: Lang) -> Option<(&'static str, &'static str, String)> {
        let family = self.packet.family?;
        let addresses = wire::route_addresses(&self.question.bytes, &self.packet);
        let addresses = addresses.map(|address| family.address(address).to_string());
        let text = match (self.packet.route, lang) {
            (Route::None, _) => return None,
            (Route::Listed { .. }, Lang::En) => {
                let addresses = addresses.collect::<Vec<_>>().join(", ");
                format!(
                    "to pass {addresses} yet; the strictest of these and the destination counts"
                )
            }
            (Route::Listed { .. }, Lang::Ja) => {
                let addresses = addresses.collect::<Vec<_>>().join("、");
                format!("経由地 {addresses}。宛先とこれらのうち最も厳しい判定を採ります")
            }
            (Route::Unreadable, Lang::En) => {
                "a source route that cannot be read; it may lead to anybody".to_owned()
            }
            (Route::Unreadable, Lang::Ja) => {
                "読み取れない経路指定です。どこへでも届きえます".to_owned()
            }
        };
        let label = match lang {
            Lang::En => "route",
            Lang::Ja => "経路指定",
        };
        Some(("route", label, text))
    }

    fn port_set_text(&self, lang: Lang) -> Option<(&'static str, &'static str, String)> {
        let (label, text) = match lang {
            Lang::En => (
                "port set",
                "the source is not the address and port that the tunnel's end was given",
            ),
            Lang::Ja => (
                "ポート集合",
                "送信元がトンネル端点に割り当てられたアドレスとポートではありません",
            ),
        };
        let found = ("port-set", label, text.to_owned());
        self.packet.spoofed_port.then_some(found)
    }

    fn subscriber_text(&self, lang: Lang) -> (String, Option<String>) {
        let resolved = self.policies.program.resolved();
        let found = self.two_ends().and_then(|(subscriber, _)| {
            Some((
                subscriber,
                resolved.longest_subscriber(None, subscriber, self.at)?,
            ))
        });
        let way = self.ends.way.label();
        let Some((address, (tenant, prefix))) = found else {
            return match lang {
                Lang::En => (
                    format!("direction {way}: neither end that counts is in a subscriber prefix"),
                    None,
                ),
                Lang::Ja => (
                    format!("方向 {way}: 契約者のアドレス範囲に該当しません"),
                    None,
                ),
            };
        };
        let place = self.policies.place(&prefix.origin);
        let plan = resolved.tenants.get(tenant);
        let plan = plan.and_then(|tenant| tenant.plans.get(prefix.plan));
        let (name, label) = match plan {
            Some(plan) => (plan.name.as_str(), plan.label.as_deref()),
            None => ("", None),
        };
        let what = match (lang, plan.and_then(|plan| plan.role)) {
            (Lang::En, None) => "plan".to_owned(),
            (Lang::Ja, None) => "プラン".to_owned(),
            (Lang::En, Some(role)) => format!("{} hosts", role.label()),
            (Lang::Ja, Some(role)) => format!("ホスト群({})", role.label()),
        };
        let isp = resolved
            .tenants
            .get(tenant)
            .map_or("", |tenant| tenant.name.as_str());
        let label = label.map(|label| format!(" “{label}”")).unwrap_or_default();
        let net = prefix.prefix;
        let mut text = match lang {
            Lang::En => {
                format!("direction {way}: {address} is in {net}, {isp} {what} {name}{label}")
            }
            Lang::Ja => {
                format!("方向 {way}: {address} は {net} に含まれます。{isp} の{what} {name}{label}")
            }
        };
        if let Some(ticket) = &prefix.ticket {
            text += &format!(", ticket {ticket}");
        }
        if let (Some(until), Some(tenant)) = (prefix.until, resolved.tenants.get(tenant)) {
            text += &format!(", until {}", show_instant(tenant, until));
        }
        (text, Some(place))
    }

    /// `None` where nobody's destination classes count.
    fn peer_text(&self, lang: Lang) -> Option<(String, Option<String>)> {
        let (subscriber, peer) = self.two_ends()?;
        let resolved = self.policies.program.resolved();
        let (tenant, _) = resolved.longest_subscriber(None, subscriber, self.at)?;
        let (class, listed) = resolved.class_of(tenant, peer, self.at)?;
        let class = resolved.tenants.get(tenant)?.classes.get(class)?;
        let name = &class.name;
        let (mut text, place) = match (listed, lang) {
            (Some((net, origin)), Lang::En) => (
                format!("{peer} is in {net}, class {name}"),
                Some(self.policies.place(origin)),
            ),
            (Some((net, origin)), Lang::Ja) => (
                format!("{peer} は {net} に含まれます。宛先区分 {name}"),
                Some(self.policies.place(origin)),
            ),
            (None, Lang::En) => (format!("{peer} is in no listed prefix, class {name}"), None),
            (None, Lang::Ja) => (
                format!("{peer} は登録範囲にありません。宛先区分 {name}"),
                None,
            ),
        };
        let legend = self.policies.legend();
        let judged = legend.class_name(self.decision.plan, self.decision.peer_set);
        if self.packet.route != Route::None && !judged.is_empty() && judged != name {
            text += &match lang {
                Lang::En => format!("; judged as class {judged}, by its source route"),
                Lang::Ja => format!("。経路指定により宛先区分 {judged} として判定します"),
            };
        }
        Some((text, place))
    }

    fn rule_text(&self, lang: Lang) -> (String, Option<String>) {
        let Some((tenant, rule)) = self.rule() else {
            return match lang {
                Lang::En => ("no rule matches".to_owned(), None),
                Lang::Ja => ("該当する規則はありません".to_owned(), None),
            };
        };
        let kind = match rule.kind.is_inbound() {
            true => format!("{}, ", rule.kind.label()),
            false => String::new(),
        };
        let mut text = format!("{}: {kind}{}", rule.name, rule.action.text(lang));
        if let Some(from) = rule.from {
            text += &format!(", from {}", show_instant(tenant, from));
        }
        if let Some(before) = rule.before {
            text += &format!(", before {}", show_instant(tenant, before));
        }
        (text, Some(self.policies.place(&rule.origin)))
    }

    fn rule(&self) -> Option<(&Tenant, &Rule)> {
        self.policies.legend().rule(self.decision.rule)
    }

    fn plan(&self) -> Option<(&Tenant, &policy::Plan)> {
        self.policies.legend().plan(self.decision.plan)
    }
}

fn step(name: &'static str, label: &'static str, text: String, place: Option<String>) -> Step {
    Step {
        name,
        label,
        text,
        place,
    }
}

/// An address, with its port where `octets` of the transport header show it.
fn end(address: IpAddr, packet: &Packet, octets: u8, port: u16) -> String {
    if packet.transport_len < octets {
        return address.to_string();
    }
    std::net::SocketAddr::new(address, port).to_string()
}

impl Answer<'_> {
    /// The path that decided; where no rule speaks of a call to port 25, the path of that call.
    fn path(&self) -> Path {
        let Packet {
            src_port, dst_port, ..
        } = self.packet;
        match self.decision.path {
            Path::Return if src_port != SMTP && dst_port == SMTP => Path::Inbound,
            path => path,
        }
    }

    /// What to tell the customer.
    fn customer(&self, lang: Lang) -> String {
        let Decision {
            verdict,
            reason,
            plan: plan_id,
            peer_set,
            ..
        } = self.decision;
        let path = self.path();
        let (family, packet) = (self.packet.family.unwrap_or(Family::V4), &self.packet);
        let opening = match path {
            Path::Outbound | Path::Inbound => packet.flags.is_new(),
            Path::Return => packet.flags.has_syn(),
        } || packet.shape != Shape::Tcp;
        let seen = match path {
            Path::Outbound | Path::Inbound => packet.transport_len >= 4,
            Path::Return => packet.transport_len >= 2,
        };
        let port = seen.then(|| path.port(packet.src_port, packet.dst_port));
        let per_minute = match self.rule().map(|(_, rule)| rule.action) {
            Some(Action::Limit(limit)) => Some(limit.per_minute),
            _ => None,
        };
        let question = policy::Question {
            family,
            path,
            opening,
            plan: plan_id,
            peer_set,
        };
        let since = self.policies.program.span(question, self.at).since;
        let plan = self.plan();
        let class = self.policies.legend().class_seen(plan_id, peer_set);
        policy::sentence(
            lang,
            &Situation {
                verdict,
                reason,
                plan: plan.map(|(_, plan)| plan.label.as_deref().unwrap_or(&plan.name)),
                class: class.map(|class| class.name.as_str()),
                class_label: class.and_then(|class| class.label.as_deref()),
                port,
                family,
                path,
                to_hosts: self.policies.legend().is_server(plan_id),
                per_minute,
                opening,
                since: plan
                    .zip(since)
                    .map(|((tenant, _), since)| since.to_zoned(tenant.zone.clone()).date()),
            },
        )
    }
}
