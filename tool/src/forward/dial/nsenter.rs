//! The kubelet's dialer: `nsenter -t PID -n socat - TCP4:localhost:PORT`, with its checks in its
//! order and its error texts (dockershim and cri-dockerd, `portForward`).

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::getpid;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;

use super::dialer::{Connection, Dialer, Dialing};
use super::helper::Helper;
use super::helper_error::{HelperError, HelperMissing, HelperUntrusted};
use crate::forward::failure::Failure;
use crate::forward::stream::Duplex;
use crate::host::path::{look_up, look_up_trusted};
use crate::host::privileges::on_entering_thread;
use crate::host::process::die_with;
use crate::model::Via;
use crate::target::Target;

/// The paths of nsenter and socat.
#[derive(Clone, Debug)]
pub struct Nsenter {
    program: PathBuf,
    socat: PathBuf,
    connect_timeout: Option<Duration>,
}

impl Nsenter {
    /// Looks up socat, then nsenter. They run with our rights, so a program that another user could
    /// replace is an error.
    pub fn look_up() -> Result<Self, HelperError> {
        Self::of(|program, package| match look_up_trusted(program) {
            Some(found) => found.map_err(|untrusted| HelperUntrusted { program, untrusted }.into()),
            None => Err(HelperMissing { program, package }.into()),
        })
    }

    /// The same with every program that comes first in `PATH`, whoever owns it.
    pub fn look_up_anywhere() -> Result<Self, HelperError> {
        Self::of(|program, package| {
            look_up(program).ok_or_else(|| HelperMissing { program, package }.into())
        })
    }

    fn of(
        find: impl Fn(&'static str, &'static str) -> Result<PathBuf, HelperError>,
    ) -> Result<Self, HelperError> {
        let socat = find("socat", "socat")?;
        let nsenter = find("nsenter", "util-linux")?;
        Ok(Self { program: nsenter, socat, connect_timeout: None })
    }

    /// The same with a limit on how long socat may take to connect. Without one, socat waits as long
    /// as the kernel sends the SYN again.
    #[must_use]
    pub fn with_connect_timeout(self, connect_timeout: Option<Duration>) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Spawns the command for one connection.
    fn spawn(&self, target: &Target, port: u16) -> Result<Connection, Failure> {
        let pid = target.pid().ok_or(Failure::NoProcess)?;
        target.check().map_err(Failure::TargetGone)?;
        let mut command = Command::new(&self.program);
        command.args(["-t", &pid.to_string(), "-n"]).arg(&self.socat);
        command.args(["-", &format!("TCP4:localhost:{port}")]);
        // The outcome in records is read from stderr, which must be in the C locale for that.
        command.env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A Ctrl-C on the terminal must reach only pfsnoop, which ends its helpers itself.
        command.process_group(0).kill_on_drop(true);
        let parent = getpid();
        // SAFETY: between fork and exec, the closure makes two system calls and touches no memory.
        unsafe { command.pre_exec(move || die_with(parent)) };
        let not_spawned = |source| {
            let program = self.program.display().to_string();
            Failure::NotSpawned { program, source }
        };
        let runtime = Handle::current();
        let spawn = move || {
            let _inside = runtime.enter();
            command.spawn()
        };
        let child = on_entering_thread(spawn).flatten().map_err(not_spawned)?;
        connection(child, port, self.connect_timeout).map_err(not_spawned)
    }
}

impl Dialer for Nsenter {
    fn via(&self, _target: &Target) -> Via {
        self.usual_via()
    }

    fn usual_via(&self) -> Via {
        Via::NsenterSocat
    }

    fn dial<'a>(&'a self, target: &'a Target, port: u16) -> Dialing<'a> {
        Box::pin(async move {
            let mut connection = self.spawn(target, port)?;
            if let Some(helper) = &mut connection.helper {
                helper.enter(target).await?;
            }
            // socat connects later. If that fails, the helper's exit says so.
            Ok(connection)
        })
    }
}

/// The connection through the pipes of a helper.
fn connection(
    mut child: Child,
    port: u16,
    connect_timeout: Option<Duration>,
) -> io::Result<Connection> {
    let missing = || io::Error::other("its pipes are missing");
    let stdin = child.stdin.take().ok_or_else(missing)?.into_owned_fd()?;
    let stdout = child.stdout.take().ok_or_else(missing)?.into_owned_fd()?;
    let stderr = child.stderr.take().ok_or_else(missing)?;
    let duplex = Duplex::of_pipes(stdout, stdin)?;
    let helper = Some(Helper::new(child, port, connect_timeout, stderr));
    Ok(Connection { duplex, address: None, cookie: None, helper })
}
