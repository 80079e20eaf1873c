//! The command that lets a process find nsenter or socat.
//!
//! A fix is pasted into root's shell. None runs a program of a container's with root's rights on the
//! node, so none enters the mount namespace of a process that is not surely the node's own.

use super::facts::daemons::{Daemon, unit_of};
use super::facts::distribution::Packages;
use super::facts::place::Place;
use super::facts::programs::{ProgramSearch, USUAL_PATH};
use super::search_path::own_search;
use crate::output::{operand, quoted};

/// The command that lets pfsnoop itself find a program that it does not find.
pub(super) fn fix_for_pfsnoop(program: &str) -> String {
    match own_search() {
        Ok(own) if !own.found(program).is_installed => own.packages.install(program),
        _ => export_path(),
    }
}

/// The command by which pfsnoop finds the programs of the system first.
pub(super) fn export_path() -> String {
    format!("export PATH={USUAL_PATH}")
}

/// What lets a daemon find a program that it does not find: a command or, where none is safe, words
/// behind a `#`.
pub(super) fn fix_for_daemon(program: &str, daemon: &Daemon, search: &ProgramSearch) -> String {
    let Daemon { pid, name, place, .. } = daemon;
    let is_installed = search.found(program).is_installed;
    match place {
        Place::Node if is_installed => extend_path_of(name),
        Place::Node => search.packages.install(program),
        Place::NodeOutside => {
            let fix =
                if is_installed { extend_path_of(name) } else { search.packages.install(program) };
            on_node(&fix)
        }
        Place::Container { id, runtime } if !is_installed => {
            install_in(program, id, runtime, search.packages)
        }
        Place::Container { .. } => format!(
            "# {program} is installed in {}: add its folder to the PATH of {name} there",
            describe(place).unwrap_or_default()
        ),
        Place::Elsewhere | Place::Unknown => format!(
            "# install {program} where {name} (pid {pid}) looks for it: among its own files, which are \
             not surely the node's"
        ),
    }
}

/// The command that runs another one on the node, from a container that shares the node's pid
/// namespace.
pub(super) fn on_node(command: &str) -> String {
    if command.starts_with('#') {
        // Words are for the reader, who knows where.
        return command.to_owned();
    }
    format!("nsenter -t 1 -m sh -c {}", quoted(command))
}

/// The command by which the runtime itself installs a program in a container, with no more rights than
/// the container has.
fn install_in(program: &str, id: &str, runtime: &str, packages: Packages) -> String {
    let client = match runtime {
        "docker" | "podman" => runtime,
        "containerd" | "cri-o" => "crictl",
        _ => "",
    };
    if client.is_empty() || packages == Packages::Unknown {
        return format!("# install {program} in the image of container {}", quoted(id));
    }
    format!("{client} exec {} {}", operand(id), packages.install(program))
}

/// ` in container 0123456789ab (docker)`, for a process in a container; for another one that is not
/// surely the node's own, that.
pub(super) fn describe(place: &Place) -> Option<String> {
    match place {
        Place::Node | Place::NodeOutside | Place::Unknown => None,
        Place::Container { id, runtime } => {
            let short = id.get(..12).filter(|_| id.len() == 64).unwrap_or(id);
            let runtime = if runtime == "unknown" { "of an unknown runtime" } else { runtime };
            Some(format!("container {short} ({runtime})"))
        }
        Place::Elsewhere => Some("namespaces or files that are not the node's".to_owned()),
    }
}

/// The command that gives a daemon's systemd unit a longer `PATH`.
pub(super) fn extend_path_of(daemon: &str) -> String {
    let unit = unit_of(daemon);
    let folder = format!("/etc/systemd/system/{unit}.service.d");
    let lines = quoted(&format!("[Service]\nEnvironment=PATH={USUAL_PATH}\n"));
    format!(
        "mkdir -p {folder} && printf {lines} > {folder}/path.conf && systemctl daemon-reload \
         && systemctl restart {unit}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_gets_the_command_of_its_runtime_or_words() {
        let id = "abc; touch /tmp/x #";
        let install = |runtime, packages| install_in("socat", id, runtime, packages);
        assert_eq!(
            install("docker", Packages::Apt),
            "docker exec 'abc; touch /tmp/x #' apt-get install socat"
        );
        assert_eq!(
            install("containerd", Packages::Apk),
            "crictl exec 'abc; touch /tmp/x #' apk add socat"
        );
        for (runtime, packages) in [("lxc", Packages::Apt), ("docker", Packages::Unknown)] {
            assert!(install(runtime, packages).starts_with("# "), "{runtime}");
        }
    }

    #[test]
    fn a_command_runs_on_the_node_and_words_stay_words() {
        let on_node = |packages: Packages| on_node(&packages.install("socat"));
        assert_eq!(on_node(Packages::Apt), "nsenter -t 1 -m sh -c 'apt-get install socat'");
        assert!(on_node(Packages::Unknown).starts_with("# "));
    }
}
