//! The package manager of this node, to name the command that installs a program.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::host::root::Root;

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Packages {
    /// Debian, Ubuntu
    Apt,
    /// Fedora, RHEL, Amazon Linux
    Dnf,
    /// Alpine
    Apk,
    /// SUSE
    Zypper,
    /// Arch
    Pacman,
    /// An unknown package manager, or none at all, as on Talos and Bottlerocket.
    Unknown,
}

impl Packages {
    /// The package manager of this node, from os-release(5).
    #[must_use]
    pub fn of_this_node() -> Self {
        Root::own().map_or(Self::Unknown, |root| Self::of(&root))
    }

    /// The package manager of the system that these files belong to, from os-release(5).
    #[must_use]
    pub fn of(root: &Root) -> Self {
        let read = |path| root.read(Path::new(path));
        let text = read("/etc/os-release").or_else(|| read("/usr/lib/os-release"));
        text.map_or(Self::Unknown, |text| Self::of_os_release(&text))
    }

    /// By `ID`, then by each name in `ID_LIKE`. os-release(5) puts the closest relative first.
    #[must_use]
    pub fn of_os_release(text: &str) -> Self {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
        };
        let (id, like) = (value("ID"), value("ID_LIKE"));
        let mut names = std::iter::once(id.as_str()).chain(like.split_whitespace());
        names.find_map(Self::of_id).unwrap_or(Self::Unknown)
    }

    fn of_id(id: &str) -> Option<Self> {
        Some(match id {
            "debian" | "ubuntu" => Self::Apt,
            "fedora" | "rhel" | "centos" | "amzn" | "rocky" | "almalinux" | "ol" => Self::Dnf,
            "alpine" => Self::Apk,
            "arch" => Self::Pacman,
            suse if suse.contains("suse") || suse == "sles" => Self::Zypper,
            _ => return None,
        })
    }

    /// The command that installs nsenter or socat; without a known package manager, words behind a `#`.
    #[must_use]
    pub fn install(self, program: &str) -> String {
        let package = self.package(program);
        match self {
            Self::Apt => format!("apt-get install {package}"),
            Self::Dnf => format!("dnf install {package}"),
            Self::Apk => format!("apk add {package}"),
            Self::Zypper => format!("zypper install {package}"),
            Self::Pacman => format!("pacman -S {package}"),
            Self::Unknown => {
                format!("# install {program} with this node's own package manager")
            }
        }
    }

    /// The command that replaces a broken nsenter or socat.
    #[must_use]
    pub fn reinstall(self, program: &str) -> String {
        let package = self.package(program);
        match self {
            Self::Apt => format!("apt-get install --reinstall {package}"),
            Self::Dnf => format!("dnf reinstall {package}"),
            Self::Apk => format!("apk fix {package}"),
            Self::Zypper => format!("zypper install --force {package}"),
            Self::Pacman | Self::Unknown => self.install(program),
        }
    }

    fn package(self, program: &str) -> &str {
        match (program, self) {
            ("nsenter", Self::Apk) => "util-linux-misc",
            ("nsenter", _) => "util-linux",
            (program, _) => program,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_relative_decides() {
        for (text, packages) in [
            ("NAME=x\nID=debian\n", Packages::Apt),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", Packages::Apt),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", Packages::Dnf),
            ("ID=alpine", Packages::Apk),
            ("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"", Packages::Zypper),
            ("ID=manjaro\nID_LIKE=arch", Packages::Pacman),
            ("ID=talos", Packages::Unknown),
            ("", Packages::Unknown),
        ] {
            assert_eq!(Packages::of_os_release(text), packages, "{text}");
        }
        assert_eq!(Packages::Apk.install("nsenter"), "apk add util-linux-misc");
        assert_eq!(Packages::Dnf.reinstall("nsenter"), "dnf reinstall util-linux");
        // Nobody can know the command. A shell must not take the words for one.
        for advice in [Packages::Unknown.install("socat"), Packages::Unknown.reinstall("socat")] {
            assert!(advice.starts_with("# "), "{advice}");
        }
    }
}
