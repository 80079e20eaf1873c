//! The options of `pfsnoop exec`, and of `pfsnoop` alone.

use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use regex::bytes::Regex;

use super::name_pattern::NamePattern;
use super::values::{at_least_1, regex, seconds};
use crate::host::{cgroup::CgroupFolder, user::uid_of};
use crate::model::PodName;
use crate::output::Format;

/// `pfsnoop exec`
#[derive(Args, Debug)]
#[command(after_help = EXEC_EXAMPLES)]
pub struct Exec {
    /// Show only processes whose name (comm, 15 bytes) matches this regular expression
    #[arg(short, long, value_name = "RE")]
    pub name: Option<NamePattern>,
    /// Show only processes whose arguments, joined by spaces, match this regular expression
    #[arg(short, long, value_name = "RE", value_parser = regex)]
    pub line: Option<Regex>,
    /// Also show failed execs; their RET is the negative errno
    #[arg(short = 'x', long)]
    pub fails: bool,
    /// Print the time of day (HH:MM:SS)
    #[arg(short = 'T', long)]
    pub time: bool,
    /// Print the seconds since pfsnoop started
    #[arg(short, long)]
    pub timestamp: bool,
    /// Print the user id
    #[arg(short = 'U', long)]
    pub print_uid: bool,
    /// Show only processes of this user, by number or by name
    #[arg(short, long, value_name = "USER", value_parser = uid_of)]
    pub uid: Option<u32>,
    /// Put each argument in quotes
    #[arg(short, long)]
    pub quote: bool,
    /// Show only children of this process
    #[arg(short = 'P', long, value_name = "PID")]
    pub ppid: Option<u32>,
    /// Show only processes in this cgroup (a folder of cgroup v2) and below it
    #[arg(short, long, value_name = "PATH")]
    pub cgroup: Option<CgroupFolder>,
    /// Show only processes of this pod
    #[arg(long, value_name = "[NS/]NAME")]
    pub pod: Option<PodName>,
    /// Show only processes of this container, by name or by the beginning of its id
    #[arg(long, value_name = "ID-OR-NAME", value_parser = NonEmptyStringValueParser::new())]
    pub container: Option<String>,
    /// Print a row when a shown process ends: exit code or signal, and how long the process lived
    #[arg(long)]
    pub exit: bool,
    /// In text output, print at most N arguments per process
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub max_args: usize,
    /// Exit after this many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub duration: Option<Duration>,
    /// Exit after N rows
    #[arg(long, value_name = "N", value_parser = at_least_1::<u64>)]
    pub count: Option<u64>,
    /// Format of the rows
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// Print more on stderr, including what the kernel programs log
    #[arg(short, long)]
    pub verbose: bool,
}

const EXEC_EXAMPLES: &str = "\
Examples:
  pfsnoop exec -n nsenter                    every nsenter, with its arguments
  pfsnoop exec -l 'TCP4:localhost:8080$'     nsenter and socat of forwards to port 8080
  pfsnoop exec -x -n kubelet --duration 10   execs of the kubelet, also failed ones, for ten seconds";
