//! What there is to say about a policy: one value a finding, from one table of codes.

use super::{Origin, SourceId};
use std::collections::BTreeMap;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The policy cannot be used.
    Error,
    /// The policy can be used; somebody should look.
    Warning,
}

impl Severity {
    /// The word in outputs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Something to say about a policy, with the places it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// A stable name in kebab case, such as `host-bits-set`.
    pub code: &'static str,
    /// What was found, and what was expected.
    pub message: String,
    /// The places; the first is the one that the message is about.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
}

/// A place in a source text and what to say there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub origin: Origin,
    /// What.
    pub text: String,
}

impl Diagnostic {
    /// A finding about one place.
    pub fn new(
        code: Code,
        message: impl Into<String>,
        origin: &Origin,
        text: impl Into<String>,
    ) -> Self {
        Self {
            severity: code.severity,
            code: code.name,
            message: message.into(),
            labels: vec![Label {
                origin: origin.clone(),
                text: text.into(),
            }],
            help: None,
        }
    }

    /// Another place that belongs to it.
    #[must_use]
    pub fn label(mut self, origin: &Origin, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            origin: origin.clone(),
            text: text.into(),
        });
        self
    }

    /// What to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

/// A kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// In kebab case.
    pub name: &'static str,
    /// How bad.
    pub severity: Severity,
    /// One sentence for people.
    pub text: &'static str,
}

/// Declares the one table of codes.
macro_rules! codes {
    ($($constant:ident $severity:ident $name:literal $text:literal;)*) => {
        impl Code {
            $(#[doc = $text] pub const $constant: Self = Self {
                name: $name,
                severity: Severity::$severity,
                text: $text,
            };)*

            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$constant,)*];
        }
    };
}

codes! {
    UNREADABLE_FILE Error "unreadable-file" "A policy file cannot be opened or read.";
    NOT_YAML Error "not-yaml" "A policy file is not YAML.";
    EMPTY_POLICY Error "empty-policy" "A policy file says nothing.";
    UNKNOWN_KEY Error "unknown-key" "A key that means nothing here.";
    DUPLICATE_KEY Error "duplicate-key" "A key stands twice in one mapping.";
    MISSING_KEY Error "missing-key" "A key that must be there is not.";
    WRONG_TYPE Error "wrong-type" "A value of another kind than the key takes.";
    EMPTY_LIST Error "empty-list" "A list that must name something is empty.";
    UNKNOWN_WORD Error "unknown-word" "A word that is not one of those the key takes.";
    BAD_NAME Error "bad-name" "A name with characters that names do not have.";
    KEYS_EXCLUDE Error "keys-exclude-each-other" "Two keys that cannot stand together.";
    PREFIXES_MISSING Error "prefixes-missing" "Subscribers or hosts without `prefixes` and without `file`.";
    DUPLICATE_ISP Error "duplicate-isp" "Two policies of the same `isp`.";
    DUPLICATE_RULE Error "duplicate-rule" "Two rules of the same name.";
    UNKNOWN_PLAN Error "unknown-plan" "A plan that is not declared.";
    UNKNOWN_CLASS Error "unknown-class" "A destination class that is not declared.";
    OTHER_DECLARED Error "other-declared" "`other` is what no prefix names; it takes no declaration.";
    PLAN_MISSING Error "plan-missing" "A subscriber prefix without a plan.";
    TOO_MANY_PLANS Error "too-many-plans" "More than 255 plans over all policies.";
    BAD_PREFIX Error "bad-prefix" "Neither a prefix nor an address.";
    HOST_BITS_SET Error "host-bits-set" "A prefix with bits set beyond its length.";
    HOST_NAME Error "host-name" "A host name where an address belongs.";
    PREFIX_IN_TWO_PLANS Error "prefix-in-two-plans" "One prefix, two plans.";
    PREFIX_IN_TWO_CLASSES Error "prefix-in-two-classes" "One prefix, two destination classes.";
    POOLS_OVERLAP Error "pools-overlap" "Subscriber prefixes of two ISPs overlap.";
    PREFIX_FILE_UNREADABLE Error "prefix-file-unreadable" "A prefix file cannot be opened or read.";
    PREFIX_FILE_EMPTY Error "prefix-file-empty" "A prefix file without a prefix.";
    PREFIX_FILE_LINE Error "prefix-file-line" "A line of a prefix file with too many columns.";
    BAD_TIME_ZONE Error "bad-time-zone" "Not a name of the IANA time zone database.";
    BAD_DATE Error "bad-date" "Not a date, or not one that exists.";
    AMBIGUOUS_TIME Error "ambiguous-time" "A time that the zone's clocks show twice, or never.";
    BEFORE_NOT_AFTER_FROM Error "before-not-after-from" "A rule that ends before it begins.";
    PORT_NOT_25 Error "port-not-25" "A rule about a port other than 25.";
    SUBMISSION_BLOCKED Error "submission-must-stay-open" "A rule about a submission port, 587 or 465.";
    KEY_OF_ANOTHER_KIND Error "key-of-another-kind" "A key or an action that rules of this kind do not take.";
    UNKNOWN_HOSTS Error "unknown-hosts" "A group of hosts that is not declared.";
    NAME_OF_A_PLAN Error "name-of-a-plan" "A group of hosts has the name of a plan.";
    LIMIT_OF_EVERY_SEGMENT Error "limit-of-every-segment" "A limit with `mode: any`: only connections that begin are limited.";
    LIMIT_TOO_DEEP Error "limit-too-deep" "A limit whose bucket would take more than a day to fill.";
    SUBSCRIBER_LENGTH_MISSING Error "subscriber-length-missing" "A limit over IPv6 of a plan without `subscriber-length`.";
    SUBSCRIBER_LENGTH_SHORT Error "subscriber-length-too-short" "A prefix that is longer than the `subscriber-length` of its plan.";
    BAD_REPLY_SOURCE Error "bad-reply-source" "Not an address that a reply can come from.";
    REPLY_SOURCE_MISSING Error "reply-source-missing" "A rule rejects by ICMP, and there is no address to do it from.";
    DATED_RULE_HIDDEN Error "dated-rule-hidden" "An earlier undated rule hides a dated one.";
    RULE_NEVER_MATCHES Error "rule-never-matches" "A rule that can never match.";
    TOO_MANY_IDS Error "too-many-ids" "More plans, rules or combinations of classes than the tables have numbers for.";
    TABLES_TOO_LARGE Error "tables-too-large" "The prefix tables do not fit into the memory limit.";
    MORE_OF_THE_SAME Error "more-of-the-same" "Further findings of a kind that was shown often enough.";
    MORE_WARNINGS Warning "more-warnings" "Further warnings of a kind that was shown often enough.";
    OWN_BLOCKED Warning "own-servers-blocked" "A rule blocks the provider's own mail servers.";
    IPV6_NOT_COVERED Warning "ipv6-not-covered" "A plan is blocked over IPv4, has IPv6, and is not blocked there.";
    CLASS_WITHOUT_PREFIX Warning "class-without-prefix" "A destination class that has no prefix.";
    PREFIX_TWICE Warning "prefix-twice" "A prefix is listed twice with the same meaning.";
    FORWARD_SKIPPED Warning "forward-rule-skipped-by-any" "A rule lets connections begin that a later rule of `mode: any` breaks.";
    RULES_NOT_COMPARED Warning "rules-not-compared" "The rules are too many to be held against each other.";
    MX_COVERED Warning "mx-covered" "A rule of kind `inbound-submission` covers a mail exchanger.";
    INBOUND_WITHOUT_FROM Warning "inbound-without-from" "An inbound rule without `from`: it only counts.";
    REPLY_SOURCE_OF_SUBSCRIBER Warning "reply-source-of-subscriber" "Replies come from an address of a subscriber.";
    EXPIRED Warning "expired" "An exemption or a rule has expired.";
    EXPIRES_SOON Warning "expires-soon" "An exemption expires within 30 days.";
}

