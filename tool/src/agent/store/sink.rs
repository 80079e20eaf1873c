//! The sink that stores sessions.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::Builder;
use std::time::Duration;

use super::counters::StoreCounters;
use super::options::StoreOptions;
use super::queue::{Item, Queue};
use super::record::Record;
use super::writer::Writer;
use crate::host::clock;
use crate::model::Update;
use crate::output::Sink;

/// How long the end of the agent waits for the last write.
const END_TIMEOUT: Duration = Duration::from_secs(3);

/// Gives each session to the thread that writes the store. Never waits for the disk, except at the end
/// of the agent, and then only so long.
#[derive(Debug)]
pub struct StoreSink {
    queue: Arc<Queue>,
    /// Disconnects when the writer has ended.
    writer: Receiver<()>,
    /// How often the monitor has begun.
    run: u64,
}

impl StoreSink {
    /// Starts the thread. Whatever is wrong with the file is reported later, and does not end the agent.
    pub fn start(options: StoreOptions, counters: Arc<StoreCounters>) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(Arc::clone(&counters)));
        let writer = Writer::new(Arc::clone(&queue), counters, options);
        let (alive, is_alive) = channel();
        Builder::new().name("store".to_owned()).spawn(move || {
            writer.run();
            drop::<std::sync::mpsc::Sender<()>>(alive);
        })?;
        Ok(Self { queue, writer: is_alive, run: 0 })
    }

    fn close(&self) {
        self.queue.close();
        // An error says that the writer has ended.
        let _ = self.writer.recv_timeout(END_TIMEOUT);
    }
}

impl Sink for StoreSink {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        match update {
            Update::Ready(ready) => {
                self.run += 1;
                self.queue.push(Item::Began {
                    run: self.run,
                    time_ns: clock::wall_time_ns(ready.time_ns),
                });
            }
            Update::Session(session) => {
                let time_ns = clock::wall_time_ns(session.time_ns);
                let record = Record { session: (**session).clone(), time_ns, run: self.run };
                self.queue.push(Item::Changed(Box::new(record)));
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, _open: usize) -> io::Result<()> {
        self.close();
        Ok(())
    }
}

impl Drop for StoreSink {
    fn drop(&mut self) {
        self.close();
    }
}
