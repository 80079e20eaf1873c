//! Many connections whose server does not answer.

use std::net::TcpStream;
use std::time::Duration;

use crate::common::{eventually, stdout_of};
use crate::support::forward::forward;
use crate::support::pod::DemoPod;
use crate::support::processes::cpu_time;

const CLIENTS: usize = 60;

/// Each helper's connection is an event. Without it, pfsnoop would search the files of each socat again and
/// again.
#[test]
fn connections_that_wait_for_socat_cost_no_cpu() {
    let pod = DemoPod::start();
    let drop_syns = ["iptables", "-A", "INPUT", "-p", "tcp", "--dport", "7056", "-j", "DROP"];
    stdout_of(&mut pod.inside(&drop_syns));
    let (forward, locals) = forward(pod.pause, &["--dialer", "nsenter", ":7056"]);
    let connect = || TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    let _clients: Vec<TcpStream> = (0..CLIENTS).map(|_| connect()).collect();
    let is_sent =
        || stdout_of(&mut pod.inside(&["ss", "-Htn", "state", "syn-sent"])).lines().count();
    eventually("the SYNs of all helpers", || (is_sent() == CLIENTS).then_some(()));
    std::thread::sleep(Duration::from_secs(1));
    let before = cpu_time(forward.pid());
    let span = Duration::from_secs(4);
    std::thread::sleep(span);
    let took = cpu_time(forward.pid()).saturating_sub(before);
    assert!(took < span / 40, "{took:?} in {span:?}");
}
