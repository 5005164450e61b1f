//! The story of a drill for people.

use std::{fmt::Write as _, time::Duration};

use mxdrill_net::Time;

use crate::{Counts, Line, Outcome, Span, Verdict, Violation, duration::clock};

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// The story of a drill: what happened along the time line, the verdict, and what broke a rule. `colour` adds
/// ANSI colours.
pub fn text(outcome: &Outcome, colour: bool) -> String {
    let mut page = Page { text: String::new(), colour };
    page.heading(outcome);
    page.story(outcome);
    page.verdict(outcome);
    page.violations(outcome);
    page.text
}

struct Page {
    text: String,
    colour: bool,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn painted(&self, text: &str, colour: &str) -> String {
        if self.colour { format!("{colour}{text}{PLAIN}") } else { text.into() }
    }

    fn heading(&mut self, outcome: &Outcome) {
        let name = self.painted(&outcome.scenario, BOLD);
        let site = outcome.site.as_ref().map(|site| format!("   site {site}")).unwrap_or_default();
        self.line(&format!("{name}   {}{site}", outcome.title));
        let mut facts = vec![outcome.world.clone(), format!("seed {}", outcome.seed)];
        if outcome.mx > 0 {
            facts.push(format!("{} MX", outcome.mx));
        }
        facts.push(plural(outcome.counts.messages, "message"));
        let played = Span(outcome.virtual_time).spoken();
        facts.push(if outcome.wall_time.is_zero() {
            played.to_string()
        } else {
            format!("{played} played in {}", Span(outcome.wall_time).spoken())
        });
        self.line(&facts.join("   "));
        self.line("");
    }

    fn story(&mut self, outcome: &Outcome) {
        let lines = &outcome.story.lines;
        let widths = Widths::of(lines, outcome.virtual_time < FINE);
        for line in lines {
            for text in widths.shown(line) {
                self.line(&text);
            }
        }
        if outcome.story.untold > 0 {
            self.line(&format!("  ... and {} more", outcome.story.untold));
        }
        if !lines.is_empty() {
            self.line("");
        }
    }

    fn verdict(&mut self, outcome: &Outcome) {
        let word = match outcome.verdict {
            Verdict::Pass => self.painted("PASS", GREEN),
            Verdict::Fail => self.painted("FAIL", RED),
            Verdict::Unknown => self.painted("UNKNOWN", YELLOW),
        };
        let mut line = format!("{word}  {}", columns(&outcome.counts, outcome.verdict));
        for (name, time) in [
            ("failover", outcome.failover.max),
            ("drain", outcome.drain),
            ("longest delay", outcome.delay.max),
        ] {
            if let Some(time) = time {
                _ = write!(line, "   {name} {}", Span(time).spoken());
            }
        }
        self.line(&line);
        if !outcome.counterfactuals.is_empty() {
            let all: Vec<String> = outcome.counterfactuals.iter().map(ToString::to_string).collect();
            self.line(&format!("      {}", all.join("; ")));
        }
        for (rule, reason) in &outcome.off {
            self.line(&format!("      not checked: {rule} ({reason})"));
        }
    }

    fn violations(&mut self, outcome: &Outcome) {
        if outcome.violations.is_empty() {
            return;
        }
        let width = outcome.violations.iter().map(|violation| violation.rule.len()).max().unwrap_or(0).max(8);
        for violation in &outcome.violations {
            let rule = self.painted(&format!("{:width$}", violation.rule), BOLD);
            let mut lines = violation.text.lines();
            let first = format!("{}{}", concerned(violation), clause(violation));
            self.line(&format!("  {rule}  {first}{}", lines.next().unwrap_or_default()));
            for more in lines {
                self.line(&format!("  {:width$}  {more}", ""));
            }
        }
        self.line(&format!("  {:width$}  {}", "again", outcome.again));
    }
}

/// `40 recipients (11..50)     `.
fn concerned(violation: &Violation) -> String {
    match violation.recipients.len() {
        0 => String::new(),
        count => format!("{} ({})     ", plural(count, "recipient"), violation.recipients),
    }
}

/// `RFC 5321 4.2.1: `, or nothing where the scenario itself is the rule.
fn clause(violation: &Violation) -> String {
    if violation.clause == "scenario" { String::new() } else { format!("{}: ", violation.clause) }
}

fn plural(count: u64, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// The columns of the books, those that are zero left out but for what everybody wants to know.
fn columns(counts: &Counts, verdict: Verdict) -> String {
    let duplicated = match counts.duplicated_explained {
        0 => "duplicated".into(),
        explained if explained == counts.duplicated => "duplicated (explained)".to_owned(),
        explained => format!("duplicated ({explained} explained)"),
    };
    let all = [
        (counts.sent, "sent", true),
        (counts.rejected, "rejected", false),
        (counts.in_doubt, "in doubt", false),
        (counts.delivered, "delivered", true),
        (counts.queued, "queued", false),
        (counts.bounced, "bounced", false),
        (counts.discarded, "discarded", false),
        (counts.lost, "lost", true),
        (counts.duplicated, &duplicated, verdict == Verdict::Pass),
        (counts.unexpected, "unexpected", false),
    ];
    let shown = all.iter().filter(|(count, _, always)| *always || *count > 0);
    shown.map(|(count, word, _)| format!("{count} {word}")).collect::<Vec<_>>().join("  ")
}

/// A shorter drill is told with seconds.
const FINE: Duration = Duration::from_secs(600);

/// `2:05`, or with seconds.
fn hour(at: Time, fine: bool) -> String {
    let secs = at.as_nanos() / 1_000_000_000;
    if fine { clock(at) } else { Time::from_secs(secs / 60 * 60).to_string() }
}

/// The widths of the columns of a story.
struct Widths {
    fine: bool,
    at: usize,
    who: usize,
    what: usize,
}

/// A doing wider than this does not push the right column of all lines.
const WHAT_MAX: usize = 64;

impl Widths {
    fn of(lines: &[Line], fine: bool) -> Widths {
        let width = |of: fn(&Line) -> usize| lines.iter().map(of).max().unwrap_or(0);
        Widths {
            fine,
            at: lines.iter().map(|line| hour(line.at, fine).len()).max().unwrap_or(0).max(4),
            who: width(|line| line.who.chars().count()),
            what: width(|line| if line.then.is_empty() { 0 } else { line.what.chars().count() })
                .min(WHAT_MAX),
        }
    }

    fn shown(&self, line: &Line) -> Vec<String> {
        let Widths { fine, at, who, what } = self;
        let first = line.then.first().map_or("", String::as_str);
        let mut shown = vec![format!(
            "  {:>at$}  {:who$}  {:what$}    {first}",
            hour(line.at, *fine),
            line.who,
            line.what
        )];
        let indent = 2 + at + 2 + who + 2 + line.what.chars().count().max(*what) + 4;
        shown.extend(line.then.iter().skip(1).map(|more| format!("{:indent$}{more}", "")));
        shown
    }
}
