//! What was measured, and the tables.

use super::route::{Cpu, NATIVE, NSENTER, PEER_PLAIN, PEER_TLS, ROUTES};
use super::run::{CLIENTS, HELD, LOAD_TIME};
use crate::bench::stats::{median, percentile};
use crate::bench::table::{column, draw};

/// The measurements of one route.
#[derive(Default)]
pub(super) struct Measures {
    pub(super) mib_per_s: Vec<f64>,
    pub(super) cpu_ms_per_gib: Vec<Cpu>,
    pub(super) requests_per_s: Vec<f64>,
    pub(super) cpu_us_per_request: Vec<Cpu>,
    /// Requests whose connection the server closes.
    pub(super) server_closes_per_s: Vec<f64>,
    pub(super) latencies_ms: Vec<f64>,
    /// Of the server alone, and the most that it has had.
    pub(super) rss_mib: Vec<f64>,
    pub(super) peak_mib: Vec<f64>,
    /// Of the server and its helpers.
    pub(super) family_mib: Vec<f64>,
}

impl Measures {
    /// How many cores kubectl kept busy in the downloads. Near 1, it is the bottleneck.
    fn cores_for_bytes(&self) -> f64 {
        let ms_per_gib = middle(&self.cpu_ms_per_gib, |cpu| cpu.kubectl);
        ms_per_gib / 1e3 * median(&self.mib_per_s) / 1024.0
    }

    /// The same in the requests.
    fn cores_for_requests(&self) -> f64 {
        middle(&self.cpu_us_per_request, |cpu| cpu.kubectl) / 1e6 * median(&self.requests_per_s)
    }
}

fn middle(all: &[Cpu], of: fn(&Cpu) -> f64) -> f64 {
    median(&all.iter().map(of).collect::<Vec<_>>())
}

/// Prints the measurements of all routes.
pub(super) fn print(measures: &[Measures], rounds: usize) {
    let names: Vec<&str> = ROUTES.iter().map(|route| route.name).collect();
    let column = |title, decimals, of: fn(&Measures) -> f64| column(title, decimals, measures, of);
    let bytes = [
        column("MiB/s", 0, |m| median(&m.mib_per_s)),
        column("server CPU ms/GiB", 0, |m| middle(&m.cpu_ms_per_gib, |cpu| cpu.server)),
        column("stub CPU", 0, |m| middle(&m.cpu_ms_per_gib, |cpu| cpu.stub)),
        column("kubectl CPU", 0, |m| middle(&m.cpu_ms_per_gib, |cpu| cpu.kubectl)),
        column("kubectl cores", 2, Measures::cores_for_bytes),
        column("RSS MiB at 100", 1, |m| median(&m.rss_mib)),
        column("peak", 1, |m| median(&m.peak_mib)),
        column("with helpers", 1, |m| median(&m.family_mib)),
    ];
    let requests = [
        column("requests/s", 0, |m| median(&m.requests_per_s)),
        column("server closes", 0, |m| median(&m.server_closes_per_s)),
        column("p50 ms", 2, |m| percentile(&m.latencies_ms, 50.0)),
        column("p99 ms", 2, |m| percentile(&m.latencies_ms, 99.0)),
        column("server CPU us/request", 0, |m| middle(&m.cpu_us_per_request, |cpu| cpu.server)),
        column("stub CPU", 0, |m| middle(&m.cpu_us_per_request, |cpu| cpu.stub)),
        column("kubectl CPU", 0, |m| middle(&m.cpu_us_per_request, |cpu| cpu.kubectl)),
        column("kubectl cores", 2, Measures::cores_for_requests),
    ];
    println!("{}\n\n{}\n", draw(&names, &bytes), draw(&names, &requests));
    let of = |name: &str| names.iter().position(|other| *other == name).map(|at| &measures[at]);
    for ours in [NSENTER, NATIVE] {
        for peer in [PEER_TLS, PEER_PLAIN] {
            if let (Some(one), Some(other)) = (of(ours), of(peer)) {
                let times = |of: fn(&Measures) -> &[f64]| median(of(one)) / median(of(other));
                println!(
                    "{ours}: {:.2} times the bytes and {:.2} times the requests of {peer}.",
                    times(|m| &m.mib_per_s),
                    times(|m| &m.requests_per_s),
                );
            }
        }
    }
    println!(
        "In brackets: the ratio to the first row. Medians of {rounds} rounds: 1 GiB in one download; short \
         HTTP/1.0 requests, each with its own connection to kubectl, for {} s by {CLIENTS} clients, and by \
         one (p50, p99). The client closes the connection, except in the column that says otherwise. One \
         server runs at a time. The server is pfsnoop with its helpers, or containerd; pfsnoop speaks TLS itself, \
         the stub does it for containerd. Memory with {HELD} open streams: resident memory of the server, \
         the most that it has had, and the proportional set size of it and its helpers.",
        LOAD_TIME.as_secs(),
    );
}
