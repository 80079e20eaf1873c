//! Words and options for the commands in `fix:`, quoted, because users paste these commands into a
//! shell.

use crate::target::{Target, TargetName};

/// Quotes a word, if it needs quotes, so that a shell reads it as one word.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./:@%+=,".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The arguments that name a target in a command of pfsnoop.
pub(super) fn target_args(name: &TargetName, namespace: Option<&str>) -> String {
    match name {
        TargetName::Pod(name) => match namespace {
            None | Some("default") => quoted(name),
            Some(namespace) => format!("{} -n {}", quoted(name), quoted(namespace)),
        },
        // kubectl takes this form too.
        TargetName::PodIn { namespace, name } => {
            format!("{} -n {}", quoted(name), quoted(namespace))
        }
        TargetName::Container(name) => quoted(&format!("container/{name}")),
        TargetName::Pid(pid) => format!("pid/{pid}"),
        TargetName::Netns(path) => quoted(&format!("netns/{}", path.display())),
    }
}

/// The options with which nsenter enters the target's network namespace.
pub(super) fn nsenter_options(target: &Target) -> String {
    match target.pid() {
        Some(pid) => format!("-t {pid} -n"),
        None => quoted(&format!("--net={}", target.netns_file().display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_a_quoted_word_as_it_was() {
        assert_eq!(quoted("netns//run/netns/a-b_1"), "netns//run/netns/a-b_1");
        for word in ["", "a b", "it's", "$(id)", "a;b", "~", "*", "back\\slash", "new\nline"] {
            let script = format!("printf %s {}", quoted(word));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }
}
