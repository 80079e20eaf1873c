//! JSON from runtimes, read with tolerance: an entry that cannot be read costs that entry and no
//! other, and a field of another type than expected costs that field. What is not needed takes no
//! memory.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::runtime::label_limits::{MAX_LABEL, MAX_LABELS};

/// At most this many entries of a list are read.
pub(super) const MAX_ENTRIES: usize = 20_000;

/// At most this many characters of a daemon's own words are shown.
const MAX_MESSAGE: usize = 500;

/// Reads an answer. Bytes that are no text count as U+FFFD.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_str(&String::from_utf8_lossy(bytes))
}

/// A field. Without a value of the expected type, it has its default.
pub(super) fn lenient<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let raw = <&RawValue>::deserialize(from)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// The entries of a list that can be read.
#[derive(Debug)]
pub(super) struct Entries<T> {
    pub(super) list: Vec<T>,
    /// How many cannot be read, or are beyond [`MAX_ENTRIES`].
    pub(super) skipped: usize,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    /// Go writes `null` for a list without elements.
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Entries { list: Vec::new(), skipped: 0 })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
        let (mut list, mut skipped) = (Vec::new(), 0);
        while list.len() < MAX_ENTRIES {
            // To skip a value, serde_json needs no recursion, however deeply it is nested.
            let Some(raw) = all.next_element::<&RawValue>()? else {
                return Ok(Entries { list, skipped });
            };
            match serde_json::from_str(raw.get()) {
                Ok(entry) => list.push(entry),
                Err(_) => skipped += 1,
            }
        }
        while all.next_element::<IgnoredAny>()?.is_some() {
            skipped += 1;
        }
        Ok(Entries { list, skipped })
    }
}

/// The first string of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct First(pub(super) Option<String>);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(FirstVisitor)
    }
}

struct FirstVisitor;

impl<'de> Visitor<'de> for FirstVisitor {
    type Value = First;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
        let first = all.next_element()?;
        while all.next_element::<IgnoredAny>()?.is_some() {}
        Ok(First(first))
    }
}

/// The labels by which a kubelet names the pod and the container. They are kept beside [`MAX_LABELS`] others:
/// whoever makes an image must not be able to hide them.
const ALWAYS_KEPT: [&str; 5] = [
    "io.kubernetes.docker.type",
    "io.kubernetes.container.name",
    "io.kubernetes.pod.name",
    "io.kubernetes.pod.namespace",
    "io.kubernetes.pod.uid",
];

/// The entries of an object whose values are strings, such as labels.
#[derive(Clone, Debug, Default)]
pub(super) struct Strings(pub(super) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(StringsVisitor)
    }
}

struct StringsVisitor;

impl<'de> Visitor<'de> for StringsVisitor {
    type Value = Strings;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object with strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Strings, A::Error> {
        let mut strings = BTreeMap::new();
        while let Some((name, raw)) = all.next_entry::<String, &RawValue>()? {
            let is_short = name.len() <= MAX_LABEL && raw.get().len() <= MAX_LABEL;
            let has_room = strings.len() < MAX_LABELS || ALWAYS_KEPT.contains(&name.as_str());
            if is_short
                && has_room
                && let Ok(value) = serde_json::from_str(raw.get())
            {
                strings.insert(name, value);
            }
        }
        Ok(Strings(strings))
    }
}

/// The words in an answer that is an error.
pub(super) fn message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    let Message { message } = read(body).ok()?;
    Some(message.chars().take(MAX_MESSAGE).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Entry {
        #[serde(deserialize_with = "lenient")]
        name: String,
        #[serde(deserialize_with = "lenient")]
        names: First,
    }

    fn names(text: &[u8]) -> (Vec<String>, usize) {
        let Entries { list, skipped } = read::<Entries<Entry>>(text).unwrap();
        (list.into_iter().map(|one| one.name).collect(), skipped)
    }

    #[test]
    fn one_entry_that_cannot_be_read_costs_that_entry() {
        let deep = format!("{{\"x\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let text = format!(r#"[{{"name": "a"}}, 7, {deep}, {{"name": 7}}, "x", {{"name": "b"}}]"#);
        let all = ["a", "", "", "b"].map(str::to_owned).to_vec();
        assert_eq!(names(text.as_bytes()), (all, 2));
        assert_eq!(names(b"null"), (Vec::new(), 0));
        assert_eq!(names(b"[{\"name\": \"\xff\"}]").0, ["\u{fffd}"]);
        assert_eq!(names(br#"[{"name": "\ud800"}]"#).0, [""]);
        for no_list in [&b"{}"[..], b"", b"7", b"[{}", b"[[[["] {
            assert!(read::<Entries<Entry>>(no_list).is_err(), "{no_list:?}");
        }
    }

    #[test]
    fn labels_have_a_limit_that_does_not_hide_those_of_a_kubelet() {
        let mut labels = serde_json::Map::new();
        for number in 0..1000 {
            labels.insert(format!("io.a{number}"), "x".into());
        }
        labels.insert("io.kubernetes.pod.name".to_owned(), "kuard".into());
        labels.insert("a".to_owned(), "x".repeat(MAX_LABEL + 1).into());
        let text = serde_json::to_vec(&labels).unwrap();
        let Strings(kept) = read(&text).unwrap();
        assert_eq!(kept.len(), MAX_LABELS + 1);
        assert_eq!(kept["io.kubernetes.pod.name"], "kuard");
        assert!(!kept.contains_key("a"));
    }

    #[test]
    fn a_list_has_a_limit_and_only_the_first_name_is_kept() {
        let text = format!("[{}{{}}]", "{},".repeat(MAX_ENTRIES + 4));
        let (list, skipped) = names(text.as_bytes());
        assert_eq!((list.len(), skipped), (MAX_ENTRIES, 5));
        let one: Entry = read(br#"{"names": ["a", 7, {}]}"#).unwrap();
        assert_eq!(one.names.0.as_deref(), Some("a"));
        for none in [&br#"{"names": []}"#[..], br#"{"names": null}"#, br#"{"names": [7]}"#] {
            assert_eq!(read::<Entry>(none).unwrap().names.0, None);
        }
    }

    #[test]
    fn the_words_of_an_error_are_cut() {
        assert_eq!(message(br#"{"message": "no"}"#).as_deref(), Some("no"));
        let long = format!(r#"{{"message": "{}"}}"#, "x".repeat(10_000));
        assert_eq!(message(long.as_bytes()).unwrap().len(), MAX_MESSAGE);
        assert_eq!(message(b"<html>"), None);
    }
}
