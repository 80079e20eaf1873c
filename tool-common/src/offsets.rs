//! Where this kernel keeps the fields that the programs read.
//!
//! Rust cannot emit CO-RE relocations, so user space resolves each offset from the kernel's BTF
//! and writes this struct into a read-only global before the programs are loaded.

use bytemuck::{Pod, Zeroable};

/// A field that this kernel does not have.
pub const ABSENT: u32 = u32::MAX;

/// Byte offsets inside kernel structures, each named `<struct>_<field path>`; [`ABSENT`] where the
/// running kernel lacks the field.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Offsets {
    /// `task_struct.tgid` (include/linux/sched.h)
    pub task_tgid: u32,
    /// `task_struct.pid`
    pub task_pid: u32,
    /// `task_struct.comm`
    pub task_comm: u32,
    /// `task_struct.real_parent`
    pub task_real_parent: u32,
    /// `task_struct.group_leader`
    pub task_group_leader: u32,
    /// `task_struct.start_boottime`, ns since boot (5.5 and newer)
    pub task_start_boottime: u32,
    /// `task_struct.mm`
    pub task_mm: u32,
    /// `task_struct.nsproxy`
    pub task_nsproxy: u32,
    /// `task_struct.thread_pid`
    pub task_thread_pid: u32,
    /// `task_struct.signal`
    pub task_signal: u32,
    /// `task_struct.exit_code`
    pub task_exit_code: u32,
    /// `signal_struct.live` (include/linux/sched/signal.h)
    pub signal_live: u32,
    /// `signal_struct.group_exit_code`
    pub signal_group_exit_code: u32,
    /// `signal_struct.flags`
    pub signal_flags: u32,
    /// `mm_struct.arg_start` (include/linux/mm_types.h)
    pub mm_arg_start: u32,
    /// `mm_struct.arg_end`
    pub mm_arg_end: u32,
    /// `linux_binprm.filename` (include/linux/binfmts.h)
    pub bprm_filename: u32,
    /// `nsproxy.net_ns` (include/linux/nsproxy.h)
    pub nsproxy_net_ns: u32,
    /// `nsproxy.mnt_ns`
    pub nsproxy_mnt_ns: u32,
    /// `net.ns.inum` (include/net/net_namespace.h)
    pub net_ns_inum: u32,
    /// `mnt_namespace.ns.inum` (fs/mount.h)
    pub mnt_namespace_ns_inum: u32,
    /// `pid.level` (include/linux/pid.h)
    pub pid_level: u32,
    /// `pid.numbers`, an array of `upid`
    pub pid_numbers: u32,
    /// Size of `struct upid`
    pub upid_size: u32,
    /// `upid.ns`
    pub upid_ns: u32,
    /// `pid_namespace.ns.inum` (include/linux/pid_namespace.h)
    pub pid_namespace_ns_inum: u32,
    /// `task_struct.cgroups`
    pub task_cgroups: u32,
    /// `css_set.dfl_cgrp` (include/linux/cgroup-defs.h): the cgroup v2
    pub css_set_dfl_cgrp: u32,
    /// `css_set.subsys`, an array of `cgroup_subsys_state *`: the cgroups v1
    pub css_set_subsys: u32,
    /// `css_set.refcount`, which follows that array
    pub css_set_refcount: u32,
    /// `cgroup_subsys_state.cgroup`
    pub css_cgroup: u32,
    /// `cgroup.kn`
    pub cgroup_kn: u32,
    /// `kernfs_node.id` (include/linux/kernfs.h): the inode of its directory (5.5 and newer)
    pub kernfs_node_id: u32,
    /// `kernfs_node.name`
    pub kernfs_node_name: u32,
    /// `kernfs_node.__parent`, before 6.15 `parent`
    pub kernfs_node_parent: u32,
    /// `trace_event_raw_sys_enter.args` (include/trace/events/syscalls.h)
    pub sys_enter_args: u32,
    /// `trace_event_raw_sys_exit.ret`
    pub sys_exit_ret: u32,
    /// `sock_common.skc_net` (include/net/sock.h), whose only field is `net`
    pub sock_common_skc_net: u32,
    /// `sock_common.skc_family`
    pub sock_common_skc_family: u32,
    /// `sock_common.skc_dport`, big-endian
    pub sock_common_skc_dport: u32,
    /// `sock_common.skc_daddr`
    pub sock_common_skc_daddr: u32,
    /// `sock_common.skc_rcv_saddr`
    pub sock_common_skc_rcv_saddr: u32,
    /// `sock_common.skc_v6_daddr`; absent in a kernel without IPv6
    pub sock_common_skc_v6_daddr: u32,
    /// `sock_common.skc_v6_rcv_saddr`
    pub sock_common_skc_v6_rcv_saddr: u32,
    /// `sock_common.skc_state`
    pub sock_common_skc_state: u32,
    /// `sock_common.skc_flags`
    pub sock_common_skc_flags: u32,
    /// `sock_common.skc_cookie`, a 64-bit counter (net/core/sock_diag.c, `__sock_gen_cookie`)
    pub sock_common_skc_cookie: u32,
    /// `sock.sk_err`
    pub sock_sk_err: u32,
    /// `tcp_sock.bytes_received` (include/linux/tcp.h)
    pub tcp_sock_bytes_received: u32,
    /// `tcp_sock.bytes_acked`
    pub tcp_sock_bytes_acked: u32,
    /// `tcp_sock.bytes_sent` (4.19 and newer)
    pub tcp_sock_bytes_sent: u32,
    /// `tcp_sock.bytes_retrans`
    pub tcp_sock_bytes_retrans: u32,
}

