//! A process begins to connect.

use aya_ebpf::{EbpfContext as _, programs::RawTracePointContext};
use pfsnoop_common::record::{Kind, LossCount, SockRecord, sock_flags, sock_states};
use pfsnoop_common::settings::filters;

use super::socket::Sock;
use super::{current_task, now_ns, output};
use crate::emit;
use crate::exit;
use crate::filter::is_helper;
use crate::globals::{field, offset, setting};
use crate::home;
use crate::task::Task;

/// The current task connects. Follows the connection if it may belong to a forward.
#[inline(always)]
pub(super) fn connecting(ctx: &RawTracePointContext, sock: Sock) -> Option<()> {
    let netns = sock.netns()?;
    let task = current_task();
    let process = task.leader()?;
    let is_foreign = home::home_of(ctx.tgid(), process)? != netns;
    if !is_foreign && !is_helper(ctx) || task.is_kernel_thread() || !is_of_family(process) {
        return None;
    }
    let mut record = SockRecord {
        kind: Kind::Sock as u32,
        state: sock_states::CONNECTING,
        time_ns: now_ns(),
        id: sock.0 as u64,
        cookie: field(sock.0, offset!(sock_common_skc_cookie)).unwrap_or(0),
        start_ns: process.start_ns().unwrap_or(0),
        sent: 0,
        received: 0,
        pid: ctx.tgid(),
        tid: ctx.pid(),
        netns,
        flags: u32::from(is_foreign) * sock_flags::FOREIGN,
        error: 0,
        uid: ctx.uid(),
        unsent: 0,
        server_status: 0,
        segments: 0,
        reserved: 0,
        family: field(sock.0, offset!(sock_common_skc_family))?,
        port: sock.port()?,
        source_port: 0,
        reserved_16: 0,
        source: [0; 16],
        destination: [0; 16],
        comm: process.comm().unwrap_or_default(),
    };
    sock.addresses(&mut record)?;
    if sock.follow(&record, is_foreign).is_none() {
        emit::count_lost(LossCount::Sockets);
        return None;
    }
    if is_foreign {
        // The connections of a forwarder end with its process.
        exit::expect_end(record.pid, record.start_ns);
    }
    output(&record, LossCount::Sockets);
    Some(())
}

/// If only the children of one process are traced: whether this is one of them, or their parent.
#[inline(always)]
fn is_of_family(process: Task) -> bool {
    let (parent, pidns) = (setting!(ppid), setting!(ppid_pidns));
    let is = |one: Option<Task>| one.is_some_and(|one| one.is_process(parent, pidns));
    setting!(filters) & filters::PPID == 0 || is(Some(process)) || is(process.parent())
}
