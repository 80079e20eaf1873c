//! Converts a [`Filter`] for the kernel programs.

use pfsnoop_common::Settings;
use pfsnoop_common::record::COMM_LEN;
use pfsnoop_common::settings::{comm_words, filters};
use regex::bytes::Regex;

use crate::model::Filter;

/// The part of a filter that the kernel programs apply.
pub(super) fn settings(filter: &Filter) -> Settings {
    let mut settings = Settings::DEFAULT;
    if let Some(text) = filter.name.as_ref().and_then(plain_comm) {
        settings.filters |= filters::COMM;
        settings.comm = padded(text.as_bytes());
        settings.comm_mask = padded(&[0xff; COMM_LEN][..text.len()]);
    }
    if filter.helpers {
        settings.filters |= filters::HELPERS;
    }
    if let Some(uid) = filter.uid {
        settings.filters |= filters::UID;
        settings.uid = uid;
    }
    if let Some(ppid) = filter.ppid {
        settings.filters |= filters::PPID;
        settings.ppid = ppid;
        settings.ppid_pidns = filter.ppid_pidns.unwrap_or(0);
    }
    if let Some(id) = filter.cgroup {
        settings.filters |= filters::CGROUP;
        settings.cgroup_id = id;
    }
    settings
}

/// The regular expression, if it is plain text that a comm can contain.
fn plain_comm(name: &Regex) -> Option<&str> {
    let text = name.as_str();
    let is_plain =
        !text.contains(['\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$']);
    (is_plain && (1..COMM_LEN).contains(&text.len())).then_some(text)
}

fn padded(text: &[u8]) -> [u64; 2] {
    let mut comm = [0; COMM_LEN];
    comm.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    comm_words(&comm)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regex(text: &str) -> Regex {
        Regex::new(text).unwrap()
    }

    #[test]
    fn plain_names_are_filtered_in_the_kernel() {
        let wanted =
            |text| settings(&Filter { name: Some(regex(text)), ..Filter::default() }).filters;
        for plain in ["nsenter", "kube-proxy", "fifteen-letters"] {
            assert_eq!(wanted(plain), filters::COMM, "{plain}");
        }
        for not_plain in ["", "^nsenter", "ns.nter", "sixteenlettersxx"] {
            assert_eq!(wanted(not_plain), 0, "{not_plain}");
        }
    }
}
