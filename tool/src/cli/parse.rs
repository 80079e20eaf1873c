//! Parses the arguments of this process. An error becomes one line.

use clap::{CommandFactory as _, FromArgMatches as _};

use super::{Cli, Command};

/// Why no command runs.
#[derive(Debug)]
pub enum Stop {
    /// The user asked for help or the version: the text.
    Asked(String),
    /// The command line is wrong: one line that says what is wrong.
    Wrong(String),
}

/// Parses the command line of this process.
pub fn parse() -> Result<Cli, Stop> {
    let matches = Cli::command().try_get_matches();
    let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| {
        use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
        match error.kind() {
            DisplayHelp | DisplayVersion => Stop::Asked(error.render().to_string()),
            _ => Stop::Wrong(one_line(&error.render().to_string())),
        }
    })?;
    let forwarder = match &cli.command {
        Some(Command::Forward(forward)) => Some(&forward.forwarder),
        Some(Command::Serve(serve)) => Some(&serve.forwarder),
        _ => None,
    };
    if let Some(forwarder) = forwarder {
        forwarder.limits().map_err(|error| Stop::Wrong(error.to_string()))?;
    }
    if let Some(Command::History(history)) = &cli.command {
        history.check().map_err(|what| Stop::Wrong(what.to_owned()))?;
    }
    Ok(cli)
}

/// clap's errors have several paragraphs: the first says what is wrong, `tip:` what to do.
fn one_line(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let mut paragraphs =
        text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let what = paragraphs.next().unwrap_or_default();
    let tip = paragraphs.find(|part| part.starts_with("tip:"));
    let advice = tip.unwrap_or_else(|| "see `pfsnoop --help`".to_owned());
    format!("{what}; {advice}")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn errors_are_one_line() {
        for args in [&["pfsnoop", "-n", "("][..], &["pfsnoop", "forward"], &["pfsnoop", "--nope"]] {
            let error = Cli::try_parse_from(args).unwrap_err().render().to_string();
            let line = one_line(&error);
            assert!(!line.contains('\n') && line.contains("; "), "{line}");
        }
    }
}
