use super::spec::{DEFAULTS, Spec, once};
use crate::loadgen::traffic::{Spread, Synthetic};
use crate::loadgen::{Accounting, Encapsulation, Family, Mix, Size};
use crate::wire::BURST;
use std::fmt;
use std::str::FromStr;

/// A receive ring: as many descriptors as the largest have.
const RING_FRAMES: u32 = 32_768;

/// Fewer are no network: so many blocks lie below the subscribers' own prefixes.
const LEAST_PREFIXES: u32 = 2_000;

const FORM: &str = "traffic/size/table/account/port-25-share/frames";

/// A name that is no case's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum SpecError {
    #[error(
        "no case is called `{0}`, nor has it in its name: `--list` shows those there are; \
        any other is named in full, as {FORM}"
    )]
    Nothing(String),
    #[error("`{name}`: {what} is not `{word}`: expected {expected}")]
    Word {
        name: String,
        what: &'static str,
        word: String,
        expected: &'static str,
    },
    #[error("`{0}` has not the form {FORM}")]
    Form(String),
}

/// The cases that patterns name, each once; of no pattern, the default ones.
///
/// A pattern is part of the names of default cases, where `*` stands for anything; or it is the
/// whole name of any case, where each field may be a list (`ipv4,ipv6/64/…`).
///
/// # Errors
/// A pattern names nothing.
pub fn select(patterns: &[String]) -> Result<Vec<Spec>, SpecError> {
    let defaults = DEFAULTS
        .iter()
        .map(|(name, _)| Ok((*name, name.parse::<Spec>()?)));
    let defaults = defaults.collect::<Result<Vec<_>, SpecError>>()?;
    if patterns.is_empty() {
        return Ok(defaults.into_iter().map(|(_, spec)| spec).collect());
    }
    let mut specs = Vec::new();
    for pattern in patterns {
        let found = defaults.iter().filter(|(name, _)| holds(name, pattern));
        let before = specs.len();
        specs.extend(found.map(|(_, spec)| *spec));
        if specs.len() == before {
            specs.extend(expand(pattern)?);
        }
    }
    Ok(once(specs))
}

/// Whether the pieces of a pattern stand in a name, in their order.
fn holds(name: &str, pattern: &str) -> bool {
    let mut rest = Some(name);
    for piece in pattern.split('*') {
        rest = rest
            .and_then(|rest| rest.split_once(piece))
            .map(|(_, rest)| rest);
    }
    rest.is_some()
}

/// Every case that a whole name with lists in it means.
fn expand(pattern: &str) -> Result<Vec<Spec>, SpecError> {
    let fields: Vec<_> = pattern.split('/').collect();
    if fields.len() == 1 || pattern.contains('*') {
        return Err(SpecError::Nothing(pattern.to_owned()));
    }
    let mut names = vec![String::new()];
    for field in fields {
        let longer = names.iter().flat_map(|name| {
            let slash = if name.is_empty() { "" } else { "/" };
            field
                .split(',')
                .map(move |word| format!("{name}{slash}{word}"))
        });
        names = longer.collect();
    }
    names.iter().map(|name| name.parse()).collect()
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.family)?;
        if self.encapsulation != Encapsulation::None {
            write!(f, "-{}", self.encapsulation)?;
        }
        if self.mix != Mix::Uniform {
            write!(f, "-{}", self.mix)?;
        }
        write!(f, "/{}/{}", self.size, self.table)?;
        write!(f, "/{}/{}/", self.account, self.port25_share)?;
        match self.frames {
            RING_FRAMES => f.write_str("ring"),
            frames => f.write_str(&count_word(frames)),
        }
    }
}

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(name: &str) -> Result<Self, SpecError> {
        let fields: Vec<_> = name.split('/').collect();
        let [traffic, size, table, account, share, frames] = fields[..] else {
            return Err(SpecError::Form(name.to_owned()));
        };
        let wrong = |what, word: &str, expected| SpecError::Word {
            name: name.to_owned(),
            what,
            word: word.to_owned(),
            expected,
        };
        let (family, encapsulation, mix) =
            parse_traffic(traffic).ok_or_else(|| wrong("traffic", traffic, TRAFFIC))?;
        let table = parse_table(table).ok_or_else(|| wrong("a table", table, TABLES))?;
        Ok(Self {
            family,
            encapsulation,
            mix,
            size: parse_size(size).ok_or_else(|| wrong("a size", size, SIZES))?,
            table,
            account: parse_account(account)
                .ok_or_else(|| wrong("an accounting mode", account, ACCOUNTS))?,
            port25_share: parse_share(share)
                .ok_or_else(|| wrong("a share of port 25", share, SHARES))?,
            frames: parse_frames(frames)
                .ok_or_else(|| wrong("a number of frames", frames, FRAMES))?,
        })
    }
}

