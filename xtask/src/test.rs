//! `cargo xtask test`: the tests, against the real kernel.

use anyhow::{Result, bail};

use crate::run::{cargo, run_visibly, stdout_of};
use crate::setup;

/// Tells the tests which tier runs: `quick`, `default` or `all`.
const TIER_VARIABLE: &str = "PFSNOOP_TEST_TIER";

/// The tests that boot other kernels in virtual machines.
const VIRTUAL_MACHINES: &str = "kernels::";

/// The tests that wait for minutes, in modules of this name.
const SLOW: &str = "::slow::";

/// How many of the tests run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    Quick,
    Default,
    All,
}

impl Tier {
    /// The value of the environment variable.
    fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Default => "default",
            Self::All => "all",
        }
    }

    fn left_out(self) -> &'static str {
        match self {
            Self::Quick => {
                "virtual machines, all but one version of each container runtime, and the tests that \
                 wait for minutes"
            }
            Self::Default => "the tests that wait for minutes, which --all runs",
            Self::All => "nothing",
        }
    }
}

/// Runs the tests of a tier. `args` are for `cargo test`, and after another `--` for the tests.
pub(crate) fn run(tier: Tier, args: &[String]) -> Result<()> {
    let uid = stdout_of(std::process::Command::new("id").arg("-u"))?;
    if uid.trim() != "0" {
        bail!("the tests load kernel programs and make network namespaces; run this as root");
    }
    if tier == Tier::Quick {
        setup::to_bench()?;
    } else {
        setup::to_test()?;
    }
    println!("test: tier {} leaves out: {}", tier.name(), tier.left_out());
    let test = |targets: &[&str]| {
        let mut test = cargo(&["test"]);
        run_visibly(test.args(targets).args(test_args(tier, args)).env(TIER_VARIABLE, tier.name()))
    };
    test(&["--workspace", "--exclude", "pfsnoop-ebpf"])?;
    if args.is_empty() {
        // Some tests need what is shipped. A build of it among the tests would take the processor from those
        // that count seconds.
        crate::dist::run()?;
    }
    // A plain `cargo test` leaves this target out, because it needs root.
    test(&["--package", "pfsnoop", "--test", "root"])
}

/// What follows the targets.
fn test_args(tier: Tier, args: &[String]) -> Vec<&str> {
    let mut halves = args.splitn(2, |arg| arg == "--");
    let mut next = || halves.next().unwrap_or_default().iter().map(String::as_str);
    let mut all: Vec<&str> = next().collect();
    // Unit tests that need root are ignored by a plain `cargo test`.
    all.extend(["--", "--include-ignored"]);
    if tier == Tier::Quick {
        all.extend(["--skip", VIRTUAL_MACHINES]);
    }
    if tier != Tier::All {
        all.extend(["--skip", SLOW]);
    }
    all.extend(next());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args_of(tier: Tier, args: &str) -> String {
        let args: Vec<String> = args.split_whitespace().map(ToOwned::to_owned).collect();
        test_args(tier, &args).join(" ")
    }

    #[test]
    fn each_tier_skips_what_it_leaves_out_beside_the_user_s_arguments() {
        assert_eq!(args_of(Tier::All, ""), "-- --include-ignored");
        assert_eq!(args_of(Tier::Default, ""), "-- --include-ignored --skip ::slow::");
        assert_eq!(
            args_of(Tier::Quick, "watch -- --nocapture"),
            "watch -- --include-ignored --skip kernels:: --skip ::slow:: --nocapture"
        );
    }
}
