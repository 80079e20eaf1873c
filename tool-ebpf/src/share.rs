//! The share of a process in tables that other processes use too ([`shares`]).
//!
//! A number that a process can choose must not be its share. In user and pid namespaces that an
//! unprivileged user has made, that user can have thousands of uids (subuid(5)) and pid namespaces. So
//! a process in a user namespace counts as the user who has made the outermost one. And of the pid
//! namespaces of a process, the outermost one counts, if the host's root has made it: that is a
//! container, with everything that runs inside.

use pfsnoop_common::shares;

use crate::globals::{field, offset, setting};
use crate::task::Task;

/// How deep user namespaces can be nested (`create_user_ns`, kernel/user_namespace.c).
const MAX_USER_NAMESPACES: u32 = 33;

/// The share of a process at home in the network namespace `home`.
#[inline(always)]
pub(crate) fn of(process: Task, home: u32) -> u32 {
    try_of(process, home).unwrap_or(shares::FIRST)
}

#[inline(always)]
fn try_of(process: Task, home: u32) -> Option<u32> {
    if let Some(container) = process.outermost_pidns() {
        return Some(shares::of_container(container));
    }
    let (uid, is_in_user_namespace) = user_of(process)?;
    let is_host = uid == 0 && !is_in_user_namespace && is_of_host(process, home);
    Some(if is_host { shares::HOST } else { shares::of_user(uid) })
}

/// Whether a process is at home in the host's network namespace, or sees the host's files: a socat that
/// nsenter has started is at home in the pod's network namespace. A container has neither, unless it is
/// meant to.
#[inline(always)]
fn is_of_host(process: Task, home: u32) -> bool {
    let host_mntns = setting!(host_mntns);
    home == setting!(host_netns) || host_mntns != 0 && process.mntns() == Some(host_mntns)
}

/// The user of a process, and whether the process is in a user namespace below the first one. Then this
/// is the user who has made the outermost one.
#[inline(always)]
fn user_of(process: Task) -> Option<(u32, bool)> {
    let cred: *const u8 = field(process.0, offset!(task_real_cred))?;
    let mut namespace: *const u8 = field(cred, offset!(cred_user_ns))?;
    if level_of(namespace)? == 0 {
        return Some((field(cred, offset!(cred_uid))?, false));
    }
    for _ in 0..MAX_USER_NAMESPACES {
        if level_of(namespace)? == 1 {
            return Some((field(namespace, offset!(user_namespace_owner))?, true));
        }
        namespace = field(namespace, offset!(user_namespace_parent))?;
    }
    None
}

/// How many user namespaces are around this one.
#[inline(always)]
pub(crate) fn level_of(user_namespace: *const u8) -> Option<u32> {
    field(user_namespace, offset!(user_namespace_level))
}
