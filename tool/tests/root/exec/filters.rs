//! The filters of `pfsnoop exec`.

use crate::common::running::Running;
use crate::common::{eventually, pfsnoop, stdout_of, system};
use crate::support::cgroup::{self, Cgroup};
use crate::support::exec::{run, run_as, start_exec};

#[test]
fn filters_by_name_line_and_parent() {
    let own = std::process::id().to_string();
    for (n, (args, shown)) in [
        (&["-n", "tru"][..], true),
        (&["-n", "^tru$"], false),
        (&["-n", "^t.ue$"], true),
        (&["-n", "socat"], false),
        (&["-l", "true marked-.*$"], true),
        (&["-l", "nothing like it"], false),
        (&["-P", &own], true),
        (&["-P", "1"], false),
    ]
    .into_iter()
    .enumerate()
    {
        let mut snoop = start_exec(args);
        let mark = format!("marked-{n}");
        run("/bin/true", &[&mark]);
        if shown {
            snoop.stdout_line("row", |line| line.ends_with(&mark));
        }
        let (_, stdout, _) = snoop.interrupt();
        assert_eq!(stdout.iter().any(|line| line.ends_with(&mark)), shown, "{args:?}: {stdout:?}");
    }
}

#[test]
fn filters_by_user_with_0_as_a_valid_user() {
    for (user, uid, other) in
        [("0", 0, 65534), ("root", 0, 65534), ("65534", 65534, 0), ("nobody", 65534, 0)]
    {
        let mut snoop = start_exec(&["-u", user]);
        run_as(other, "/bin/true", &["m-other"]);
        run_as(uid, "/bin/true", &["m-user"]);
        snoop.stdout_line("row", |line| line.ends_with("m-user"));
        let (_, rows, _) = snoop.interrupt();
        assert!(!rows.iter().any(|row| row.ends_with("m-other")), "-u {user}: {rows:#?}");
    }
}

#[test]
fn filters_by_cgroup_including_the_cgroups_below_it() {
    let outer = Cgroup::create("filter");
    let inner = outer.path().join("below");
    std::fs::create_dir(&inner).unwrap();
    let mut snoop = start_exec(&["-c", outer.path().to_str().unwrap()]);
    let enter = "echo $$ > \"$1/cgroup.procs\"; exec /bin/true \"$0\"";
    let root = cgroup::root();
    for (cgroup, mark) in [(&*root, "m-root"), (outer.path(), "m-outer"), (&inner, "m-inner")] {
        stdout_of(system("sh").args(["-c", enter, mark]).arg(cgroup));
    }
    snoop.stdout_line("row of the one below", |line| line.ends_with("m-inner"));
    let (_, rows, _) = snoop.interrupt();
    assert!(rows.iter().any(|row| row.ends_with("m-outer")), "{rows:#?}");
    assert!(!rows.iter().any(|row| row.ends_with("m-root")), "{rows:#?}");
    std::fs::remove_dir(&inner).unwrap();
}

#[test]
fn a_cgroup_that_is_removed_and_made_again_is_followed() {
    let mut cgroup = Cgroup::create("again");
    let path = cgroup.path().to_str().unwrap().to_owned();
    let enter = |mark: &str| {
        let script = "echo $$ > \"$1/cgroup.procs\"; exec /bin/true \"$0\"";
        stdout_of(system("sh").args(["-c", script, mark, &path]));
    };
    let mut snoop = start_exec(&["-c", &path, "--exit"]);
    enter("m-first");
    for round in 1..=2 {
        drop(cgroup);
        let noted = |snoop: &Running, what: &str| {
            let lines = snoop.stderr().into_iter();
            lines.filter(|line| line.contains(&path) && line.contains(what)).count() == round
        };
        eventually("a note", || noted(&snoop, "was removed").then_some(()));
        cgroup = Cgroup::create("again");
        eventually("a note", || noted(&snoop, "was made again").then_some(()));
        let mark = format!("m-again-{round}");
        enter(&mark);
        snoop.stdout_line("row", |line| line.ends_with(&mark));
    }
    let (_, rows, stderr) = snoop.interrupt();
    assert!(rows.iter().any(|row| row.ends_with("m-first")), "{rows:#?}");
    assert_eq!(stderr.len(), 4, "{stderr:#?}");
}

#[test]
fn a_pod_or_container_that_nobody_knows_is_noted() {
    for (args, name) in [
        (&["--container", "m-nobody"][..], "container m-nobody"),
        (&["--pod", "shop/m-nobody"], "pod shop/m-nobody"),
        (&["--pod", "m-nobody", "--container", "\u{1b}x"], r"container \x1bx in the pod m-nobody"),
        (&["watch", "--pod", "m-nobody"], "pod m-nobody"),
    ] {
        let mut snoop = Running::start(&mut pfsnoop(args));
        snoop.stderr_line("a note", |line| line.contains("note: ") && line.contains(name));
        assert!(snoop.interrupt().0.success());
    }
}
