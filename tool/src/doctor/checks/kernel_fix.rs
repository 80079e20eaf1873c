//! The commands that fix the kernel, for each distribution. Words behind a `#` where there is none.

use crate::doctor::facts::distribution::Packages;

/// The command that boots a kernel with BPF ring buffers and BTF.
pub(super) fn newer_kernel(packages: Packages) -> &'static str {
    match packages {
        Packages::Apt => "apt-get update && apt-get dist-upgrade && reboot",
        Packages::Dnf => "dnf upgrade kernel && reboot",
        Packages::Apk => "apk add linux-lts && reboot",
        Packages::Zypper => "zypper update kernel-default && reboot",
        Packages::Pacman => "pacman -Syu linux && reboot",
        Packages::Unknown => "# boot a kernel of 5.10 or newer with CONFIG_DEBUG_INFO_BTF=y",
    }
}

/// What ends a lockdown that no boot argument has asked for. No lockdown can be lifted while the kernel
/// runs (`lock_kernel_down`, security/lockdown/lockdown.c).
pub(super) const NO_LOCKDOWN_AT_BOOT: &str = "# find what writes to the lockdown file at boot (`grep -rs \
    security/lockdown /etc /usr/lib/systemd`), remove it, and reboot; or boot a kernel without \
    CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY";

/// The command that boots the kernel with the lockdown mode `integrity`. Distributions keep the
/// kernel's boot arguments in different files. Where none of them has the argument, the command does
/// nothing.
pub(super) fn less_lockdown(packages: Packages) -> String {
    let edit = |files: &str, write: &str| {
        format!(
            "grep -rl lockdown=confidentiality {files} | xargs sed -i \
             's/lockdown=confidentiality/lockdown=integrity/' && {write} && reboot"
        )
    };
    // Cloud images keep theirs in /etc/default/grub.d.
    let grub = "/etc/default/grub*";
    match packages {
        Packages::Apt => edit(grub, "update-grub"),
        Packages::Dnf => "grubby --update-kernel=ALL --remove-args=lockdown=confidentiality \
                          --args=lockdown=integrity && reboot"
            .to_owned(),
        Packages::Apk => edit("/etc/update-extlinux.conf", "update-extlinux"),
        Packages::Zypper => edit(grub, "grub2-mkconfig -o /boot/grub2/grub.cfg"),
        Packages::Pacman => edit(grub, "grub-mkconfig -o /boot/grub/grub.cfg"),
        Packages::Unknown => "# boot the kernel with lockdown=integrity".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_distribution_has_a_command_that_relaxes_the_lockdown() {
        for (packages, part) in [
            (Packages::Apt, "update-grub"),
            (Packages::Dnf, "grubby --update-kernel=ALL"),
            (Packages::Apk, "update-extlinux"),
            (Packages::Zypper, "grub2-mkconfig"),
            (Packages::Pacman, "/boot/grub/grub.cfg"),
            (Packages::Unknown, "lockdown=integrity"),
        ] {
            let fix = less_lockdown(packages);
            assert!(fix.contains(part) && fix.contains("integrity"), "{fix}");
        }
    }

    #[test]
    fn what_is_no_command_is_none_for_a_shell_either() {
        let lockdown = less_lockdown(Packages::Unknown);
        for words in [NO_LOCKDOWN_AT_BOOT, newer_kernel(Packages::Unknown), &lockdown] {
            assert!(words.starts_with("# "), "{words}");
        }
    }
}
