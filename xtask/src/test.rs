//! `cargo xtask test`: every test there is, against the real kernel.

use anyhow::{Result, bail};

use crate::run::{cargo, run_visibly, stdout_of};
use crate::setup;

pub(crate) fn run(args: &[String]) -> Result<()> {
    let uid = stdout_of(std::process::Command::new("id").arg("-u"))?;
    if uid.trim() != "0" {
        bail!("the tests load kernel programs and make network namespaces; run this as root");
    }
    setup::to_test()?;
    run_visibly(cargo(&["test", "--workspace", "--exclude", "pfsnoop-ebpf"]).args(args))
}
