//! A mistake in a scenario file: what is wrong, where, what was expected, and a hint.

use std::{fmt, ops::Range, sync::Arc};

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// All mistakes found in a scenario file, at least one, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", first(.mistakes))]
pub struct Mistakes {
    text: Source,
    mistakes: Vec<Mistake>,
}

/// A named text that mistakes point into.
pub(super) type Source = Arc<NamedSource<Arc<str>>>;

/// So many mistakes are told at once; who has more has other worries.
const TOLD_MAX: usize = 12;

/// One mistake. Boxed, so that a result of reading is small where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake(Box<Found>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    span: Range<usize>,
    message: String,
    label: String,
    help: Option<String>,
    other: Option<(Range<usize>, String)>,
}

fn first(mistakes: &[Mistake]) -> &str {
    mistakes.first().map_or("no mistake", Mistake::message)
}

impl Mistake {
    /// What is wrong, where.
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Mistake {
        Mistake(Box::new(Found {
            span,
            message: message.into(),
            label: "here".into(),
            help: None,
            other: None,
        }))
    }

    /// Stands for a mistake that is already noted: never told.
    pub(super) fn again() -> Mistake {
        Mistake::new(0..0, String::new())
    }

    /// Whether this is [`Mistake::again`].
    pub(super) fn is_noted(&self) -> bool {
        self.0.message.is_empty()
    }

    /// What was expected, shown at the place.
    pub(super) fn label(mut self, label: impl Into<String>) -> Mistake {
        self.0.label = label.into();
        self
    }

    /// How to put it right.
    pub(super) fn help(mut self, help: impl Into<String>) -> Mistake {
        self.0.help = Some(help.into());
        self
    }

    /// "did you mean", if something known is near.
    pub(super) fn near<'k>(self, word: &str, known: impl IntoIterator<Item = &'k str>) -> Mistake {
        let known: Vec<&str> = known.into_iter().collect();
        match nearest(word, &known) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    /// "did you mean", if something known is near; otherwise what there is.
    pub(super) fn suggest<'k>(self, word: &str, known: impl IntoIterator<Item = &'k str>) -> Mistake {
        let known: Vec<&str> = known.into_iter().collect();
        match nearest(word, &known) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None if known.is_empty() => self,
            None => self.help(format!("one of {}", list(&known))),
        }
    }

    /// Another place that belongs to it.
    pub(super) fn other(mut self, span: Range<usize>, label: impl Into<String>) -> Mistake {
        self.0.other = Some((span, label.into()));
        self
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where, in bytes of the file.
    pub fn span(&self) -> Range<usize> {
        self.0.span.clone()
    }
}

/// `a`, `b`, `c` in code marks.
pub(super) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

impl Mistakes {
    /// Sorts the mistakes by place; `mistakes` must not be empty.
    pub(super) fn new(text: Source, mut mistakes: Vec<Mistake>) -> Mistakes {
        mistakes.sort_by_key(|mistake| mistake.0.span.start);
        mistakes.dedup();
        mistakes.truncate(TOLD_MAX);
        Mistakes { text, mistakes }
    }

    /// Each of them as a report of its own, pointing at its place in the text.
    pub fn reports(&self) -> impl Iterator<Item = miette::Report> {
        let text = &self.text;
        self.iter().map(|mistake| miette::Report::new(mistake.clone()).with_source_code(text.clone()))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.mistakes.iter()
    }
}

impl Diagnostic for Mistakes {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.mistakes.first()?.labels()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.mistakes.first()?.help()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let rest = self.mistakes.get(1..).filter(|rest| !rest.is_empty())?;
        Some(Box::new(rest.iter().map(|mistake| mistake as &dyn Diagnostic)))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Mistake {}

impl Diagnostic for Mistake {
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let mut labels = vec![labeled(&self.0.span, &self.0.label)];
        labels.extend(self.0.other.as_ref().map(|(span, label)| labeled(span, label)));
        Some(Box::new(labels.into_iter()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.0.help.as_ref()?))
    }
}

fn labeled(span: &Range<usize>, label: &str) -> LabeledSpan {
    LabeledSpan::new(Some(label.into()), span.start, span.len())
}

/// Whether a word is another one with a slip in it.
pub(super) fn is_slip(word: &str, meant: &str) -> bool {
    nearest(word, &[meant]).is_some()
}

/// The known word nearest to `word`, if it is near enough to be a slip.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    // An edit distance costs the product of the lengths: nobody's slip is longer than this.
    if word.len() > 80 {
        return None;
    }
    let near = known.iter().map(|k| (distance(word, k), *k)).min_by_key(|(edits, _)| *edits)?;
    let bound = (word.chars().count() / 3).clamp(1, 3);
    (near.0 <= bound).then_some(near.1)
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour (Damerau, restricted).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut edits = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                edits = edits.min(before[j - 2] + 1);
            }
            row.push(edits);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, edits) in [
            ("", "", 0),
            ("a", "", 1),
            ("refuse", "refsue", 1),
            ("retyr", "retry", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        assert_eq!(nearest("conect", &["connect", "stage"]), Some("connect"));
        assert_eq!(nearest("zebra", &["connect", "stage"]), None);
        assert_eq!(nearest(&"x".repeat(100), &["connect"]), None);
    }
}
