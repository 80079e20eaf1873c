//! The routes to the pod's server that are compared. Each forwarder is started as a user would
//! start it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::client::{Load, Outcome};
use super::pod::Pod;
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
        let output = self.client_command(load)?.stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "{}: the client failed", self.name);
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    fn client_command(&self, load: &Load) -> Result<Command> {
        let client = std::env::current_exe()?;
        let mut command = Command::new(&client);
        if self.forwarder.is_none() {
            command = Command::new("nsenter");
            command.args(["-t", &self.pod.to_string(), "-n"]).arg(&client);
        }
        command.args(["client", &self.port.to_string()]);
        match load {
            Load::Download => command.arg("download"),
            Load::Requests { clients, seconds } => {
                command.args(["requests", &clients.to_string(), &seconds.to_string()])
            }
            Load::Count { clients, each } => {
                command.args(["count", &clients.to_string(), &each.to_string()])
            }
            Load::Hold { connections } => command.args(["hold", &connections.to_string()]),
        };
        Ok(command)
    }

    /// The forwarder's pid.
    pub(super) fn forwarder_pid(&self) -> Result<u32> {
        Ok(self.forwarder.as_ref().context("no forwarder")?.id())
    }

    /// CPU time of the forwarder and of the helpers that it has reaped; NaN without a forwarder.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        let Some(forwarder) = &self.forwarder else { return Ok(f64::NAN) };
        let stat = procfs::process::Process::new(forwarder.id().cast_signed())?.stat()?;
        let ticks = stat.utime + stat.stime;
        let children = stat.cutime + stat.cstime;
        Ok((ticks + children.unsigned_abs()) as f64 / procfs::ticks_per_second() as f64)
    }

    /// MiB of the forwarder and its helpers while `connections` are open; NaN without a forwarder.
    pub(super) fn memory_with(&self, connections: u32) -> Result<f64> {
        let Some(forwarder) = &self.forwarder else { return Ok(f64::NAN) };
        let mut command = self.client_command(&Load::Hold { connections })?;
        let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = client.stdout.take().context("no stdout")?;
        let opened = BufReader::new(stdout).lines().next().transpose()?;
        ensure!(opened.as_deref() == Some("open"), "{}: connections fail", self.name);
        let memory = settled(|| pss_mib(forwarder.id()))?;
        if let Some(mut stdin) = client.stdin.take() {
            stdin.flush()?;
        }
        client.wait()?;
        Ok(memory)
    }
}

/// The value once it has not changed for a second, since helpers take time to start.
fn settled(value: impl Fn() -> Result<f64>) -> Result<f64> {
    let mut last = value()?;
    for _ in 0..30 {
        std::thread::sleep(Duration::from_secs(1));
        let now = value()?;
        if (now - last).abs() < 0.1 {
            return Ok(now);
        }
        last = now;
    }
    bail!("the memory still changes after 30 s")
}

/// A process and all of its descendants.
pub(super) fn family(root: u32) -> Result<Vec<i32>> {
    let mut family = vec![root.cast_signed()];
    let parents: Vec<(i32, i32)> = procfs::process::all_processes()?
        .filter_map(|process| process.ok()?.stat().ok())
        .map(|stat| (stat.pid, stat.ppid))
        .collect();
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(parents.iter().filter(|(_, ppid)| *ppid == parent).map(|(pid, _)| pid));
        next += 1;
    }
    Ok(family)
}

/// Proportional set size of a process and all of its descendants.
fn pss_mib(root: u32) -> Result<f64> {
    let pss_kib = |pid: &i32| -> Option<u64> {
        let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Ok(family(root)?.iter().filter_map(pss_kib).sum::<u64>() as f64 / 1024.0)
}

impl Drop for Route {
    fn drop(&mut self) {
        if let Some(forwarder) = &mut self.forwarder {
            let _ = Command::new("kill").args(["-TERM", &forwarder.id().to_string()]).status();
            let _ = forwarder.wait();
        }
    }
}
