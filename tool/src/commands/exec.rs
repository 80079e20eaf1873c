//! `pfsnoop exec`: execsnoop's job.

use anyhow::Result;
use jiff::tz::TimeZone;

use super::ignored::note_ignored;
use super::logging::start_logging;
use super::unknown_owner::note_unknown_owner;
use crate::attribution::Attribution;
use crate::cli;
use crate::host::privileges::{self, Needs};
use crate::host::{clock, process, shutdown, slice, time_zone};
use crate::model::{Filter, OwnerFilter, Ready, Selection};
use crate::monitor::{self, Limit, Monitor, MonitorOptions};
use crate::output::{self, Columns, Format, View};
use crate::runtime::Runtimes;

pub(super) async fn run(args: cli::Exec) -> Result<()> {
    start_logging(args.verbose);
    if let Some(note) = args.name.as_ref().and_then(|name| name.note.as_deref()) {
        output::complain(&output::escaped(note.as_bytes()));
    }
    slice::shorten();
    let token = shutdown::on_signals()?;
    let wants_owners = wants_owners(&args);
    let attribution = if wants_owners {
        let runtimes = Runtimes::default();
        note_ignored(&runtimes);
        Attribution::with_names(&runtimes)
    } else {
        Attribution::without_names()
    };
    let monitor = Monitor::attach(options(&args, wants_owners), attribution)?;
    note_unknown_owner(&owners(&args), &Runtimes::default());
    shutdown::after(&token, args.duration);
    let ready = Ready { time_ns: clock::boottime_ns(), command: "exec", has_execs: true };
    let mut sink = output::sink(args.output, View::Execs(columns(&args)));
    let (selection, limit) = (selection(&args), Limit::new(args.count));
    privileges::settle_thread();
    monitor::run(monitor, selection, limit, ready, &mut *sink, &token).await
}

/// Whether rows have the pod and the container.
fn wants_owners(args: &cli::Exec) -> bool {
    args.output != Format::Text || args.pod.is_some() || args.container.is_some()
}

/// What it still needs once it runs.
pub(super) fn needs(args: &cli::Exec) -> Needs {
    let (has_owners, follows_cgroup) = (wants_owners(args), args.cgroup.is_some());
    Needs {
        tracing: true,
        processes: has_owners,
        // The kernel programs are attached again when the cgroup is made again. Those for failed execs
        // need tracefs, which may have to be mounted.
        setup: follows_cgroup && args.fails,
        sockets: if has_owners { Runtimes::default().sockets() } else { Vec::new() },
        no_files: !has_owners && !follows_cgroup,
        ..Needs::default()
    }
}

fn options(args: &cli::Exec, cgroup_names: bool) -> MonitorOptions {
    MonitorOptions {
        filter: filter(args),
        execs: true,
        failed_execs: args.fails,
        exits: args.exit,
        sessions: false,
        cgroup: args.cgroup.clone(),
        cgroup_names,
        verbose: args.verbose,
    }
}

fn filter(args: &cli::Exec) -> Filter {
    Filter {
        name: args.name.as_ref().map(|name| name.regex.clone()),
        line: args.line.clone(),
        uid: args.uid,
        ppid: args.ppid,
        ppid_pidns: process::foreign_namespace(),
        helpers: false,
        cgroup: args.cgroup.as_ref().map(|folder| folder.id),
    }
}

fn owners(args: &cli::Exec) -> OwnerFilter {
    OwnerFilter { pod: args.pod.clone(), container: args.container.clone() }
}

fn selection(args: &cli::Exec) -> Selection {
    let owners = owners(args);
    let is_filtered = !filter(args).is_empty() || !owners.is_empty();
    Selection::new(owners, None, args.exit && is_filtered)
}

/// The time zone for `-T`.
fn zone() -> TimeZone {
    time_zone::local().unwrap_or_else(|unknown| {
        output::complain(&format!("note: {unknown}"));
        TimeZone::UTC
    })
}

fn columns(args: &cli::Exec) -> Columns {
    Columns {
        time: args.time,
        timestamp_since: args.timestamp.then(clock::boottime_ns),
        uid: args.print_uid,
        wide: false,
        quote: args.quote,
        max_args: args.max_args,
        zone: if args.time { zone() } else { TimeZone::UTC },
    }
}
