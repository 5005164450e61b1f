//! `send`: mail. What it omits is taken from the send before; the first takes it from the defaults.

use bytes::Bytes;
use mxdrill_smtp::{Address, Notify, ReversePath};

use super::{Input, Read, Value, mistake::Mistake, names::place, value::clip, walk::Table, zone::unreadable};
use crate::scenario::{Body, Content, Place, Scenario, Send, Spacing, To};

pub(super) fn read<'a>(
    input: Input<'a>,
    value: Value<'a>,
    scenario: &Scenario,
    before: Option<&Send>,
) -> Read<Send> {
    let table = value.table("a send", input.notes)?;
    table.know(&KEYS);
    let to = table.read("to", |v| to(v, scenario)).or_else(|| before.map(|send| send.to.clone()));
    let Some(to) = to.or_else(|| scenario.default_recipient()) else {
        let mistake = if table.has("to") { Mistake::again() } else { no_recipient(&table, scenario) };
        table.finish();
        return Err(mistake);
    };
    let base = before.cloned().unwrap_or_else(|| Send::new(to.clone()));
    let send = Send {
        by: table.read("by", |v| place(v, scenario)).unwrap_or(base.by),
        from: table.read("from", reverse_path).unwrap_or(base.from),
        to,
        spacing: input.notes.note(spacing(&table, base.spacing)).unwrap_or(base.spacing),
        content: input.notes.note(content(input, &table, base.content.clone())).unwrap_or(base.content),
        forged: table.read("forged", Value::flag).unwrap_or(base.forged),
        notify: table.read("notify", notify).unwrap_or(base.notify),
    };
    table.finish();
    Ok(send)
}

/// All that a send may say, so that a slip is told even where nobody can be sent to.
const KEYS: [&str; 12] =
    ["by", "from", "to", "count", "over", "rate", "for", "body", "size", "message", "forged", "notify"];

fn no_recipient(table: &Table<'_>, scenario: &Scenario) -> Mistake {
    let count = scenario.delivered().len();
    Mistake::new(table.span(), "a send needs `to` here")
        .label(format!("{count} domains are delivered, so there is no default recipient"))
        .help("such as `to = \"user@example.test\"`")
}

impl Send {
    /// One small message at once, from sender@sender.test, by the sender.
    pub fn new(to: To) -> Send {
        Send {
            by: Place::Sender,
            from: ReversePath("sender@sender.test".parse().ok()),
            to,
            spacing: Spacing::Over { count: 1, over: std::time::Duration::ZERO },
            content: Content::Made { body: Body::SevenBit, size: 1024 },
            forged: false,
            notify: Notify::default(),
        }
    }
}

impl Scenario {
    /// The domains that hosts deliver, each once.
    pub fn delivered(&self) -> Vec<&mxdrill_net::DomainName> {
        let mut domains: Vec<_> = self.hosts.iter().flat_map(|host| &host.delivers).collect();
        domains.sort();
        domains.dedup();
        domains
    }

    /// user@ the only delivered domain, if there is only one.
    pub fn default_recipient(&self) -> Option<To> {
        match self.delivered()[..] {
            [domain] => format!("user@{domain}").parse().ok().map(To::One),
            _ => None,
        }
    }
}

/// `"<>"` is null; angle brackets around an address are let pass.
pub(super) fn reverse_path(value: Value<'_>) -> Read<ReversePath> {
    match value.text("an address, or \"<>\"")? {
        "<>" => Ok(ReversePath::NULL),
        _ => value.parsed("an address").map(|address| ReversePath(Some(address))),
    }
}

fn to(value: Value<'_>, scenario: &Scenario) -> Read<To> {
    if value.raw().is_array() {
        let all: Vec<Address> =
            value.array("addresses")?.map(|v| v.parsed("an address")).collect::<Read<_>>()?;
        // One by one, a message has at least one and at most so many recipients as a u16 counts.
        return match all.len() {
            0 => Err(value.mistake("nobody to send to").label("expected at least one address")),
            1..=1000 => Ok(To::Several(all)),
            _ => {
                Err(value.mistake("a message has at most 1000 recipients here").help("use \"u{1..500}@...\""))
            }
        };
    }
    let expected = "an address, a list of them, or \"u{1..500}@example.test\"";
    let text = value.text(expected)?;
    if text.contains('{') && text.contains("..") {
        return numbered(text).ok_or_else(|| {
            value
                .mistake(format!("`{}` is no range of addresses", clip(text)))
                .label("expected \"u{1..500}@example.test\"")
        });
    }
    value.parsed("an address").map(To::One).map_err(|mistake| match scenario.default_recipient() {
        Some(To::One(user)) => mistake.help(format!("such as \"{user}\"")),
        _ => mistake,
    })
}

