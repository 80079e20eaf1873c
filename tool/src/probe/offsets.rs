//! Kernel BTF -> [`Offsets`]: which fields the kernel programs read, by name.

use std::path::Path;

use pfsnoop_common::{Offsets, offsets::ABSENT};

use super::ProbeError;
use super::btf::Btf;

const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

const STRUCTS: &[&str] = &[
    "cgroup",
    "cgroup_subsys_state",
    "css_set",
    "kernfs_node",
    "linux_binprm",
    "mm_struct",
    "mnt_namespace",
    "net",
    "nsproxy",
    "pid",
    "pid_namespace",
    "signal_struct",
    "sock",
    "sock_common",
    "task_struct",
    "tcp_sock",
    "trace_event_raw_sys_enter",
    "trace_event_raw_sys_exit",
    "upid",
];

/// Resolves every offset for the running kernel.
pub(super) fn of_this_kernel() -> Result<Offsets, ProbeError> {
    let path = Path::new(VMLINUX);
    let data = std::fs::read(path).map_err(ProbeError::NoBtf)?;
    let btf = Btf::parse(&data, STRUCTS)?;
    let offsets = resolve(&btf);
    require(&offsets)?;
    Ok(offsets)
}

fn resolve(btf: &Btf<'_>) -> Offsets {
    let at = |structure, path| btf.field_offset(structure, path).unwrap_or(ABSENT);
    Offsets {
        task_tgid: at("task_struct", "tgid"),
        task_pid: at("task_struct", "pid"),
        task_comm: at("task_struct", "comm"),
        task_real_parent: at("task_struct", "real_parent"),
        task_group_leader: at("task_struct", "group_leader"),
        task_start_boottime: at("task_struct", "start_boottime"),
        task_mm: at("task_struct", "mm"),
        task_nsproxy: at("task_struct", "nsproxy"),
        task_thread_pid: at("task_struct", "thread_pid"),
        task_signal: at("task_struct", "signal"),
        task_exit_code: at("task_struct", "exit_code"),
        signal_live: at("signal_struct", "live"),
        signal_group_exit_code: at("signal_struct", "group_exit_code"),
        signal_flags: at("signal_struct", "flags"),
        mm_arg_start: at("mm_struct", "arg_start"),
        mm_arg_end: at("mm_struct", "arg_end"),
        bprm_filename: at("linux_binprm", "filename"),
        nsproxy_net_ns: at("nsproxy", "net_ns"),
        nsproxy_mnt_ns: at("nsproxy", "mnt_ns"),
        net_ns_inum: at("net", "ns.inum"),
        mnt_namespace_ns_inum: at("mnt_namespace", "ns.inum"),
        pid_level: at("pid", "level"),
        pid_numbers: at("pid", "numbers"),
        upid_size: btf.size_of("upid").unwrap_or(ABSENT),
        upid_ns: at("upid", "ns"),
        pid_namespace_ns_inum: at("pid_namespace", "ns.inum"),
        task_cgroups: at("task_struct", "cgroups"),
        css_set_dfl_cgrp: at("css_set", "dfl_cgrp"),
        css_set_subsys: at("css_set", "subsys"),
        css_set_refcount: at("css_set", "refcount"),
        css_cgroup: at("cgroup_subsys_state", "cgroup"),
        cgroup_kn: at("cgroup", "kn"),
        kernfs_node_id: at("kernfs_node", "id"),
        kernfs_node_name: at("kernfs_node", "name"),
        kernfs_node_parent: btf
            .field_offset("kernfs_node", "__parent")
            .unwrap_or_else(|| at("kernfs_node", "parent")),
        sys_enter_args: at("trace_event_raw_sys_enter", "args"),
        sys_exit_ret: at("trace_event_raw_sys_exit", "ret"),
        sock_common_skc_net: at("sock_common", "skc_net"),
        sock_common_skc_family: at("sock_common", "skc_family"),
        sock_common_skc_dport: at("sock_common", "skc_dport"),
        sock_common_skc_daddr: at("sock_common", "skc_daddr"),
        sock_common_skc_rcv_saddr: at("sock_common", "skc_rcv_saddr"),
        sock_common_skc_v6_daddr: at("sock_common", "skc_v6_daddr"),
        sock_common_skc_v6_rcv_saddr: at("sock_common", "skc_v6_rcv_saddr"),
        sock_common_skc_state: at("sock_common", "skc_state"),
        sock_common_skc_flags: at("sock_common", "skc_flags"),
        sock_common_skc_cookie: at("sock_common", "skc_cookie"),
        sock_sk_err: at("sock", "sk_err"),
        tcp_sock_bytes_received: at("tcp_sock", "bytes_received"),
        tcp_sock_bytes_acked: at("tcp_sock", "bytes_acked"),
        tcp_sock_bytes_sent: at("tcp_sock", "bytes_sent"),
        tcp_sock_bytes_retrans: at("tcp_sock", "bytes_retrans"),
    }
}

/// The few without which a record would be a guess. All others may be absent.
fn require(offsets: &Offsets) -> Result<(), ProbeError> {
    let required = [
        ("task_struct.mm", offsets.task_mm),
        ("mm_struct.arg_start", offsets.mm_arg_start),
        ("mm_struct.arg_end", offsets.mm_arg_end),
        ("linux_binprm.filename", offsets.bprm_filename),
    ];
    match required.into_iter().find(|&(_, offset)| offset == ABSENT) {
        Some((field, _)) => Err(ProbeError::FieldMissing(field)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_kernel_has_every_field() {
        let offsets = of_this_kernel().expect("this kernel has BTF");
        let words: &[u32] = bytemuck::cast_slice(bytemuck::bytes_of(&offsets));
        assert!(words.iter().all(|&offset| offset != ABSENT), "{offsets:?}");
    }
}
