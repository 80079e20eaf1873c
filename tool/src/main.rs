//! Parses the command line, runs the command, and turns an error into an exit code.

use std::process::ExitCode;

use pfsnoop::{cli, commands, host, output};

/// Exit code of a wrong command line.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    host::memory::set_up();
    host::inherited::set_back();
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(cli::Stop::Asked(text)) => return print(&text),
        Err(cli::Stop::Wrong(line)) => {
            output::complain(&line);
            return ExitCode::from(USAGE);
        }
    };
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Help or version: data, so it goes to stdout.
fn print(text: &str) -> ExitCode {
    use std::io::Write as _;
    // A closed stdout is the reader's choice (`pfsnoop --help | head`).
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// Nobody reads stdout any more: a quiet end, as of any program in a pipe.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
