//! A forward to a container of a real Docker daemon.

use crate::common::{eventually, output, stdout_of, system, text};
use crate::support::docker::Docker;
use crate::support::forward::forward;
use crate::support::image::serve;

#[test]
fn a_forward_to_a_containers_pid_serves_curl() {
    let docker = Docker::start("forward");
    let pid = docker.run("web", &serve("from the container", 8080));
    let (mut forward, locals) = forward(pid, &[":8080"]);
    let url = format!("http://127.0.0.1:{}/", locals[0]);
    let page = eventually("the container's web server", || {
        let curl = output(system("curl").args(["--silent", "--fail", &url]));
        curl.status.success().then(|| text(&curl.stdout))
    });
    assert_eq!(page, "from the container\n");
    forward.stdout_line("nsenter's row", |line| {
        line.contains(&format!("/usr/bin/nsenter -t {pid} -n "))
    });
    docker.kill("web");
    // Nothing takes the place of a process.
    assert_eq!(forward.wait().code(), Some(1));
    forward.stderr_line("the end of the target", |line| line.contains("has ended"));
    let curl = output(system("curl").args(["--silent", &url]));
    assert!(!curl.status.success());
    stdout_of(docker.client().arg("info"));
}
