//! How a kubelet forwards, by its flags, its configuration and its version.

use std::fs::OpenOptions;
use std::io::Write as _;

use crate::support::doctor::severity;
use crate::support::stand_in::StandIn;

const ENDPOINT: &str = "unix:///run/containerd/containerd.sock";

/// A shell in the place of a kubelet: it accepts a kubelet's flags.
fn kubelet(test: &str) -> StandIn {
    let kubelet = StandIn::new("kubelet", test);
    std::fs::copy("/bin/bash", kubelet.path()).unwrap();
    kubelet
}

/// Runs the kubelet without socat in its PATH. Returns the severity of that: a note if its container
/// runtime forwards.
fn severity_of(kubelet: &StandIn, before: &str, flags: &str) -> String {
    let sleep = "-c 'read -t 100 <> <(:); :'";
    let start = format!("{before} PATH=/nonexistent exec DAEMON {sleep} kubelet {flags}");
    let (findings, _) = kubelet.examine(&start);
    severity(&findings, "helper.socat", "kubelet (pid ").to_owned()
}

#[test]
fn the_configuration_names_the_runtime_as_json_and_as_yaml() {
    let kubelet = kubelet("kubelet-config");
    let file = kubelet.dir().join("config");
    for (text, expected) in [
        (
            format!("{{\n\t\"kind\": \"x\",\n\t\"containerRuntimeEndpoint\": \"{ENDPOINT}\"\n}}\n"),
            "note",
        ),
        (format!("  kind: x\n  containerRuntimeEndpoint: {ENDPOINT}\n"), "note"),
        (format!("---\nkind: x\n'containerRuntimeEndpoint':\n  {ENDPOINT}\n"), "note"),
        ("kind: x\ncontainerRuntimeEndpoint: ''\n".to_owned(), "fail"),
        (format!("kind: x\nother:\n  containerRuntimeEndpoint: {ENDPOINT}\n"), "fail"),
    ] {
        std::fs::write(&file, &text).unwrap();
        let flags = format!("--config={}", file.display());
        assert_eq!(severity_of(&kubelet, "", &flags), expected, "{text}");
        // A relative path begins at the folder in which the kubelet runs.
        let cd = format!("cd {};", kubelet.dir().display());
        assert_eq!(severity_of(&kubelet, &cd, "--config ../$(basename $PWD)/config"), expected);
    }
}

#[test]
fn the_configuration_is_read_where_the_kubelet_sees_it() {
    let kubelet = kubelet("kubelet-mounts");
    let dir = kubelet.dir().display();
    let write = format!("echo containerRuntimeEndpoint: {ENDPOINT} > /mnt/kubelet.yaml");
    // In a mount namespace of its own.
    let unshare = format!("unshare --mount bash -c 'mount -t tmpfs none /mnt; {write}; cd /mnt;");
    let quoted = |flag: &str| {
        let start = format!(
            "{unshare} PATH=/nonexistent exec DAEMON -c \"read -t 100 <> <(:); :\" kubelet {flag}'"
        );
        let (findings, _) = kubelet.examine(&start);
        severity(&findings, "helper.socat", "kubelet (pid ").to_owned()
    };
    assert_eq!(quoted("--config=/mnt/kubelet.yaml"), "note");
    assert_eq!(quoted("--config=kubelet.yaml"), "note");
    assert_eq!(quoted("--config=/mnt/other.yaml"), "fail");

    // In a chroot, in which the node's files are below another folder.
    let root = format!("{dir}/root");
    let chroot = format!(
        "unshare --mount bash -c 'mkdir -p {root}; mount --rbind / {root}; \
         mount -t tmpfs none {root}/mnt; cd {root}; \
         exec chroot {root} bash -c \"{write}; cd /mnt; PATH=/nonexistent exec DAEMON \
         -c \\\"read -t 100 <> <(:); :\\\" kubelet --config kubelet.yaml\"'"
    );
    let (findings, _) = kubelet.examine(&chroot);
    assert_eq!(severity(&findings, "helper.socat", "kubelet (pid "), "note", "{findings:#?}");
}

#[test]
fn the_version_decides_if_no_runtime_is_named() {
    for (package, expected) in [
        ("k8s.io/kubernetes/pkg/kubelet/dockershim", "fail"),
        ("k8s.io/kubernetes/pkg/kubelet/kuberuntime", "note"),
    ] {
        let kubelet = kubelet("kubelet-version");
        // The name of a function, as in the program of a kubelet.
        let mut program = OpenOptions::new().append(true).open(kubelet.path()).unwrap();
        write!(program, "\0{package}.(*service).PortForward\0").unwrap();
        drop(program);
        for flags in ["-v 2", "--config=/nonexistent", "--container-runtime-endpoint="] {
            assert_eq!(severity_of(&kubelet, "", flags), expected, "{package} {flags}");
        }
        let docker = "--container-runtime=docker --network-plugin=cni";
        assert_eq!(severity_of(&kubelet, "", docker), "fail", "{package}");
        assert_eq!(severity_of(&kubelet, "", "--container-runtime=remote"), "note", "{package}");
    }
    let kubelet = kubelet("kubelet-flags");
    // Only versions from 1.28 on have drop-ins.
    assert_eq!(severity_of(&kubelet, "", "--config-dir /etc/kubernetes/kubelet.d"), "note");
    assert_eq!(severity_of(&kubelet, "", "--network-plugin=cni"), "fail");
}
