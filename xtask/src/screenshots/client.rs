//! Clients that connect to a pod's server: by a command as a person types it, or through a
//! forwarded port.

use std::io::{Read, Write, copy, sink};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// A download takes this much of the file at a time, and then pauses.
const PART: usize = 32 * 1024;
const PAUSE: Duration = Duration::from_millis(20);

/// `nsenter -t PID -n socat - TCP4:localhost:PORT`, typed into a shell.
pub(super) struct Typed {
    /// The forwarder, to pfsnoop. It has a process group of its own with the helper.
    shell: Child,
    stdin: ChildStdin,
    stdout: Option<ChildStdout>,
}

impl Typed {
    /// Starts the command.
    pub(super) fn start(pid: u32, port: u16) -> Result<Self> {
        let mut shell = Command::new("bash");
        // With a second command, the shell does not become nsenter.
        let command = format!("nsenter -t {pid} -n socat - TCP4:localhost:{port}; exit $?");
        shell.args(["-c", &command]).process_group(0);
        // socat says on stderr what the picture shows, and the shell says that a signal ended socat.
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = shell.spawn().context("bash")?;
        let stdin = shell.stdin.take().context("no stdin")?;
        let stdout = shell.stdout.take();
        Ok(Self { shell, stdin, stdout })
    }

    /// Requests the first bytes of the file, and waits for the end of the answer.
    pub(super) fn fetch(mut self, bytes: u64) -> Result<()> {
        let mut stdout = self.stdout.take().context("no stdout")?;
        fetch(&mut self.stdin, &mut stdout, bytes)?;
        self.wait()
    }

    /// Waits until the command has ended.
    pub(super) fn wait(mut self) -> Result<()> {
        self.shell.wait().map(drop).context("bash")
    }

    /// Requests the file, and takes it slowly.
    pub(super) fn download(mut self) -> Result<Self> {
        request(&mut self.stdin, None)?;
        take_slowly(self.stdout.take().context("no stdout")?);
        Ok(self)
    }

    /// Kills nsenter, or socat, which nsenter has become.
    pub(super) fn kill_helper(&mut self) -> Result<()> {
        let shell = self.shell.id();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"))?;
        let helper = children.split_whitespace().next().context("no helper")?.parse()?;
        kill_process(Pid::from_raw(helper).context("no helper")?, Signal::KILL)?;
        self.shell.wait().map(drop).context("bash")
    }
}

impl Drop for Typed {
    fn drop(&mut self) {
        if matches!(self.shell.try_wait(), Ok(None)) {
            if let Some(group) = Pid::from_raw(self.shell.id().cast_signed()) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = self.shell.wait();
        }
    }
}

/// Requests the file through a connection, and takes the answer slowly until the connection ends.
pub(super) fn download(mut stream: impl Read + Write + Send + 'static) -> Result<()> {
    request(&mut stream, None)?;
    take_slowly(stream);
    Ok(())
}

/// Requests the first bytes of the file, and reads the answer to its end.
pub(super) fn fetch(to: &mut impl Write, from: &mut impl Read, bytes: u64) -> Result<()> {
    request(to, Some(bytes))?;
    copy(from, &mut sink()).map(drop).context("no answer")
}

fn request(to: &mut impl Write, bytes: Option<u64>) -> Result<()> {
    let range = bytes.map(|bytes| format!("Range: bytes=0-{}\r\n", bytes.saturating_sub(1)));
    let range = range.unwrap_or_default();
    to.write_all(format!("GET /big HTTP/1.0\r\n{range}\r\n").as_bytes()).context("no connection")
}

fn take_slowly(mut from: impl Read + Send + 'static) {
    std::thread::spawn(move || {
        let mut part = vec![0; PART];
        while from.read(&mut part).is_ok_and(|read| read > 0) {
            std::thread::sleep(PAUSE);
        }
    });
}
