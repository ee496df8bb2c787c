//! Prefixes of subscribers and of destination classes: read, and held against each other.

use super::tenant::plan_index;
use super::when;
use crate::policy::diagnostic::{Code, Diagnostic, Findings};
use crate::policy::raw::node::Text;
use crate::policy::raw::policy::{RawClass, RawHosts, RawPolicy, RawSubscribers};
use crate::policy::raw::prefix_file::Line;
use crate::policy::raw::{prefix, prefix_file};
use crate::policy::source::{Sources, beside};
use crate::policy::{ClassPrefix, Origin, SubscriberPrefix, Tenant};
use ipnet::IpNet;
use jiff::Timestamp;

/// Reads the prefixes of all entries. Afterwards each prefix stands once.
pub(super) fn read_subscribers(
    policy: &RawPolicy,
    tenant: &mut Tenant,
    sources: &Sources,
    findings: &mut Findings,
) {
    let mut list = Vec::new();
    for entry in &policy.subscribers {
        // What is of a wrong form was reported; it is not missing besides.
        if policy.well_formed {
            check_missing(entry, findings);
        }
        Entry::new(entry, tenant, findings).read(entry, sources, findings, &mut list);
    }
    for hosts in &policy.hosts {
        let mut named = tenant.plans.iter();
        let plan = named.position(|plan| plan.role.is_some() && plan.name == hosts.name.text);
        if let Some(plan) = plan {
            read_hosts(
                hosts,
                plan,
                policy.well_formed,
                sources,
                findings,
                &mut list,
            );
        }
    }
    tenant.subscribers = unique_subscribers(list, tenant, findings);
}

fn check_missing(entry: &RawSubscribers, findings: &mut Findings) {
    if entry.plan.is_none() && entry.prefixes.is_some() {
        findings.push(plan_missing(&entry.origin));
    }
    if entry.prefixes.is_none() && entry.file.is_none() {
        findings.push(prefixes_missing(
            &entry.origin,
            "this entry names no subscribers",
        ));
    }
}

/// What an entry says of all its prefixes.
struct Entry<'t> {
    tenant: &'t Tenant,
    plan: Option<usize>,
    ticket: Option<String>,
    until: Option<Timestamp>,
    /// An error was reported that holds for every prefix.
    broken: bool,
}

impl<'t> Entry<'t> {
    fn new(entry: &RawSubscribers, tenant: &'t Tenant, findings: &mut Findings) -> Self {
        let before = findings.errors();
        let plan = entry
            .plan
            .as_ref()
            .map(|plan| plan_index(tenant, &plan.text, &plan.origin));
        let until = entry
            .expires
            .as_ref()
            .map(|day| when::end_of_day(&day.text, &day.origin, &tenant.zone));
        let mut entry_of = |found| findings.push(found);
        let plan = plan.and_then(|plan| plan.map_err(&mut entry_of).ok());
        let until = until.and_then(|until| until.map_err(&mut entry_of).ok());
        Self {
            tenant,
            plan,
            ticket: entry.ticket.as_ref().map(|ticket| ticket.text.clone()),
            until,
            broken: findings.errors() > before,
        }
    }

    fn read(
        &self,
        entry: &RawSubscribers,
        sources: &Sources,
        findings: &mut Findings,
        list: &mut Vec<SubscriberPrefix>,
    ) {
        for written in entry.prefixes.iter().flatten() {
            match prefix::parse(&written.text, &written.origin) {
                Err(found) => findings.push(found),
                Ok(prefix) if !self.broken => list.extend(self.plan.map(|plan| SubscriberPrefix {
                    prefix,
                    plan,
                    ticket: self.ticket.clone(),
                    until: self.until,
                    origin: written.origin.clone(),
                })),
                Ok(_) => {}
            }
        }
        if let Some(file) = &entry.file {
            read_file(file, sources, findings, |line, findings| {
                if let Some(prefix) = self.line(line, sources, findings) {
                    list.push(prefix);
                }
            });
        }
    }

