//! Where this kernel keeps the fields that the programs read.
//!
//! Rust cannot emit CO-RE relocations, so user space resolves each offset from the kernel's BTF
//! and writes [`Offsets`] into a read-only global before it loads the programs.
//!
//! One line of the table below is all that a field needs: user space walks [`FIELDS`].

use bytemuck::{Pod, Zeroable};

/// A field that this kernel does not have.
pub const ABSENT: u32 = u32::MAX;

/// Where BTF has the value of one field of [`Offsets`].
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The structure's name.
    pub structure: &'static str,
    /// Paths of members from the start of the structure: the first that the kernel has counts.
    /// Without a path, the value is the structure's size.
    pub paths: &'static [&'static str],
    /// Structure and newest path, for messages.
    pub label: &'static str,
    /// Without this field a record would be a guess, so the programs are not loaded. Any other may
    /// be absent.
    pub is_required: bool,
}

/// Makes [`Offsets`] and [`FIELDS`] from lines of
/// `name: "structure" "path" | "older path", "header file; remark"[, required];`.
macro_rules! offsets {
    (@is_required) => { false };
    (@is_required required) => { true };
    ($(
        $name:ident:
        $structure:literal $($path:literal $(| $older:literal)*)?, $note:literal $(, $required:ident)?;
    )+) => {
        /// Byte offsets inside kernel structures, each named `<struct>_<field path>`; [`ABSENT`]
        /// where the running kernel lacks the field.
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
        pub struct Offsets {
            $(
                #[doc = concat!("`", $structure, $(".", $path,)? "` ", $note)]
                pub $name: u32,
            )+
        }

        impl Offsets {
            /// Nothing is resolved: the object file holds this until user space overwrites it.
            pub const UNRESOLVED: Self = Self { $($name: ABSENT,)+ };
        }

        /// What each field of [`Offsets`] is in BTF, in the order of the fields.
        pub const FIELDS: &[Field] = &[$(
            Field {
                structure: $structure,
                paths: &[$($path $(, $older)*)?],
                label: concat!($structure $(, ".", $path)?),
                is_required: offsets!(@is_required $($required)?),
            },
        )+];
    };
}

