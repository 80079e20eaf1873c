//! Names that a user may have meant.

use strsim::{damerau_levenshtein, jaro_winkler};

/// How many names are suggested when none matches.
const MAX_SUGGESTIONS: usize = 3;

/// Names longer than this are not compared: the time grows with the square of the length. A pod's
/// name has at most 253 characters.
const MAX_LEN: usize = 253;

/// A target that the user may have meant.
pub(super) struct Candidate<'a> {
    /// Its name, without its namespace.
    pub(super) name: &'a str,
    /// How to name it on the command line.
    pub(super) target: String,
    /// It is in the namespace that the user named. Of equally similar names, these come first.
    pub(super) is_near: bool,
}

/// `; did you mean shop/kuard?`: the targets whose names are most similar to the given name. Empty
/// if no name is similar.
pub(super) fn suggestions<'a>(
    name: &str,
    candidates: impl Iterator<Item = Candidate<'a>>,
) -> String {
    let mut alike: Vec<_> = candidates.filter(|one| is_alike(name, one.name)).collect();
    let likeness = |one: &Candidate| jaro_winkler(name, one.name);
    alike.sort_by(|a, b| {
        let by_likeness = likeness(b).total_cmp(&likeness(a));
        by_likeness.then(b.is_near.cmp(&a.is_near)).then_with(|| a.target.cmp(&b.target))
    });
    let mut targets: Vec<String> = alike.into_iter().map(|one| one.target).collect();
    targets.dedup();
    match targets.get(..MAX_SUGGESTIONS).unwrap_or(&targets) {
        [] => String::new(),
        targets => format!("; did you mean {}?", targets.join(", ")),
    }
}

/// Whether one name begins with the other, or at most every third letter is another, missing, added
/// or swapped. What a Deployment adds to the name of a pod does not count.
fn is_alike(name: &str, other: &str) -> bool {
    let is_beginning = |one: &str, other: &str| one.len() > 1 && other.starts_with(one);
    let without_end = |name: &str| name.rsplit_once('-').map(|(stem, _)| stem.to_owned());
    // `NAME`, `NAME-HASH`, `NAME-HASH-SUFFIX`
    let mut stems = std::iter::successors(Some(other.to_owned()), |name| without_end(name)).take(3);
    is_beginning(name, other)
        || is_beginning(other, name)
        || stems.any(|stem| is_similar(name, &stem))
}

fn is_similar(name: &str, other: &str) -> bool {
    let longest = name.chars().count().max(other.chars().count());
    longest <= MAX_LEN && damerau_levenshtein(name, other) * 3 <= longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggested(name: &str, others: &[&str]) -> String {
        let candidate =
            |&other| Candidate { name: other, target: format!("shop/{other}"), is_near: true };
        suggestions(name, others.iter().map(candidate))
    }

    #[test]
    fn the_most_similar_name_comes_first() {
        let names = ["etcd", "kuard-1", "coredns", "kuard", "kuard"];
        assert_eq!(suggested("kuad", &names), "; did you mean shop/kuard, shop/kuard-1?");
        assert_eq!(
            suggested("kuard", &["kuard-7c9d5-x2x9z"]),
            "; did you mean shop/kuard-7c9d5-x2x9z?"
        );
        assert_eq!(
            suggested("a-7c9d5-x2x9z", &["a-7c9d5-abcdz"]),
            "; did you mean shop/a-7c9d5-abcdz?"
        );
        assert_eq!(suggested("kuard", &["kuard"]), "; did you mean shop/kuard?");
        assert_eq!(
            suggested("web", &["web-4", "web-3", "web-2", "web-1"]).matches("web").count(),
            3
        );
    }

    #[test]
    fn the_namespace_that_was_named_comes_first() {
        let candidate = |namespace| Candidate {
            name: "kuard",
            target: format!("{namespace}/kuard"),
            is_near: namespace == "shop",
        };
        let all = ["default", "shop"].into_iter().map(candidate);
        assert_eq!(suggestions("kuart", all), "; did you mean shop/kuard, default/kuard?");
    }

    #[test]
    fn nothing_is_suggested_if_nothing_is_alike() {
        for (name, others) in [
            ("x", &[][..]),
            ("x", &["y", "xylophone"]),
            ("kuard", &["etcd", "coredns", "kube-proxy", "web"]),
            ("nosuch", &["kuard"]),
            ("kuard", &[&"k".repeat(100_000)]),
        ] {
            assert_eq!(suggested(name, others), "", "{name}");
        }
    }
}
