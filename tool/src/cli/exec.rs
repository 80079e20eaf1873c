//! The options of `pfsnoop exec`, and of `pfsnoop` alone.

use std::time::Duration;

use clap::Args;
use regex::bytes::Regex;

use super::values::{regex, seconds};
use crate::host::{cgroup, user::uid_of};
use crate::model::PodName;
use crate::output::Format;

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
    pub cgroup: Option<u64>,
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