const TRAFFIC: &str = "ipv4, ipv6 or mixed; behind it -vlan, -qinq, -qinq-pppoe or, with ipv4, -map-e; behind that \
    -zipf, -spoofed, -adversarial, -chains, -source-routed, -flood, or with ipv4 -tiny-fragments";
const SIZES: &str = "64, imix or 1518";
const TABLES: &str = "strewn- or dense-, and behind it 10k, 100k, 1m or 4m, or the prefixes of IPv4 \
    and of IPv6 from 2000 on (dense-5000-2000)";
const ACCOUNTS: &str = "candidates or every-frame";
const SHARES: &str = "0, 0.0001, 0.01, 1 or another number from 0 to 1";
const FRAMES: &str = "ring (32,768), 1m or another number from 64 on";

fn parse_traffic(text: &str) -> Option<(Family, Encapsulation, Mix)> {
    let (family, rest) = Family::ALL.iter().find_map(|family| {
        let rest = text.strip_prefix(family.label())?;
        Some((*family, rest))
    })?;
    let mixes = Mix::ALL.iter().filter(|mix| **mix != Mix::Uniform);
    let (mix, rest) = mixes
        .filter_map(|mix| Some((*mix, rest.strip_suffix(mix.label())?.strip_suffix('-')?)))
        .next()
        .unwrap_or((Mix::Uniform, rest));
    if mix == Mix::TinyFragments && family != Family::Ipv4 {
        return None;
    }
    if rest.is_empty() {
        return Some((family, Encapsulation::None, mix));
    }
    let word = rest.strip_prefix('-')?;
    let named = |each: &&Encapsulation| **each != Encapsulation::None && each.label() == word;
    let encapsulation = Encapsulation::ALL.iter().find(named)?;
    // A tunnel of IPv4.
    let fits = *encapsulation != Encapsulation::MapE || family == Family::Ipv4;
    fits.then_some((family, *encapsulation, mix))
}

/// A frame size: `64`, `imix` or `1518`.
pub fn parse_size(text: &str) -> Option<Size> {
    Size::ALL.iter().copied().find(|size| size.label() == text)
}

/// A table: `strewn-100k`, or with prefixes of IPv4 and IPv6 `strewn-5000-2000`.
pub fn parse_table(text: &str) -> Option<Synthetic> {
    if let Ok(named) = text.parse() {
        return Some(named);
    }
    let mut words = text.split('-');
    let word = words.next()?;
    let spread = *Spread::ALL.iter().find(|each| each.label() == word)?;
    let mut prefixes = || parse_count(words.next()?).filter(|count| *count >= LEAST_PREFIXES);
    let table = Synthetic {
        spread,
        v4_prefixes: prefixes()?,
        v6_prefixes: prefixes()?,
    };
    words.next().is_none().then_some(table)
}

/// An accounting mode: `candidates` or `every-frame`.
pub fn parse_account(text: &str) -> Option<Accounting> {
    Accounting::ALL
        .iter()
        .copied()
        .find(|account| account.label() == text)
}

