//! Follows the target of a forward: looks it up again when it has ended, or ends the forward.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::event::{ForwardEvent, Restart};
use super::listener_target::ListenerTarget;
use super::live_target::{Current, LiveTarget};
use super::shared::Shared;
use super::target_source::Names;
use crate::target::{Target, TargetEnded};

/// How long to wait after the first lookup that found nothing. The interval doubles after each lookup.
const FIRST_LOOKUP_INTERVAL: Duration = Duration::from_millis(100);

/// The interval does not grow beyond this. A connection that waits has the target looked up at once.
const MAX_LOOKUP_INTERVAL: Duration = Duration::from_secs(5);

/// Follows the target until the forwarder drains.
pub(super) async fn follow(to: Arc<ListenerTarget>, shared: Arc<Shared>, names: Names) {
    tokio::select! {
        () = shared.draining.cancelled() => {}
        ended = restarts(&to.live, &shared, &names) => {
            // New clients are refused from now on.
            shared.draining.cancel();
            tokio::select! {
                () = shared.connections_ended() => {}
                () = shared.ending.cancelled() => {}
            }
            shared.report(ForwardEvent::TargetEnded(ended)).await;
        }
    }
}

/// Follows the target through its restarts. Returns how a target ended that has no name by which it
/// could be found again.
async fn restarts(live: &LiveTarget, shared: &Shared, names: &Names) -> TargetEnded {
    loop {
        let before = live.current().target;
        let ended = before.ended().await;
        if before.identity().is_none() {
            return ended;
        }
        let ended = ended.to_string();
        live.set_down(ended.clone());
        let target = look_up_again(&before, live, names).await;
        let destination = Arc::new(names.destination(&target).await);
        let restart = Restart::new(ended, &before, &target, Arc::clone(&destination));
        // Comes first: records of connections to it follow.
        shared.report(ForwardEvent::Restarted(restart)).await;
        live.set_up(Current { target: Arc::new(target), destination });
    }
}

async fn look_up_again(before: &Target, live: &LiveTarget, names: &Names) -> Target {
    let mut interval = FIRST_LOOKUP_INTERVAL;
    loop {
        match before.find_again(names.runtimes()).await {
            Ok(target) => return target,
            Err(error) => {
                log::debug!("the target is not back: {error}");
                live.set_why(error.to_string());
            }
        }
        sleep(FIRST_LOOKUP_INTERVAL).await;
        interval = (interval * 2).min(MAX_LOOKUP_INTERVAL);
        tokio::select! {
            () = sleep(interval.saturating_sub(FIRST_LOOKUP_INTERVAL)) => {}
            () = live.wanted() => interval = FIRST_LOOKUP_INTERVAL,
        }
    }
}
