//! What the service manager of this process is told (sd_notify(3)). Without one, nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

/// The command is ready: everything is attached or listens. Only the first call of a process counts for
/// the manager.
pub fn ready() {
    notify(&[NotifyState::Ready]);
}

/// The command ends.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Tells the manager's watchdog again and again that this event loop turns, if there is a watchdog
/// (`WatchdogSec=`, systemd.service(5)). Must be awaited in the loop that it vouches for.
pub async fn feed_watchdog() -> ! {
    let limit = match sd_notify::watchdog_enabled() {
        Some(limit) => limit,
        None => std::future::pending().await,
    };
    // Half of the time, as sd_watchdog_enabled(3) advises.
    let mut interval = tokio::time::interval((limit / 2).max(Duration::from_millis(1)));
    loop {
        interval.tick().await;
        notify(&[NotifyState::Watchdog]);
    }
}

/// A manager that does not listen changes nothing for the command.
fn notify(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        log::debug!("cannot tell the service manager: {error}");
    }
}
