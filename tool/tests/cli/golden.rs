//! Golden files in `tests/cli/golden/`: output that must stay as it is, to the letter.
//!
//! After a change of a text, write the files anew and read the difference:
//!
//! ```text
//! INSTA_UPDATE=always cargo test --test cli; git diff tool/tests/cli/golden
//! ```

use clap::CommandFactory as _;
use pfsnoop::cli::Cli;

use crate::common::{pfsnoop, stdout_of};

/// Compares a text with `golden/NAME.snap`.
pub fn assert_golden(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Help does not depend on the width of the terminal.
fn help(args: &[&str]) -> String {
    stdout_of(pfsnoop(args).env("COLUMNS", "100"))
}

#[test]
fn help_of_pfsnoop() {
    assert_golden("help", &help(&["--help"]));
    assert_golden("short-help", &help(&["-h"]));
}

#[test]
fn help_of_each_command() {
    let cli = Cli::command();
    for command in cli.get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = command.get_name();
        assert_golden(&format!("{name}-help"), &help(&[name, "--help"]));
    }
}
