//! The JSON schema for editors, generated from the table of keys.

use super::keys::{Form, Key, POLICY, Table};
use serde_json::{Map, Value, json};

/// The schema of a policy file.
pub fn schema() -> Value {
    let description = "Who may open connections to TCP port 25, to whom, and since when.";
    document("sekisho policy", description, &POLICY)
}

/// The schema of a kind of file (JSON Schema draft 7, which editors know best).
pub(crate) fn document(title: &str, description: &str, of: &Table) -> Value {
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        "description": description,
    });
    if let (Some(schema), Value::Object(keys)) = (schema.as_object_mut(), table(of)) {
        schema.extend(keys);
    }
    schema
}

fn table(table: &Table) -> Value {
    let properties: Map<String, Value> = table
        .keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let required: Vec<&str> = table
        .keys
        .iter()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if let Some(object) = schema.as_object_mut() {
        if !required.is_empty() {
            object.insert("required".to_owned(), json!(required));
        }
        let pairs = table.exclusive.iter();
        let not: Vec<Value> = pairs
            .map(|pair| json!({ "not": { "required": pair } }))
            .collect();
        if !not.is_empty() {
            object.insert("allOf".to_owned(), Value::Array(not));
        }
    }
    schema
}

fn property(key: &Key) -> Value {
    let mut schema = form(&key.form);
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), json!(key.text));
    }
    schema
}

fn form(of: &Form) -> Value {
    match of {
        Form::Kebab => json!({ "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$" }),
        Form::Name => json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }),
        Form::Free => json!({ "type": ["string", "number"] }),
        Form::Word(words) => json!({ "enum": words }),
        Form::IpVersion => json!({ "enum": [4, 6] }),
        Form::Number { least, most } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Form::Decimal { least, most } => {
            json!({ "type": "number", "minimum": least, "maximum": most })
        }
        Form::Syntax(_) => json!({ "type": "string" }),
        Form::List { of, least } => {
            let kind = if *least == 0 {
                json!(["array", "null"])
            } else {
                json!("array")
            };
            json!({ "type": kind, "items": form(of), "minItems": least })
        }
        Form::Map { key, of } => json!({
            "type": ["object", "null"],
            "propertyNames": form(key),
            "additionalProperties": table(of),
        }),
        Form::Table(of) => table(of),
        Form::WordOr { words, of } => {
            let mut mapping = table(of);
            if let Some(object) = mapping.as_object_mut() {
                object.insert("minProperties".to_owned(), json!(1));
            }
            json!({ "anyOf": [{ "enum": words }, mapping] })
        }
    }
}
