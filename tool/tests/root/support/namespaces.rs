//! `pfsnoop` in namespaces of its own (unshare(1)).

use std::process::Command;

use crate::common::system;

/// `pfsnoop` with these arguments, in the namespaces that these options of unshare(1) make.
pub fn unshared_pfsnoop(options: &[&str], args: &[&str]) -> Command {
    let mut unshare = system("unshare");
    unshare.args(options).arg(env!("CARGO_BIN_EXE_pfsnoop")).args(args);
    unshare
}
