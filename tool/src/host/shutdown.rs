//! When a command must end: at a signal, or when its time is up. A token ends the event loop. Code that
//! blocks, so that the event loop cannot run, calls [`is_due`].

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

use procfs::process::Process;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A signal has come.
static IS_SIGNALLED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// When the time of the command is up, if it has a limit.
static DEADLINE: OnceLock<Instant> = OnceLock::new();

/// Whether the command is to end by now.
pub fn is_due() -> bool {
    let is_over = DEADLINE.get().is_some_and(|deadline| Instant::now() >= *deadline);
    is_over || IS_SIGNALLED.load(Ordering::Relaxed)
}

/// Returns a token that SIGINT, SIGTERM and SIGHUP cancel. From here on they no longer end the
/// process by themselves. If SIGHUP is ignored at the start, as by nohup(1), it stays ignored.
///
/// Must be called within a tokio runtime.
pub fn on_signals() -> io::Result<CancellationToken> {
    let mut ending = vec![SIGINT, SIGTERM];
    if !is_ignored(SIGHUP) {
        ending.push(SIGHUP);
    }
    exit_at_second(&ending)?;
    survive_file_size_limit()?;
    let token = CancellationToken::new();
    for number in ending {
        let (mut signals, token) = (signal(SignalKind::from_raw(number))?, token.clone());
        tokio::spawn(async move {
            signals.recv().await;
            token.cancel();
        });
    }
    Ok(token)
}

/// Cancels the token when the time is up, if there is a limit.
pub fn after(token: &CancellationToken, duration: Option<Duration>) {
    let Some(duration) = duration else { return };
    let token = token.clone();
    let Some(deadline) = Instant::now().checked_add(duration) else { return };
    // A command has one limit.
    let _ = DEADLINE.set(deadline);
    tokio::spawn(async move {
        tokio::time::sleep_until(deadline.into()).await;
        token.cancel();
    });
}

/// Whether this process ignores the signal. If that cannot be read, it does not.
fn is_ignored(signal: i32) -> bool {
    let status = Process::myself().and_then(|own| own.status());
    status.is_ok_and(|status| status.sigign & (1 << (signal - 1)) != 0)
}

/// A second signal ends the process at once. Helpers die with the process.
fn exit_at_second(signals: &[i32]) -> io::Result<()> {
    for &signal in signals {
        // In this order: the first signal passes the first handler and then arms it.
        flag::register_conditional_shutdown(signal, 0, Arc::clone(&IS_SIGNALLED))?;
        flag::register(signal, Arc::clone(&IS_SIGNALLED))?;
    }
    Ok(())
}

/// A log that reaches the limit of `ulimit -f` is a failed write (EFBIG), and not the end of the
/// process, which SIGXFSZ is by default (setrlimit(2)).
fn survive_file_size_limit() -> io::Result<()> {
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map(|_| ())
}
