//! The whole benchmark, and its table.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::running::{Agent, most_per_second};
use super::store::{bytes_per_session, fill, time_history};
use crate::bench::bpf::Before;
use crate::bench::cost::{CONNECTIONS, Cost, EXECS};
use crate::bench::tracer::Tracer;
use crate::bench::usage::{cpu_seconds, rss_and_peak_mib};
use crate::run::target_dir;
use crate::{dist, setup};

/// How long an idle agent is watched.
const IDLE: Duration = Duration::from_mins(1);

pub(crate) fn run(sessions: u64, rounds: usize) -> Result<()> {
    setup::to_bench()?;
    dist::build_binary()?;
    let folder = target_dir().join("bench-agent");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    eprintln!("storing {sessions} sessions");
    let store = folder.join("filled.db");
    let filled = fill(&store, sessions)?;
    let start = time_history(&store, &["--count", "1"], rounds)?;
    let by_pod = time_history(&store, &["--pod", "shop/web-7", "--count", "100"], rounds)?;
    let all_of_pod = time_history(&store, &["--pod", "shop/web-7", "--since", "10m"], rounds)?;
    let failed = time_history(&store, &["--outcome", "refused", "--count", "100"], rounds)?;
    eprintln!("an idle agent for {} s", IDLE.as_secs());
    let agent = Agent::start(&folder.join("idle.db"))?;
    let before = cpu_seconds(agent.pid())?;
    std::thread::sleep(IDLE);
    let idle = (cpu_seconds(agent.pid())? - before) / IDLE.as_secs_f64() * 100.0;
    let (idle_mib, _) = rss_and_peak_mib(agent.pid())?;
    drop(agent);
    eprintln!("what the kernel programs cost, beside those of `watch`");
    let costs = [cost_of_watch()?, cost_of_agent(&folder)?];
    eprintln!("sessions per second until the first loss");
    let busy = most_per_second(&folder)?;
    for (what, value) in [
        ("writer alone, sessions/s", format!("{:.0}", filled.per_second)),
        ("dropped by it", filled.dropped.to_string()),
        ("bytes per stored session", format!("{:.0}", bytes_per_session(&store, sessions)?)),
        ("writer's memory after a tenth, MiB", format!("{:.1}", filled.first_mib)),
        ("writer's memory at the end, MiB", format!("{:.1}", filled.last_mib)),
        ("history --count 1, ms", format!("{start:.1}")),
        ("history --pod --count 100, ms", format!("{by_pod:.1}")),
        ("history --pod --since 10m, ms", format!("{all_of_pod:.1}")),
        ("history --outcome refused --count 100, ms", format!("{failed:.1}")),
        ("agent: most sessions/s without a loss", busy.per_second.to_string()),
        ("agent: memory after that, MiB", format!("{:.1}", busy.mib)),
        ("idle agent: CPU, % of a core", format!("{idle:.3}")),
        ("idle agent: memory, MiB", format!("{idle_mib:.1}")),
        ("watch: BPF ns/connection", format!("{:.0}", costs[0].ns_a_connection)),
        ("agent: BPF ns/connection", format!("{:.0}", costs[1].ns_a_connection)),
        ("watch: BPF ns/exec", format!("{:.0}", costs[0].ns_an_exec)),
        ("agent: BPF ns/exec", format!("{:.0}", costs[1].ns_an_exec)),
    ] {
        println!("| {what:<42} | {value:>10} |");
    }
    println!(
        "{sessions} sessions of 50 pods; medians of {rounds} runs of `history` with `-o json`. BPF cost \
         of {CONNECTIONS} ordinary connections and {EXECS} execs of others."
    );
    Ok(())
}

fn cost_of_watch() -> Result<Cost> {
    let before = Before::now()?;
    let _watch = Tracer::pfsnoop("pfsnoop watch", &["watch"]).start()?;
    Cost::of_what_came_since(&before)
}

fn cost_of_agent(folder: &Path) -> Result<Cost> {
    let before = Before::now()?;
    let _agent = Agent::start(&folder.join("cost.db"))?;
    Cost::of_what_came_since(&before)
}
