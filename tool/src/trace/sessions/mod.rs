//! Forwarded connections, put together from what the kernel reports of processes and sockets: the
//! state machine behind `pfsnoop watch`.
//!
//! ```text
//! nsenter+socat:  exec(nsenter) -> exec(socat) -> connecting -> connected -> closed -> exit
//!                 started                                       connected              closed
//! native:         connecting (refused -> connecting elsewhere) -> connected -> closed
//!                 started                                         connected    closed
//! ```
//!
//! One session is one helper process, named by (pid, start), or one connection that a process makes to
//! localhost of another network namespace than its own. Any of the events may be missing: then the
//! session says so, or does not come about, and is never left behind.

mod ending;
mod tracked;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Destination, Event, ExecEvent, ExitEvent, Invocation, Session, SockEvent, SockState, Via,
    invocation,
};
pub use ending::Reason;
pub use tracked::Open;
use tracked::Tracked;

/// Most sessions that are followed at once, as many as the kernel side follows connections. The
/// oldest gives way.
const MAX_OPEN: usize = 16 * 1024;

/// How long the end of a helper waits for the end of its connection, and a refused connection for
/// the next attempt (localhost's other address). Both come within microseconds on an idle node.
const GRACE_NS: u64 = 250_000_000;

/// What must be known of a target before an event is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Of the process that is entered.
    Pid(u32),
    /// Of the network namespace of that inode.
    Netns(u32),
}

/// Every session that is not over.
#[derive(Debug, Default)]
pub struct Sessions {
    /// By number, in the order of their start.
    open: BTreeMap<u64, Tracked>,
    /// How many there have been.
    begun: u64,
    /// Sessions by pid of their helper.
    by_helper: HashMap<u32, u64>,
    /// Sessions by id of their connection.
    by_connection: HashMap<u64, u64>,
    /// When sessions that wait for one more event are given up: (time, number).
    deadlines: BTreeSet<(u64, u64)>,
}

impl Sessions {
    /// Whose the target is must be known to [`take`](Self::take) this event.
    #[must_use]
    pub fn whom(&self, event: &Event) -> Option<Whom> {
        match event {
            Event::Exec(exec) => match invocation(&exec.args)? {
                Invocation::Nsenter(nsenter) => nsenter.target.map(Whom::Pid),
                Invocation::Socat { .. } => {
                    let helper = self.helper(exec.pid, exec.start_ns)?;
                    let is_known = helper.open.session.target.netns == exec.netns.map(u64::from);
                    exec.netns.filter(|_| !is_known).map(Whom::Netns)
                }
            },
            Event::Sock(sock) => {
                let is_new = begins(sock) && !self.by_connection.contains_key(&sock.id);
                sock.netns.filter(|_| is_new).map(Whom::Netns)
            }
            Event::Exit(_) => None,
        }
    }

    /// Takes one event, and returns the sessions that came into another state by it. `whose` is the
    /// answer to [`whom`](Self::whom); `is_there` tells whether a process can be entered now.
    pub fn take(
        &mut self,
        event: &Event,
        whose: Option<Destination>,
        is_there: impl Fn(u32) -> bool,
    ) -> Vec<Session> {
        let mut changed = self.expire(event.time_ns());
        match event {
            Event::Exec(exec) => self.exec(exec, whose, &mut changed),
            Event::Exit(exit) => self.exit(exit, is_there, &mut changed),
            Event::Sock(sock) => self.sock(sock, whose, &mut changed),
        }
        changed
    }

    /// Ends the sessions that have waited in vain for one more event until now: `CLOCK_BOOTTIME`, ns.
    /// What has happened until then must have been taken.
    pub fn expire(&mut self, now_ns: u64) -> Vec<Session> {
        let mut changed = Vec::new();
        while let Some(&(when, number)) = self.deadlines.first()
            && when <= now_ns
        {
            self.close(number, &mut changed);
        }
        changed
    }

    /// Those that are not over, the oldest first.
    pub fn open(&self) -> impl ExactSizeIterator<Item = &Open> {
        self.open.values().map(|tracked| &tracked.open)
    }

    fn exec(&mut self, exec: &ExecEvent, whose: Option<Destination>, changed: &mut Vec<Session>) {
        if exec.ret != 0 {
            return;
        }
        if let Some(number) = self.helper_number(exec.pid, exec.start_ns)
            && &*exec.comm == b"socat"
        {
            if let Some(helper) = self.open.get_mut(&number) {
                helper.became_socat(exec, whose);
            }
            return;
        }
        let Some(Invocation::Nsenter(nsenter)) = invocation(&exec.args) else { return };
        // The pid's last process, whose end was lost; or this one, which began anew.
        if let Some(&number) = self.by_helper.get(&exec.pid) {
            self.close(number, changed);
        }
        let number = self.begin(Tracked::helper(exec, nsenter, whose), changed);
        self.by_helper.insert(exec.pid, number);
    }

    fn exit(
        &mut self,
        exit: &ExitEvent,
        is_there: impl Fn(u32) -> bool,
        changed: &mut Vec<Session>,
    ) {
        let process = (exit.pid, exit.start_ns);
        if let Some(number) = self.helper_number(exit.pid, exit.start_ns)
            && let Some(helper) = self.open.get_mut(&number)
        {
            helper.helper_ended(exit, is_there);
            self.end_or_wait(number, exit.time_ns, changed);
        }
        let of_it = self.open.iter().filter(|(_, tracked)| tracked.is_native_of(process));
        let numbers: Vec<u64> = of_it.map(|(&number, _)| number).collect();
        for number in numbers {
            if let Some(native) = self.open.get_mut(&number) {
                native.forwarder_ended(exit);
            }
            self.end_or_wait(number, exit.time_ns, changed);
        }
    }

