//! One finding for several processes of the same name of which the same is true: whoever may start
//! processes can start a thousand, and their findings would hide all others.

use crate::model::Finding;

/// A finding about a process.
pub(super) struct OfProcess {
    pub(super) finding: Finding,
    /// The name of the process.
    pub(super) name: String,
    /// What is true of it, in one word for each cause, and what kind of place it is in.
    pub(super) cause: [&'static str; 2],
}

/// Keeps the first finding of each name and cause, with the number of those that it stands for.
pub(super) fn grouped(all: impl IntoIterator<Item = OfProcess>) -> Vec<Finding> {
    let mut kept: Vec<(OfProcess, usize)> = Vec::new();
    for one in all {
        let is_same = |other: &OfProcess| {
            other.finding.check == one.finding.check
                && other.finding.severity == one.finding.severity
                && (&other.name, other.cause) == (&one.name, one.cause)
        };
        match kept.iter_mut().find(|(other, _)| is_same(other)) {
            Some((_, more)) => *more += 1,
            None => kept.push((one, 0)),
        }
    }
    kept.into_iter().map(|(one, more)| counted(one, more)).collect()
}

fn counted(OfProcess { mut finding, name, .. }: OfProcess, more: usize) -> Finding {
    if more > 0 {
        let others = if more == 1 { "process" } else { "processes" };
        finding.what =
            format!("{}; the same is true of {more} more {others} named {name}", finding.what);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity::{Fail, Ok};

    #[test]
    fn the_same_of_several_processes_is_one_finding() {
        let one = |severity, name: &str, place| OfProcess {
            finding: Finding::new(severity, "helper.socat", format!("{name} lacks it"), ""),
            name: name.to_owned(),
            cause: ["missing", place],
        };
        let all = [
            one(Fail, "kubelet", "node"),
            one(Fail, "kubelet", "node"),
            one(Ok, "kubelet", "node"),
            one(Fail, "kubelet", "container"),
            one(Fail, "k3s", "node"),
            one(Fail, "kubelet", "node"),
        ];
        let whats: Vec<String> = grouped(all).into_iter().map(|finding| finding.what).collect();
        assert_eq!(
            whats,
            [
                "kubelet lacks it; the same is true of 2 more processes named kubelet",
                "kubelet lacks it",
                "kubelet lacks it",
                "k3s lacks it"
            ]
        );
    }
}
