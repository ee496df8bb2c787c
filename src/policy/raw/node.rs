//! What was written, before anything is made of it: a tree whose every node knows its place.

use crate::policy::Origin;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) value: Value,
}

/// A scalar, as it was written (without quotes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    /// `true` or `false`.
    Bool(String),
    /// A whole number or a fraction.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In the order written; a key may stand twice.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// What was found, in words.
    pub(crate) fn found(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(text) => format!("the truth value `{text}`"),
            Value::Number(text) => format!("the number `{text}`"),
            Value::Text(text) => format!("the text `{text}`"),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }

    /// The text of a scalar.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Bool(text) | Value::Number(text) | Value::Text(text) => Some(text),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// A text and its place.
    pub(crate) fn text(&self) -> Option<Text> {
        match &self.value {
            Value::Text(text) => Some(Text {
                text: text.clone(),
                origin: self.origin.clone(),
            }),
            _ => None,
        }
    }

    /// The value of a key, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        let entry = entries
            .iter()
            .find(|(found, _)| found.scalar() == Some(key));
        entry
            .map(|(_, value)| value)
            .filter(|value| !matches!(value.value, Value::Null))
    }

    /// Where a key itself stands.
    pub(crate) fn place_of(&self, key: &str) -> Option<&Origin> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        let mut keys = entries.iter().map(|(found, _)| found);
        let found = keys.find(|found| found.scalar() == Some(key));
        found.map(|found| &found.origin)
    }

    /// The keys of a mapping, each with its place.
    pub(crate) fn places(&self) -> Vec<Text> {
        let Value::Map(entries) = &self.value else {
            return Vec::new();
        };
        entries.iter().filter_map(|(key, _)| key.text()).collect()
    }

    /// The text of a key.
    pub(crate) fn get_text(&self, key: &str) -> Option<Text> {
        self.get(key).and_then(Self::text)
    }

    /// The text or number of a key, as it was written.
    pub(crate) fn get_scalar(&self, key: &str) -> Option<Text> {
        let node = self.get(key)?;
        Some(Text {
            text: node.scalar()?.to_owned(),
            origin: node.origin.clone(),
        })
    }

    /// The elements of the list of a key.
    pub(crate) fn get_list(&self, key: &str) -> Option<&[Self]> {
        match &self.get(key)?.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// The entries of the mapping of a key.
    pub(crate) fn get_map(&self, key: &str) -> &[(Self, Self)] {
        match self.get(key).map(|node| &node.value) {
            Some(Value::Map(entries)) => entries,
            _ => &[],
        }
    }
}