/// How many findings of one code in one text are shown.
const SHOWN: usize = 20;

/// The findings of one load. A million bad lines make a handful of messages.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Diagnostic>,
    counts: BTreeMap<(&'static str, Option<SourceId>), Tally>,
    errors: usize,
}

#[derive(Debug, Default)]
struct Tally {
    found: usize,
    first_unshown: Option<Origin>,
}

impl Findings {
    /// Adds one.
    pub(crate) fn push(&mut self, found: Diagnostic) {
        let origin = found.labels.first().map(|label| &label.origin);
        let tally = self
            .counts
            .entry((found.code, origin.map(|origin| origin.source)))
            .or_default();
        if tally.found < SHOWN && self.list.contains(&found) {
            return; // one prefix file, read by two policies
        }
        tally.found += 1;
        self.errors += usize::from(found.severity == Severity::Error);
        if tally.found <= SHOWN {
            self.list.push(found);
        } else if tally.first_unshown.is_none() {
            tally.first_unshown = origin.cloned();
        }
    }

    /// How many errors there are.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// All, errors first, each kind of severity in the order of the texts.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        for ((name, _), tally) in self.counts {
            let Some(origin) = tally.first_unshown else {
                continue;
            };
            let severity = Code::ALL.iter().find(|code| code.name == name);
            let code = match severity.map(|code| code.severity) {
                Some(Severity::Warning) => Code::MORE_WARNINGS,
                _ => Code::MORE_OF_THE_SAME,
            };
            let left = tally.found - SHOWN;
            self.list.push(Diagnostic::new(
                code,
                format!("`{name}` was found {left} more times in this file"),
                &origin,
                "the next one is here",
            ));
        }
        self.list.sort_by_key(|found| {
            let place = found.labels.first().map(|label| &label.origin);
            (found.severity, place.map(|o| (o.source, o.span.start)))
        });
        self.list
    }
}
