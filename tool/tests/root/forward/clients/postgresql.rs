//! PostgreSQL: `psql` over TLS.

use std::path::PathBuf;
use std::process::Command;

use super::route::{Route, run};
use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{stdout_of, system};
use crate::support::pod::DemoPod;

const PORT: u16 = 7110;

/// The folder of the newest server, which Debian keeps out of `PATH`.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let servers = versions.map(|version| version.path().join("bin"));
    let newest = servers.filter(|folder| folder.join("initdb").is_file()).max();
    newest.expect("PostgreSQL's server is missing; run `cargo xtask setup`")
}

/// A server with TLS in the pod. It does not run as root.
fn serve(pod: &DemoPod, folder: &TempDir) -> Running {
    std::os::unix::fs::chown(folder.path(), Some(user_id()), None).unwrap();
    let data = folder.join("data").display().to_string();
    let initdb = programs().join("initdb").display().to_string();
    as_postgres(&[&initdb, "-D", &data, "-A", "trust", "--locale=C", "--no-sync"]);
    let (key, certificate) = (format!("{data}/server.key"), format!("{data}/server.crt"));
    as_postgres(&[
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        &key,
        "-out",
        &certificate,
    ]);
    let postgres = programs().join("postgres").display().to_string();
    let port = PORT.to_string();
    pod.serve(
        PORT,
        &[
            "setpriv",
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            &postgres,
            "-D",
            &data,
            "-p",
            &port,
            "-c",
            "ssl=on",
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "fsync=off",
        ],
    )
}

fn user_id() -> u32 {
    stdout_of(system("id").args(["-u", "postgres"])).trim().parse().unwrap()
}

fn as_postgres(args: &[&str]) {
    let mut command = system("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).args(args);
    stdout_of(command.current_dir("/"));
}

/// `psql` that must use TLS, without the settings of a user.
fn psql(route: &Route, query: &str) -> Command {
    let mut psql = route.client("psql");
    let port = route.port;
    let server =
        format!("host=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=require");
    psql.args(["--no-psqlrc", "--no-align", "--tuples-only", "-v", "ON_ERROR_STOP=1"]);
    psql.args(["-c", query, &server]);
    psql
}

/// When `psql` leaves, the server closes its socket before it has read the last message of TLS
/// (`close_notify`), which resets the connection. That is a good end if the reset comes after the
/// client's end, as it usually does. On a busy machine the server can be faster than the client. Then
/// the connection was reset, and the same happens without a forward.
#[test]
fn a_query_over_tls_ends_well() {
    const TRIES: usize = 10;
    let (pod, folder) = (DemoPod::start(), TempDir::new("postgresql"));
    let _server = serve(&pod, &folder);
    let select = "select 1, ssl from pg_stat_ssl where pid = pg_backend_pid()";
    let direct = Route::direct(&pod, PORT);
    assert_eq!(run(&mut psql(&direct, select), 0), "1|t\n");
    for dialer in ["native", "nsenter"] {
        let ends = (0..TRIES).map(|_| {
            let route = Route::by(dialer, &pod, PORT);
            assert_eq!(run(&mut psql(&route, select), 0), "1|t\n", "{dialer}");
            route.ends()
        });
        let mut seen = Vec::new();
        for ends in ends {
            let outcomes = [&ends[0], &ends[1]].map(|end| end["outcome"].as_str().unwrap());
            // Only the forwarder sees that the client's end has come when the reset overtakes it.
            assert!(outcomes != ["reset", "ok"], "{ends:#?}");
            assert!(outcomes.iter().all(|outcome| ["ok", "reset"].contains(outcome)), "{ends:#?}");
            seen.push(outcomes.map(ToOwned::to_owned));
            if outcomes == ["ok", "ok"] {
                break;
            }
        }
        assert_eq!(seen.last().unwrap(), &["ok", "ok"], "{dialer}: {seen:?}");
    }
}

#[test]
fn a_large_result_arrives_whole() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("postgresql-large"));
    let _server = serve(&pod, &folder);
    for route in Route::all(&pod, PORT) {
        let large = run(&mut psql(&route, "select repeat('x', 3000000)"), 0);
        assert_eq!(large.len(), 3_000_001, "{}", route.name());
        for end in route.ends() {
            assert!(end["bytes_from_pod"].as_u64().unwrap() > 3_000_000, "{end:#}");
        }
    }
}

#[test]
fn a_query_that_fails_is_the_clients_error_and_not_the_connections() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("postgresql-error"));
    let _server = serve(&pod, &folder);
    for route in Route::all(&pod, PORT) {
        assert_eq!(run(&mut psql(&route, "select 1 / 0"), 1), "", "{}", route.name());
        assert_not_the_targets_fault(&route);
    }
}

/// The end of the client may come before the server's reset, or after it.
fn assert_not_the_targets_fault(route: &Route) {
    for end in route.ends() {
        assert!(["ok", "reset"].contains(&end["outcome"].as_str().unwrap()), "{end:#}");
    }
}

/// An administrator ends the session: the server says so, and the session's process exits with 1.
#[test]
fn a_session_that_the_server_ends_fails_in_the_same_way() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("postgresql-end"));
    let _server = serve(&pod, &folder);
    let end = "select pg_terminate_backend(pg_backend_pid())";
    for route in Route::all(&pod, PORT) {
        let output = psql(&route, end).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}: {output:?}", route.name());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("terminating connection due to administrator"), "{stderr}");
        assert_not_the_targets_fault(&route);
    }
}
