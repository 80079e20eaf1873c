//! Lines on stderr: everything that is not data.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::escape::escaped;
use super::log_lines::lost_line;
use super::names::{client_name, port_of_target, short_id};
use super::reason::reason;
use super::stdout::ReadyWriter;
use crate::model::{
    Closed, Listening, Lost, Outcome, RestartWords, Serving, Session, State, Trouble,
};

/// Waits for the reader of stderr, for all threads.
static WRITER: LazyLock<Mutex<ReadyWriter>> = LazyLock::new(Mutex::default);

/// Stderr. Waits for its reader, but not beyond the end of the command: a reader that does not read must
/// not keep a command from ending at its first signal.
#[derive(Clone, Copy, Debug)]
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITER.lock().unwrap_or_else(PoisonError::into_inner).write(&io::stderr(), bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints a line to stderr. Ignores errors: a closed or full stderr must not end the command.
pub fn complain(what: &str) {
    print(&format!("pfsnoop: {what}\n"));
}

/// In one piece, so that no other line comes in between.
fn print(line: &str) {
    let _ = Stderr.write_all(line.as_bytes());
}

/// Reports a session of pfsnoop's own that failed, in kubectl's words.
pub(super) fn report_failure(session: &Session) {
    let State::Closed(closed) = &session.state else { return };
    let what = match (session.ports, &session.client) {
        (Some(ports), _) => ports.to_string(),
        (None, Some(client)) => {
            format!("{} for {}", port_of_target(session), client_name(client))
        }
        // Another forwarder's.
        (None, None) => return,
    };
    if let Some(why) = failure(closed) {
        complain(&format!("an error occurred forwarding {what}: {why}"));
    }
}

/// Why a session failed: the forwarder's own error, in a kubelet's words, or the reason from the
/// kernel's records.
fn failure(closed: &Closed) -> Option<String> {
    match &closed.error {
        Some(error) => Some(escaped(error.as_bytes())),
        // A user who stops the forward needs no message.
        None if matches!(closed.outcome, Outcome::Ok | Outcome::Killed) => None,
        None => Some(reason(&closed.reason)),
    }
}

/// Reports why a forward cannot accept connections.
pub(super) fn report_trouble(trouble: &Trouble) {
    complain(&match trouble {
        Trouble::TooManyConnections { ports, max } => format!(
            "turned away a connection for {}: {max} connections are open, the limit set by \
             --max-connections or --max-buffer",
            ports.local
        ),
        Trouble::TooManyStreams { client, port, max } => format!(
            "turned away a connection for port {port}, from {}: {max} connections are open, the limit",
            client_name(client)
        ),
        Trouble::CannotAccept { address, error } => {
            format!("cannot accept a connection on {address}: {error}; trying again")
        }
    });
}

/// Reports that the target of a forward has restarted.
pub(super) fn report_restart(restart: &RestartWords) {
    let RestartWords { ended, target, pid, netns, pod_uid, new_id } = restart;
    let now = match pid {
        Some(pid) => format!("process {pid}"),
        None => format!("network namespace net:[{netns}]"),
    };
    let id = new_id.as_ref().map(|id| format!("id {}", short_id(id)));
    let uid = pod_uid.as_ref().map(|uid| format!("pod uid {uid}"));
    let more: Vec<String> = id.into_iter().chain(uid).collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    let line = format!("{ended}; {target} has restarted and is now {now}{more}");
    complain(&escaped(line.as_bytes()));
}

/// Reports records that were lost.
pub(super) fn report_lost(lost: Lost) {
    complain(&lost_line(lost));
}

/// Reports an endpoint. For formats in which stdout is for programs.
pub(super) fn report_serving(serving: &Serving) {
    let kubeconfig = escaped(serving.kubeconfig.as_os_str().as_bytes());
    print(&format!("Serving at https://{}; export KUBECONFIG={kubeconfig}\n", serving.address));
}

/// Reports a listener in kubectl's words. For formats in which stdout is for programs.
pub(super) fn report_listening(listening: &Listening) {
    let Listening { address, target_port, .. } = listening;
    print(&format!("Forwarding from {address} -> {target_port}\n"));
}
