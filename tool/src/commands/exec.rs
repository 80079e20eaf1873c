//! `pfsnoop exec`: execsnoop's job.

use std::io::{BufWriter, Stdout, stdout};
use std::time::Duration;

use anyhow::Result;
use jiff::tz::TimeZone;
use tokio::time::{MissedTickBehavior, interval};

use super::{start_logging, stop::Stop};
use crate::cli;
use crate::node::{clock, slice};
use crate::output::{Columns, Format, Rows};
use crate::probe::{Options, Probe};
use crate::resolve::{Attributor, Runtimes, Trail};
use crate::trace::{Event, ExecEvent, Filter, Owner, OwnerFilter, Selection};

/// How often we look whether something was lost.
const LOSS_CHECK: Duration = Duration::from_secs(1);

pub(super) async fn run(args: cli::Exec) -> Result<()> {
    start_logging(args.verbose);
    slice::shorten();
    let mut stop = Stop::new()?;
    let Some(mut screen) = stop.or(Screen::new(&args)).await else { return Ok(()) };
    let mut probe = Probe::attach(&options(&args, screen.selection.filter()))?;
    stop.after(args.duration);
    screen.rows.header()?;

    let mut loss_check = interval(LOSS_CHECK);
    loss_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut events = Vec::new();
    while screen.wants_more() {
        tokio::select! {
            read = probe.read(&mut events) => read?,
            _ = loss_check.tick() => screen.lost(&mut probe)?,
            () = stop.wait() => break,
        }
        screen.show(&mut events).await?;
        // Under load there is always more: signals and timers must have their turn.
        tokio::task::yield_now().await;
    }
    // What happened before the end is shown, also when the end came in between.
    probe.detach();
    while screen.wants_more() && probe.read_ready(&mut events) {
        screen.show(&mut events).await?;
    }
    screen.lost(&mut probe)?;
    Ok(screen.rows.lost_in_all(probe.lost_in_all())?)
}

fn options(args: &cli::Exec, filter: &Filter) -> Options {
    Options {
        settings: filter.settings(),
        failed_execs: args.fails,
        exits: args.exit,
        connections: false,
        cgroup_names: wants_owners(args),
        verbose: args.verbose,
    }
}

/// Whether anybody wants to know whose an exec is.
fn wants_owners(args: &cli::Exec) -> bool {
    args.output != Format::Text || args.pod.is_some() || args.container.is_some()
}

/// What is shown, and how much of it is still to come.
struct Screen {
    selection: Selection,
    owners: OwnerFilter,
    /// Only when somebody wants to know.
    attributor: Option<Attributor>,
    rows: Rows<BufWriter<Stdout>>,
    rows_left: Option<u64>,
}

impl Screen {
    async fn new(args: &cli::Exec) -> Self {
        let columns = Columns {
            time: args.time,
            timestamp_since: args.timestamp.then(clock::boottime_ns),
            uid: args.print_uid,
            wide: false,
            quote: args.quote,
            max_args: args.max_args,
            zone: TimeZone::system(),
        };
        let filter = Filter {
            name: args.name.clone(),
            line: args.line.clone(),
            uid: args.uid,
            ppid: args.ppid,
            helpers: false,
            cgroup: args.cgroup,
        };
        let owners = OwnerFilter { pod: args.pod.clone(), container: args.container.clone() };
        Self {
            selection: Selection::new(filter, !owners.is_empty(), args.exit),
            owners,
            attributor: if wants_owners(args) {
                Some(Attributor::new(&Runtimes::default()).await)
            } else {
                None
            },
            rows: Rows::new(BufWriter::new(stdout()), args.output, columns),
            rows_left: args.count,
        }
    }

    fn wants_more(&self) -> bool {
        self.rows_left != Some(0)
    }

    /// Shows a batch and sends it on its way, up to the last row that was asked for.
    async fn show(&mut self, events: &mut Vec<Event>) -> Result<()> {
        let events: Vec<_> = events.drain(..).filter_map(|event| self.follow(event)).collect();
        for (event, trail) in events {
            if !self.wants_more() {
                break;
            }
            let shown = match &event {
                Event::Exec(exec) => self.show_exec(exec, trail).await?,
                Event::Exit(exit) => {
                    let wanted = self.selection.wants_exit(exit);
                    if wanted {
                        self.rows.exit(exit)?;
                    }
                    wanted
                }
                // Not asked for.
                Event::Sock(_) => false,
            };
            self.rows_left = self.rows_left.map(|left| left - u64::from(shown));
        }
        Ok(self.rows.flush()?)
    }

    /// Sorts out what is not wanted, and follows the trail of the rest before it goes cold.
    fn follow(&mut self, event: Event) -> Option<(Event, Option<Trail>)> {
        let Event::Exec(exec) = &event else { return Some((event, None)) };
        if !self.selection.filter().matches(exec) {
            return None;
        }
        let trail = self.attributor.as_mut().map(|attributor| attributor.trail(exec));
        Some((event, trail))
    }

    async fn show_exec(&mut self, exec: &ExecEvent, trail: Option<Trail>) -> Result<bool> {
        let owner = match (&mut self.attributor, trail) {
            (Some(attributor), Some(trail)) => attributor.owner(trail).await,
            _ => Owner::default(),
        };
        if !self.owners.matches(&owner) {
            return Ok(false);
        }
        self.rows.exec(exec, &owner)?;
        self.selection.shown(exec);
        Ok(true)
    }

    fn lost(&mut self, probe: &mut Probe) -> Result<()> {
        if let Some(lost) = probe.lost()? {
            self.rows.lost(lost)?;
            self.rows.flush()?;
        }
        Ok(())
    }
}
