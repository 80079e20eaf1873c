//! The regular expressions of `-n` and `-l`, and names that the kernel cuts.

use std::os::unix::fs::symlink;

use crate::common::temp::TempDir;
use crate::support::exec::{run, start_exec};

#[test]
fn a_name_longer_than_the_kernels_is_found_and_noted() {
    let folder = TempDir::new("long-names");
    let program = folder.join("victoria-metrics-prod");
    symlink("/bin/true", &program).unwrap();
    for name in ["victoria-metrics-prod", "nginx|victoria-metrics-prod", "victoria.metrics.prod"] {
        let mut snoop = start_exec(&["-n", name]);
        run(program.to_str().unwrap(), &["m-long"]);
        let row = snoop.stdout_line("row", |line| line.ends_with("m-long"));
        assert!(row.starts_with("victoria-metric "), "{row}");
        let (_, _, stderr) = snoop.interrupt();
        let [note] = &stderr[..] else { panic!("one note: {stderr:#?}") };
        assert!(note.contains("15 bytes") && note.contains("victoria"), "{note}");
    }
}

#[test]
fn patterns_have_flags_classes_and_categories() {
    for (option, pattern) in [
        ("-n", "(?i)^TRUE$"),
        ("-n", r"^\w+$"),
        ("-n", r"(?x) ^ tr \p{L} \p{Ll} $ # a comment"),
        ("-l", "(?i)M-PATTERN GRÜN$"),
        ("-l", r"(?i)straße \d+\s"),
        ("-l", r"(?s-u:m-pattern)"),
    ] {
        let mut snoop = start_exec(&[option, pattern]);
        run("/bin/true", &["STRASSE", "STRAßE", "٣٤", "m-pattern", "grün"]);
        snoop.stdout_line("row", |line| line.ends_with("m-pattern grün"));
    }
}
