//! The command line as a whole.

use clap::{Parser, Subcommand};

use super::{Agent, Demo, DemoWeb, Doctor, Exec, Forward, History, Serve, Targets, Watch};

/// Shows every kubectl port-forward on a node, with or without nsenter and socat, and is itself a port
/// forwarder
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    /// The command; `exec` if there is none.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// `pfsnoop -n nsenter` is `pfsnoop exec -n nsenter`.
    #[command(flatten)]
    pub exec: Exec,
}

const EXAMPLES: &str = "\
Examples:
  pfsnoop -n nsenter                  every nsenter that this node spawns, as execsnoop shows it
  pfsnoop forward kuard 8080:80       local port 8080 to port 80 in the pod kuard
  pfsnoop serve                       an endpoint for kubectl port-forward, without a cluster
  pfsnoop watch                       every port-forward on this node, and how it ends
  pfsnoop agent                       the same without a screen, for as long as the node runs
  pfsnoop history --outcome not-ok    what failed, also while nobody looked
  pfsnoop doctor                      why port-forwards fail on this node
  pfsnoop targets                     pods and containers, and where they listen
  pfsnoop demo                        one forward to an embedded pod, and what the kernel saw";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show every exec on this node as it happens
    Exec(Exec),
    /// Forward local ports to a target as a kubelet does, and show each nsenter and socat that starts
    Forward(Forward),
    /// Serve kubectl port-forward from this node's container runtimes, without a cluster
    Serve(Serve),
    /// Show every port-forward on this node, from any program, and how it ends
    Watch(Watch),
    /// Watch all the time, without a screen, and keep what was seen
    Agent(Agent),
    /// Show the sessions that the agent has stored
    History(History),
    /// List the pods and containers to forward to, and the ports on which something listens inside
    Targets(Targets),
    /// Find out why port-forwards fail, on this node or for one target
    Doctor(Doctor),
    /// Start a pod, forward a port to it, make one request, and show what the kernel saw
    Demo(Demo),
    /// Looks at other processes for the doctor
    #[command(hide = true)]
    DoctorInspector,
    /// The demo's pause process
    #[command(hide = true)]
    DemoPause,
    /// The demo's web server, in the pod of a pause process
    #[command(hide = true)]
    DemoWeb(DemoWeb),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn clap_accepts_the_commands() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_command_has_three_examples() {
        let commands = Cli::command();
        for command in commands.get_subcommands().filter(|command| !command.is_hide_set()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = format!("  pfsnoop {} ", command.get_name());
            let examples = help.lines().filter(|line| format!("{line} ").starts_with(&example));
            assert!(examples.count() >= 3, "{}: {help}", command.get_name());
        }
    }

    #[test]
    fn options_without_a_command_are_options_of_exec() {
        let cli = Cli::try_parse_from(["pfsnoop", "-n", "nsenter"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.exec.name.unwrap().regex.as_str(), "nsenter");
    }
}
