//! Plain English: the phrases that this project does not use, with their replacements.
//!
//! The check reads prose and names alike: comments, string literals, Markdown, and identifiers, whose underscores count
//! as spaces.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use areyouj_tests::checkout::checkout;

/// The files that are checked, by the end of their names.
const ENDINGS: &[&str] = &[".md", ".rs", ".ts", ".mjs", ".lua", "package.json", "doc/areyouj.txt"];

/// Files and directories that are not checked: third-party and generated ones, and this table.
const SKIPPED: &[&str] =
    &["node_modules", "target", "dist", ".git", "fixtures", "corpus", "protocol.gen.ts", "_meta", "words.rs"];

/// The banned phrases, in lower case, each with its replacement.
const PHRASES: &[(&str, &str)] = &[
    // Generic subjects: name the agent.
    ("who comes", "a new viewer, a new client"),
    ("who asks", "the client"),
    ("who looks", "a viewer"),
    ("who watches", "a viewer"),
    ("who reads it", "the reader"),
    ("who wants", "a client that"),
    ("whoever", "name the person or the process"),
    ("whatever it is", "name it"),
    ("whatever happened", "in every case"),
    ("somebody else", "another user, another process"),
    ("what is refused", "a rejected request"),
    ("what is to be", "name it"),
    // Obligation: must; permission: can.
    ("is to be", "must be"),
    ("are to be", "must be"),
    ("was to be", "had to be"),
    ("is to end", "must end"),
    ("is to go", "must go"),
    ("if need be", "if necessary"),
    ("need be", "is necessary"),
    // Nobody is told: a process notifies, returns, reports, prints.
    ("is told", "is notified, receives"),
    ("are told", "are notified, receive"),
    ("was told", "was notified, received"),
    ("be told", "be notified, receive"),
    ("tells of", "reports"),
    ("told of", "notified of"),
    ("tells how", "shows"),
    ("tells whether", "reports whether"),
    ("tells people", "tells the user"),
    ("nobody is left to tell", "there is no one to report this to"),
    // Continuing, ending, interrupting.
    ("goes on", "continues, resumes"),
    ("go on", "continue, resume"),
    ("going on", "continuing"),
    ("went on", "continued"),
    ("for ever", "forever, without a limit"),
    ("comes to its end", "ends"),
    ("come to its end", "ended"),
    ("came to its end", "ended"),
    ("has come to", "has reached"),
    ("come to a status", "reach a status"),
    ("breaks off", "interrupts"),
    ("break off", "interrupt"),
    ("broken off", "interrupted"),
    ("breaking off", "interrupting"),
    ("cut off", "interrupted, truncated"),
    ("on its way out", "stopping"),
    ("going away", "shutting down"),
    ("goes away", "exits"),
    ("go away", "exit"),
    ("went away", "exited"),
    ("gone away", "exited"),
    // Taking and giving.
    ("takes in", "applies, ingests"),
    ("take in", "apply, ingest"),
    ("taken in", "applied, ingested"),
    ("took in", "applied, ingested"),
    ("hands over", "delivers"),
    ("hand over", "deliver"),
    ("handed over", "delivered"),
    ("handing over", "delivering"),
    ("lets go", "releases"),
    ("let go", "release"),
    ("gives back", "releases"),
    ("given back", "released"),
    // Looking and standing.
    ("looks at", "reads, polls"),
    ("look at", "read, check"),
    ("looked at", "read, checked"),
    ("look into", "see"),
    ("looks on", "watches"),
    ("how it stands", "its state"),
    ("how they stand", "their state"),
    ("as it stands", "as it is"),
    ("stands still", "hangs"),
    ("stand still", "hang"),
    ("stands for itself", "is literal"),
    ("stands for", "means"),
    ("stand for", "mean"),
    ("what stands", "the current content"),
    ("stands there", "is there"),
    // Not an X.
    ("is no file", "is not a file"),
    ("is no directory", "is not a directory"),
    ("is no daemon", "is not a daemon"),
    ("an id that is none", "not a valid id"),
    ("that is none", "that is not one"),
    ("; none if", "; `None` if"),
    ("makes no sense", "is invalid"),
    ("make no sense", "are invalid"),
    ("may not", "must not"),
    ("of its own accord", "automatically"),
    ("a world of its own", "a separate installation"),
    ("sign of life", "progress display"),
    ("last words", "the end of the log"),
    // The glossary.
    ("open prompt", "open permission request"),
    ("open prompts", "open permission requests"),
    ("prompts' ids", "ids of permission requests"),
    ("permission prompt", "permission request"),
    ("permission prompts", "permission requests"),
    ("a prompt's", "a permission request's"),
    ("the prompt's id", "the id of the permission request"),
    ("the other form", "the other driver"),
    ("its other form", "its other driver"),
    ("two forms", "two drivers"),
];