impl Offsets {
    /// Nothing resolved: what the object file holds until user space overwrites it.
    pub const UNRESOLVED: Self = Self {
        task_tgid: ABSENT,
        task_pid: ABSENT,
        task_comm: ABSENT,
        task_real_parent: ABSENT,
        task_group_leader: ABSENT,
        task_start_boottime: ABSENT,
        task_mm: ABSENT,
        task_nsproxy: ABSENT,
        task_thread_pid: ABSENT,
        task_signal: ABSENT,
        task_exit_code: ABSENT,
        signal_live: ABSENT,
        signal_group_exit_code: ABSENT,
        signal_flags: ABSENT,
        mm_arg_start: ABSENT,
        mm_arg_end: ABSENT,
        bprm_filename: ABSENT,
        nsproxy_net_ns: ABSENT,
        nsproxy_mnt_ns: ABSENT,
        net_ns_inum: ABSENT,
        mnt_namespace_ns_inum: ABSENT,
        pid_level: ABSENT,
        pid_numbers: ABSENT,
        upid_size: ABSENT,
        upid_ns: ABSENT,
        pid_namespace_ns_inum: ABSENT,
        task_cgroups: ABSENT,
        css_set_dfl_cgrp: ABSENT,
        css_set_subsys: ABSENT,
        css_set_refcount: ABSENT,
        css_cgroup: ABSENT,
        cgroup_kn: ABSENT,
        kernfs_node_id: ABSENT,
        kernfs_node_name: ABSENT,
        kernfs_node_parent: ABSENT,
        sys_enter_args: ABSENT,
        sys_exit_ret: ABSENT,
        sock_common_skc_net: ABSENT,
        sock_common_skc_family: ABSENT,
        sock_common_skc_dport: ABSENT,
        sock_common_skc_daddr: ABSENT,
        sock_common_skc_rcv_saddr: ABSENT,
        sock_common_skc_v6_daddr: ABSENT,
        sock_common_skc_v6_rcv_saddr: ABSENT,
        sock_common_skc_state: ABSENT,
        sock_common_skc_flags: ABSENT,
        sock_common_skc_cookie: ABSENT,
        sock_sk_err: ABSENT,
        tcp_sock_bytes_received: ABSENT,
        tcp_sock_bytes_acked: ABSENT,
        tcp_sock_bytes_sent: ABSENT,
        tcp_sock_bytes_retrans: ABSENT,
    };
}
