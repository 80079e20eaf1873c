//! Services of packages that are installed for the tests: none is started, now or at the next boot. The
//! tests start servers of their own.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::run::succeeds;

/// Debian's scripts run this program before they start a service (invoke-rc.d(8),
/// deb-systemd-invoke(1p)). The exit code 101 forbids it.
const POLICY: &str = "/usr/sbin/policy-rc.d";

const FORBID: &str = "#!/bin/sh\n\
     # Of `cargo xtask setup`, which removes it once it has installed the packages.\n\
     exit 101\n";

/// Packages, and the services that they enable.
const ENABLED: &[(&str, &str)] = &[
    ("postgresql", "postgresql.service"),
    ("redis-server", "redis-server.service"),
    ("openssh-server", "ssh.service"),
    ("prometheus", "prometheus.service"),
];

/// While it lives, no service is started. A machine may have a policy of its own, which stays.
pub(super) struct NoneStarts {
    policy: PathBuf,
}

impl NoneStarts {
    pub(super) fn begin() -> Result<Option<Self>> {
        Self::by(Path::new(POLICY)).context(POLICY)
    }

    fn by(policy: &Path) -> Result<Option<Self>> {
        match fs::read_to_string(policy) {
            // A setup that was killed has left it.
            Ok(text) if text == FORBID => {}
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let guard = Self { policy: policy.to_owned() };
        fs::write(policy, FORBID)?;
        fs::set_permissions(policy, fs::Permissions::from_mode(0o755))?;
        Ok(Some(guard))
    }
}

impl Drop for NoneStarts {
    fn drop(&mut self) {
        // What is left forbids nothing that setup needs, and the next setup removes it.
        let _ = fs::remove_file(&self.policy);
    }
}

/// Keeps the services of packages that were just installed from starting at the next boot.
pub(super) fn disable(packages: &[&str]) {
    for (package, service) in ENABLED {
        // Without systemd, there is no such program, and nothing to disable.
        if packages.contains(package)
            && !succeeds(Command::new("systemctl").args(["--quiet", "disable", service]))
        {
            println!("setup: {service} was not disabled; see `systemctl disable {service}`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_forbids_for_a_while_and_the_machines_own_stays() {
        let policy = std::env::temp_dir().join(format!("policy-{}", std::process::id()));
        let forbids = || Command::new(&policy).status().unwrap().code() == Some(101);
        let guard = NoneStarts::by(&policy).unwrap();
        assert!(guard.is_some() && forbids());
        // As after a setup that was killed.
        std::mem::forget(guard);
        drop(NoneStarts::by(&policy).unwrap());
        assert!(!policy.exists());
        fs::write(&policy, "the machine's own").unwrap();
        assert!(NoneStarts::by(&policy).unwrap().is_none());
        assert_eq!(fs::read_to_string(&policy).unwrap(), "the machine's own");
        fs::remove_file(&policy).unwrap();
    }
}
