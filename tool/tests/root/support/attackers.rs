//! What a command line begins with to run a program as an attacker.

/// Runs a program as user nobody.
pub const NOBODY: &[&str] = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/// Runs a program as root of a container with pid, network and mount namespaces of its own.
pub const CONTAINER: &[&str] =
    &["unshare", "--pid", "--fork", "--kill-child", "--net", "--mount", "--mount-proc", "--"];

/// Runs a shell script as root of such a container. The arguments that follow are `$0`, `$1` and so on.
pub fn script_in_container(script: &str) -> Vec<&str> {
    [CONTAINER, &["sh", "-c", script]].concat()
}
