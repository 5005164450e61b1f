//! `[zone]`: master-file text in the scenario, or in files beside it.

use mxdrill_dns::{ZoneError, Zones};

use super::{Input, Read, Value, mistake::Mistake, value::part_span};
use crate::scenario::Zone;

pub(super) fn read<'a>(input: Input<'a>, value: Value<'a>) -> Read<Zone> {
    let table = value.table("a zone", input.notes)?;
    let secure = table.read("secure", Value::flag).unwrap_or(false);
    let from = table.only_one(&["text", "files"])?;
    let zone = match from {
        Some("files") => table.read("files", |v| files(input, v)),
        _ => table.need("text", "text = \"\"\"$ORIGIN example.test. ...\"\"\"", |v| text(input, v)),
    };
    table.finish();
    Ok(Zone { secure, ..zone.unwrap_or_default() })
}

fn text<'a>(input: Input<'a>, value: Value<'a>) -> Read<Zone> {
    let text = value.text("master-file text")?;
    let zone = Zone::parse(text).map_err(|err| {
        // Shown where it stands in the scenario, not in the zone.
        let span = part_span(input.text, value, err.span.clone());
        with_help(Mistake::new(span, format!("the zone cannot be read: {}", err.problem)), &err)
    })?;
    if zone.origin().is_none() {
        return Err(value.mistake("the zone is empty").label("expected `$ORIGIN example.test.` and records"));
    }
    Ok(zone)
}

fn files<'a>(input: Input<'a>, value: Value<'a>) -> Read<Zone> {
    let mut whole = String::new();
    for file in value.array("an array of files")? {
        let path = file.text("a file name")?;
        let bytes = input.files.read(path).map_err(|err| unreadable(file, path, &err))?;
        let text =
            String::from_utf8(bytes).map_err(|_| file.mistake(format!("`{path}` is not UTF-8 text")))?;
        Zones::parse(&text).map_err(|err| {
            let place = format!("{path}, line {}", err.line);
            with_help(file.mistake(format!("{place}: {}", err.problem)).label("in this file"), &err)
        })?;
        whole.push_str(text.trim_end());
        whole.push('\n');
    }
    Zone::parse(whole)
        .map_err(|err| with_help(value.mistake(format!("the files do not go together: {err}")), &err))
}

fn with_help(mistake: Mistake, err: &ZoneError) -> Mistake {
    match err.problem.help() {
        Some(help) => mistake.help(help),
        None => mistake,
    }
}

pub(super) fn unreadable(value: Value<'_>, path: &str, err: &std::io::Error) -> Mistake {
    value.mistake(format!("cannot read `{path}`")).label(err.to_string())
}