    /// A column of a line goes before what the entry says.
    fn line(
        &self,
        line: Line,
        sources: &Sources,
        findings: &mut Findings,
    ) -> Option<SubscriberPrefix> {
        let plan = match &line.plan {
            Some(origin) => plan_index(self.tenant, sources.excerpt(origin), origin)
                .map_err(|found| findings.push(found))
                .ok()?,
            None => self.plan.or_else(|| {
                if !self.broken {
                    findings.push(plan_missing(&line.origin));
                }
                None
            })?,
        };
        let until = match &line.expires {
            Some(origin) => {
                let until = when::end_of_day(sources.excerpt(origin), origin, &self.tenant.zone);
                Some(until.map_err(|found| findings.push(found)).ok()?)
            }
            None => self.until,
        };
        let ticket = line
            .ticket
            .map(|origin| sources.excerpt(&origin).to_owned());
        Some(SubscriberPrefix {
            prefix: line.prefix,
            plan,
            ticket: ticket.or_else(|| self.ticket.clone()),
            until,
            origin: line.origin,
        })
    }
}

/// Reads the prefixes of one group of hosts.
fn read_hosts(
    hosts: &RawHosts,
    plan: usize,
    well_formed: bool,
    sources: &Sources,
    findings: &mut Findings,
    list: &mut Vec<SubscriberPrefix>,
) {
    let of_group = |prefix, origin| SubscriberPrefix {
        prefix,
        plan,
        ticket: None,
        until: None,
        origin,
    };
    if well_formed && hosts.prefixes.is_empty() && hosts.file.is_none() {
        findings.push(prefixes_missing(
            &hosts.name.origin,
            "this group names no hosts",
        ));
    }
    for written in &hosts.prefixes {
        match prefix::parse(&written.text, &written.origin) {
            Ok(prefix) => list.push(of_group(prefix, written.origin.clone())),
            Err(found) => findings.push(found),
        }
    }
    if let Some(file) = &hosts.file {
        read_file(file, sources, findings, |line, _| {
            list.push(of_group(line.prefix, line.origin));
        });
    }
}

/// Reads the prefixes of all classes. Afterwards each prefix stands once.
pub(super) fn read_destinations(
    classes: &[RawClass],
    tenant: &mut Tenant,
    sources: &Sources,
    findings: &mut Findings,
) {
    let mut list = Vec::new();
    for class in classes {
        let name = class.name.text.as_str();
        let index = tenant.classes.iter().position(|known| known.name == name);
        let Some(index) = index.filter(|_| name != "other") else {
            continue;
        };
        let of_class = |prefix, origin| ClassPrefix {
            prefix,
            class: index,
            origin,
        };
        for written in &class.prefixes {
            match prefix::parse(&written.text, &written.origin) {
                Ok(prefix) => list.push(of_class(prefix, written.origin.clone())),
                Err(found) => findings.push(found),
            }
        }
        if let Some(file) = &class.file {
            read_file(file, sources, findings, |line, _| {
                list.push(of_class(line.prefix, line.origin));
            });
        }
    }
    tenant.destinations = unique_destinations(list, tenant, findings);
}

/// Reads a prefix file, if it could be opened (if not, that was said when it was tried).
fn read_file(
    file: &Text,
    sources: &Sources,
    findings: &mut Findings,
    each: impl FnMut(Line, &mut Findings),
) {
    let path = beside(sources.name(file.origin.source), &file.text);
    let Some(id) = sources.find(&path.to_string_lossy()) else {
        return;
    };
    if !prefix_file::read(sources, id, findings, each) {
        findings.push(
            Diagnostic::new(
                Code::PREFIX_FILE_EMPTY,
                format!("the prefix file `{}` holds no prefix", file.text),
                &file.origin,
                "named here",
            )
            .help("write one prefix a line, or remove `file`"),
        );
    }
}

fn unique_subscribers(
    mut list: Vec<SubscriberPrefix>,
    tenant: &Tenant,
    findings: &mut Findings,
) -> Vec<SubscriberPrefix> {
    list.sort_by_key(|entry| entry.prefix); // stable: the first written comes first
    let mut unique: Vec<SubscriberPrefix> = Vec::with_capacity(list.len());
    for entry in list {
        match unique.last_mut().filter(|last| last.prefix == entry.prefix) {
            None => unique.push(entry),
            Some(first) if first.plan == entry.plan => {
                findings.push(twice(entry.prefix, &entry.origin, &first.origin));
                if lasts_longer(entry.until, first.until) {
                    *first = entry;
                }
            }
            Some(first) => findings.push(in_two(
                Code::PREFIX_IN_TWO_PLANS,
                "plan",
                (entry.prefix, &entry.origin, plan_name(tenant, entry.plan)),
                (&first.origin, plan_name(tenant, first.plan)),
            )),
        }
    }
    unique
}

