//! Holds what was written against the table of keys: unknown, double and missing keys, and
//! values of the wrong form.

use super::keys::{Form, Key, Table};
use super::node::{Node, Value};
use super::spelling;
use crate::policy::Origin;
use crate::policy::diagnostic::{Code, Diagnostic, Findings};

/// Reports everything in which a tree differs from a table.
pub(crate) fn check(node: &Node, table: &Table, findings: &mut Findings) {
    let Value::Map(entries) = &node.value else {
        wrong_type(node, &mapping(table), findings);
        return;
    };
    double_keys(entries, findings);
    for (key, value) in entries {
        match key.scalar().and_then(|name| table.key(name)) {
            Some(known) => check_value(value, known, findings),
            None => unknown_key(key, table, findings),
        }
    }
    for key in table.keys {
        let found = entries
            .iter()
            .any(|(found, _)| found.scalar() == Some(key.name));
        if key.required && !found {
            missing_key(node, table, key, findings);
        }
    }
    for pair in table.exclusive {
        exclusive(entries, *pair, findings);
    }
}

fn check_value(value: &Node, key: &Key, findings: &mut Findings) {
    let nothing = matches!(value.value, Value::Null);
    // `plans:` without a value in a rule would mean every plan: only what may be an empty
    // collection may be left without a value.
    let may_be_empty = matches!(key.form, Form::Map { .. } | Form::List { least: 0, .. });
    if nothing && !may_be_empty {
        let message = format!("`{}` has no value", key.name);
        findings.push(
            Diagnostic::new(Code::WRONG_TYPE, message, &value.origin, "nothing is here")
                .help(format!("expected {}", expected(&key.form))),
        );
    } else if !nothing {
        check_form(value, &key.form, findings);
    }
}

fn check_form(node: &Node, form: &Form, findings: &mut Findings) {
    match (form, &node.value) {
        (Form::Table(table), _) => check(node, table, findings),
        (Form::WordOr { words, of }, _) => check_word_or(node, words, of, findings),
        (Form::Map { key, of }, Value::Map(entries)) => {
            double_keys(entries, findings);
            for (name, value) in entries {
                check_form(name, key, findings);
                check(value, of, findings);
            }
        }
        (Form::List { of, least }, Value::List(list)) => {
            if list.len() < *least {
                empty_list(node, findings);
            }
            for element in list {
                check_form(element, of, findings);
            }
        }
        (Form::Kebab, Value::Text(text)) => check_kebab(node, text, findings),
        (Form::Name, Value::Text(text)) => check_name(node, text, findings),
        (Form::Word(words), Value::Text(text)) => check_word(node, text, words, findings),
        (Form::Free, Value::Text(_) | Value::Number(_)) | (Form::Syntax(_), Value::Text(_)) => {}
        (Form::IpVersion, Value::Number(text)) if matches!(text.as_str(), "4" | "6") => {}
        (Form::Number { least, most }, Value::Number(text))
            if text
                .parse()
                .is_ok_and(|number: u32| (*least..=*most).contains(&number)) => {}
        (Form::Decimal { least, most }, Value::Number(text))
            if text
                .parse()
                .is_ok_and(|number: f64| (*least..=*most).contains(&number)) => {}
        _ => wrong_type(node, &expected(form), findings),
    }
}

/// What a form takes, in words.
fn expected(form: &Form) -> String {
    match form {
        Form::Kebab => "a name such as `alpha-web`".to_owned(),
        Form::Name => "a name such as `ftth_std`".to_owned(),
        Form::Free => "text".to_owned(),
        Form::Word(words) => format!("one of {}", spelling::list(words)),
        Form::IpVersion => "4 or 6".to_owned(),
        Form::Number { least, most } => format!("a whole number from {least} to {most}"),
        Form::Decimal { least, most } => format!("a number from {least} to {most}"),
        Form::Syntax(what) => (*what).to_owned(),
        Form::List { of, .. } => format!("a list, each element {}", expected(of)),
        Form::Map { of, .. } => format!("a mapping from names, each value {}", of.name),
        Form::Table(table) => mapping(table),
        Form::WordOr { words, of } => word_or(words, of),
    }
}

fn word_or(words: &[&str], of: &Table) -> String {
    let words = words.iter().map(|word| (*word).to_owned());
    let all: Vec<String> = words.chain(of.keys.iter().map(example)).collect();
    format!("one of {}", spelling::list(&all))
}

fn mapping(table: &Table) -> String {
    let names: Vec<&str> = table.keys.iter().map(|key| key.name).collect();
    format!("{} (a mapping with {})", table.name, spelling::list(&names))
}

/// A key with a value that it could have.
fn example(key: &Key) -> String {
    format!("{{ {}: {} }}", key.name, example_value(&key.form))
}

fn example_value(form: &Form) -> String {
    match form {
        Form::Word(words) | Form::WordOr { words, .. } => {
            words.first().copied().unwrap_or("…").to_owned()
        }
        Form::Number { .. } | Form::Decimal { .. } => "10".to_owned(),
        Form::Table(table) => {
            let keys = table.keys.iter().filter(|key| key.required);
            let keys: Vec<String> = keys
                .map(|key| format!("{}: {}", key.name, example_value(&key.form)))
                .collect();
            format!("{{ {} }}", keys.join(", "))
        }
        _ => "…".to_owned(),
    }
}