    /// Its process has ended. The kernel ends its connection next, and says how much that has
    /// carried; without one, nothing more comes.
    fn end_or_wait(&mut self, number: u64, now_ns: u64, changed: &mut Vec<Session>) {
        if self.open.get(&number).is_some_and(|one| one.open.connection.is_some()) {
            self.wait(number, now_ns);
        } else {
            self.close(number, changed);
        }
    }

    fn sock(&mut self, sock: &SockEvent, whose: Option<Destination>, changed: &mut Vec<Session>) {
        let known = self.by_connection.get(&sock.id).copied();
        let known = known.filter(|number| self.open.get(number).is_some_and(|one| one.is_of(sock)));
        let number = match (known, sock.state) {
            (Some(number), state) if state != SockState::Connecting => number,
            (Some(number), SockState::Connecting) if self.is_native(number) => {
                // Another connection of that id: the end of the last one was lost.
                self.close(number, changed);
                return self.sock(sock, whose, changed);
            }
            // A first state may have been lost.
            (_, SockState::Connecting | SockState::Connected) => {
                let Some(number) = self.session_of(sock, whose, changed) else { return };
                self.connect(number, sock.id);
                number
            }
            (_, SockState::Open | SockState::Closed { .. } | SockState::Gone) => return,
        };
        let Some(tracked) = self.open.get_mut(&number) else { return };
        changed.extend(tracked.connection(sock));
        if matches!(sock.state, SockState::Closed { .. } | SockState::Gone) {
            self.by_connection.remove(&sock.id);
            if tracked.is_over() {
                self.close(number, changed);
            } else if tracked.may_try_again() {
                self.wait(number, sock.time_ns);
            }
        }
    }

    /// The session that a new connection belongs to: its helper's, one that was refused at another
    /// address a moment ago, or a new one.
    fn session_of(
        &mut self,
        sock: &SockEvent,
        whose: Option<Destination>,
        changed: &mut Vec<Session>,
    ) -> Option<u64> {
        if let Some(number) = self.helper_number(sock.pid, sock.start_ns) {
            return Some(number);
        }
        let tries_again = |number: &u64| {
            self.open.get(number).is_some_and(|waiting| waiting.is_tried_again_by(sock))
        };
        let mut waiting = self.deadlines.iter().map(|&(_, number)| number);
        if let Some(number) = waiting.find(tries_again) {
            self.forget_deadline(number);
            return Some(number);
        }
        begins(sock).then(|| self.begin(Tracked::native(sock, whose), changed))
    }

    /// The session has a connection, and no other any more.
    fn connect(&mut self, number: u64, connection: u64) {
        let before = self.open.get(&number).and_then(|tracked| tracked.open.connection);
        if let Some(before) = before {
            self.by_connection.remove(&before);
        }
        self.by_connection.insert(connection, number);
    }

    fn is_native(&self, number: u64) -> bool {
        self.open.get(&number).is_some_and(|one| one.open.session.via == Via::Native)
    }

    fn begin(&mut self, tracked: Tracked, changed: &mut Vec<Session>) -> u64 {
        if self.open.len() >= MAX_OPEN
            && let Some((&oldest, _)) = self.open.first_key_value()
        {
            self.close(oldest, changed);
        }
        changed.push(tracked.open.session.clone());
        self.begun += 1;
        self.open.insert(self.begun, tracked);
        self.begun
    }

    /// The session is over, whatever is still missing.
    fn close(&mut self, number: u64, changed: &mut Vec<Session>) {
        self.forget_deadline(number);
        let Some(tracked) = self.open.remove(&number) else { return };
        if let Some(connection) = tracked.open.connection {
            self.by_connection.remove(&connection);
        }
        if let Some(pid) = tracked.open.session.helper_pid
            && self.by_helper.get(&pid) == Some(&number)
        {
            self.by_helper.remove(&pid);
        }
        changed.push(tracked.closed());
    }

    /// One more event may come, or not.
    fn wait(&mut self, number: u64, from_ns: u64) {
        self.forget_deadline(number);
        let when = from_ns.saturating_add(GRACE_NS);
        if let Some(tracked) = self.open.get_mut(&number) {
            tracked.deadline_ns = Some(when);
            self.deadlines.insert((when, number));
        }
    }

    fn forget_deadline(&mut self, number: u64) {
        let tracked = self.open.get_mut(&number);
        if let Some(when) = tracked.and_then(|tracked| tracked.deadline_ns.take()) {
            self.deadlines.remove(&(when, number));
        }
    }

    fn helper_number(&self, pid: u32, start_ns: u64) -> Option<u64> {
        let number = *self.by_helper.get(&pid)?;
        self.open.get(&number).filter(|helper| helper.process == (pid, start_ns)).map(|_| number)
    }

    fn helper(&self, pid: u32, start_ns: u64) -> Option<&Tracked> {
        self.open.get(&self.helper_number(pid, start_ns)?)
    }
}

/// Whether a connection is, by itself, a native forward: a runtime dials localhost in there. What a
/// runtime, a mesh's proxy or a DNS server sends out of somebody's namespace is none.
fn begins(sock: &SockEvent) -> bool {
    let is_new = matches!(sock.state, SockState::Connecting | SockState::Connected);
    is_new && sock.is_foreign && sock.destination.ip().is_loopback()
}
