//! `pfsnoop exec`: execsnoop's job.

use std::io::{BufWriter, Stdout, stdout};
use std::time::Duration;

use anyhow::Result;
use jiff::tz::TimeZone;
use tokio::time::{MissedTickBehavior, interval};

use super::{start_logging, stop::Stop};
use crate::cli;
use crate::node::clock;
use crate::output::{Columns, Rows};
use crate::probe::{Options, Probe};
use crate::trace::{Event, Filter, Selection};

/// How often we look whether something was lost.
const LOSS_CHECK: Duration = Duration::from_secs(1);

pub(super) async fn run(args: cli::Exec) -> Result<()> {
    start_logging(args.verbose);
    let mut stop = Stop::new(args.duration)?;
    let mut screen = Screen::new(&args);
    let mut probe = Probe::attach(&options(&args, screen.selection.filter()))?;
    screen.rows.header()?;

    let mut loss_check = interval(LOSS_CHECK);
    loss_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut events = Vec::new();
    loop {
        tokio::select! {
            read = probe.read(&mut events) => read?,
            _ = loss_check.tick() => screen.lost(&mut probe)?,
            () = stop.wait() => break,
        }
        if screen.show(&mut events)?.is_break() {
            break;
        }
    }
    // What happened before the end is shown, also when the end came in between.
    probe.read_ready(&mut events);
    let _ = screen.show(&mut events)?;
    screen.lost(&mut probe)?;
    Ok(screen.rows.lost_in_all(probe.lost_in_all())?)
}

fn options(args: &cli::Exec, filter: &Filter) -> Options {
    Options {
        settings: filter.settings(),
        failed_execs: args.fails,
        exits: args.exit,
        verbose: args.verbose,
    }
}

/// What is shown, and how much of it is still to come.
struct Screen {
    selection: Selection,
    rows: Rows<BufWriter<Stdout>>,
    rows_left: Option<u64>,
}

impl Screen {
    fn new(args: &cli::Exec) -> Self {
        let columns = Columns {
            time: args.time,
            timestamp_since: args.timestamp.then(clock::boottime_ns),
            uid: args.print_uid,
            quote: args.quote,
            max_args: args.max_args,
            zone: TimeZone::system(),
        };
        let filter = Filter {
            name: args.name.clone(),
            line: args.line.clone(),
            uid: args.uid,
            ppid: args.ppid,
        };
        let rows = Rows::new(BufWriter::new(stdout()), args.output, columns);
        Self { selection: Selection::new(filter), rows, rows_left: args.count }
    }

    /// Shows a batch and sends it on its way; breaks after the last row that was asked for.
    fn show(&mut self, events: &mut Vec<Event>) -> Result<std::ops::ControlFlow<()>> {
        use std::ops::ControlFlow::{Break, Continue};
        for event in events.drain(..) {
            if self.rows_left == Some(0) {
                break;
            }
            match event {
                Event::Exec(exec) if self.selection.wants_exec(&exec) => self.rows.exec(&exec)?,
                Event::Exit(exit) if self.selection.wants_exit(&exit) => self.rows.exit(&exit)?,
                _ => continue,
            }
            self.rows_left = self.rows_left.map(|left| left - 1);
        }
        self.rows.flush()?;
        Ok(if self.rows_left == Some(0) { Break(()) } else { Continue(()) })
    }

    fn lost(&mut self, probe: &mut Probe) -> Result<()> {
        if let Some(lost) = probe.lost()? {
            self.rows.lost(lost)?;
            self.rows.flush()?;
        }
        Ok(())
    }
}
