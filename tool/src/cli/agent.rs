//! The options of `pfsnoop agent`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use hyper::Uri;

use super::age::Age;
use super::runtimes::AskRuntimes;
use super::size::Size;
use crate::agent::store::DEFAULT_STORE;

/// `pfsnoop agent`
#[derive(Args, Debug)]
#[command(after_help = AGENT_EXAMPLES)]
pub struct Agent {
    /// Store sessions in this file, which `pfsnoop history` reads
    #[arg(long, value_name = "PATH", default_value = DEFAULT_STORE, conflicts_with = "no_store")]
    pub store: PathBuf,
    /// Store nothing
    #[arg(long)]
    pub no_store: bool,
    /// Delete sessions that ended longer ago; units are s, m, h, d and w
    #[arg(long, value_name = "AGE", default_value = "14d")]
    pub keep: Age,
    /// Delete the oldest sessions when the file is larger; units are K, M and G
    #[arg(long, value_name = "SIZE", default_value = "256M")]
    pub keep_size: Size,
    /// Where to serve metrics for Prometheus, and /healthz and /readyz
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9753")]
    pub listen: SocketAddr,
    /// Serve no metrics
    #[arg(long, conflicts_with = "listen")]
    pub no_listen: bool,
    /// How many series pfsnoop_sessions_total may have; further sessions are counted as `other`
    #[arg(long, value_name = "N", default_value = "2000")]
    pub max_series: NonZeroUsize,
    /// Export sessions to the OpenTelemetry collector at this URL, as the variables OTEL_EXPORTER_OTLP_* do: by
    /// gRPC at port 4317, else by HTTP with protobuf
    #[arg(long, value_name = "URL")]
    pub otlp: Option<Uri>,
    /// This node's name in Kubernetes [default: NODE_NAME of the environment, else the host name]
    #[arg(long, value_name = "NAME")]
    pub node_name: Option<String>,
    /// Which runtimes to ask for names.
    #[command(flatten)]
    pub runtimes: AskRuntimes,
    /// Print more on stderr, including what the kernel programs log
    #[arg(short, long)]
    pub verbose: bool,
}

const AGENT_EXAMPLES: &str = "\
Examples:
  pfsnoop agent                            store every session, log those that fail, serve metrics
  pfsnoop agent --keep 30d --keep-size 1G  store more than two weeks
  pfsnoop agent --listen 0.0.0.0:9753      a Prometheus on another machine may scrape it
  pfsnoop agent --otlp http://10.0.0.7:4317
                                           export each session as a span, by gRPC
  pfsnoop agent --no-store                 only metrics and the log
  pfsnoop agent -v 2>> agent.log           with details of the agent's own work";
