//! What the kernel saw of the first connection, taken from what is shown.

use std::cell::RefCell;
use std::io;

use tokio::sync::Notify;

use crate::model::{ExecEvent, Invocation, NsenterSocat, Session, State, Update};
use crate::output::Sink;

/// The output, which two parts of the demo write to, and what has been shown.
pub(super) struct Shown<'a> {
    sink: RefCell<&'a mut dyn Sink>,
    seen: RefCell<Seen>,
    changed: Notify,
    expected: NsenterSocat,
}

/// The rows of the first connection.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) nsenter: Option<ExecEvent>,
    pub(super) socat: Option<ExecEvent>,
    pub(super) closed: Option<Session>,
}

impl Seen {
    fn is_complete(&self) -> bool {
        self.nsenter.is_some() && self.socat.is_some() && self.closed.is_some()
    }
}

impl<'a> Shown<'a> {
    /// Nothing has been shown so far. `expected`: what nsenter's command line must say.
    pub(super) fn new(sink: &'a mut dyn Sink, expected: NsenterSocat) -> Self {
        Self {
            sink: RefCell::new(sink),
            seen: RefCell::default(),
            changed: Notify::new(),
            expected,
        }
    }

    /// Shows a line at once.
    pub(super) fn line(&self, text: String) -> io::Result<()> {
        let mut sink = self.sink.borrow_mut();
        sink.update(&Update::Line(text))?;
        sink.flush()
    }

    /// Waits until all rows of a connection have come, and takes them.
    pub(super) async fn complete(&self) -> Seen {
        loop {
            let changed = self.changed.notified();
            if self.seen.borrow().is_complete() {
                return self.seen.take();
            }
            changed.await;
        }
    }

    fn note(&self, update: &Update) {
        let mut seen = self.seen.borrow_mut();
        let Seen { nsenter, socat, closed } = &mut *seen;
        match update {
            Update::Exec(exec, _) => match exec.invocation {
                Some(Invocation::Nsenter(found)) if found == self.expected => {
                    nsenter.get_or_insert_with(|| exec.as_ref().clone());
                }
                Some(Invocation::Socat { port }) if port == self.expected.port => {
                    socat.get_or_insert_with(|| exec.as_ref().clone());
                }
                _ => {}
            },
            Update::Session(session) if matches!(session.state, State::Closed(_)) => {
                closed.get_or_insert_with(|| session.as_ref().clone());
            }
            _ => return,
        }
        self.changed.notify_one();
    }
}

/// Shows everything but the execs that are no part of a forward: those of the pod and of kubectl.
impl Sink for &Shown<'_> {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        if matches!(update, Update::Exec(exec, _) if exec.invocation.is_none()) {
            return Ok(());
        }
        self.note(update);
        self.sink.borrow_mut().update(update)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.borrow_mut().flush()
    }

    fn end(&mut self, open: usize) -> io::Result<()> {
        self.sink.borrow_mut().end(open)
    }
}
