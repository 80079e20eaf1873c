use pfsnoop_common::cgroup::{NAME_SIZE, Name};

use super::*;
use crate::host::process::ProcessFacts;
use crate::model::{ContainerRef, NamedFolder, Placement};

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OUTER: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
const UID: &str = "12345678-9abc-def0-1234-56789abcdef0";

fn place(path: &str) -> (Option<&'static str>, bool) {
    let path = path.replace("%C", ID).replace("%O", OUTER);
    let path = path.replace("%S", &UID.replace('-', "_")).replace("%U", UID);
    let placement = parse(format!("0::{path}\n").as_bytes());
    let by_record = of_record(&record_of(&path));
    assert_eq!(by_record.container, placement.container, "{path}, by the record");
    if placement.container.is_some() {
        assert_eq!(by_record, placement, "{path}, by the record");
    }
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
        // A systemd inside of a container, and a deeper folder still.
        ("/docker/%C/system.slice/web.service", "docker", false),
        (
            "/docker/%C/user.slice/user-0.slice/user@0.service/app.slice/web.service",
            "docker",
            false,
        ),
        ("/docker/%C/system.slice/lxcfs.service", "docker", false),
        ("/ecs/0123456789abcdef0123456789abcdef/%C", "unknown", false),
        (
            "/ecstasks.slice/ecstasks-0123456789abcdef0123456789abcdef.slice/docker-%C.scope",
            "docker",
            false,
        ),
    ] {
        let (found, pod) = place(path);
        assert_eq!(found, Some(runtime), "{path}");
        assert_eq!(pod, in_pod, "{path}");
    }
}

#[test]
fn containers_that_have_names_are_known() {
    let task = "0123456789abcdef0123456789abcdef-1234567890";
    for (path, id, runtime) in [
        (format!("/ecs/0123456789abcdef0123456789abcdef/{task}"), task, "ecs"),
        (format!("/ecs/0123456789abcdef0123456789abcdef/{task}/init.scope"), task, "ecs"),
        ("/lxc.payload.web/init.scope".to_owned(), "web", "lxc"),
        ("/lxc.payload.shop_web-1".to_owned(), "shop_web-1", "lxc"),
        ("/lxc.payload/web/system.slice/cron.service".to_owned(), "web", "lxc"),
        ("/lxc/web".to_owned(), "web", "lxc"),
        ("/lxc/web/lxc.payload.inner/x".to_owned(), "inner", "lxc"),
        (
            "/machine.slice/systemd-nspawn@web.service/payload/init.scope".to_owned(),
            "web",
            "systemd-nspawn",
        ),
        (
            "/machine.slice/systemd-nspawn@web\\x2d1.service/payload".to_owned(),
            "web-1",
            "systemd-nspawn",
        ),
        ("/machine.slice/machine-web\\x2d1.scope/payload".to_owned(), "web-1", "systemd-nspawn"),
        ("/machine.slice/machine-web.scope".to_owned(), "web", "systemd-nspawn"),
    ] {
        let expected = Some(ContainerRef { id: id.to_owned(), runtime });
        assert_eq!(of_path(&path).container, expected, "{path}");
        assert_eq!(of_record(&record_of(&path)).container, expected, "{path}, by the record");
    }
}

/// What the kernel programs send for a path (`tool-ebpf/src/cgroup.rs`).
fn record_of(path: &str) -> Vec<u8> {
    let upwards: Vec<&str> = path.rsplit('/').filter(|folder| !folder.is_empty()).collect();
    let found = upwards.iter().position(|folder| {
        let mut name = [b'-'; NAME_SIZE];
        name[..folder.len()].copy_from_slice(folder.as_bytes());
        name[folder.len()] = 0;
        Name::from(name).may_be_containers(folder.len())
    });
    let Some(found) = found else { return Vec::new() };
    let around = &upwards[found.saturating_sub(1)..];
    // The name of the root is empty.
    around.iter().chain([&""]).flat_map(|folder| [folder.as_bytes(), b"/"].concat()).collect()
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
        "/lxc",
        "/lxc.monitor.web",
        "/lxc.monitor/web",
        "/system.slice/lxcfs.service",
        "/machine.slice/systemd-nspawn@web.service/supervisor",
        "/machine.slice/machine-web.scope/supervisor",
        r"/machine.slice/machine-qemu\x2d1\x2dweb.scope/libvirt/emulator",
        "/machine.slice/machine.slice",
        "/system.slice/0123456789abcdef0123456789abcdef-web",
        "/system.slice/systemd-nspawn@.service",
        "/docker/short",
        "/../../x",
    ] {
        assert_eq!(place(path), (None, false), "{path}");
    }
}

