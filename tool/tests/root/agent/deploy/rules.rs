//! Prometheus' own tool reads the rules and the dashboard.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::temp::TempDir;
use crate::common::{stdout_of, system};
use crate::support::kustomize::{kustomize, of_kind};

const ALERTS: &str = include_str!("alerts.yaml");
const RUNBOOK: &str = include_str!("../../../../../docs/runbook.md");

fn promtool(folder: &Path, args: &[&str]) -> String {
    stdout_of(system("promtool").args(args).current_dir(folder))
}

/// The rules of the PrometheusRule as a file of Prometheus.
pub(super) fn rules() -> Value {
    of_kind(&kustomize(""), "PrometheusRule")["spec"].clone()
}

fn alerts(rules: &Value) -> Vec<Value> {
    let groups = rules["groups"].as_array().unwrap().iter();
    let all = groups.flat_map(|group| group["rules"].as_array().unwrap());
    all.filter(|rule| rule["alert"] != Value::Null).cloned().collect()
}

#[test]
fn every_alert_fires_when_it_must_and_ends() {
    let (dir, rules) = (TempDir::new("alerts"), rules());
    // JSON is YAML.
    std::fs::write(dir.join("rules.yaml"), rules.to_string()).unwrap();
    std::fs::write(dir.join("alerts.yaml"), ALERTS).unwrap();
    let checked = promtool(dir.path(), &["check", "rules", "--lint-fatal", "rules.yaml"]);
    assert!(checked.contains("SUCCESS"), "{checked}");
    let tested = promtool(dir.path(), &["test", "rules", "alerts.yaml"]);
    assert!(tested.contains("SUCCESS"), "{tested}");
    for alert in alerts(&rules) {
        let name = alert["alert"].as_str().unwrap();
        let mut tests = ALERTS.split("alertname: ").filter(|test| test.starts_with(name));
        assert!(tests.any(|test| test.contains("exp_alerts")), "no test has {name} fire");
    }
}

#[test]
fn every_alert_leads_to_an_entry_of_the_runbook() {
    // As GitHub makes an anchor from a title.
    let slug = |title: &str| {
        let kept = title.to_lowercase().replace(' ', "-");
        kept.chars().filter(|char| char.is_alphanumeric() || *char == '-').collect::<String>()
    };
    let titles = RUNBOOK.lines().filter(|line| line.starts_with("##"));
    let titles: Vec<String> = titles.map(|line| slug(line.trim_start_matches("# "))).collect();
    let titles: Vec<&str> = titles.iter().map(|title| title.trim_start_matches('-')).collect();
    for alert in alerts(&rules()) {
        let url = alert["annotations"]["runbook_url"].as_str().unwrap();
        let (page, anchor) = url.split_once('#').unwrap();
        assert!(page.ends_with("/docs/runbook.md"), "{url}");
        assert!(titles.contains(&anchor), "{anchor} in {titles:#?}");
    }
}

#[test]
fn every_query_of_the_dashboard_parses() {
    let map = of_kind(&kustomize(""), "ConfigMap");
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
    let dashboard: Value =
        serde_json::from_str(map["data"]["pfsnoop.json"].as_str().unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels.iter().enumerate().map(|(number, panel)| {
        let query = panel["targets"][0]["expr"].as_str().unwrap();
        let query = query.replace("$__rate_interval", "5m").replace("$__range", "6h");
        json!({"record": format!("panel_{number}"), "expr": query})
    });
    let rules = json!({"groups": [{"name": "panels", "rules": queries.collect::<Vec<_>>()}]});
    let dir = TempDir::new("dashboard");
    std::fs::write(dir.join("rules.yaml"), rules.to_string()).unwrap();
    let checked = promtool(dir.path(), &["check", "rules", "rules.yaml"]);
    assert!(checked.contains(&format!("SUCCESS: {} rules found", panels.len())), "{checked}");
}