offsets! {
    task_tgid: "task_struct" "tgid", "(include/linux/sched.h)";
    task_pid: "task_struct" "pid", "";
    task_comm: "task_struct" "comm", "";
    task_real_parent: "task_struct" "real_parent", "";
    task_real_cred: "task_struct" "real_cred", "";
    task_group_leader: "task_struct" "group_leader", "";
    task_start_boottime: "task_struct" "start_boottime", "in ns since boot (5.5 and newer)";
    task_mm: "task_struct" "mm", "", required;
    task_nsproxy: "task_struct" "nsproxy", "";
    task_thread_pid: "task_struct" "thread_pid", "";
    task_signal: "task_struct" "signal", "";
    task_exit_code: "task_struct" "exit_code", "";
    task_flags: "task_struct" "flags", "";
    cred_uid: "cred" "uid", "(include/linux/cred.h): a `kuid_t`, which has `val` alone";
    cred_user_ns: "cred" "user_ns", "";
    user_namespace_level: "user_namespace" "level", "(include/linux/user_namespace.h)";
    user_namespace_parent: "user_namespace" "parent", "";
    user_namespace_owner: "user_namespace" "owner", "is a `kuid_t`: whoever made it";
    signal_live: "signal_struct" "live", "(include/linux/sched/signal.h)";
    signal_group_exit_code: "signal_struct" "group_exit_code", "";
    signal_flags: "signal_struct" "flags", "";
    mm_arg_start: "mm_struct" "arg_start", "(include/linux/mm_types.h)", required;
    mm_arg_end: "mm_struct" "arg_end", "", required;
    bprm_filename: "linux_binprm" "filename", "(include/linux/binfmts.h)", required;
    nsproxy_net_ns: "nsproxy" "net_ns", "(include/linux/nsproxy.h)";
    nsproxy_mnt_ns: "nsproxy" "mnt_ns", "";
    net_ns_inum: "net" "ns.inum", "(include/net/net_namespace.h)";
    net_loopback_dev: "net" "loopback_dev", "";
    net_device_flags: "net_device" "flags", "(include/linux/netdevice.h)";
    mnt_namespace_ns_inum: "mnt_namespace" "ns.inum", "(fs/mount.h)";
    pid_level: "pid" "level", "(include/linux/pid.h)";
    pid_numbers: "pid" "numbers", "is an array of `upid`";
    upid_size: "upid", "(the size of the structure)";
    upid_ns: "upid" "ns", "";
    pid_namespace_ns_inum: "pid_namespace" "ns.inum", "(include/linux/pid_namespace.h)";
    pid_namespace_user_ns: "pid_namespace" "user_ns", "is the user namespace that it belongs to";
    task_cgroups: "task_struct" "cgroups", "";
    css_set_dfl_cgrp: "css_set" "dfl_cgrp", "(include/linux/cgroup-defs.h): the cgroup v2";
    css_set_cgrp_links: "css_set" "cgrp_links", "is a list: the cgroups in all hierarchies";
    cgrp_cset_link_cgrp_link: "cgrp_cset_link" "cgrp_link", "(kernel/cgroup/cgroup-internal.h) is an entry of that list";
    cgrp_cset_link_cgrp: "cgrp_cset_link" "cgrp", "";
    cgroup_kn: "cgroup" "kn", "";
    kernfs_node_id: "kernfs_node" "id", "(include/linux/kernfs.h): the directory's inode (5.5 and newer)";
    kernfs_node_name: "kernfs_node" "name", "";
    kernfs_node_parent: "kernfs_node" "__parent" | "parent", "(`parent` before 6.15)";
    sys_enter_args: "trace_event_raw_sys_enter" "args", "(include/trace/events/syscalls.h)";
    sys_exit_ret: "trace_event_raw_sys_exit" "ret", "";
    sock_common_skc_net: "sock_common" "skc_net", "(include/net/sock.h), a structure with `net` alone";
    sock_common_skc_family: "sock_common" "skc_family", "";
    sock_common_skc_dport: "sock_common" "skc_dport", "is big-endian";
    sock_common_skc_daddr: "sock_common" "skc_daddr", "";
    sock_common_skc_rcv_saddr: "sock_common" "skc_rcv_saddr", "";
    sock_common_skc_v6_daddr: "sock_common" "skc_v6_daddr", "is absent in a kernel without IPv6";
    sock_common_skc_v6_rcv_saddr: "sock_common" "skc_v6_rcv_saddr", "";
    sock_common_skc_state: "sock_common" "skc_state", "";
    sock_common_skc_flags: "sock_common" "skc_flags", "";
    sock_common_skc_cookie: "sock_common" "skc_cookie", "is 64 bits (net/core/sock_diag.c, `__sock_gen_cookie`)";
    sock_sk_err: "sock" "sk_err", "";
    sock_sk_shutdown: "sock" "sk_shutdown", "";
    inet_sock_inet_sport: "inet_sock" "inet_sport", "(include/net/inet_sock.h) is big-endian";
    tcp_sock_bytes_received: "tcp_sock" "bytes_received", "(include/linux/tcp.h)";
    tcp_sock_bytes_acked: "tcp_sock" "bytes_acked", "";
    tcp_sock_bytes_sent: "tcp_sock" "bytes_sent", "(4.19 and newer)";
    tcp_sock_bytes_retrans: "tcp_sock" "bytes_retrans", "";
    tcp_sock_data_segs_in: "tcp_sock" "data_segs_in", "";
    tcp_sock_write_seq: "tcp_sock" "write_seq", "";
    tcp_sock_snd_una: "tcp_sock" "snd_una", "";
}
