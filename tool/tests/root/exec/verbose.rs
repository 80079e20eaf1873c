//! `-v`: pfsnoop's own log, without the details of its libraries.

use crate::common::pfsnoop;
use crate::common::running::Running;
use crate::support::exec::run;

#[test]
fn verbose_prints_only_what_pfsnoop_logs() {
    for args in [&["-v", "-T", "-x", "-o", "wide"][..], &["watch", "-v"]] {
        let snoop = Running::start_attached(&mut pfsnoop(args));
        run("/bin/true", &["m-verbose"]);
        let (_, _, stderr) = snoop.interrupt();
        let is_own = |line: &&String| line.contains(" pfsnoop");
        assert!(stderr.iter().all(|line| is_own(&line)), "{args:?}: {stderr:#?}");
        assert!(stderr.len() < 20, "{args:?}: {stderr:#?}");
    }
}
