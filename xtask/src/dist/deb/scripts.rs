//! The maintainer scripts (Debian Policy, chapter 6). They tell a running systemd that the agent's service
//! has come, changed or gone, as those of debhelper's `dh_installsystemd --no-enable` do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Result;

/// A script, and what it does on which call.
const SCRIPTS: &[(&str, &str)] = &[
    // An upgrade, which has a version as $2, restarts an agent that runs.
    (
        "postinst",
        r#"if [ "$1" = configure ] && has_systemd; then
    systemctl --system daemon-reload >/dev/null || true
    if [ -n "$2" ]; then
        deb-systemd-invoke try-restart pfsnoop-agent.service >/dev/null || true
    fi
fi
"#,
    ),
    (
        "prerm",
        r#"if [ "$1" = remove ] && has_systemd; then
    deb-systemd-invoke stop pfsnoop-agent.service >/dev/null || true
fi
"#,
    ),
    // A purge removes what the agent has stored.
    (
        "postrm",
        r#"if has_systemd; then
    systemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ]; then
    rm -rf "${DPKG_ROOT:-}/var/lib/pfsnoop"
fi
"#,
    ),
];

/// Packages may be installed into another root, in which no systemd runs.
const BEGINNING: &str = r#"#!/bin/sh
set -e
has_systemd() { [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; }
"#;

/// Writes the scripts into the folder of the control files.
pub(super) fn write(folder: &Path) -> Result<()> {
    for (name, script) in SCRIPTS {
        let path = folder.join(name);
        fs::write(&path, format!("{BEGINNING}{script}"))?;
        fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    }
    Ok(())
}
