//! Arguments that name the process of a container: anybody can write them.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::running::Running;
use crate::common::{output, pfsnoop};
use crate::support::cgroup::Cgroup;
use crate::support::exec::start_exec;
use crate::support::impostors::{Attacker, Impostors};
use crate::support::records::wait_for_record;

/// A process in a container with that id.
struct Victim {
    process: Running,
    _cgroup: Cgroup,
}

impl Victim {
    fn start(id: &str) -> Self {
        let cgroup = Cgroup::named(id);
        let process = Running::start(Command::new("sleep").arg("60"));
        std::fs::write(cgroup.path().join("cgroup.procs"), process.pid().to_string()).unwrap();
        Self { process, _cgroup: cgroup }
    }
}

/// An id of a container that no other test uses.
fn id(digit: char) -> String {
    format!("{:032x}", std::process::id()) + &digit.to_string().repeat(32)
}

fn exec_of(snoop: &Running, port: u16) -> Value {
    let address = format!("TCP4:localhost:{port}");
    wait_for_record(snoop, &address, |one| {
        one["type"] == "exec"
            && one["comm"] == "nsenter"
            && one["args"].to_string().contains(&address)
    })
}

#[test]
fn an_nsenter_of_nobodys_does_not_belong_to_the_container_that_it_names() {
    let (id, impostors) = (id('9'), Impostors::new("claims"));
    let victim = Victim::start(&id);
    let json = Running::start_attached(&mut pfsnoop(&["-o", "json", "-v"]));
    let wide = start_exec(&["-o", "wide"]);
    let only = start_exec(&["--container", &id[..12]]);
    for (attacker, port) in [(Attacker::Nobody, 5520), (Attacker::Container, 5521)] {
        let mut forward = impostors.forward(attacker, victim.process.pid(), port);
        output(forward.env("IMPOSTOR", "exit").stdin(Stdio::null()));
        let exec = exec_of(&json, port);
        assert_eq!([exec.get("container"), exec.get("pod")], [None, None], "{exec:#}");
        assert_eq!(exec.get("claimed"), None, "{exec:#}");
    }
    // Root may enter: its claim is shown as one.
    let mut forward = impostors.forward(Attacker::Root, victim.process.pid(), 5522);
    output(forward.env("IMPOSTOR", "exit").stdin(Stdio::null()));
    let exec = exec_of(&json, 5522);
    assert_eq!(exec["container"]["id"], id, "{exec:#}");
    assert_eq!(exec["claimed"], true, "{exec:#}");
    let rows = wide.interrupt().1;
    let row = |port: &str| {
        let is_it = |row: &&String| row.contains(" nsenter ") && row.contains(port);
        rows.iter().find(is_it).unwrap_or_else(|| panic!("no {port} in {rows:#?}"))
    };
    assert!(!row(":5520").contains(&id[..12]) && !row(":5521").contains(&id[..12]), "{rows:#?}");
    assert!(row(":5522").contains(&format!("{}?", &id[..12])), "{rows:#?}");
    let rows = only.interrupt().1;
    assert!(!rows.iter().any(|row| row.contains(":5520") || row.contains(":5521")), "{rows:#?}");
}
