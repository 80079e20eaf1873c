//! The value of `--name`: a regular expression for names that the kernel cuts.

use regex::bytes::Regex;
use regex_syntax::hir::HirKind;

use super::values::regex;

/// The kernel keeps so many bytes of a process's name: `TASK_COMM_LEN` (include/linux/sched.h)
/// without the NUL.
const COMM_MAX: usize = 15;

const CUT: &str = "the kernel keeps the first 15 bytes of a name (comm)";

/// A regular expression that a name of at most 15 bytes can match.
#[derive(Clone, Debug)]
pub struct NamePattern {
    /// What is compared with the names.
    pub regex: Regex,
    /// What to tell the user, if this is not what they wrote.
    pub note: Option<String>,
}

impl std::str::FromStr for NamePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = regex(text)?;
        if let Some(cut) = cut_names(text) {
            let note = format!("note: {CUT}, so that {text:?} is compared as {:?}", cut.shown);
            return Ok(Self { regex: regex(&cut.pattern)?, note: Some(note) });
        }
        match longest_need(text) {
            None => Err("nothing can match it".to_owned()),
            Some(need) if need > COMM_MAX => Err(format!(
                "it needs a name of at least {need} bytes, but {CUT}: shorten it, or match the \
                 arguments with --line"
            )),
            Some(_) => Ok(Self { regex: whole, note: None }),
        }
    }
}

/// Names that were cut as the kernel cuts them.
struct CutNames {
    pattern: String,
    shown: String,
}

/// Cuts a name, or each of several names with `|` between them. `None` if nothing is to be cut, or
/// the text is more than names. A dot is part of many names, and matches itself.
fn cut_names(text: &str) -> Option<CutNames> {
    let is_plain = !text.contains(['\\', '+', '*', '?', '(', ')', '[', ']', '{', '}', '^', '$']);
    if !is_plain || text.split('|').all(|name| name.len() <= COMM_MAX) {
        return None;
    }
    let cut = |name: &str| {
        let bytes = &name.as_bytes()[..name.len().min(COMM_MAX)];
        let mut pattern = String::new();
        for chunk in bytes.utf8_chunks() {
            pattern.push_str(chunk.valid());
            // The kernel cuts within a character too.
            pattern.extend(chunk.invalid().iter().map(|byte| format!("(?-u:\\x{byte:02x})")));
        }
        (pattern, String::from_utf8_lossy(bytes).into_owned())
    };
    let (patterns, shown): (Vec<_>, Vec<_>) = text.split('|').map(cut).unzip();
    Some(CutNames { pattern: patterns.join("|"), shown: shown.join("|") })
}

/// How many bytes a match has at least. Of several alternatives, the one with the longest need
/// counts: an alternative that no name can match is a mistake. `None` if nothing can match.
fn longest_need(text: &str) -> Option<usize> {
    let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(text).ok()?;
    let mut hir = &hir;
    while let HirKind::Capture(capture) = hir.kind() {
        hir = &capture.sub;
    }
    match hir.kind() {
        HirKind::Alternation(all) => {
            let needs: Option<Vec<_>> =
                all.iter().map(|one| one.properties().minimum_len()).collect();
            needs?.into_iter().max()
        }
        _ => hir.properties().minimum_len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> NamePattern {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_long_name_matches_what_the_kernel_keeps_of_it() {
        for (text, comm) in [
            ("victoria-metrics-prod", &b"victoria-metric"[..]),
            ("node.exporter.textfile", b"node.exporter.t"),
            ("nginx|prometheus-node-exporter", b"prometheus-node"),
            ("nginx|prometheus-node-exporter", b"nginx"),
            ("größenberechnung", "größenberechn".as_bytes()),
            ("abcdefghijklmnöpq", b"abcdefghijklmn\xc3"),
        ] {
            let pattern = pattern(text);
            assert!(pattern.regex.is_match(comm), "{text}");
            let note = pattern.note.unwrap_or_else(|| panic!("{text}: no note"));
            assert!(note.contains("15 bytes") && note.contains(text), "{note}");
        }
        assert!(!pattern("victoria-metrics-prod").regex.is_match(b"victoria"));
    }

    #[test]
    fn a_name_that_fits_is_left_alone() {
        for text in
            ["", "nsenter", "fifteen-letters", "a|b", "^ns.*$", "(?i)KUBELET", r"\w+", "x{15}"]
        {
            let pattern = pattern(text);
            assert_eq!((pattern.regex.as_str(), pattern.note), (text, None));
        }
    }

    #[test]
    fn a_pattern_that_no_name_can_match_is_refused() {
        for text in [
            "^victoria-metrics-prod$",
            "(?i)victoria-metrics-prod",
            "victoria-metrics-(prod|test)",
            "(nginx|^victoria-metrics-prod)",
            "x{16}",
            r"\w{20,}",
            "[a&&b]",
        ] {
            assert!(text.parse::<NamePattern>().is_err(), "{text}");
        }
    }
}
