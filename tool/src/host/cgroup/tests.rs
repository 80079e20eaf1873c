use super::*;
use crate::model::{ContainerRef, Placement};

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OUTER: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
const UID: &str = "12345678-9abc-def0-1234-56789abcdef0";

fn place(path: &str) -> (Option<&'static str>, bool) {
    let path = path.replace("%C", ID).replace("%O", OUTER);
    let path = path.replace("%S", &UID.replace('-', "_")).replace("%U", UID);
    let placement = parse(format!("0::{path}\n").as_bytes());
    if let Some(id) = placement.container_id() {
        assert_eq!(id, ID, "{path}");
    }
    let in_pod = placement.pod_uid.map(|uid| assert_eq!(uid, UID, "{path}")).is_some();
    (placement.container.map(|container| container.runtime), in_pod)
}

#[test]
fn the_paths_of_every_runtime_are_known() {
    for (path, runtime, in_pod) in [
        ("/system.slice/docker-%C.scope", "docker", false),
        ("/docker/%C", "docker", false),
        ("/docker/%C/init.scope", "docker", false),
        ("/kubepods.slice/kubepods-pod%S.slice/cri-containerd-%C.scope", "containerd", true),
        (
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod%S.slice/docker-%C.scope",
            "docker",
            true,
        ),
        ("/kubepods/besteffort/pod%U/%C", "unknown", true),
        ("/kubepods/pod%U/%C", "unknown", true),
        (
            "/system.slice/containerd.service/kubepods-besteffort-pod%S.slice:cri-containerd:%C",
            "containerd",
            true,
        ),
        ("/k8s.io/%C", "containerd", false),
        ("/kubepods.slice/kubepods-pod%S.slice/crio-%C.scope", "cri-o", true),
        ("/kubepods.slice/kubepods-pod%S.slice/crio-%C.scope/container", "cri-o", true),
        ("/machine.slice/libpod-%C.scope/container", "podman", false),
        ("/libpod_parent/libpod-%C", "podman", false),
        ("/libpod_parent/%O/libpod-%C", "podman", false),
        ("/machine.slice/machine-libpod_pod_%O.slice/libpod-%C.scope/container", "podman", false),
        ("/system.slice/web.service/libpod-payload-%C", "podman", false),
        ("/system.slice/web.service/libpod-payload-%C/container", "podman", false),
        (
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-%C.scope",
            "podman",
            false,
        ),
        ("/system.slice/nerdctl-%C.scope", "containerd", false),
        (
            "/user.slice/user-1000.slice/user@1000.service/user.slice/user-libpod_pod_%O.slice/libpod-%C.scope/container",
            "podman",
            false,
        ),
        // The monitor of a pod of Podman in a container of Docker.
        ("/docker/%C/libpod_parent/%O/conmon", "docker", false),
        ("/docker/%O/kubelet/kubepods/burstable/pod%U/%C", "unknown", true),
        (
            "/docker/%O/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod%S.slice/cri-containerd-%C.scope",
            "containerd",
            true,
        ),
    ] {
        let (found, pod) = place(path);
        assert_eq!(found, Some(runtime), "{path}");
        assert_eq!(pod, in_pod, "{path}");
    }
}

#[test]
fn paths_of_the_host_name_no_container() {
    for path in [
        "/",
        "",
        "/user.slice/user-0.slice/session-1.scope",
        "/system.slice/docker.service",
        "/system.slice/crio-conmon-%C.scope",
        "/libpod_parent/conmon",
        "/libpod_parent/%C/conmon",
        "/machine.slice/libpod-conmon-%C.scope",
        "/system.slice/web.service/runtime",
        "/kubepods.slice",
        "/docker/short",
        "/../../x",
    ] {
        assert_eq!(place(path), (None, false), "{path}");
    }
}

#[test]
fn a_name_that_the_kernel_programs_send_whole_is_enough() {
    let slice = format!("kubepods-besteffort-pod{}.slice", UID.replace('-', "_"));
    for name in [
        format!("cri-containerd-{ID}.scope"),
        ID.to_owned(),
        format!("libpod-payload-{ID}"),
        format!("{slice}:cri-containerd:{ID}"),
    ] {
        assert!(name.len() < pfsnoop_common::record::MAX_CGROUP_NAME, "{name}");
        assert_eq!(of_name(name.as_bytes()).container_id(), Some(ID), "{name}");
    }
    assert_eq!(of_name(b"\xff"), Placement::default());
}

#[test]
fn cgroup_v1_names_the_container_in_any_hierarchy() {
    let text =
        format!("12:pids:/docker/{ID}\n11:cpu,cpuacct:/\n1:name=systemd:/docker/{ID}\n0::/\n");
    assert_eq!(
        parse(text.as_bytes()).container,
        Some(ContainerRef { id: ID.to_owned(), runtime: "docker" })
    );
}

#[test]
fn a_process_that_has_ended_has_no_placement() {
    assert_eq!(placement_of(u32::MAX), None);
    assert!(placement_of(std::process::id()).is_some());
}

proptest::proptest! {
    #[test]
    fn any_bytes_can_be_parsed(text: Vec<u8>, path in "(/|:|pod|kubepods|-|docker-|[0-9a-f]{32,64}|\\.scope|\\.slice|\n|ü|\\PC)*") {
        let _ = parse(&text);
        let placement = parse(format!("0::{path}").as_bytes());
        if let Some(id) = placement.container_id() {
            let digits = id.bytes().filter(u8::is_ascii_hexdigit).count();
            proptest::prop_assert_eq!((digits, id.len()), (64, 64));
        }
    }
}
