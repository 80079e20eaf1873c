//! Where kubectl is.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::host::path::{look_up, look_up_trusted};
use crate::output::escaped;

/// Without it there is no demo of it.
const MISSING: &str = "kubectl is not in PATH; install it (Debian: apt-get install kubectl, and before \
                       Debian 13 apt-get install kubernetes-client; other systems: \
                       https://kubernetes.io/docs/tasks/tools/), or run `pfsnoop demo` without --kubectl";

/// The path of kubectl.
pub(in crate::demo) struct Kubectl(pub(super) PathBuf);

impl Kubectl {
    /// Looks it up in `PATH`. It runs with our user's rights, so a program that another user could replace
    /// is an error, unless `trust_path` insists.
    pub(in crate::demo) fn look_up(trust_path: bool) -> Result<Self> {
        let found =
            if trust_path { look_up("kubectl").map(Ok) } else { look_up_trusted("kubectl") };
        match found {
            Some(Ok(path)) => Ok(Self(path)),
            Some(Err(untrusted)) => {
                let untrusted = escaped(untrusted.to_string().as_bytes());
                bail!("{untrusted}; fix that, or give --trust-path to run it all the same")
            }
            None => bail!(MISSING),
        }
    }
}
