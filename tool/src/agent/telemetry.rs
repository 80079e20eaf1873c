//! The thread that serves metrics and exports: no network and no scraper delays the monitor.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::thread::{Builder, JoinHandle};

use tokio::runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::host::privileges;

/// A task of the thread.
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What runs on the thread, until it is started.
#[derive(Default)]
pub struct Telemetry {
    /// Dropped at the end, at any await.
    servers: Vec<Task>,
    /// Awaited at the end. Each ends soon after its token is cancelled.
    exporters: Vec<Task>,
    ending: CancellationToken,
}

/// The running thread.
pub struct RunningTelemetry {
    thread: JoinHandle<()>,
    ending: CancellationToken,
}

impl Telemetry {
    /// Adds a task that is dropped at the end.
    pub fn serve(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.servers.push(Box::pin(task));
    }

    /// Adds a task that is awaited at the end. It must end by itself soon after the token is cancelled.
    pub fn export<F>(&mut self, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.exporters.push(Box::pin(task(self.ending.clone())));
    }

    /// Starts the thread.
    pub fn start(self) -> io::Result<RunningTelemetry> {
        let Self { servers, exporters, ending } = self;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_start(privileges::settle_thread)
            .build()?;
        let of_thread = ending.clone();
        let thread = Builder::new().name("telemetry".to_owned()).spawn(move || {
            privileges::settle_thread();
            runtime.block_on(run(servers, exporters, of_thread));
            // A name that is still being resolved does not delay the end.
            runtime.shutdown_background();
        })?;
        Ok(RunningTelemetry { thread, ending })
    }
}

async fn run(servers: Vec<Task>, exporters: Vec<Task>, ending: CancellationToken) {
    for server in servers {
        drop(tokio::spawn(server));
    }
    let tracker = TaskTracker::new();
    for exporter in exporters {
        drop(tracker.spawn(exporter));
    }
    tracker.close();
    ending.cancelled().await;
    tracker.wait().await;
}

impl RunningTelemetry {
    /// Exports what is left, within the limit that each exporter has, and ends the thread.
    pub fn end(self) {
        self.ending.cancel();
        if self.thread.join().is_err() {
            log::warn!("the thread for metrics and exports has failed");
        }
    }
}