fn check_word_or(node: &Node, words: &[&str], of: &Table, findings: &mut Findings) {
    let expected = word_or(words, of);
    match &node.value {
        Value::Text(text) => match of.key(text) {
            Some(key) => findings.push(alone(node, key, &expected)),
            None if words.contains(&text.as_str()) => {}
            None => {
                let keys = of.keys.iter().map(|key| key.name);
                let known: Vec<&str> = words.iter().copied().chain(keys).collect();
                findings.push(unknown_word(node, text, &expected, &known));
            }
        },
        Value::Map(entries) if entries.is_empty() => findings.push(
            Diagnostic::new(
                Code::MISSING_KEY,
                format!("{} in braces needs a key", of.name),
                &node.origin,
                "nothing in here",
            )
            .help(format!("expected {expected}")),
        ),
        Value::Map(_) => check(node, of, findings),
        _ => wrong_type(node, &expected, findings),
    }
}

/// A word that says too little by itself.
fn alone(node: &Node, key: &Key, expected: &str) -> Diagnostic {
    let message = format!("expected {expected}, found {}", node.found());
    Diagnostic::new(Code::WRONG_TYPE, message, &node.origin, "says too little").help(format!(
        "write it with its value, such as `{}`",
        example(key)
    ))
}

fn wrong_type(node: &Node, expected: &str, findings: &mut Findings) {
    let message = format!("expected {expected}, found {}", node.found());
    let found = Diagnostic::new(Code::WRONG_TYPE, message, &first_line(node), "found here");
    let number = matches!(node.value, Value::Number(_) | Value::Bool(_));
    findings.push(if number && expected.starts_with("a name") {
        found.help("YAML takes this for a number or a truth value: put it in quotes")
    } else if node.scalar().is_some() && expected.starts_with("a list") {
        found.help("write it in brackets: [first, second]")
    } else {
        found
    });
}

/// A long mapping or list is not underlined down to its end.
fn first_line(node: &Node) -> Origin {
    let mut origin = node.origin.clone();
    if matches!(node.value, Value::Map(_) | Value::List(_)) {
        origin.span.end = origin.span.start;
    }
    origin
}

fn unknown_key(key: &Node, table: &Table, findings: &mut Findings) {
    let name = key.scalar().unwrap_or("");
    let names: Vec<&str> = table.keys.iter().map(|key| key.name).collect();
    let message = format!("`{name}` is not a key of {}", table.name);
    let found = Diagnostic::new(Code::UNKNOWN_KEY, message, &first_line(key), "unknown key");
    findings.push(if name == "<<" {
        found.help("merge keys are not read: write the keys out")
    } else {
        found.help(spelling::suggest(name, &names))
    });
}

fn double_keys(entries: &[(Node, Node)], findings: &mut Findings) {
    let mut seen: std::collections::HashMap<&str, &Node> = std::collections::HashMap::new();
    for (key, _) in entries {
        let Some(name) = key.scalar() else { continue };
        if let Some(first) = seen.get(name) {
            findings.push(
                Diagnostic::new(
                    Code::DUPLICATE_KEY,
                    format!("`{name}` stands twice in one mapping"),
                    &key.origin,
                    "again here",
                )
                .label(&first.origin, "first here")
                .help("a mapping has each key once: join the two, or remove one"),
            );
        } else {
            seen.insert(name, key);
        }
    }
}

fn missing_key(node: &Node, table: &Table, key: &Key, findings: &mut Findings) {
    let message = format!("{} needs `{}`", table.name, key.name);
    let text = format!("no `{}` in here", key.name);
    findings.push(
        Diagnostic::new(Code::MISSING_KEY, message, &first_line(node), text).help(format!(
            "add `{}:` with {}",
            key.name,
            expected(&key.form)
        )),
    );
}

fn exclusive(entries: &[(Node, Node)], [one, other]: [&str; 2], findings: &mut Findings) {
    let find = |name| entries.iter().find(|(key, _)| key.scalar() == Some(name));
    let (Some((one_key, _)), Some((other_key, _))) = (find(one), find(other)) else {
        return;
    };
    findings.push(
        Diagnostic::new(
            Code::KEYS_EXCLUDE,
            format!("`{one}` and `{other}` cannot stand together"),
            &other_key.origin,
            "and the other here",
        )
        .label(&one_key.origin, "one is here")
        .help(format!(
            "keep one of them, or write two entries: one with `{one}`, one with `{other}`"
        )),
    );
}

fn empty_list(node: &Node, findings: &mut Findings) {
    findings.push(
        Diagnostic::new(
            Code::EMPTY_LIST,
            "this list names nothing",
            &node.origin,
            "empty",
        )
        .help("name at least one, or leave the key out"),
    );
}

fn check_kebab(node: &Node, text: &str, findings: &mut Findings) {
    let letters = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if !text.split('-').all(letters) {
        bad_name(
            node,
            "small letters, digits and single `-` between them",
            findings,
        );
    }
}

fn check_name(node: &Node, text: &str, findings: &mut Findings) {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphanumeric());
    if !first || !bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
        bad_name(
            node,
            "letters, digits, `-`, `_` and `.`, beginning with a letter or a digit",
            findings,
        );
    }
}

fn bad_name(node: &Node, allowed: &str, findings: &mut Findings) {
    let text = node.scalar().unwrap_or("");
    findings.push(
        Diagnostic::new(
            Code::BAD_NAME,
            format!("`{text}` cannot be a name"),
            &node.origin,
            "not a name",
        )
        .help(format!(
            "a name here is {allowed}; what customers read goes into `label`"
        )),
    );
}

fn check_word(node: &Node, text: &str, words: &[&str], findings: &mut Findings) {
    if !words.contains(&text) {
        let expected = format!("one of {}", spelling::list(words));
        findings.push(unknown_word(node, text, &expected, words));
    }
}

fn unknown_word(node: &Node, text: &str, expected: &str, known: &[&str]) -> Diagnostic {
    let message = format!("expected {expected}, found `{text}`");
    Diagnostic::new(Code::UNKNOWN_WORD, message, &node.origin, "unknown word")
        .help(spelling::suggest(text, known))
}
