//! What the starts and ends of processes mean for the sessions.

use super::Whom;
use super::followed::Followed;
use super::tracked::Tracked;
use crate::trace::{Destination, ExecEvent, ExitEvent, Invocation, Session, invocation};

impl Followed {
    /// Whose the target is must be known of that exec.
    pub(super) fn whom_of_exec(&self, exec: &ExecEvent) -> Option<Whom> {
        match invocation(&exec.args)? {
            Invocation::Nsenter(nsenter) => nsenter.target.map(Whom::Pid),
            Invocation::Socat { .. } => {
                let helper = self.get(self.becoming_socat(exec)?)?;
                let is_known = helper.open.session.target.netns == exec.netns.map(u64::from);
                exec.netns.filter(|_| !is_known).map(Whom::Netns)
            }
        }
    }

    pub(super) fn exec(
        &mut self,
        exec: &ExecEvent,
        whose: Option<Destination>,
        changed: &mut Vec<Session>,
    ) {
        if exec.ret != 0 {
            return;
        }
        if &*exec.comm == b"socat"
            && let Some(number) = self.becoming_socat(exec)
        {
            self.helped_by(number, (exec.pid, exec.start_ns));
            if let Some(helper) = self.get_mut(number) {
                helper.became_socat(exec, whose);
            }
            return;
        }
        let Some(Invocation::Nsenter(nsenter)) = invocation(&exec.args) else { return };
        // The pid's last process, whose end was lost; or this one, which began anew.
        if let Some(number) = self.of_pid(exec.pid) {
            self.close(number, changed);
        }
        let number = self.begin(Tracked::helper(exec, nsenter, whose), changed);
        self.helped_by(number, (exec.pid, exec.start_ns));
    }

    /// The helper that becomes this socat: the process itself, or its parent, which forked because it
    /// entered a pid namespace, and does nothing any more but pass its end on.
    fn becoming_socat(&self, exec: &ExecEvent) -> Option<u64> {
        self.of_helper(exec.pid, exec.start_ns).or_else(|| {
            let Some(Invocation::Socat { port }) = invocation(&exec.args) else { return None };
            let number = self.of_pid(exec.ppid)?;
            self.get(number).filter(|helper| helper.may_fork_for(port)).map(|_| number)
        })
    }

    pub(super) fn exit(
        &mut self,
        exit: &ExitEvent,
        is_there: impl Fn(u32) -> bool,
        changed: &mut Vec<Session>,
    ) {
        if let Some(number) = self.of_helper(exit.pid, exit.start_ns)
            && let Some(helper) = self.get_mut(number)
        {
            helper.helper_ended(exit, is_there);
            self.end_or_wait(number, exit.time_ns, changed);
        }
        for number in self.of_native((exit.pid, exit.start_ns)) {
            if let Some(native) = self.get_mut(number) {
                native.forwarder_ended(exit);
            }
            self.end_or_wait(number, exit.time_ns, changed);
        }
    }

    /// Its process has ended. The kernel ends its connection next, and says how much that has
    /// carried; without one, nothing more comes.
    fn end_or_wait(&mut self, number: u64, now_ns: u64, changed: &mut Vec<Session>) {
        if self.get(number).is_some_and(|one| one.open.connection.is_some()) {
            self.wait(number, now_ns);
        } else {
            self.close(number, changed);
        }
    }
}
