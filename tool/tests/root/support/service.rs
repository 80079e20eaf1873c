//! The address of a Kubernetes service on an interface, as kube-proxy in IPVS mode makes it: who
//! connects to it reaches a pod of the service.

use super::netns::process_in_new_netns;
use crate::common::running::Running;
use crate::common::{eventually, stdout_of, system};

/// The address of the service.
pub const ADDRESS: &str = "10.96.7.7";

/// What the service's pod answers.
pub const ANSWER: &str = "the service";

/// A service whose address is on an interface inside a network namespace. This kernel need not have
/// IPVS: DNAT leads to the pod.
pub struct Service {
    _pod: Running,
    _server: Running,
}

impl Service {
    /// Makes the service at a port, inside the namespace of this process.
    pub fn start(pid: u32, port: u16) -> Self {
        let pod = process_in_new_netns();
        let inside = |pid: u32, script: &str| {
            let mut enter = system("nsenter");
            enter.args(["-t", &pid.to_string(), "-n", "sh", "-c", script]);
            enter
        };
        let ends = format!("ip link add svc0 type veth peer name eth0 netns {}", pod.pid());
        let dnat = format!(
            "iptables -t nat -A OUTPUT -p tcp -d {ADDRESS} --dport {port} -j DNAT --to 10.97.7.2"
        );
        let near = "ip address add 10.97.7.1/24 dev svc0 && ip link set svc0 up";
        let service = format!("ip address add {ADDRESS}/32 dev svc0");
        stdout_of(&mut inside(pid, &format!("{ends} && {near} && {service} && {dnat}")));
        let far = "ip address add 10.97.7.2/24 dev eth0 && ip link set eth0 up && \
                   ip route add default via 10.97.7.1";
        stdout_of(&mut inside(pod.pid(), far));
        let listen = format!("socat TCP4-LISTEN:{port},fork SYSTEM:'echo {ANSWER}'");
        let server = Running::start(&mut inside(pod.pid(), &format!("exec {listen}")));
        let service = Self { _pod: pod, _server: server };
        let connect = format!("socat -u TCP4:{ADDRESS}:{port} -");
        eventually("the service", || {
            let mut connect = inside(pid, &connect);
            let answer = crate::common::output(&mut connect).stdout;
            (answer == format!("{ANSWER}\n").as_bytes()).then_some(())
        });
        service
    }
}
