//! The kinds of resources that kubectl forwards to, and that this node's runtimes do not know.

/// The names that kubectl accepts: singular, plural and short (`kubectl api-resources`).
const NAMES: [&str; 23] = [
    "service",
    "services",
    "svc",
    "deployment",
    "deployments",
    "deploy",
    "replicaset",
    "replicasets",
    "rs",
    "replicationcontroller",
    "replicationcontrollers",
    "rc",
    "statefulset",
    "statefulsets",
    "sts",
    "daemonset",
    "daemonsets",
    "ds",
    "job",
    "jobs",
    "cronjob",
    "cronjobs",
    "cj",
];

/// Whether this is a kind of resource, also with its version and group: `deployment.apps`,
/// `deployments.v1.apps`. kubectl ignores the case.
pub(super) fn is_resource(kind: &str) -> bool {
    let name = kind.split('.').next().unwrap_or(kind);
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_have_several_names() {
        for kind in [
            "svc",
            "service",
            "services",
            "deploy",
            "deployment",
            "deployments",
            "deployment.apps",
            "deployments.v1.apps",
            "rs",
            "rc",
            "sts",
            "statefulset.apps",
            "ds",
            "job",
            "job.batch",
            "cj",
            "cronjobs",
            "Deployment",
        ] {
            assert!(is_resource(kind), "{kind}");
        }
        for other in ["shop", "deployment-x", "jobs-a", "default", ""] {
            assert!(!is_resource(other), "{other}");
        }
    }
}