/// A share: from 0 to 1.
pub fn parse_share(text: &str) -> Option<f64> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
}

/// A number of frames: `ring`, or a burst at least.
pub fn parse_frames(text: &str) -> Option<u32> {
    match text {
        "ring" => Some(RING_FRAMES),
        _ => parse_count(text).filter(|count| *count >= BURST as u32),
    }
}

/// `100k`, `4m`, `2048`.
fn parse_count(text: &str) -> Option<u32> {
    let (digits, unit) = if let Some(digits) = text.strip_suffix('k') {
        (digits, 1_000)
    } else if let Some(digits) = text.strip_suffix('m') {
        (digits, 1_000_000)
    } else {
        (text, 1)
    };
    digits.parse::<u32>().ok()?.checked_mul(unit)
}

fn count_word(count: u32) -> String {
    match count {
        _ if count.is_multiple_of(1_000_000) => format!("{}m", count / 1_000_000),
        _ if count.is_multiple_of(1_000) => format!("{}k", count / 1_000),
        _ => count.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select_one(pattern: &str) -> Result<Vec<String>, String> {
        let specs = select(&[pattern.to_owned()]).map_err(|error| error.to_string())?;
        Ok(specs.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_default_case_is_found_by_its_name() {
        for (name, _) in DEFAULTS {
            assert_eq!(select_one(name), Ok(vec![name.to_owned()]));
        }
        assert_eq!(select(&[]).unwrap().len(), DEFAULTS.len());
    }

    #[test]
    fn parts_of_names_select_and_repeat_nothing() {
        let dense = select_one("dense").unwrap();
        assert!(dense.len() > 3 && dense.iter().all(|name| name.contains("/dense-")));
        let streamed = select_one("ipv6*1m").unwrap();
        assert_eq!(streamed, ["ipv6/64/strewn-100k/every-frame/0.01/1m"]);
        let both = ["dense".to_owned(), "dense-100k".to_owned()];
        assert_eq!(select(&both).unwrap().len(), dense.len());
    }

    #[test]
    fn a_case_that_is_not_in_the_list_is_named_in_full_and_a_field_may_be_a_list() {
        let names =
            select_one("ipv4,ipv6-vlan-zipf/imix/dense-2500-3000/candidates/0.5/64,1m").unwrap();
        let expected = [
            "ipv4/imix/dense-2500-3000/candidates/0.5/64",
            "ipv4/imix/dense-2500-3000/candidates/0.5/1m",
            "ipv6-vlan-zipf/imix/dense-2500-3000/candidates/0.5/64",
            "ipv6-vlan-zipf/imix/dense-2500-3000/candidates/0.5/1m",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn what_names_nothing_is_refused_and_says_which_word() {
        let message = |pattern| select_one(pattern).unwrap_err();
        assert!(message("nothing").contains("`nothing`"));
        assert!(message("ipv4/64/none").contains("form"));
        for (name, word) in [
            ("ipv5/64/dense-10k/candidates/0/ring", "`ipv5`"),
            ("ipv4-none/64/dense-10k/candidates/0/ring", "`ipv4-none`"),
            (
                "ipv6-tiny-fragments/64/dense-10k/candidates/0/ring",
                "`ipv6-tiny-fragments`",
            ),
            ("ipv4/65/dense-10k/candidates/0/ring", "`65`"),
            ("ipv4/64/dense-1-1/candidates/0/ring", "`dense-1-1`"),
            (
                "ipv4/64/dense-2000-9999m/candidates/0/ring",
                "`dense-2000-9999m`",
            ),
            ("ipv4/64/dense-10k/some/0/ring", "`some`"),
            ("ipv4/64/dense-10k/candidates/1.5/ring", "`1.5`"),
            ("ipv4/64/dense-10k/candidates/NaN/ring", "`NaN`"),
            ("ipv4/64/dense-10k/candidates/0/63", "`63`"),
        ] {
            assert!(message(name).contains(word), "{name}: {}", message(name));
        }
    }
}
