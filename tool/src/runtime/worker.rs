//! The thread on which the runtimes are asked. A runtime may be broken or hostile: it may answer
//! slowly, without end, or with something that takes long to read. All of that happens on this
//! thread, and whoever asks waits with a limit, so the rest of a command goes on.

use std::future::Future;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::client::RuntimeError;
use crate::host::privileges;

/// The thread, once it is needed; `None` if it cannot be started. It is never waited for: at the end
/// of the process it ends, whatever it does.
static WORKER: LazyLock<Option<Handle>> = LazyLock::new(|| start().ok());

fn start() -> std::io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let thread = std::thread::Builder::new().name("runtimes".to_owned());
    thread.spawn(move || {
        privileges::settle_thread();
        runtime.block_on(std::future::pending::<()>());
    })?;
    Ok(handle)
}

/// Runs a task on the thread, until the result is dropped. `None` if there is no such thread.
pub fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> Option<AbortOnDropHandle<T>> {
    WORKER.as_ref().map(|worker| AbortOnDropHandle::new(worker.spawn(task)))
}

/// The answer to a question that is asked on the thread, within a limit. Cancel safe: the question is
/// then given up.
pub(super) async fn ask<T: Send + 'static>(
    limit: Duration,
    question: impl Future<Output = Result<T, RuntimeError>> + Send + 'static,
) -> Result<T, RuntimeError> {
    let Some(task) = spawn(question) else {
        return Err(RuntimeError::other(&"no thread can be started to ask it"));
    };
    match timeout(limit, task).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(ended)) => Err(RuntimeError::other(&ended)),
        Err(_) => {
            let limit = limit.as_secs_f32();
            Err(RuntimeError::silent(&format!("no answer in {limit} s")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_question_that_blocks_the_thread_has_a_limit() {
        let limit = Duration::from_millis(100);
        let start = Instant::now();
        let blocked = ask(limit, async {
            std::thread::sleep(Duration::from_secs(1));
            Ok(())
        });
        let error = blocked.await.unwrap_err();
        assert!(error.is_silence() && error.to_string() == "no answer in 0.1 s", "{error}");
        assert!(start.elapsed() < Duration::from_millis(800), "{:?}", start.elapsed());
    }
}