fn unique_destinations(
    mut list: Vec<ClassPrefix>,
    tenant: &Tenant,
    findings: &mut Findings,
) -> Vec<ClassPrefix> {
    list.sort_by_key(|entry| entry.prefix);
    let mut unique: Vec<ClassPrefix> = Vec::with_capacity(list.len());
    for entry in list {
        match unique.last().filter(|last| last.prefix == entry.prefix) {
            None => unique.push(entry),
            Some(first) if first.class == entry.class => {
                findings.push(twice(entry.prefix, &entry.origin, &first.origin));
            }
            Some(first) => findings.push(in_two(
                Code::PREFIX_IN_TWO_CLASSES,
                "destination class",
                (entry.prefix, &entry.origin, class_name(tenant, entry.class)),
                (&first.origin, class_name(tenant, first.class)),
            )),
        }
    }
    unique
}

fn lasts_longer(one: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    match (one, other) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(one), Some(other)) => one > other,
    }
}

fn plan_name(tenant: &Tenant, plan: usize) -> &str {
    tenant.plans.get(plan).map_or("", |plan| &plan.name)
}

fn class_name(tenant: &Tenant, class: usize) -> &str {
    tenant.classes.get(class).map_or("", |class| &class.name)
}

/// Reports subscriber prefixes of two tenants of which one holds the other.
pub(super) fn check_overlaps(tenants: &[Tenant], findings: &mut Findings) {
    if tenants.len() < 2 {
        return;
    }
    let mut all: Vec<(usize, &SubscriberPrefix)> = tenants
        .iter()
        .enumerate()
        .flat_map(|(index, tenant)| tenant.subscribers.iter().map(move |entry| (index, entry)))
        .collect();
    // A prefix comes right before those that it holds.
    all.sort_by_key(|(index, entry)| (entry.prefix, *index));
    let mut holding: Vec<(usize, &SubscriberPrefix)> = Vec::new();
    for (index, entry) in all {
        while holding
            .pop_if(|(_, outer)| !outer.prefix.contains(&entry.prefix))
            .is_some()
        {}
        let name = |index: usize| tenants.get(index).map_or("", |tenant| &tenant.name);
        if let Some((outer_index, outer)) = holding.last()
            // The same policy given twice is told once, as that.
            && name(*outer_index) != name(index)
        {
            findings.push(overlap((name(index), entry), (name(*outer_index), outer)));
        }
        holding.push((index, entry));
    }
}

fn overlap(
    (inner_name, inner): (&str, &SubscriberPrefix),
    (outer_name, outer): (&str, &SubscriberPrefix),
) -> Diagnostic {
    let (one, other) = (inner.prefix, outer.prefix);
    Diagnostic::new(
        Code::POOLS_OVERLAP,
        format!("subscribers of `{inner_name}` ({one}) and of `{outer_name}` ({other}) overlap"),
        &inner.origin,
        format!("of `{inner_name}`"),
    )
    .label(&outer.origin, format!("of `{outer_name}`"))
    .help("an address is a subscriber of one provider: split the wider prefix, or remove one")
}

fn twice(prefix: IpNet, again: &Origin, first: &Origin) -> Diagnostic {
    Diagnostic::new(
        Code::PREFIX_TWICE,
        format!("`{prefix}` is listed twice with the same meaning"),
        again,
        "again here",
    )
    .label(first, "first here")
    .help("remove one; where they differ in `expires`, the later day counts")
}

fn in_two(
    code: Code,
    what: &str,
    (prefix, origin, name): (IpNet, &Origin, &str),
    (first, first_name): (&Origin, &str),
) -> Diagnostic {
    Diagnostic::new(
        code,
        format!("`{prefix}` is of the {what} `{name}` and of the {what} `{first_name}`"),
        origin,
        format!("`{name}` here"),
    )
    .label(first, format!("`{first_name}` here"))
    .help(format!(
        "a prefix has one {what}; a longer prefix inside it may have another"
    ))
}

fn plan_missing(origin: &Origin) -> Diagnostic {
    Diagnostic::new(
        Code::PLAN_MISSING,
        "this subscriber prefix has no plan",
        origin,
        "which plan?",
    )
    .help("add `plan`, or a plan as the second column of every line of the file")
}

fn prefixes_missing(origin: &Origin, message: &str) -> Diagnostic {
    Diagnostic::new(
        Code::PREFIXES_MISSING,
        message,
        origin,
        "neither `prefixes` nor `file`",
    )
    .help("add `prefixes: [192.0.2.0/24]`, or `file` with the path of a prefix file")
}
