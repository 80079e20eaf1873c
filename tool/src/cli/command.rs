//! The command line as a whole.

use clap::{Parser, Subcommand};

use super::{Demo, DemoWeb, Doctor, Exec, Forward, Targets, Watch};

/// Shows the nsenter and socat that kubectl port-forward spawns on a node, and forwards ports by the same road
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do; without one, `exec`.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// `pfsnoop -n nsenter` is `pfsnoop exec -n nsenter`.
    #[command(flatten)]
    pub exec: Exec,
}

const EXAMPLES: &str = "\
Examples:
  pfsnoop -n nsenter                  every nsenter that this node spawns, as execsnoop shows it
  pfsnoop forward kuard 8080:80       local port 8080 to port 80 in that pod
  pfsnoop watch                       every port-forward on this node, whoever makes it, and how it ends
  pfsnoop doctor                      what stands between this node and a working port-forward
  pfsnoop targets                     pods and containers, and the ports that listen inside
  pfsnoop demo                        an embedded pod, one forward, one request, and what the kernel saw";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show every exec on this node as it happens
    Exec(Exec),
    /// Forward local ports into a target, as a kubelet does, and show what that spawns
    Forward(Forward),
    /// Show every port-forward on this node, whoever makes it, and how it ended
    Watch(Watch),
    /// List what can be forwarded to: pods and containers, and who listens inside
    Targets(Targets),
    /// Say what stands between this node, or one target, and a working port-forward
    Doctor(Doctor),
    /// Make a pod, forward a port to it, make one request, and show what the kernel saw
    Demo(Demo),
    /// The demo's pause process
    #[command(hide = true)]
    DemoPause,
    /// The demo's web page, in the pod of that pause process
    #[command(hide = true)]
    DemoWeb(DemoWeb),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_verb_teaches_by_three_examples() {
        for verb in Cli::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = format!("  pfsnoop {} ", verb.get_name());
            let examples = help.lines().filter(|line| format!("{line} ").starts_with(&example));
            assert!(examples.count() >= 3, "{}: {help}", verb.get_name());
        }
    }

    #[test]
    fn plain_options_are_exec() {
        let cli = Cli::try_parse_from(["pfsnoop", "-n", "nsenter"]).unwrap();
        assert!(cli.verb.is_none());
        assert_eq!(cli.exec.name.unwrap().as_str(), "nsenter");
    }
}
