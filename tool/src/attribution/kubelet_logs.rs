//! Names from the kubelet's log folders: `/var/log/pods/<namespace>_<pod>_<uid>/<container>/`, and
//! `/var/log/containers/<pod>_<namespace>_<container>-<id>.log`, a link to a log in such a folder
//! (pkg/kubelet/kuberuntime/logs, legacy.go). They exist with every runtime, and reading them needs
//! no API.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::{Container, Owner, Pod};

/// The kubelet's log folders.
#[derive(Debug)]
pub(super) struct KubeletLogs {
    root: PathBuf,
}

impl Default for KubeletLogs {
    fn default() -> Self {
        Self::at(Path::new("/var/log"))
    }
}

impl KubeletLogs {
    /// The folders below another root.
    pub(super) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The pod of that uid.
    pub(super) fn pod(&self, uid: &str) -> Option<Pod> {
        let folders = fs::read_dir(self.root.join("pods")).ok()?;
        folders.flatten().find_map(|folder| {
            pod_of_folder(folder.file_name().to_str()?).filter(|pod| pod.uid == uid)
        })
    }

    /// Every pod and container that has a folder or a link.
    pub(super) fn owners(&self) -> impl Iterator<Item = Owner> {
        let names = |folder: &str| {
            let entries = fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
            entries.filter_map(|entry| entry.file_name().into_string().ok())
        };
        let of_pod =
            |folder: String| Some(Owner { pod: pod_of_folder(&folder), ..Owner::default() });
        let of_container = |link: String| owner_of_link(&link);
        names("pods").filter_map(of_pod).chain(names("containers").filter_map(of_container))
    }

    /// Name and pod of the container of that id.
    pub(super) fn container(&self, id: &str) -> Option<(String, Pod)> {
        let suffix = format!("-{id}.log");
        let links = fs::read_dir(self.root.join("containers")).ok()?;
        let is_it = |link: &fs::DirEntry| {
            link.file_name().to_str().is_some_and(|name| name.ends_with(&suffix))
        };
        let link = links.flatten().find(is_it)?;
        // .../<namespace>_<pod>_<uid>/<container>/<attempt>.log
        let log = fs::read_link(link.path()).ok()?;
        let container = log.parent()?;
        let pod = pod_of_folder(container.parent()?.file_name()?.to_str()?)?;
        Some((container.file_name()?.to_str()?.to_owned(), pod))
    }
}

/// `<pod>_<namespace>_<container>-<id>.log`. The uid of the pod is not in it.
fn owner_of_link(link: &str) -> Option<Owner> {
    let mut parts = link.strip_suffix(".log")?.splitn(3, '_').map(ToOwned::to_owned);
    let (name, namespace, container) = (parts.next()?, parts.next()?, parts.next()?);
    let (container, id) = container.rsplit_once('-')?;
    let (id, name_of_container) = (id.to_owned(), Some(container.to_owned()));
    let (name_in_pod, is_confirmed, is_disputed) = (name_of_container, false, false);
    let container = Container { id, runtime: "", name: name_in_pod, is_confirmed, is_disputed };
    let pod = Pod { namespace, name, uid: String::new() };
    Some(Owner { container: Some(container), pod: Some(pod), is_claimed: false })
}

/// None of the three parts can contain an underscore: all of them are DNS names.
fn pod_of_folder(folder: &str) -> Option<Pod> {
    let mut parts = folder.split('_').map(ToOwned::to_owned);
    let (namespace, name, uid) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(Pod { namespace, name, uid })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OwnerFilter;

    #[test]
    fn finds_pods_and_containers_in_the_kubelets_folders() {
        let root = std::env::temp_dir().join(format!("pfsnoop-logs-{}", std::process::id()));
        let pod = root.join("pods/default_kuard-59f4_12345678");
        fs::create_dir_all(pod.join("kuard")).unwrap();
        fs::create_dir_all(root.join("containers")).unwrap();
        let link = root.join("containers/kuard-59f4_default_kuard-0123abcd.log");
        std::os::unix::fs::symlink(pod.join("kuard/0.log"), link).unwrap();

        let logs = KubeletLogs::at(&root);
        let kuard =
            Pod { namespace: "default".into(), name: "kuard-59f4".into(), uid: "12345678".into() };
        assert_eq!(logs.pod("12345678"), Some(kuard.clone()));
        assert_eq!(logs.pod("1234"), None);
        assert_eq!(logs.container("0123abcd"), Some(("kuard".to_owned(), kuard)));
        assert_eq!(logs.container("3abcd"), None);
        let filter = |pod: &str, container: Option<&str>| OwnerFilter {
            pod: Some(pod.parse().unwrap()),
            container: container.map(ToOwned::to_owned),
        };
        let is_known = |filter: OwnerFilter| logs.owners().any(|owner| filter.matches(&owner));
        assert!(is_known(filter("kuard-59f4", None)));
        assert!(is_known(filter("default/kuard-59f4", Some("kuard"))));
        assert!(is_known(filter("default/kuard-59f4", Some("0123"))));
        assert!(!is_known(filter("default/kuard", None)));
        assert!(!is_known(filter("kuard-59f4", Some("web"))));
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(logs.pod("12345678"), None, "no kubelet here");
    }
}
