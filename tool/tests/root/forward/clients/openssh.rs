//! OpenSSH: commands, copies and a forward within the forward.

use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use super::route::{Route, run};
use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{eventually, stdout_of, system, text};
use crate::support::forward::get;
use crate::support::netns::in_netns_of;
use crate::support::pod::DemoPod;

const PORT: u16 = 7112;

/// Bytes of a file that is copied: more than what is in flight.
const FILE_SIZE: usize = 5_000_000;

/// sshd needs an empty folder in /run, and accepts no user whose password is locked by `!`. In a mount
/// namespace of its own, both are there and the system stays as it is.
const START: &str = "mount -t tmpfs tmpfs /run && mkdir /run/sshd && \
     mount --bind \"$1/shadow\" /etc/shadow && exec /usr/sbin/sshd -D -e -f \"$1/config\"";

fn key(file: &Path) {
    let file = file.display().to_string();
    stdout_of(system("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &file]));
}

/// A server in the pod that accepts one key.
fn serve(pod: &DemoPod, folder: &TempDir) -> Running {
    let path = folder.path().display();
    key(&folder.join("host"));
    key(&folder.join("key"));
    std::fs::write(folder.join("shadow"), "root:*:19000:0:99999:7:::\n").unwrap();
    let config = format!(
        "Port {PORT}\nListenAddress 127.0.0.1\nHostKey {path}/host\nPidFile none\n\
         AuthorizedKeysFile {path}/key.pub\nStrictModes no\nPermitRootLogin prohibit-password\n\
         PasswordAuthentication no\nUsePAM no\nSubsystem sftp internal-sftp\n"
    );
    std::fs::write(folder.join("config"), config).unwrap();
    pod.serve(PORT, &["unshare", "--mount", "sh", "-c", START, "sh", &path.to_string()])
}

/// `ssh` or `scp` with the key, without the settings of a user.
fn client(route: &Route, folder: &TempDir, program: &str, port_option: &str) -> Command {
    let mut client = route.client(program);
    let key = folder.join("key").display().to_string();
    client.args(["-F", "/dev/null", "-i", &key, port_option, &route.port.to_string()]);
    for option in [
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "LogLevel=ERROR",
    ] {
        client.args(["-o", option]);
    }
    client.env_remove("SSH_AUTH_SOCK");
    client
}

#[test]
fn a_command_has_its_output_and_exit_code() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("ssh-command"));
    let _server = serve(&pod, &folder);
    for route in Route::all(&pod, PORT) {
        let mut ssh = client(&route, &folder, "ssh", "-p");
        let output =
            ssh.args(["root@127.0.0.1", "echo out; echo err >&2; exit 42"]).output().unwrap();
        assert_eq!(output.status.code(), Some(42), "{}: {output:?}", route.name());
        assert_eq!([text(&output.stdout), text(&output.stderr)], ["out\n", "err\n"]);
        route.assert_outcome("ok");
    }
}

#[test]
fn files_are_copied_in_both_directions() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("scp"));
    let _server = serve(&pod, &folder);
    let data: Vec<u8> = (0..FILE_SIZE).map(|n| ((n * n) >> 7).to_le_bytes()[0]).collect();
    std::fs::write(folder.join("sent"), &data).unwrap();
    let name = |file: &str| folder.join(file).display().to_string();
    let remote = |file: &str| format!("root@127.0.0.1:{}", name(file));
    for way in ["direct", "native", "nsenter"] {
        for (from, to) in [(name("sent"), remote("there")), (remote("there"), name("back"))] {
            let route = match way {
                "direct" => Route::direct(&pod, PORT),
                dialer => Route::by(dialer, &pod, PORT),
            };
            run(client(&route, &folder, "scp", "-P").args(["-q", &from, &to]), 0);
            route.assert_outcome("ok");
        }
        for copy in ["there", "back"] {
            assert!(std::fs::read(folder.join(copy)).unwrap() == data, "{copy}, {way}");
            std::fs::remove_file(folder.join(copy)).unwrap();
        }
    }
}

/// `ssh -N -L`, which a signal ends, to the web page of the pod.
#[test]
fn a_forward_within_the_forward_goes_on_until_its_end() {
    const LOCAL: u16 = 7113;
    let (pod, folder) = (DemoPod::start(), TempDir::new("ssh-forward"));
    let _server = serve(&pod, &folder);
    let mut codes = Vec::new();
    for route in Route::all(&pod, PORT) {
        let mut ssh = client(&route, &folder, "ssh", "-p");
        let forward = format!("127.0.0.1:{LOCAL}:127.0.0.1:8080");
        ssh.args(["-N", "-o", "ExitOnForwardFailure=yes", "-L", &forward, "root@127.0.0.1"]);
        let ssh = Running::start(&mut ssh);
        let page = || {
            let listens = std::net::TcpStream::connect(("127.0.0.1", LOCAL)).is_ok();
            listens.then(|| get("127.0.0.1", LOCAL))
        };
        for _ in 0..3 {
            let page = eventually("the listener", || in_netns_of(ssh.pid(), page));
            assert!(page.contains("pfsnoop demo pod"), "{}: {page}", route.name());
        }
        ssh.signal(Signal::TERM);
        let (status, ..) = ssh.end();
        codes.push(status.code());
        // ssh does not read what comes after the signal, and its system then resets the connection.
        for end in route.ends() {
            let outcome = end["outcome"].as_str();
            assert!(matches!(outcome, Some("ok" | "reset")), "{}: {end:#}", route.name());
        }
    }
    // 0 or 255, which depends on the version.
    assert!(codes[0].is_some() && codes.iter().all(|code| *code == codes[0]), "{codes:?}");
}
