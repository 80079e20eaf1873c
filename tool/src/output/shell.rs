//! Words of commands that users paste into a shell. A word may come from a container runtime or from
//! the name of a cgroup.

/// Quotes a word, if it needs quotes, so that a shell reads it as one word.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./:@%+=,".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Quotes an operand of a command. One that looks like an option follows `--`, which ends the options
/// of docker, podman, crictl and kubectl.
#[must_use]
pub fn operand(word: &str) -> String {
    let quoted = quoted(word);
    if word.starts_with('-') { format!("-- {quoted}") } else { quoted }
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

    #[test]
    fn an_operand_is_never_an_option() {
        assert_eq!(operand("0123abc"), "0123abc");
        assert_eq!(operand("abc; touch /tmp/x #"), "'abc; touch /tmp/x #'");
        assert_eq!(operand("--privileged"), "-- --privileged");
    }
}
