//! Which pods clients may see and reach.

use std::str::FromStr;

use regex::Regex;

/// A pattern is no longer than this: a namespace's name, a slash and a pod's name.
const MAX_PATTERN: usize = 63 + 1 + 253;

/// The pods of `--allow`. Without a pattern, every pod is allowed.
#[derive(Clone, Debug, Default)]
pub struct AllowList(Vec<PodPattern>);

impl AllowList {
    /// The pods that match one of the patterns. Without a pattern, all pods.
    #[must_use]
    pub fn new(patterns: Vec<PodPattern>) -> Self {
        Self(patterns)
    }

    /// Whether a pod is allowed.
    #[must_use]
    pub fn allows(&self, namespace: &str, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|one| one.matches(namespace, name))
    }
}

/// `NS/POD-GLOB`, such as `shop/kuard-*`. In both parts, `*` matches any characters and `?` matches
/// one.
#[derive(Clone, Debug)]
pub struct PodPattern {
    namespace: Regex,
    name: Regex,
}

impl PodPattern {
    fn matches(&self, namespace: &str, name: &str) -> bool {
        self.namespace.is_match(namespace) && self.name.is_match(name)
    }
}

impl FromStr for PodPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no pattern: it is NS/POD-GLOB, as in shop/kuard-* or shop/*");
        let (namespace, name) = text.split_once('/').ok_or_else(wrong)?;
        let is_wrong = namespace.is_empty() || name.is_empty() || name.contains('/');
        if is_wrong || text.len() > MAX_PATTERN {
            return Err(wrong());
        }
        let regex = |glob| glob_regex(glob).map_err(|error| error.to_string());
        Ok(Self { namespace: regex(namespace)?, name: regex(name)? })
    }
}

fn glob_regex(glob: &str) -> Result<Regex, regex::Error> {
    let mut pattern = String::from("(?s)^");
    for char in glob.chars() {
        match char {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            char => pattern.push_str(&regex::escape(char.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern.push('$');
    Regex::new(&pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(patterns: &[&str], namespace: &str, name: &str) -> bool {
        let patterns = patterns.iter().map(|text| text.parse().unwrap()).collect();
        AllowList::new(patterns).allows(namespace, name)
    }

    #[test]
    fn a_pod_is_allowed_by_any_pattern_and_by_none_at_all() {
        assert!(allows(&[], "shop", "kuard"));
        assert!(allows(&["shop/kuard"], "shop", "kuard"));
        assert!(allows(&["db/*", "shop/ku*d"], "shop", "kuard"));
        assert!(allows(&["*/kuard-?"], "shop", "kuard-1"));
        for (pattern, name) in [
            ("shop/kuard", "kuard-1"),
            ("shop/kuard", "xkuard"),
            ("shop/kuard-?", "kuard-12"),
            ("shop/k.ard", "kuard"),
            ("shop/[k]uard", "kuard"),
            ("sho/kuard", "kuard"),
            ("shop/kuard", "kuard\n"),
            ("shop/KUARD", "kuard"),
        ] {
            assert!(!allows(&[pattern], "shop", name), "{pattern} {name:?}");
        }
    }

    #[test]
    fn a_pattern_has_a_namespace_and_a_name() {
        let long = format!("shop/{}", "*".repeat(400));
        for wrong in ["", "kuard", "/kuard", "shop/", "shop/a/b", long.as_str()] {
            assert!(wrong.parse::<PodPattern>().unwrap_err().contains("NS/POD-GLOB"), "{wrong}");
        }
    }
}
