//! Words in commands that are to be pasted into a shell.

/// One word to a shell, whatever is in it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./:@%+=,".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_same_word() {
        assert_eq!(quoted("netns//run/netns/a-b_1"), "netns//run/netns/a-b_1");
        for word in ["", "a b", "it's", "$(id)", "a;b", "~", "*", "back\\slash", "new\nline"] {
            let echo = format!("printf %s {}", quoted(word));
            let said = std::process::Command::new("sh").args(["-c", &echo]).output().unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), word);
        }
    }
}
