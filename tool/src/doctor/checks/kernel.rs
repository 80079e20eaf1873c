//! The running kernel, and whether the kernel programs work on it.

use crate::doctor::node::{CheckFuture, Node};
use std::time::{Duration, Instant};

use super::kernel_fix::{NO_LOCKDOWN_AT_BOOT, less_lockdown, newer_kernel};
use crate::attribution::Attribution;
use crate::doctor::facts::distribution::Packages;
use crate::doctor::facts::kernel::Kernel;
use crate::host::lockdown::CONFIDENTIALITY;
use crate::host::privileges::{self, InForce};
use crate::model::Finding;
use crate::model::Severity::{Fail, Note};
use crate::monitor::{Monitor, MonitorOptions};
use crate::probe::{OLDEST_KERNEL, ProbeError};

const WHY_VERSION: &str =
    "the kernel programs need what older kernels lack; `forward --no-watch` works on older kernels";
const WHY_BTF: &str =
    "pfsnoop reads from BTF where this kernel keeps the fields that the kernel programs show";
const WHY_CAPABILITIES: &str =
    "pfsnoop needs them to enter namespaces of other processes and to load kernel programs";
const WHY_HARDENING: &str =
    "what pfsnoop cannot do, nobody can have it do: each command gives up what it does not need";
const WHY_LOCKDOWN: &str =
    "in the mode confidentiality, kernel programs may not read kernel memory";
const WHY_TRACING: &str =
    "`exec`, `watch` and the exec rows of `forward` need it; `forward --no-watch` does not";

/// Checks the kernel, and attaches the kernel programs for a moment.
pub(super) fn check(node: &Node) -> CheckFuture<'_> {
    Box::pin(async {
        let mut kernel = Kernel::running();
        let start = Instant::now();
        let attached = Monitor::attach(all_probes(), Attribution::without_names()).map(drop);
        let took = start.elapsed();
        if matches!(attached, Err(ProbeError::LockedDown)) {
            // Where the mode cannot be read.
            kernel.lockdown.get_or_insert_with(|| CONFIDENTIALITY.to_owned());
        }
        vec![
            version(&kernel, node.packages),
            btf(&kernel, node.packages),
            capabilities(&kernel),
            hardening(&privileges::in_force()),
            lockdown(&kernel, node.packages),
            tracing(attached, took, &kernel, node.packages),
        ]
    })
}

/// Options that attach every kernel program.
fn all_probes() -> MonitorOptions {
    MonitorOptions { exits: true, cgroup_names: true, ..MonitorOptions::own_children(false) }
}

fn version(kernel: &Kernel, packages: Packages) -> Finding {
    let (check, release) = ("kernel.version", format!("Linux {}", kernel.release));
    if kernel.version() >= Some(OLDEST_KERNEL) {
        return Finding::ok(check, release, WHY_VERSION);
    }
    let (major, minor) = OLDEST_KERNEL;
    let what = format!("{release} is older than Linux {major}.{minor}, which pfsnoop needs");
    Finding::new(Fail, check, what, WHY_VERSION).fix(newer_kernel(packages))
}

fn btf(kernel: &Kernel, packages: Packages) -> Finding {
    let check = "kernel.btf";
    if kernel.has_btf {
        return Finding::ok(check, "this kernel offers BTF, the types of its fields", WHY_BTF);
    }
    let what = "this kernel offers no BTF: /sys/kernel/btf/vmlinux does not exist";
    Finding::new(Fail, check, what, WHY_BTF).fix(newer_kernel(packages))
}

fn capabilities(kernel: &Kernel) -> Finding {
    let check = "kernel.capabilities";
    let missing = kernel.missing_capabilities.join(", ");
    let what = if !missing.is_empty() {
        format!("this process lacks {missing}")
    } else if !kernel.is_first_user_namespace {
        "this process has its capabilities only in a user namespace, not on the node".to_owned()
    } else {
        let what = "this process has CAP_SYS_ADMIN and CAP_SYS_PTRACE";
        return Finding::ok(check, what, WHY_CAPABILITIES);
    };
    Finding::new(Fail, check, what, WHY_CAPABILITIES).fix("sudo pfsnoop doctor")
}

/// What this process has given up, and whether `exec` can give up files too.
fn hardening(in_force: &InForce) -> Finding {
    let InForce { capabilities, no_new_privs, has_landlock } = in_force;
    let kept = match capabilities.join(", ") {
        none if none.is_empty() => "has no capabilities".to_owned(),
        kept => format!("keeps only {kept}"),
    };
    let gains = if *no_new_privs { "gain none" } else { "may gain more" };
    let what = format!("this process {kept}, and the programs that it starts {gains}");
    let check = "kernel.hardening";
    if *has_landlock {
        let what = format!("{what}; Landlock keeps `exec` from opening files");
        return Finding::ok(check, what, WHY_HARDENING);
    }
    let what =
        format!("{what}; this kernel has no Landlock, which would keep `exec` from opening files");
    Finding::new(Note, check, what, WHY_HARDENING)
}

