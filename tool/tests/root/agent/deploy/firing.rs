//! The alerts fire in a real Prometheus that scrapes a real agent.

use super::rules::rules;
use crate::support::agent::Agent;
use crate::support::pod::DemoPod;
use crate::support::prometheus::Prometheus;

#[test]
fn an_alert_fires_on_a_missing_socat() {
    let pod = DemoPod::start();
    let agent = Agent::start(&[]);
    let targets = [("pfsnoop-agent", agent.address.as_str())];
    let prometheus = Prometheus::start_with_rules("agent-alert", &targets, &rules());
    // Prometheus knows the count before the first failure: only then has it an increase.
    let missing = r#"pfsnoop_helper_execs_total{comm="socat", result="missing"}"#;
    prometheus.eventually(missing, |found| found.len() == 1);
    let alert = r#"ALERTS{alertname="PfsnoopSocatMissing", alertstate="firing"}"#;
    let none = prometheus.eventually(&format!("count({alert}) or vector(0)"), |it| it.len() == 1);
    assert_eq!(none[0]["value"][1], "0", "nothing is missing yet");

    let mut helper = pod.inside(&["/nonexistent/socat", "-", "TCP4:localhost:8080"]);
    assert_eq!(helper.status().unwrap().code(), Some(127));
    let found = prometheus.eventually(alert, |found| found.len() == 1);
    assert_eq!(found[0]["metric"]["severity"], "warning");
}
