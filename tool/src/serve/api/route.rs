//! Which call a path means.

/// A call of the API, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `/version`
    Version,
    /// `/api`: the versions of the core group.
    CoreVersions,
    /// `/apis`: the other groups.
    Groups,
    /// `/apis/apps`
    AppsGroup,
    /// `/api/v1`: what the core group has.
    CoreResources,
    /// `/apis/apps/v1`
    AppsResources,
    /// `/api/v1/namespaces`
    Namespaces,
    /// `/api/v1/namespaces/NS`
    Namespace(&'a str),
    /// `/api/v1/pods`, or those of one namespace.
    Pods(Option<&'a str>),
    /// `/api/v1/namespaces/NS/pods/NAME`
    Pod { namespace: &'a str, name: &'a str },
    /// `/api/v1/namespaces/NS/pods/NAME/portforward`
    PortForward { namespace: &'a str, name: &'a str },
    /// `/api/v1/namespaces/NS/pods/NAME/OTHER`, such as `log` and `exec`.
    OtherOfPod(&'a str),
    /// Services, deployments and others that lead to pods in Kubernetes, and that no runtime knows.
    OtherResource(&'static str),
}

/// Resources that `kubectl port-forward` takes in the place of a pod. The core group has the first.
pub(super) const OTHER_CORE: [&str; 2] = ["services", "replicationcontrollers"];

/// Those of the group `apps`.
pub(super) const OTHER_APPS: [&str; 4] =
    ["deployments", "replicasets", "statefulsets", "daemonsets"];

impl<'a> Route<'a> {
    /// `None` for a path that leads nowhere.
    pub(super) fn of(path: &'a str) -> Option<Self> {
        // kubectl asks for `/api?timeout=32s` and `/version`, some clients for `/api/`.
        let path = path.strip_suffix('/').unwrap_or(path).strip_prefix('/')?;
        // A name cannot have a `%` (k8s.io/apimachinery, `IsValidPathSegmentName`), so nothing is decoded.
        let parts: Vec<&str> = path.split('/').take(9).collect();
        if parts.iter().any(|part| part.is_empty() || part.contains('%')) {
            return None;
        }
        Some(match parts[..] {
            ["version"] => Self::Version,
            ["api"] => Self::CoreVersions,
            ["apis"] => Self::Groups,
            ["apis", "apps"] => Self::AppsGroup,
            ["api", "v1"] => Self::CoreResources,
            ["apis", "apps", "v1"] => Self::AppsResources,
            ["api", "v1", "namespaces"] => Self::Namespaces,
            ["api", "v1", "namespaces", name] => Self::Namespace(name),
            ["api", "v1", "pods"] => Self::Pods(None),
            ["api", "v1", "namespaces", namespace, "pods"] => Self::Pods(Some(namespace)),
            ["api", "v1", "namespaces", namespace, "pods", name] => Self::Pod { namespace, name },
            ["api", "v1", "namespaces", namespace, "pods", name, "portforward"] => {
                Self::PortForward { namespace, name }
            }
            ["api", "v1", "namespaces", _, "pods", _, other, ..] => Self::OtherOfPod(other),
            ["api", "v1", "namespaces", _, other, ..] | ["api", "v1", other, ..] => {
                Self::OtherResource(known(&OTHER_CORE, other)?)
            }
            ["apis", "apps", "v1", "namespaces", _, other, ..]
            | ["apis", "apps", "v1", other, ..] => Self::OtherResource(known(&OTHER_APPS, other)?),
            _ => return None,
        })
    }
}

fn known(all: &[&'static str], name: &str) -> Option<&'static str> {
    all.iter().copied().find(|one| *one == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_means_one_call() {
        let (namespace, name) = ("shop", "kuard");
        for (path, route) in [
            ("/version", Route::Version),
            ("/api", Route::CoreVersions),
            ("/api/", Route::CoreVersions),
            ("/api/v1", Route::CoreResources),
            ("/apis", Route::Groups),
            ("/apis/apps", Route::AppsGroup),
            ("/apis/apps/v1", Route::AppsResources),
            ("/api/v1/namespaces", Route::Namespaces),
            ("/api/v1/namespaces/shop", Route::Namespace("shop")),
            ("/api/v1/pods", Route::Pods(None)),
            ("/api/v1/namespaces/shop/pods", Route::Pods(Some("shop"))),
            ("/api/v1/namespaces/shop/pods/kuard", Route::Pod { namespace, name }),
            (
                "/api/v1/namespaces/shop/pods/kuard/portforward",
                Route::PortForward { namespace, name },
            ),
            ("/api/v1/namespaces/shop/pods/kuard/log", Route::OtherOfPod("log")),
            ("/api/v1/namespaces/shop/services/x", Route::OtherResource("services")),
            ("/api/v1/services", Route::OtherResource("services")),
            ("/apis/apps/v1/namespaces/shop/deployments/x", Route::OtherResource("deployments")),
        ] {
            assert_eq!(Route::of(path), Some(route), "{path}");
        }
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in [
            "",
            "/",
            "api",
            "//api",
            "/api//v1",
            "/api/v2",
            "/api/v1/nodes",
            "/api/v1/namespaces/shop/secrets",
            "/api/v1/namespaces/../pods/%2e%2e",
            "/apis/apps/v1/namespaces/shop/services/x",
            "/openapi/v2",
        ] {
            assert_eq!(Route::of(path), None, "{path}");
        }
    }
}
