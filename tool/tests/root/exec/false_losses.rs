//! No loss is counted when nothing was lost: while programs are attached and detached one after
//! another, one of each pair is missing.

use std::process::{Command, Stdio};

use crate::common::pfsnoop;
use crate::common::running::Running;
use crate::support::fixture::late_exec;
use crate::support::guarded::Guarded;

/// Processes that end with the test.
struct Processes(Vec<std::process::Child>);

impl Processes {
    /// One that fails an exec every 200 us.
    fn caller() -> Self {
        let mut caller = Command::new(late_exec());
        caller.args(["often", "/no/such", "m-often"]).stdout(Stdio::null());
        Self(vec![caller.spawn().unwrap()])
    }

    /// One for each CPU, which use it.
    fn load() -> Self {
        let count = std::thread::available_parallelism().unwrap().get();
        let spawn = |_| Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        Self((0..count).map(spawn).collect())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn no_loss_is_counted_while_programs_are_attached_or_detached() {
    // Few rounds: what the caller does is seen by the tests that run at the same time.
    let _caller = Processes::caller();
    // Only what fails late would have the last name.
    for args in [&["-x"][..], &["-x", "--exit", "-n", "late-exec"], &["-x", "-n", "such"]] {
        let _load = args.contains(&"late-exec").then(Processes::load);
        let snoop = Running::start(pfsnoop(args).args(["--duration", "1"]));
        let (status, stdout, stderr) = snoop.end();
        assert!(status.success());
        let shows = args.last() != Some(&"such");
        assert_eq!(stdout.iter().any(|line| line.contains("m-often")), shows, "{args:?}");
        assert!(!stderr.iter().any(|line| line.contains("lost")), "{args:?}: {stderr:#?}");
    }
}

#[test]
fn an_exec_that_began_before_the_start_is_not_lost() {
    let program = Guarded::new("early");
    std::thread::scope(|scope| {
        scope.spawn(|| Command::new(program.path()).arg("m-early").spawn());
        let caller = program.caller();
        let own = std::process::id().to_string();
        let mut snoop = Running::start_attached(&mut pfsnoop(&["-x", "-v", "-P", &own]));
        caller.refuse();
        snoop.stdout_line("the exec", |line| line.ends_with(" -1 <unreadable>"));
        let (_, _, stderr) = snoop.interrupt();
        assert!(!stderr.iter().any(|line| line.contains("lost")), "{stderr:#?}");
    });
}
