//! The command line: one struct a verb.

use std::time::Duration;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use regex::bytes::Regex;

use crate::forward::{ListenOn, PortPair};
use crate::node::{cgroup, user::uid_of};
use crate::output::{Format, TextOrJson};
use crate::resolve::{Endpoint, RuntimeChoice, Runtimes, TargetName};
use crate::trace::{Cgroup, PodName};

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

/// `pfsnoop exec`
#[derive(Args, Debug)]
#[command(after_help = EXEC_EXAMPLES)]
pub struct Exec {
    /// Only processes whose name (comm, 15 characters) matches this regular expression
    #[arg(short, long, value_name = "RE", value_parser = regex)]
    pub name: Option<Regex>,
    /// Only processes whose arguments, joined by spaces, match this regular expression
    #[arg(short, long, value_name = "RE", value_parser = regex)]
    pub line: Option<Regex>,
    /// Show failed execs too; RET is the negative errno
    #[arg(short = 'x', long)]
    pub fails: bool,
    /// Show the time of day (HH:MM:SS)
    #[arg(short = 'T', long)]
    pub time: bool,
    /// Show seconds since the start
    #[arg(short, long)]
    pub timestamp: bool,
    /// Show the user id
    #[arg(short = 'U', long)]
    pub print_uid: bool,
    /// Only this user, by number or by name
    #[arg(short, long, value_name = "USER", value_parser = uid_of)]
    pub uid: Option<u32>,
    /// Put each argument in quotes
    #[arg(short, long)]
    pub quote: bool,
    /// Only children of this process
    #[arg(short = 'P', long, value_name = "PID")]
    pub ppid: Option<u32>,
    /// Only this cgroup (a folder of cgroup v2) and those below it
    #[arg(short, long, value_name = "PATH", value_parser = cgroup::directory)]
    pub cgroup: Option<Cgroup>,
    /// Only this pod; names are as the node's runtime and kubelet have them
    #[arg(long, value_name = "[NS/]NAME")]
    pub pod: Option<PodName>,
    /// Only this container, by name or by the beginning of its id
    #[arg(long, value_name = "ID")]
    pub container: Option<String>,
    /// Show the end of each shown process too: exit code or signal, and how long it lived
    #[arg(long)]
    pub exit: bool,
    /// Most arguments shown of a process, in text
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub max_args: usize,
    /// End after so many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub duration: Option<Duration>,
    /// End after so many rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Format of the rows
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// Say more on stderr, also what the kernel programs log
    #[arg(short, long)]
    pub verbose: bool,
}

const EXEC_EXAMPLES: &str = "\
Examples:
  pfsnoop exec -n nsenter                    every nsenter, with its arguments
  pfsnoop exec -l 'TCP4:localhost:8080$'     nsenter and socat of forwards to port 8080
  pfsnoop exec -x -n kubelet --duration 10   ten seconds of what the kubelet fails to exec";

/// `pfsnoop forward`
#[derive(Args, Debug)]
#[command(after_help = FORWARD_EXAMPLES)]
pub struct Forward {
    /// What to forward to: NAME or pod/NAME, container/ID-OR-NAME, pid/PID, netns/PATH
    #[arg(value_name = "TARGET")]
    pub target: TargetName,
    /// Ports: REMOTE, LOCAL:REMOTE, or :REMOTE for a free local port
    #[arg(value_name = "[LOCAL:]REMOTE", required = true)]
    pub ports: Vec<PortPair>,
    /// Namespace of the pod
    #[arg(short, long, value_name = "NS", default_value = "default")]
    pub namespace: String,
    /// Where to listen: IPs of this node, or localhost, which is 127.0.0.1 and ::1
    #[arg(long, value_name = "A[,A]", value_delimiter = ',', default_value = "localhost")]
    pub address: Vec<ListenOn>,
    /// The road into the target
    #[arg(long, value_enum, default_value_t)]
    pub dialer: DialerChoice,
    /// Whom to ask about names
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// Most connections at once; more are turned away
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,
    /// Do not watch the kernel's records of what is spawned (needs no BTF)
    #[arg(long)]
    pub no_watch: bool,
    /// Format of what is told of connections and of what they spawn
    #[arg(short, long, value_enum, default_value_t)]
    pub output: TextOrJson,
    /// Say more on stderr, also what the kernel programs log
    #[arg(short, long)]
    pub verbose: bool,
}