fn lockdown(kernel: &Kernel, packages: Packages) -> Finding {
    let check = "kernel.lockdown";
    match kernel.lockdown.as_deref() {
        Some(CONFIDENTIALITY) => {
            let what = "the kernel is locked down in the mode confidentiality: only `forward \
                        --no-watch`, `serve --no-watch`, `targets` and `history` work";
            Finding::new(Fail, check, what, WHY_LOCKDOWN).fix(unlock(kernel, packages))
        }
        Some("integrity") => {
            let what = "the kernel is locked down in the mode integrity, which allows tracing";
            Finding::ok(check, what, WHY_LOCKDOWN)
        }
        _ => Finding::ok(check, "the kernel is not locked down", WHY_LOCKDOWN),
    }
}

/// What ends the lockdown.
fn unlock(kernel: &Kernel, packages: Packages) -> String {
    if kernel.is_lockdown_booted { less_lockdown(packages) } else { NO_LOCKDOWN_AT_BOOT.to_owned() }
}

fn tracing(
    attached: Result<(), ProbeError>,
    took: Duration,
    kernel: &Kernel,
    packages: Packages,
) -> Finding {
    let check = "kernel.tracing";
    let finding = match attached {
        Ok(()) => {
            let what = "tracing works: the kernel programs were loaded, attached and removed";
            Finding::ok(check, what, WHY_TRACING)
        }
        Err(ProbeError::LockedDown) => {
            let what = "tracing does not work: the kernel is locked down";
            Finding::new(Fail, check, what, WHY_TRACING).fix(unlock(kernel, packages))
        }
        Err(error) => {
            let what = format!("tracing does not work: {:#}", anyhow::Error::from(error));
            // A finding above has the fix for each known cause. The log helps with an unknown one.
            Finding::new(Fail, check, what, WHY_TRACING).fix("pfsnoop exec --verbose")
        }
    };
    finding.took(took)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    #[test]
    fn the_pages_name_the_oldest_kernel_that_passes() {
        let (major, minor) = OLDEST_KERNEL;
        let kernel = |minor: u32| Kernel {
            release: format!("{major}.{minor}.0-1-amd64"),
            ..Kernel::running()
        };
        assert_eq!(version(&kernel(minor), Packages::Apt).severity, Severity::Ok);
        let older = version(&kernel(minor - 1), Packages::Unknown);
        let named = format!("{major}.{minor} or newer");
        assert_eq!(older.severity, Fail);
        assert!(older.what.contains(&format!("older than Linux {major}.{minor}")), "{older:?}");
        assert!(older.fix.is_some_and(|fix| fix.contains(&named)));
        for page in [
            include_str!("../../../../README.md"),
            include_str!("../../../../docs/CONTRIBUTING.md"),
        ] {
            assert!(page.contains(&format!("Linux {named}")));
        }
    }

    #[test]
    fn a_kernel_without_landlock_is_worth_a_note() {
        let capabilities = vec!["CAP_BPF".to_owned(), "CAP_PERFMON".to_owned()];
        let mut in_force = InForce { capabilities, no_new_privs: true, has_landlock: true };
        let found = hardening(&in_force);
        assert_eq!(found.severity, Severity::Ok);
        assert!(found.what.contains("only CAP_BPF, CAP_PERFMON, and the programs"), "{found:?}");
        in_force.has_landlock = false;
        assert_eq!(hardening(&in_force).severity, Note);
    }

    #[test]
    fn only_confidentiality_needs_a_fix() {
        let kernel = |mode: Option<&str>, is_lockdown_booted| Kernel {
            lockdown: mode.map(ToOwned::to_owned),
            is_lockdown_booted,
            ..Kernel::running()
        };
        for (is_booted, fix) in [(true, "lockdown=integrity"), (false, "remove it")] {
            let finding = lockdown(&kernel(Some("confidentiality"), is_booted), Packages::Apt);
            assert_eq!(finding.severity, Fail);
            assert!(finding.fix.as_ref().is_some_and(|it| it.contains(fix)), "{finding:?}");
        }
        for mode in [None, Some("none"), Some("integrity")] {
            let finding = lockdown(&kernel(mode, false), Packages::Apt);
            assert_eq!(finding.severity, Severity::Ok, "{mode:?}");
        }
    }
}
