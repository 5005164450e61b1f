//! Templates of configuration files: lines with `%{key}` for what the drill knows of a host.
//!
//! `%{key}` is a value, `%{key|, }` a list with what stands between its items. A line that begins with `%{?key}`
//! is kept where there is such a value, `%{!key}` where there is none, and `%{*key}` repeats it for each item,
//! which is `%{each}`. Several such conditions can stand at the beginning of a line.

use std::collections::BTreeMap;

/// What a template is filled with: lists of text, most of them of one item.
pub(crate) type Values = BTreeMap<String, Vec<String>>;

/// A template speaks of a key that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template says `%{{{0}}}`, which is nothing that a host has")]
pub struct TemplateError(pub String);

/// Fills a template.
///
/// # Errors
/// When it speaks of what does not exist.
pub(crate) fn fill(template: &str, values: &Values) -> Result<String, TemplateError> {
    let mut filled = String::with_capacity(template.len());
    for line in template.trim_start_matches('\n').lines() {
        line_of(line, values, &mut filled)?;
    }
    Ok(filled)
}

fn line_of(line: &str, values: &Values, filled: &mut String) -> Result<(), TemplateError> {
    if let Some((sign, key, rest)) = condition(line) {
        let items = items(values, key)?;
        return match sign {
            '?' if items.is_empty() => Ok(()),
            '!' if !items.is_empty() => Ok(()),
            '*' => items.iter().try_for_each(|item| {
                let mut values = values.clone();
                values.insert("each".into(), vec![item.clone()]);
                line_of(rest, &values, filled)
            }),
            _ => line_of(rest, values, filled),
        };
    }
    filled.push_str(&text_of(line, values)?);
    filled.push('\n');
    Ok(())
}

/// The condition at the beginning of a line, and what follows it.
fn condition(line: &str) -> Option<(char, &str, &str)> {
    let (inside, rest) = line.strip_prefix("%{")?.split_once('}')?;
    let sign = inside.chars().next().filter(|sign| "?!*".contains(*sign))?;
    Some((sign, &inside[1..], rest))
}

/// A text with its values.
fn text_of(text: &str, values: &Values) -> Result<String, TemplateError> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("%{") {
        filled.push_str(before);
        let Some((inside, after)) = after.split_once('}') else {
            return Err(TemplateError(after.into()));
        };
        let (key, between) = inside.split_once('|').unwrap_or((inside, " "));
        filled.push_str(&items(values, key)?.join(between));
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn items<'a>(values: &'a Values, key: &str) -> Result<&'a [String], TemplateError> {
    values.get(key).map(Vec::as_slice).ok_or_else(|| TemplateError(key.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        Values::from([
            ("name".into(), list(&["mx2.example.test"])),
            ("relays".into(), list(&["a.test", "b.test"])),
            ("delivers".into(), list(&[])),
        ])
    }

    fn check(template: &str, expected: &str) {
        assert_eq!(fill(template, &values()).unwrap(), expected, "{template}");
    }

    #[test]
    fn values_and_lists_are_put_in() {
        check("I am %{name}.", "I am mx2.example.test.\n");
        check("%{relays}", "a.test b.test\n");
        check("{ \"%{relays|\", \"}\" }", "{ \"a.test\", \"b.test\" }\n");
        check("none: %{delivers|, }", "none: \n");
        check("\nfirst", "first\n");
        check("100% of ${if {x}}", "100% of ${if {x}}\n");
    }

    #[test]
    fn lines_are_kept_left_out_and_repeated() {
        check("%{?relays}yes\n%{?delivers}no", "yes\n");
        check("%{!delivers}yes\n%{!relays}no", "yes\n");
        check("%{*relays}%{each} OK\nend", "a.test OK\nb.test OK\nend\n");
        check("%{?relays}%{!delivers}both\n%{?relays}%{?delivers}one", "both\n");
        check("%{?relays}%{*relays}- %{each}", "- a.test\n- b.test\n");
    }

    #[test]
    fn what_does_not_exist_is_an_error() {
        assert_eq!(fill("%{nmae}", &values()), Err(TemplateError("nmae".into())));
        assert_eq!(fill("%{?nmae}x", &values()), Err(TemplateError("nmae".into())));
        assert_eq!(fill("%{name", &values()), Err(TemplateError("name".into())));
    }
}
