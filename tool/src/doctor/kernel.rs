//! The kernel: what it is, and whether the tracer runs on it.

use std::time::{Duration, Instant};

use super::checks::{Checking, Node};
use super::facts::distribution::Packages;
use super::facts::kernel::Kernel;
use crate::attribution::Attribution;
use crate::model::Finding;
use crate::model::Severity::{Fail, Warn};
use crate::monitor::{Monitor, MonitorOptions};
use crate::probe::ProbeError;

/// The first with BPF ring buffers.
const RING_BUFFERS: (u32, u32) = (5, 8);

const WHY_VERSION: &str =
    "records come by BPF ring buffers (5.8); forwarding alone works on older ones";
const WHY_BTF: &str = "the tracer reads from it where the kernel keeps what it shows";
const WHY_CAPABILITIES: &str =
    "other processes' namespaces are entered, and kernel programs loaded, with these";
const WHY_LOCKDOWN: &str = "with confidentiality the kernel lets nobody read what is traced";
const WHY_TRACING: &str =
    "`pfsnoop exec` and the rows of `pfsnoop forward` need it; `forward --no-watch` does not";

/// Checks the kernel, and attaches the tracer for a moment.
pub(super) fn check(node: &Node) -> Checking<'_> {
    Box::pin(async {
        let kernel = Kernel::running();
        let start = Instant::now();
        let attached = Monitor::attach(everything(), Attribution::without_names()).map(drop);
        let took = start.elapsed();
        let mut findings = judge(&kernel, node.packages);
        findings.push(tracing(attached, took));
        findings
    })
}

fn everything() -> MonitorOptions {
    MonitorOptions { exits: true, cgroup_names: true, ..MonitorOptions::own_children(false) }
}

fn judge(kernel: &Kernel, packages: Packages) -> Vec<Finding> {
    let version = format!("Linux {}", kernel.release);
    let mut findings = vec![if kernel.version() >= Some(RING_BUFFERS) {
        Finding::ok("kernel.version", version, WHY_VERSION)
    } else {
        let what = format!("{version}: it has no BPF ring buffers, which came with 5.8");
        Finding::new(Fail, "kernel.version", what, WHY_VERSION).fix(newer_kernel(packages))
    }];
    findings.push(if kernel.has_btf {
        Finding::ok("kernel.btf", "the kernel offers its types (BTF)", WHY_BTF)
    } else {
        let what = "this kernel offers no BTF: there is no /sys/kernel/btf/vmlinux";
        Finding::new(Fail, "kernel.btf", what, WHY_BTF).fix(newer_kernel(packages))
    });
    findings.push(capabilities(kernel));
    findings.push(lockdown(kernel.lockdown.as_deref(), packages));
    findings
}

fn capabilities(kernel: &Kernel) -> Finding {
    let check = "kernel.capabilities";
    let missing = kernel.missing_capabilities.join(", ");
    let what = if !missing.is_empty() {
        format!("this process lacks {missing}")
    } else if !kernel.is_first_user_namespace {
        "this process has its capabilities in a user namespace, and none on the node".to_owned()
    } else {
        let what = "CAP_SYS_ADMIN and CAP_SYS_PTRACE are there";
        return Finding::ok(check, what, WHY_CAPABILITIES);
    };
    Finding::new(Fail, check, what, WHY_CAPABILITIES).fix("sudo pfsnoop doctor")
}

fn lockdown(mode: Option<&str>, packages: Packages) -> Finding {
    let check = "kernel.lockdown";
    match mode {
        Some(mode @ "confidentiality") => {
            let what = format!("the kernel is locked down: {mode}");
            Finding::new(Warn, check, what, WHY_LOCKDOWN).fix(less_lockdown(packages))
        }
        Some("integrity") => Finding::ok(check, "lockdown: integrity, which traces", WHY_LOCKDOWN),
        _ => Finding::ok(check, "the kernel is not locked down", WHY_LOCKDOWN),
    }
}

/// Where each distribution has the arguments that the kernel is booted with.
fn less_lockdown(packages: Packages) -> String {
    let edit = |file: &str, write: &str| {
        format!(
            "sed -i 's/lockdown=confidentiality/lockdown=integrity/' {file} && {write} && reboot"
        )
    };
    let grub = "/etc/default/grub";
    match packages {
        Packages::Apt => edit(grub, "update-grub"),
        Packages::Dnf => "grubby --update-kernel=ALL --remove-args=lockdown=confidentiality \
                          --args=lockdown=integrity && reboot"
            .to_owned(),
        Packages::Apk => edit("/etc/update-extlinux.conf", "update-extlinux"),
        Packages::Zypper => edit(grub, "grub2-mkconfig -o /boot/grub2/grub.cfg"),
        Packages::Pacman => edit(grub, "grub-mkconfig -o /boot/grub/grub.cfg"),
        Packages::Unknown => "boot the kernel with lockdown=integrity".to_owned(),
    }
}

fn tracing(attached: Result<(), ProbeError>, took: Duration) -> Finding {
    let finding = match attached {
        Ok(()) => {
            let what = "tracing works: the kernel programs were loaded, attached and taken away";
            Finding::ok("kernel.tracing", what, WHY_TRACING)
        }
        Err(error) => {
            let what = format!("tracing does not work: {:#}", anyhow::Error::from(error));
            // The cause, and its fix, is one of the findings above, or not to be foreseen.
            Finding::new(Fail, "kernel.tracing", what, WHY_TRACING).fix("pfsnoop exec --verbose")
        }
    };
    finding.took(took)
}

fn newer_kernel(packages: Packages) -> &'static str {
    match packages {
        Packages::Apt => "apt-get update && apt-get dist-upgrade && reboot",
        Packages::Dnf => "dnf upgrade kernel && reboot",
        Packages::Apk => "apk add linux-lts && reboot",
        Packages::Zypper => "zypper update kernel-default && reboot",
        Packages::Pacman => "pacman -Syu linux && reboot",
        Packages::Unknown => "boot a kernel of 5.8 or later with CONFIG_DEBUG_INFO_BTF=y",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    #[test]
    fn each_distribution_has_its_way_to_boot_with_less_lockdown() {
        for (packages, part) in [
            (Packages::Apt, "update-grub"),
            (Packages::Dnf, "grubby --update-kernel=ALL"),
            (Packages::Apk, "update-extlinux"),
            (Packages::Zypper, "grub2-mkconfig"),
            (Packages::Pacman, "/boot/grub/grub.cfg"),
            (Packages::Unknown, "lockdown=integrity"),
        ] {
            let finding = lockdown(Some("confidentiality"), packages);
            assert_eq!(finding.severity, Warn);
            let fix = finding.fix.unwrap();
            assert!(fix.contains(part) && fix.contains("integrity"), "{fix}");
        }
        for mode in [None, Some("none"), Some("integrity")] {
            assert_eq!(lockdown(mode, Packages::Apt).severity, Severity::Ok, "{mode:?}");
        }
    }
}