/// `pfsnoop watch`
#[derive(Args, Debug)]
#[command(after_help = WATCH_EXAMPLES)]
pub struct Watch {
    /// Only sessions into this pod; names are as the node's runtime and kubelet have them
    #[arg(long, value_name = "[NS/]NAME")]
    pub pod: Option<PodName>,
    /// Only sessions to this port of the target
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// End after so many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub duration: Option<Duration>,
    /// End after so many sessions are over
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Whom to ask about names
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// Format of what is told
    #[arg(short, long, value_enum, default_value_t)]
    pub output: TextOrJson,
    /// Say more on stderr, also what the kernel programs log
    #[arg(short, long)]
    pub verbose: bool,
}

const WATCH_EXAMPLES: &str = "\
Examples:
  pfsnoop watch                              every port-forward, live on a terminal, as rows in a pipe
  pfsnoop watch --pod shop/kuard --port 80   those to one port of one pod
  pfsnoop watch --duration 60 -o json | jq -c 'select(.outcome and .outcome != \"ok\") | [.outcome, .reason]'
                                             what failed in a minute, and why";

/// `pfsnoop targets`
#[derive(Args, Debug)]
#[command(after_help = TARGETS_EXAMPLES)]
pub struct Targets {
    /// Whom to ask
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// Format of the list
    #[arg(short, long, value_enum, default_value_t)]
    pub output: TextOrJson,
    /// Say more on stderr
    #[arg(short, long)]
    pub verbose: bool,
}

const TARGETS_EXAMPLES: &str = "\
Examples:
  pfsnoop targets                  everything that the runtimes of this node have
  pfsnoop targets --runtime cri    what containerd and CRI-O have
  pfsnoop targets -o json | jq -r 'select(any(.listeners[]; .port == 8080)).name'
                                   who serves port 8080";

/// `pfsnoop doctor`
#[derive(Args, Debug)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub struct Doctor {
    /// Walk the road to this target, as `forward` names it; without one, look at the node
    #[arg(value_name = "TARGET")]
    pub target: Option<TargetName>,
    /// Ports inside the target; without any, those that listen
    #[arg(value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub ports: Vec<u16>,
    /// Namespace of the pod
    #[arg(short, long, value_name = "NS", default_value = "default")]
    pub namespace: String,
    /// Whom to ask
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// A socat that has moved no bytes for so long counts as left behind; a kubelet's limit is 4 h
    #[arg(long, value_name = "SECS", default_value = "14400", value_parser = seconds)]
    pub idle: Duration,
    /// Format of the findings
    #[arg(short, long, value_enum, default_value_t)]
    pub output: TextOrJson,
    /// Say more on stderr
    #[arg(short, long)]
    pub verbose: bool,
}

const DOCTOR_EXAMPLES: &str = "\
Examples:
  pfsnoop doctor                      the node: kernel, runtimes, nsenter and socat, leftovers, limits
  pfsnoop doctor kuard -n shop 8080   the road to port 8080 of that pod, step by step
  pfsnoop doctor -o json | jq -r 'select(.severity == \"fail\").cure'
                                      the commands that mend what fails";

/// Which container runtimes are asked.
#[derive(Args, Debug)]
pub struct AskRuntimes {
    /// Which container runtimes to ask for pods and containers
    #[arg(long, value_enum, default_value_t)]
    pub runtime: RuntimeChoice,
    /// Ask only the runtime at this unix socket; it speaks CRI, or Docker's API with --runtime docker
    #[arg(long, value_name = "URI")]
    pub runtime_endpoint: Option<Endpoint>,
}

