//! What kubectl lists.

use super::endpoint::{Pods, wait_for_servers};
use crate::common::{output, stdout_of, text};
use crate::support::parts::KUBECTLS;

#[test]
fn each_kubectl_lists_the_pods_of_each_runtime() {
    let pods = Pods::start("serve-lists");
    let endpoint = pods.serve(&[]);
    wait_for_servers(&endpoint);
    for release in KUBECTLS {
        let get = |args: &[&str]| stdout_of(endpoint.kubectl(release).arg("get").args(args));
        let all = get(&["pods", "-A"]);
        let header: Vec<_> = all.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(header, ["NAMESPACE", "NAME", "STATUS", "LISTENS", "NODE", "AGE"], "{release}");
        let row = |name: &str| all.lines().find(|line| line.contains(name)).unwrap().to_owned();
        for (namespace, name) in super::endpoint::PODS {
            let row = row(name);
            let columns: Vec<_> = row.split_whitespace().take(4).collect();
            assert_eq!(columns, [namespace, name, "Running", "8080"], "{release}: {all}");
        }
        let labeled = get(&["pods", "-A", "-l", "app=x", "-o", "name"]);
        assert_eq!(labeled, "pod/plain\n", "{release}");
        let pod = get(&["pod", "-n", "docker", "plain", "-o", "json"]);
        let pod: serde_json::Value = serde_json::from_str(&pod).unwrap();
        assert_eq!((&pod["status"]["phase"], &pod["kind"]), (&"Running".into(), &"Pod".into()));
        let list: serde_json::Value =
            serde_json::from_str(&get(&["pods", "-A", "-o", "json"])).unwrap();
        let mut names: Vec<_> =
            list["items"].as_array().unwrap().iter().map(|pod| &pod["metadata"]["name"]).collect();
        names.sort_by_key(|name| name.as_str());
        assert_eq!(names, ["plain", "web"], "{release}");
    }
}

/// kubectl lists, and then wants to watch.
#[test]
fn a_watch_ends_with_one_clear_line() {
    let pods = Pods::start("serve-watches");
    let endpoint = pods.serve(&[]);
    wait_for_servers(&endpoint);
    for release in KUBECTLS {
        let output = output(endpoint.kubectl(release).args(["get", "pods", "-A", "-w"]));
        let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| text(bytes));
        assert_eq!(output.status.code(), Some(1), "{release}: {stdout}");
        assert_eq!(stdout.lines().count(), 3, "{release}: {stdout}");
        assert_eq!(stderr.lines().count(), 1, "{release}: {stderr}");
        let said = ": pfsnoop serve lists pods and does not watch them: repeat `kubectl get pods`";
        assert!(stderr.contains(said), "{release}: {stderr}");
    }
}

#[test]
fn what_is_not_there_is_one_clear_line() {
    let pods = Pods::start("serve-errors");
    let endpoint = pods.serve(&["--allow", "docker/*"]);
    for release in KUBECTLS {
        let error = |args: &[&str]| {
            let output = output(endpoint.kubectl(release).args(args));
            assert!(!output.status.success(), "{release} {args:?}: {}", text(&output.stdout));
            let lines = text(&output.stderr);
            assert_eq!(lines.lines().count(), 1, "{release} {args:?}: {lines}");
            lines
        };
        let missing = error(&["get", "pod", "-n", "docker", "nosuch"]);
        assert_eq!(
            missing, "Error from server (NotFound): pods \"nosuch\" not found\n",
            "{release}"
        );
        let service = error(&["port-forward", "svc/web", "8080"]);
        assert!(service.contains("pod/"), "{release}: {service}");
        let foreign = error(&["port-forward", "-n", "shop", "pod/web", ":8080"]);
        assert!(foreign.contains("Forbidden"), "{release}: {foreign}");
    }
}
