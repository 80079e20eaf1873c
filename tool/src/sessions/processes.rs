//! What the start and the end of a process mean for the sessions.

use super::deadlines::EVENT_TIMEOUT_NS;
use super::index::SessionIndex;
use super::state::SessionState;
use crate::model::{
    Destination, ExecEvent, ExitEvent, Invocation, LookedUp, Lookup, NamedProcess, Session,
};

impl SessionIndex {
    /// What must be looked up before this exec is applied.
    pub(super) fn lookup_for_exec(&self, exec: &ExecEvent) -> Option<Lookup> {
        match exec.invocation? {
            Invocation::Nsenter(_) => exec.named_target().map(Lookup::Process),
            Invocation::Socat { .. } => self.lookup_inside(self.becoming_socat(exec)?, exec.netns),
        }
    }

    /// What must be looked up before this end of a process is applied.
    pub(super) fn lookup_for_exit(&self, exit: &ExitEvent) -> Option<Lookup> {
        let number = self.of_helper(exit.process())?;
        let has_entered = self.get(number)?.has_entered_at(exit);
        if has_entered { self.lookup_inside(number, exit.netns) } else { None }
    }

    /// The lookup for a helper that was seen in this network namespace.
    pub(super) fn lookup_inside(&self, number: u64, netns: Option<u32>) -> Option<Lookup> {
        let (helper, netns) = (self.get(number)?, netns?);
        helper.needs_destination_of(netns).then_some(Lookup::Netns(netns))
    }

    /// The parent of an nsenter with which a session starts, and when it was the parent.
    pub(super) fn forwarder_of_exec(exec: &ExecEvent) -> Option<(u32, u64)> {
        let is_start = exec.ret == 0 && matches!(exec.invocation, Some(Invocation::Nsenter(_)));
        is_start.then_some((exec.ppid, exec.time_ns))
    }

    pub(super) fn exec(
        &mut self,
        exec: &ExecEvent,
        looked_up: LookedUp,
        changed: &mut Vec<Session>,
    ) {
        if exec.ret != 0 {
            return;
        }
        if &*exec.comm == b"socat"
            && let Some(number) = self.becoming_socat(exec)
        {
            self.set_helper(number, exec.process());
            if let Some(helper) = self.get_mut(number) {
                helper.became_socat(exec, looked_up.destination);
            }
            return;
        }
        let Some(Invocation::Nsenter(nsenter)) = exec.invocation else { return };
        // The end of an earlier process with this pid was lost, or this process runs nsenter once
        // more.
        if let Some(number) = self.of_pid(exec.pid) {
            self.close(number, changed);
        }
        let number = self.start(SessionState::helper(exec, nsenter, looked_up), changed);
        self.set_helper(number, exec.process());
    }

    /// The session with the helper that becomes this socat. The helper is the process itself, or
    /// its parent: an nsenter that enters a pid namespace forks, and then only passes on the exit
    /// code of its child.
    fn becoming_socat(&self, exec: &ExecEvent) -> Option<u64> {
        self.of_helper(exec.process()).or_else(|| {
            let Some(Invocation::Socat { port }) = exec.invocation else { return None };
            let number = self.of_pid(exec.ppid)?;
            self.get(number).filter(|helper| helper.may_fork_for(port)).map(|_| number)
        })
    }

    pub(super) fn exit(
        &mut self,
        exit: &ExitEvent,
        destination: Option<Destination>,
        can_enter: impl FnMut(NamedProcess) -> bool,
        changed: &mut Vec<Session>,
    ) {
        if let Some(number) = self.of_helper(exit.process())
            && let Some(helper) = self.get_mut(number)
        {
            helper.helper_ended(exit, destination, can_enter);
            self.close_or_wait(number, exit.time_ns, changed);
        }
        for number in self.of_forwarder(exit.process()) {
            let Some(state) = self.get_mut(number) else { continue };
            state.forwarder_ended(exit);
            // A helper outlives its forwarder for a moment.
            if state.is_native() {
                self.close_or_wait(number, exit.time_ns, changed);
            }
        }
    }

    /// The session's process has ended. If the session has a connection, the kernel closes the
    /// connection next and reports its bytes. Otherwise nothing more comes.
    fn close_or_wait(&mut self, number: u64, now_ns: u64, changed: &mut Vec<Session>) {
        if self.get(number).is_some_and(|one| one.open.connection.is_some()) {
            if !self.is_waiting(number) {
                self.wait(number, now_ns, EVENT_TIMEOUT_NS);
            }
        } else {
            self.close(number, changed);
        }
    }
}