impl From<AskRuntimes> for Runtimes {
    fn from(AskRuntimes { runtime, runtime_endpoint }: AskRuntimes) -> Self {
        Self { choice: runtime, endpoint: runtime_endpoint }
    }
}

/// What `--dialer` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DialerChoice {
    /// nsenter and socat where the node has both, else native
    #[default]
    Auto,
    /// `nsenter -t PID -n socat - TCP4:localhost:PORT`, as a kubelet does
    Nsenter,
    /// A connection made inside the network namespace, without helpers
    Native,
}

const FORWARD_EXAMPLES: &str = "\
Examples:
  pfsnoop forward kuard -n shop 8080:80            a pod of this node, by name
  pfsnoop forward container/web :80                a container; the first line says which local port
  pfsnoop forward kuard 80 --address 0.0.0.0       for everybody who reaches this node
  pfsnoop forward pid/4947 8080 --dialer native    without nsenter and socat
  pfsnoop forward kuard :80 -o json > records      each connection as records, for programs
  pfsnoop forward kuard 8080 --runtime-endpoint unix:///run/k3s/containerd/containerd.sock
                                                   a pod of that runtime, and of no other";

/// `pfsnoop demo`
#[derive(Args, Debug)]
#[command(after_help = DEMO_EXAMPLES)]
pub struct Demo {
    /// Keep the pod and the forward up, for a browser, until Ctrl-C
    #[arg(long)]
    pub stay: bool,
    /// Say more on stderr, also what the kernel programs log
    #[arg(short, long)]
    pub verbose: bool,
}

const DEMO_EXAMPLES: &str = "\
Examples:
  pfsnoop demo            one request, then everything is gone again
  pfsnoop demo --stay     keeps it up; open the address that it prints in a browser
  pfsnoop demo -v         also what the kernel programs log";

/// `pfsnoop demo-web`
#[derive(Args, Debug)]
pub struct DemoWeb {
    /// The pause process whose network namespace to serve in
    pub pause: u32,
}

/// Why there is nothing to run.
#[derive(Debug)]
pub enum Stop {
    /// Help or version was asked for: the text.
    Asked(String),
    /// The command line is wrong: one line that says how.
    Wrong(String),
}

/// Parses the process's command line.
pub fn parse() -> Result<Cli, Stop> {
    let matches = Cli::command().try_get_matches();
    matches.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| {
        use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
        match error.kind() {
            DisplayHelp | DisplayVersion => Stop::Asked(error.render().to_string()),
            _ => Stop::Wrong(one_line(&error.render().to_string())),
        }
    })
}

/// clap explains over several paragraphs; the first says what is wrong, `tip:` what to do.
fn one_line(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let mut paragraphs =
        text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let what = paragraphs.next().unwrap_or_default();
    let tip = paragraphs.find(|part| part.starts_with("tip:"));
    let advice = tip.unwrap_or_else(|| "see `pfsnoop --help`".to_owned());
    format!("{what}; {advice}")
}

/// A regular expression; its error in one line.
fn regex(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().find_map(|line| line.strip_prefix("error: "));
        format!("not a regular expression: {}", reason.unwrap_or(text.trim()))
    })
}

/// A number of seconds above zero, fractions allowed.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|&seconds| seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| "must be a number of seconds above 0".to_owned())
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn errors_are_one_line() {
        for args in [&["pfsnoop", "-n", "("][..], &["pfsnoop", "forward"], &["pfsnoop", "--nope"]] {
            let error = Cli::try_parse_from(args).unwrap_err().render().to_string();
            let line = one_line(&error);
            assert!(!line.contains('\n') && line.contains("; "), "{line}");
        }
    }
}