fn numbered(text: &str) -> Option<To> {
    let (before, rest) = text.split_once('{')?;
    let (range, after) = rest.split_once('}')?;
    let (first, last) = range.split_once("..")?;
    let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
    let both: Result<Vec<Address>, _> =
        [first, last].iter().map(|number| format!("{before}{number}{after}").parse()).collect();
    // `@` must stand behind the number, so that the domain is one.
    let fits = first <= last && after.contains('@') && both.is_ok();
    fits.then(|| To::Numbered { before: before.into(), first, last, after: after.into() })
}

/// More in one send would not fit into the memory of a drill.
const MESSAGES_MAX: u64 = 10_000_000;

fn messages(value: Value<'_>) -> Read<u32> {
    let count = value.integer("a number of messages", 1, MESSAGES_MAX)?;
    u32::try_from(count).map_err(|_| value.wrong("a number of messages"))
}

/// `count` and `over`, or `rate` and `for`; what is not given stays, if it is of the same kind.
fn spacing(table: &Table<'_>, base: Spacing) -> Read<Spacing> {
    let even = ["count", "over"].into_iter().find(|key| table.has(key));
    let rated = ["rate", "for"].into_iter().find(|key| table.has(key));
    if let (Some(even), Some(rated)) = (even, rated) {
        return Err(table.clash(even, rated));
    }
    if rated.is_some() {
        let (rate, lasting) = match base {
            Spacing::Rate { rate, lasting } => (Some(rate), Some(lasting)),
            Spacing::Over { .. } => (None, None),
        };
        return by_rate(table, rate, lasting);
    }
    let (count, over) = match (even, base) {
        (None, base) => return Ok(base),
        (_, Spacing::Over { count, over }) => (count, over),
        (_, Spacing::Rate { .. }) => (1, std::time::Duration::ZERO),
    };
    Ok(Spacing::Over {
        count: table.read("count", messages).unwrap_or(count),
        over: table.read("over", Value::duration).unwrap_or(over),
    })
}

fn by_rate(
    table: &Table<'_>,
    rate: Option<crate::scenario::Rate>,
    lasting: Option<std::time::Duration>,
) -> Read<Spacing> {
    let missing = |key: &str, given: &str, example: &str| {
        Mistake::new(table.key_span(given), format!("`{given}` needs `{key}`"))
            .label(format!("`{key}` is missing"))
            .help(format!("such as `{example}`"))
    };
    let rate = match table.get("rate") {
        Some(value) => value.parsed("a rate such as \"3000/h\"")?,
        None => rate.ok_or_else(|| missing("rate", "for", "rate = \"3000/h\""))?,
    };
    let lasting = match table.get("for") {
        Some(value) => value.duration_above_zero()?,
        None => lasting.ok_or_else(|| missing("for", "rate", "for = \"2h\""))?,
    };
    let spacing = Spacing::Rate { rate, lasting };
    match u64::from(spacing.count()) <= MESSAGES_MAX {
        true => Ok(spacing),
        false => Err(Mistake::new(table.key_span("rate"), "these are too many messages")
            .label(format!("expected at most {MESSAGES_MAX} in all"))),
    }
}

fn content<'a>(input: Input<'a>, table: &Table<'a>, base: Content) -> Read<Content> {
    let made = ["body", "size"].into_iter().find(|key| table.has(key));
    if let Some(value) = table.get("message") {
        if let Some(made) = made {
            return Err(table.clash("message", made));
        }
        let path = value.text("a file name")?;
        let bytes = input.files.read(path).map_err(|err| unreadable(value, path, &err))?;
        return Ok(Content::File { path: path.into(), bytes: Bytes::from(bytes) });
    }
    let (body, size) = match (made, base) {
        (None, base) => return Ok(base),
        (_, Content::Made { body, size }) => (body, size),
        (_, Content::File { .. }) => (Body::SevenBit, 1024),
    };
    Ok(Content::Made {
        body: table.read("body", |v| v.word("a kind of body", Body::ALL, Body::word)).unwrap_or(body),
        size: table.read("size", body_size).unwrap_or(size),
    })
}

fn body_size(value: Value<'_>) -> Read<u64> {
    match value.octets()? {
        size @ 0..=1_000_000_000 => Ok(size),
        _ => Err(value.mistake("the message is too large").label("expected at most 1 GB")),
    }
}

/// `notify = "never"`, `"success"`, or a list of `success`, `failure`, `delay` (RFC 3461 4.1).
fn notify(value: Value<'_>) -> Read<Notify> {
    let mut notify = Notify { never: false, success: false, failure: false, delay: false };
    let words = value.one_or_more();
    for one in &words {
        let word = one.word("when to notify", &["never", "success", "failure", "delay"], |word| word)?;
        match word {
            "success" => notify.success = true,
            "failure" => notify.failure = true,
            "delay" => notify.delay = true,
            _ => notify.never = true,
        }
    }
    if words.is_empty() || (notify.never && words.len() > 1) {
        return Err(value
            .mistake("`never` stands alone")
            .label("expected \"never\", or some of success, failure, delay"));
    }
    Ok(notify)
}
