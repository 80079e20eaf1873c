//! The routes to the pod's server that are compared. Each forwarder is started as a user would
//! start it.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::client::{Held, Load, Outcome};
use super::pod::Pod;
use crate::bench::usage::{cpu_seconds, pss_mib, settled};
use crate::dist;

pub(super) const CHAIN: &str = "socat, nsenter, socat";
pub(super) const NSENTER: &str = "pfsnoop --dialer nsenter";

/// A way for a client to reach the pod's server.
pub(super) struct Route {
    pub(super) name: &'static str,
    port: u16,
    /// `None` where the client runs inside the pod's network namespace.
    forwarder: Option<Child>,
    pod: u32,
}

/// Starts all forwarders and waits until they listen. The route without a forwarder comes first.
pub(super) fn all(pod: &Pod) -> Result<Vec<Route>> {
    let pid = pod.pid();
    let inside = Route { name: "inside the netns", port: Pod::PORT, forwarder: None, pod: pid };
    let chain = |port: u16| {
        let mut socat = Command::new("socat");
        socat.arg(format!("TCP4-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,backlog=1024"));
        socat.arg(format!("EXEC:nsenter -t {pid} -n socat - TCP4\\:localhost\\:{}", Pod::PORT));
        socat
    };
    let pfsnoop = |dialer: &'static str| {
        move |port: u16| {
            let mut pfsnoop = Command::new(dist::binary());
            pfsnoop.args(["forward", &format!("pid/{pid}"), &format!("{port}:{}", Pod::PORT)]);
            pfsnoop.args(["--dialer", dialer, "--no-watch"]);
            pfsnoop
        }
    };
    Ok(vec![
        inside,
        Route::start(CHAIN, pid, chain)?,
        Route::start(NSENTER, pid, pfsnoop("nsenter"))?,
        Route::start("pfsnoop --dialer native", pid, pfsnoop("native"))?,
    ])
}

impl Route {
    fn start(name: &'static str, pod: u32, command: impl Fn(u16) -> Command) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = command(port);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let forwarder = command.spawn().with_context(|| format!("{command:?}"))?;
        let route = Self { name, port, forwarder: Some(forwarder), pod };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            ensure!(Instant::now() < deadline, "{name} does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(route)
    }

    /// Runs a client until it ends.
    pub(super) fn client(&self, load: &Load) -> Result<Outcome> {
        load.run(&mut self.client_command(load)?).context(self.name)
    }

    fn client_command(&self, load: &Load) -> Result<Command> {
        let mut command = load.command(self.port)?;
        if self.forwarder.is_none() {
            let client = command;
            command = Command::new("nsenter");
            command.args(["-t", &self.pod.to_string(), "-n"]);
            command.arg(client.get_program()).args(client.get_args());
        }
        Ok(command)
    }

    /// The forwarder's pid.
    pub(super) fn forwarder_pid(&self) -> Result<u32> {
        Ok(self.forwarder.as_ref().context("no forwarder")?.id())
    }

    /// CPU time of the forwarder and of the helpers that it has reaped; NaN without a forwarder.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        self.forwarder.as_ref().map_or(Ok(f64::NAN), |forwarder| cpu_seconds(forwarder.id()))
    }

    /// MiB of the forwarder and its helpers while `connections` are open; NaN without a forwarder.
    pub(super) fn memory_with(&self, connections: u32) -> Result<f64> {
        let Some(forwarder) = &self.forwarder else { return Ok(f64::NAN) };
        let mut client = self.client_command(&Load::Hold { connections })?;
        let held = Held::open(&mut client).context(self.name)?;
        let memory = settled(|| pss_mib(forwarder.id()))?;
        held.close()?;
        Ok(memory)
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        if let Some(forwarder) = &mut self.forwarder {
            let _ = Command::new("kill").args(["-TERM", &forwarder.id().to_string()]).status();
            let _ = forwarder.wait();
        }
    }
}
