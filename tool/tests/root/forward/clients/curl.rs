//! curl and a server of HTTP/1.1.

use std::process::Command;

use super::route::{Route, run};
use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{stdout_of, system};
use crate::support::pod::DemoPod;

const PORT: u16 = 7114;

fn serve(pod: &DemoPod) -> Running {
    let port = PORT.to_string();
    pod.serve(PORT, &["python3", "-c", include_str!("http_server.py"), &port])
}

/// curl without the settings of a user.
fn curl(route: &Route, args: &[&str], paths: &[&str]) -> Command {
    let mut curl = route.client("curl");
    curl.args(["-q", "--silent", "--show-error", "--noproxy", "*"]).args(args);
    curl.args(paths.iter().map(|path| format!("http://127.0.0.1:{}{path}", route.port)));
    curl
}

/// curl counts the connections that it makes.
#[test]
fn requests_share_a_connection() {
    let pod = DemoPod::start();
    let _server = serve(&pod);
    for route in Route::all(&pod, PORT) {
        let count = ["--write-out", "%{num_connects} new\n"];
        let said = run(&mut curl(&route, &count, &["/one", "/two", "/three"]), 0);
        let expected = "page /one\n1 new\npage /two\n0 new\npage /three\n0 new\n";
        assert_eq!(said, expected, "{}", route.name());
        route.assert_outcome("ok");
    }
}

/// `CURLE_RECV_ERROR`: no part may look like all of it.
#[test]
fn a_server_that_resets_in_the_middle_of_a_body_gives_exit_code_56() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("curl-reset"));
    let _server = serve(&pod);
    let body = folder.join("body").display().to_string();
    for route in Route::all(&pod, PORT) {
        run(&mut curl(&route, &["--output", &body], &["/reset"]), 56);
        let received = std::fs::metadata(&body).unwrap().len();
        assert_eq!(received, 500_000, "{}: what came before the reset", route.name());
        route.assert_outcome("reset");
    }
}

#[test]
fn a_large_body_arrives_whole() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("curl-large"));
    let _server = serve(&pod);
    let body = folder.join("body");
    let name = body.display().to_string();
    let kilobyte: Vec<u8> = (0..1000).map(|n| u8::try_from(n % 251).unwrap()).collect();
    for route in Route::all(&pod, PORT) {
        run(&mut curl(&route, &["--output", &name], &["/large"]), 0);
        let received = std::fs::read(&body).unwrap();
        assert_eq!(received.len(), 20_000_000, "{}", route.name());
        assert!(received.chunks(1000).all(|chunk| chunk == kilobyte), "{}", route.name());
        route.assert_outcome("ok");
    }
}

/// curl waits for `100 Continue` before it sends the body.
#[test]
fn an_upload_that_waits_for_continue_arrives_whole() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("curl-upload"));
    let _server = serve(&pod);
    let file = folder.join("file");
    std::fs::write(&file, (0..5_000_000_u32).map(|n| (n % 253) as u8).collect::<Vec<_>>()).unwrap();
    let name = file.display().to_string();
    let digest = stdout_of(system("sha256sum").arg(&file));
    let digest = digest.split(' ').next().unwrap();
    let args = ["--verbose", "--expect100-timeout", "60", "--header", "Expect: 100-continue", "-T"];
    for route in Route::all(&pod, PORT) {
        let mut upload = curl(&route, &[&args[..], &[&name]].concat(), &["/file"]);
        let output = upload.output().unwrap();
        let [stdout, stderr] =
            [&output.stdout, &output.stderr].map(|bytes| crate::common::text(bytes));
        assert!(output.status.success(), "{}: {stderr}", route.name());
        assert_eq!(stdout, format!("5000000 {digest} 100-continue\n"), "{}", route.name());
        assert!(stderr.contains("< HTTP/1.1 100 Continue"), "{stderr}");
        route.assert_outcome("ok");
    }
}
