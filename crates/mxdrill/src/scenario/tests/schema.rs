//! The schema accepts what the reader accepts, and knows the same keys.

use serde_json::{Value, json};

use super::super::{Files, Scenario, catalogue, schema};

/// Beside the story of everything lies a message.
struct OneMessage;

impl Files for OneMessage {
    fn read(&self, _: &str) -> std::io::Result<Vec<u8>> {
        Ok(b"Subject: a story\n\nhello\n".to_vec())
    }
}

/// Why a value does not fit a schema, for the keywords of draft-07 that ours uses; `pattern` is left to editors.
fn check(root: &Value, schema: &Value, value: &Value, path: &str) -> Result<(), String> {
    let Value::Object(rules) = schema else { return Ok(()) };
    for (rule, with) in rules {
        let fits = match rule.as_str() {
            "$ref" => {
                let pointer = with.as_str().unwrap().trim_start_matches('#');
                check(root, root.pointer(pointer).ok_or(format!("no {pointer}"))?, value, path)?;
                true
            }
            "type" => is_a(value, with.as_str().unwrap()),
            "const" => value == with,
            "enum" => with.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|number| number >= with.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= with.as_f64().unwrap()),
            "minLength" => value.as_str().is_none_or(|text| text.len() as u64 >= with.as_u64().unwrap()),
            "minProperties" => {
                value.as_object().is_none_or(|table| table.len() as u64 >= with.as_u64().unwrap())
            }
            "maxProperties" => {
                value.as_object().is_none_or(|table| table.len() as u64 <= with.as_u64().unwrap())
            }
            "required" => {
                with.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some())
            }
            "allOf" => with.as_array().unwrap().iter().all(|one| check(root, one, value, path).is_ok()),
            "anyOf" => with.as_array().unwrap().iter().any(|one| check(root, one, value, path).is_ok()),
            "oneOf" => {
                with.as_array().unwrap().iter().filter(|one| check(root, one, value, path).is_ok()).count()
                    == 1
            }
            "items" => {
                value.as_array().into_iter().flatten().all(|item| check(root, with, item, path).is_ok())
            }
            "properties" | "additionalProperties" => {
                members(root, schema, value, path)?;
                true
            }
            "$schema" | "definitions" | "description" | "default" | "pattern" => true,
            other => return Err(format!("{path}: the keyword {other} is not checked by this test")),
        };
        if !fits {
            return Err(format!("{path}: {value} breaks {rule} {with}"));
        }
    }
    Ok(())
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => false,
    }
}

fn members(root: &Value, schema: &Value, value: &Value, path: &str) -> Result<(), String> {
    let others = schema.get("additionalProperties").cloned().unwrap_or(json!(true));
    for (key, member) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        match schema.get("properties").and_then(|keys| keys.get(key)) {
            Some(known) => check(root, known, member, &path)?,
            None if others == json!(false) => return Err(format!("{path}: unknown key")),
            None => check(root, &others, member, &path)?,
        }
    }
    Ok(())
}

fn accepts(text: &str) -> Result<(), String> {
    let root = schema();
    let value: toml::Value = toml::from_str(text).expect("TOML");
    check(&root, &root, &serde_json::to_value(value).unwrap(), "")
}

#[test]
fn it_accepts_the_catalogue() {
    for entry in catalogue::all() {
        assert_eq!(accepts(entry.text), Ok(()), "{}", entry.path);
    }
}

/// Uses every key that there is.
const EVERYTHING: &str = include_str!("everything.toml");

#[test]
fn it_accepts_every_key_that_the_reader_knows() {
    let scenario = Scenario::parse("everything.toml", EVERYTHING, &OneMessage).expect("no mistake");
    let printed = scenario.to_toml();
    assert_eq!(Scenario::parse("everything.toml", &printed, &OneMessage), Ok(scenario), "{printed}");
    assert_eq!(accepts(EVERYTHING), Ok(()));
}

#[test]
fn every_key_of_it_is_used_by_the_story_of_everything() {
    let root = schema();
    let mut keys = Vec::new();
    gather(&root, &mut keys);
    keys.sort();
    keys.dedup();
    let unused: Vec<&String> = keys.iter().filter(|key| !EVERYTHING.contains(key.as_str())).collect();
    assert_eq!(unused, Vec::<&String>::new());
}

fn gather(schema: &Value, keys: &mut Vec<String>) {
    match schema {
        Value::Object(rules) => {
            if let Some(Value::Object(properties)) = rules.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            rules.values().for_each(|rule| gather(rule, keys));
        }
        Value::Array(all) => all.iter().for_each(|one| gather(one, keys)),
        _ => {}
    }
}

#[test]
fn it_refuses_a_slip_wherever_it_stands() {
    for (right, wrong) in [
        ("title =", "titel ="),
        ("delivers =", "deliver ="),
        ("connect =", "conect ="),
        ("count =", "cuont ="),
        ("queued.backup", "queud.backup"),
        ("\"refuse\"", "\"refsue\""),
    ] {
        let text = catalogue::named("primary-refused")[0].text.replacen(right, wrong, 1);
        assert!(accepts(&text).is_err(), "{wrong}");
    }
}