/// A banned phrase in a text.
#[derive(Debug, PartialEq, Eq)]
struct Hit {
    /// The line in which the phrase starts, counted from 1.
    line: usize,
    phrase: &'static str,
    plain: &'static str,
}

/// Checks these paths, by default the whole checkout.
pub(crate) fn run(paths: &[String]) -> Result<()> {
    let everything = [".".to_owned()];
    let paths = if paths.is_empty() { &everything } else { paths };
    let mut hits = 0;
    for path in paths {
        for (name, text) in texts(Path::new(path))? {
            for Hit { line, phrase, plain } in find(&text) {
                println!("{name}:{line}: \"{phrase}\": say \"{plain}\"");
                hits += 1;
            }
        }
    }
    ensure!(hits == 0, "{hits} phrases are not plain English");
    Ok(())
}

/// The texts of the files at or below a path of the checkout, with their names relative to its root.
fn texts(path: &Path) -> Result<Vec<(String, String)>> {
    let full = checkout().join(path);
    let mut found = Vec::new();
    if full.is_dir() {
        let mut entries = fs::read_dir(&full)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            if !SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) {
                found.extend(texts(&path.join(entry.file_name()))?);
            }
        }
    } else {
        let name = path.to_string_lossy().into_owned();
        if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            let text = fs::read_to_string(&full).with_context(|| format!("cannot read {name}"))?;
            found.push((name, text));
        }
    }
    Ok(found)
}

/// Every phrase of the table in this text, including those that are wrapped over two lines.
fn find(text: &str) -> Vec<Hit> {
    let (mut words, mut starts) = (String::new(), Vec::new());
    for line in text.lines() {
        starts.push(words.len());
        let line = line.trim_start().trim_start_matches(['/', '!', '*', '-', '#', '"', ';', ' ']);
        words.push_str(&line.trim_end().trim_end_matches('\\').trim_end().replace('_', " ").to_lowercase());
        words.push(' ');
    }
    let mut hits = Vec::new();
    for (phrase, plain) in PHRASES {
        for (at, _) in words.match_indices(phrase) {
            let before = words[..at].chars().next_back();
            let after = words[at + phrase.len()..].chars().next();
            if ![before, after].into_iter().flatten().any(char::is_alphanumeric) {
                let line = starts.partition_point(|start| *start <= at);
                hits.push(Hit { line, phrase, plain });
            }
        }
    }
    hits.sort_by_key(|hit| hit.line);
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(usize, &'static str)> {
        find(text).iter().map(|hit| (hit.line, hit.phrase)).collect()
    }

    #[test]
    fn a_phrase_is_found_as_whole_words_in_any_letter_case() {
        assert_eq!(lines("one\nWho comes is shown it"), [(2, "who comes")]);
        assert_eq!(lines("who comestible"), []);
    }

    #[test]
    fn a_phrase_is_found_over_two_lines_and_in_identifiers() {
        assert_eq!(
            lines("/// it goes\n/// on, and\n    // lets\n    // go"),
            [(1, "goes on"), (3, "lets go")]
        );
        assert_eq!(lines("fn who_comes_is_shown() {}"), [(1, "who comes")]);
    }

    #[test]
    fn every_phrase_is_in_small_letters_and_has_a_plain_word() {
        for (phrase, plain) in PHRASES {
            assert_eq!(phrase.to_lowercase(), *phrase);
            assert!(!plain.is_empty(), "{phrase}");
        }
    }
}
