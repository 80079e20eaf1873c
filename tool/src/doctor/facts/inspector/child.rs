//! The child: answers questions until its stdin ends.

use std::io::{self, BufRead as _, Write as _};

use procfs::process::Process;

use super::question::{Answer, Question};
use crate::doctor::facts::daemons::Daemon;
use crate::host::proc_files::strings;
use crate::model::{Arg, Args, Invocation, invocation};

/// Answers on stdout the questions that come on stdin; `pfsnoop doctor-inspector`.
pub fn serve() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = answer(&serde_json::from_str(&line?)?);
        serde_json::to_writer(&mut stdout, &answer)?;
        stdout.write_all(b"\n")?;
        stdout.flush()?;
    }
    Ok(())
}

fn answer(question: &Question) -> Answer {
    match question {
        Question::Daemon { pid, name } => Answer::Daemon(Box::new(Daemon::read(*pid, name))),
        Question::Socat { pid } => Answer::Socat(port_of_socat(*pid)),
    }
}

fn port_of_socat(pid: u32) -> Option<u16> {
    let words = strings(&Process::new(i32::try_from(pid).ok()?).ok()?, "cmdline").ok()?;
    let list = words.iter().map(|word| Arg::Text(word.as_encoded_bytes())).collect();
    match invocation(&Args { list, ..Args::default() })? {
        Invocation::Socat { port } => Some(port),
        Invocation::Nsenter(_) => None,
    }
}
