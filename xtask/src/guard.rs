//! Runs a program so that nothing of it is left: when it ends, when it fails, and on Ctrl-C, all processes
//! that it started are stopped, also those that have left their parent.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use procfs::process::all_processes;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};

/// Bounds how long processes take to end that were killed.
const KILL_TIMEOUT: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Whether a signal asked for the end.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// Runs the program to its end. This must be the only child of this process.
pub(crate) fn run(program: &mut Command) -> Result<()> {
    // Orphans among the descendants become children of this process, which therefore finds them.
    set_child_subreaper(Some(getpid())).context("cannot become a subreaper")?;
    stop_on_signals();
    // The signals of a terminal go to this process alone, which then stops all others.
    let spawned = program.process_group(0).spawn();
    let ended = spawned.with_context(|| format!("{program:?}")).and_then(|mut child| {
        loop {
            if STOPPED.load(Ordering::Relaxed) {
                return Ok(None);
            }
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    });
    kill_descendants()?;
    set_child_subreaper(None)?;
    let status: Option<ExitStatus> = ended?;
    let status = status.context("stopped by a signal")?;
    ensure!(status.success(), "it has failed: the error is above");
    Ok(())
}

fn stop_on_signals() {
    extern "C" fn stop(_: libc::c_int) {
        STOPPED.store(true, Ordering::Relaxed);
    }
    let handler: extern "C" fn(libc::c_int) = stop;
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: the handler only stores to an atomic, which is async-signal-safe.
        unsafe { libc::signal(signal, handler as libc::sighandler_t) };
    }
}

fn kill_descendants() -> Result<()> {
    let deadline = Instant::now() + KILL_TIMEOUT;
    loop {
        // An error means that there is no child at all.
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        let left = descendants()?;
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("these processes do not end: {left:?}");
        }
        for pid in left {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// All processes that have this one among their ancestors.
fn descendants() -> Result<Vec<Pid>> {
    let stats = all_processes()?.filter_map(|process| process.ok()?.stat().ok());
    let parents: Vec<(i32, i32)> = stats.map(|stat| (stat.pid, stat.ppid)).collect();
    let mut found = vec![getpid().as_raw_nonzero().get()];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    Ok(found.into_iter().skip(1).filter_map(Pid::from_raw).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Stdio};

    /// Names the file for the orphan's pid to the second role of each test.
    const ORPHAN: &str = "PFSNOOP_ORPHAN";

    /// Runs this shell command under the guard, in a process of its own: the guard reaps all children.
    fn guarded(test: &str, end: &str) -> Option<(Child, PathBuf)> {
        if let Some(file) = std::env::var_os(ORPHAN) {
            let script = format!(
                "setsid sleep 30 > /dev/null 2>&1 & echo $! > \"$0.new\"; mv \"$0.new\" \"$0\"; {end}"
            );
            assert!(run(Command::new("sh").args(["-c", &script]).arg(file)).is_err());
            return None;
        }
        let file = std::env::temp_dir().join(format!("pfsnoop-{test}-{}", std::process::id()));
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", &format!("guard::tests::{test}")]).env(ORPHAN, &file);
        again.stdout(Stdio::null());
        Some((again.spawn().unwrap(), file))
    }

    fn wait_for_pid(file: &Path) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !file.exists() && Instant::now() < deadline {
            std::thread::sleep(POLL_INTERVAL);
        }
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }

    fn assert_ended(file: &Path, pid: &str) {
        std::fs::remove_file(file).unwrap();
        assert!(!Path::new("/proc").join(pid).exists(), "{pid} is still there");
    }

    #[test]
    fn orphans_of_a_failed_program_end() {
        let Some((mut guard, file)) = guarded("orphans_of_a_failed_program_end", "exit 1") else {
            return;
        };
        assert!(guard.wait().unwrap().success());
        assert_ended(&file, &wait_for_pid(&file));
    }

    #[test]
    fn a_signal_ends_the_program_and_its_orphans() {
        let name = "a_signal_ends_the_program_and_its_orphans";
        let Some((mut guard, file)) = guarded(name, "exec sleep 1000") else {
            return;
        };
        let orphan = wait_for_pid(&file);
        kill_process(Pid::from_child(&guard), Signal::INT).unwrap();
        assert!(guard.wait().unwrap().success());
        assert_ended(&file, &orphan);
    }
}
