//! A program in a terminal, and what that terminal shows.

use std::fs::File;
use std::io::Read as _;
use std::num::NonZeroU16;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

const ROWS: NonZeroU16 = NonZeroU16::new(18).unwrap();
const COLUMNS: NonZeroU16 = NonZeroU16::new(110).unwrap();

/// Bounds the wait for a change on the screen.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(10);

/// A running program and its terminal.
pub(super) struct Terminal {
    program: Child,
    output: Receiver<Vec<u8>>,
    emulator: vt100::Parser,
}

impl Terminal {
    /// Starts the program, below a line with the command that a user would have typed.
    pub(super) fn start(mut command: Command, prompt: &str) -> Result<Self> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let size =
            Winsize { ws_row: ROWS.get(), ws_col: COLUMNS.get(), ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size)?;
        let name = ptsname(&ours, Vec::new())?;
        let path = std::ffi::OsStr::from_bytes(name.as_bytes());
        let theirs = File::options().read(true).write(true).open(path)?;
        command.stdin(theirs.try_clone()?).stdout(theirs.try_clone()?).stderr(theirs);
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
        let program = command.spawn().with_context(|| format!("{command:?}"))?;
        // Reading ends with the program, once nobody else holds its end of the terminal.
        drop(command);
        let (sender, output) = channel();
        let mut ours = File::from(ours);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read) = ours.read(&mut buffer) {
                if read == 0 || sender.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut emulator = vt100::Parser::new(ROWS, COLUMNS, 0);
        emulator.process(format!("\x1b[1m{prompt}\x1b[m\r\n").as_bytes());
        Ok(Self { program, output, emulator })
    }

    /// Waits until the line of totals is this one.
    pub(super) fn wait_for(&mut self, totals: &str) -> Result<()> {
        let deadline = Instant::now() + CHANGE_TIMEOUT;
        loop {
            while let Ok(bytes) = self.output.try_recv() {
                self.emulator.process(&bytes);
            }
            if self.totals().is_some_and(|line| line == totals) {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.output.recv_timeout(left) else { break };
            self.emulator.process(&bytes);
        }
        bail!(
            "the last line is not `{totals}`; are there other port-forwards on this node?\n{}",
            self.emulator.screen().contents()
        )
    }

    /// The line above the cursor, which is the last line of the live view once it is complete.
    fn totals(&self) -> Option<String> {
        let screen = self.emulator.screen();
        let (row, column) = screen.cursor_position();
        let above = row.checked_sub(1).filter(|_| column == 0)?;
        screen.rows(0, COLUMNS.get()).nth(above.into())
    }

    /// The screen as text with colours (SGR escapes), once the line of totals is this one.
    pub(super) fn picture(&mut self, totals: &str) -> Result<String> {
        self.wait_for(totals)?;
        Ok(self.emulator.screen().contents_formatted_basic())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.program.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.program.wait();
    }
}