#[test]
fn what_is_cut_or_no_text_names_no_container() {
    assert_eq!(of_record(b"\xff"), Placement::default());
    assert_eq!(of_record(b""), Placement::default());
    let inside = [b"\xff/", record_of(&format!("/docker/{ID}")).as_slice()].concat();
    assert_eq!(of_record(&inside).container_id(), Some(ID), "whatever is inside of it");
    let inside = [b"0::/docker/", ID.as_bytes(), b"/\xff\n"].concat();
    assert_eq!(parse(&inside).container_id(), Some(ID));
    let cut = of_record(format!("init.scope/docker-{ID}.scope/").as_bytes());
    assert_eq!(cut.container_id(), Some(ID), "the outer folders are missing");
    assert_eq!(cut.container_folder, NamedFolder { path: None, is_delegated: true });
}

/// The path of the folder that names the container, and whether anybody may have named it.
fn folder(path: &str) -> (String, bool) {
    let folder = of_path(&path.replace("%C", ID).replace("%O", OUTER)).container_folder;
    (folder.path.unwrap().replace(ID, "%C").replace(OUTER, "%O"), folder.is_delegated)
}

#[test]
fn a_folder_of_a_user_or_inside_of_a_container_proves_nothing() {
    for (path, named, is_delegated) in [
        ("/docker/%C/init.scope", "/docker/%C", false),
        ("/system.slice/docker-%C.scope/user.slice/x", "/system.slice/docker-%C.scope", false),
        ("/docker/%O/docker/%C", "/docker/%O/docker/%C", true),
        ("/docker/%O/kubepods/%C/x", "/docker/%O/kubepods/%C", true),
        (
            "/user.slice/user-1000.slice/user@1000.service/docker-%C.scope",
            "/user.slice/user-1000.slice/user@1000.service/docker-%C.scope",
            true,
        ),
    ] {
        assert_eq!(folder(path), (named.to_owned(), is_delegated), "{path}");
    }
}

#[test]
fn a_path_that_is_too_long_is_not_kept() {
    let path = format!("/{}/docker-{ID}.scope", "x".repeat(200).repeat(3));
    let placement = of_path(&path);
    assert_eq!(placement.container_id(), Some(ID));
    assert_eq!(placement.container_folder, NamedFolder { path: None, is_delegated: true });
}

#[test]
fn a_pod_inside_of_a_container_counts_only_with_a_container_of_its_own() {
    let pod = |path: &str| {
        let path = path.replace("%C", ID).replace("%O", OUTER).replace("%U", UID);
        let Placement { pod_uid, pod_folder, .. } = of_path(&path);
        pod_uid.map(|_| pod_folder.is_delegated)
    };
    assert_eq!(pod("/kubepods/pod%U/%C"), Some(false));
    assert_eq!(pod("/kubepods/pod%U"), Some(false));
    assert_eq!(pod("/user.slice/pod%U"), Some(true));
    assert_eq!(pod("/docker/%O/kubepods/pod%U/%C"), Some(true));
    assert_eq!(pod("/docker/%O/kubepods/pod%U"), None);
    assert_eq!(pod("/kubepods/pod%U/%O/docker/%C"), Some(false), "Docker in a pod");
}

#[test]
fn a_container_is_found_in_each_hierarchy_by_its_id() {
    let text = format!("3:pids:/a/docker-{ID}.scope/x\n2:cpu:/\n0::/docker/{ID}/docker/{OUTER}\n");
    let folders = [format!("/a/docker-{ID}.scope"), format!("/docker/{ID}")];
    assert_eq!(placement::folders_of(text.as_bytes(), ID), folders);
    assert!(placement::folders_of(text.as_bytes(), "x").is_empty());
}

#[test]
fn escapes_of_systemd_are_undone() {
    let of_unit = |name: &str| {
        let path = format!("/machine.slice/machine-{name}.scope");
        of_path(&path).container.unwrap().id
    };
    assert_eq!(of_unit(r"a\x2db\xc3\xbc"), "a-bü");
    for same in [r"a\x", r"a\x2", r"a\xzz", r"a\xff", r"a\xü", r"a\y"] {
        assert_eq!(of_unit(same), same);
    }
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
    let own = ProcessFacts::now(std::process::id()).unwrap();
    assert!(placement_of(&own).is_some());
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let ended = ProcessFacts::now(child.id()).unwrap();
    child.wait().unwrap();
    assert_eq!(placement_of(&ended), None);
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
