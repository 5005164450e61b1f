//! TOML as people write it: inline tables on a line of their own, dotted keys, multi-line text.
//!
//! The writer of the toml crate knows nothing of these choices, which make a scenario readable on one screen.

use std::fmt::Write;

/// A value to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// Already in the notation of TOML.
    Leaf(String),
    /// An array.
    Array(Vec<Node>),
    /// A table; a table within it is written with dotted keys.
    Table(Table),
}

/// Keys and values in the order of writing.
pub(crate) type Table = Vec<(String, Node)>;

/// A step that is longer than this gets a table of its own.
const LINE_MAX: usize = 100;

impl Node {
    /// A string.
    pub(crate) fn text(text: impl AsRef<str>) -> Node {
        Node::Leaf(quoted(text.as_ref()))
    }

    /// Something whose text needs no quotes.
    pub(crate) fn plain(value: impl ToString) -> Node {
        Node::Leaf(value.to_string())
    }

    /// An array of strings.
    pub(crate) fn texts<T: ToString>(all: impl IntoIterator<Item = T>) -> Node {
        Node::Array(all.into_iter().map(|one| Node::text(one.to_string())).collect())
    }
}

/// Puts a value into a table, if there is one.
pub(crate) fn put(table: &mut Table, key: &str, value: Option<Node>) {
    table.extend(value.map(|value| (key.to_owned(), value)));
}

/// A key: bare where it may be.
pub(crate) fn key(word: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !word.is_empty() && word.bytes().all(bare) { word.to_owned() } else { quoted(word) }
}

/// A basic string (TOML 1.0, String).
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A text of several lines as it is, where nothing in it needs an escape.
pub(crate) fn multi_line(text: &str) -> String {
    let plain = |c: char| c == '\n' || c == '\t' || (!c.is_control() && c != '\\');
    let fits =
        text.contains('\n') && text.chars().all(plain) && !text.contains("\"\"\"") && !text.ends_with('"');
    if fits { format!("\"\"\"\n{text}\"\"\"") } else { quoted(text) }
}

/// A value on one line.
pub(crate) fn inline(node: &Node) -> String {
    match node {
        Node::Leaf(text) => text.clone(),
        Node::Array(all) => format!("[{}]", all.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Node::Table(table) if table.is_empty() => "{}".into(),
        Node::Table(table) => {
            let pairs: Vec<String> =
                pairs(table).iter().map(|(key, value)| format!("{key} = {value}")).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}

/// The keys, dotted, and the values of a table.
pub(crate) fn pairs(table: &Table) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (word, value) in table {
        match value {
            Node::Table(inner) if !inner.is_empty() => {
                all.extend(
                    pairs(inner).into_iter().map(|(rest, value)| (format!("{}.{rest}", key(word)), value)),
                );
            }
            value => all.push((key(word), inline(value))),
        }
    }
    all
}

/// Lines of `key = value`, the signs in one column.
pub(crate) fn lines(pairs: &[(String, String)]) -> String {
    let width = pairs.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    pairs.iter().map(|(key, value)| format!("{key:width$} = {value}\n")).collect()
}

/// A step: its time and its action, on two lines, or with a table of its own where it is long.
pub(crate) fn step(at: &str, word: &str, action: &Node) -> String {
    let short = inline(action);
    let table = match action {
        Node::Table(table) if short.len() + word.len() + 3 > LINE_MAX => table,
        _ => return format!("[[step]]\n{}", lines(&[("at".into(), at.into()), (word.into(), short)])),
    };
    format!("[[step]]\nat = {at}\n[step.{word}]\n{}", lines(&pairs(table)))
}
