//! A real Prometheus.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{TEST_TIMEOUT, eventually, system};

/// A running Prometheus that scrapes twice a second.
pub struct Prometheus {
    address: String,
    _running: Running,
    _dir: TempDir,
}

impl Prometheus {
    /// Scrapes each target under the name of its job.
    pub fn start(name: &str, targets: &[(&str, &str)]) -> Self {
        Self::start_with_rules(name, targets, &json!({"groups": []}))
    }

    /// The same with rules, which it evaluates twice a second.
    pub fn start_with_rules(name: &str, targets: &[(&str, &str)], rules: &Value) -> Self {
        let dir = TempDir::new(name);
        // JSON is YAML.
        std::fs::write(dir.join("rules.yml"), rules.to_string()).unwrap();
        let jobs: String = targets.iter().map(|(job, target)| scrape_config(job, target)).collect();
        let config = format!("{GLOBAL}rule_files: [rules.yml]\nscrape_configs:\n{jobs}");
        std::fs::write(dir.join("prometheus.yml"), config).unwrap();
        let address = free_address();
        let mut command = system("prometheus");
        command.args(["--log.level=warn", &format!("--web.listen-address={address}")]);
        command.arg(format!("--config.file={}", dir.join("prometheus.yml").display()));
        command.arg(format!("--storage.tsdb.path={}", dir.join("data").display()));
        Self { address, _running: Running::start(&mut command), _dir: dir }
    }

    /// Waits until a query has a result that is wanted: a list of series.
    pub fn eventually(&self, query: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        eventually(query, || self.query(query).filter(|found| wanted(found)))
    }

    /// The result now; `None` while Prometheus starts.
    fn query(&self, query: &str) -> Option<Vec<Value>> {
        let mut query_string = form_urlencoded::Serializer::new(String::new());
        let query_string = query_string.append_pair("query", query).finish();
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        write!(stream, "GET /api/v1/query?{query_string} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        let body: Value = serde_json::from_str(body).ok()?;
        Some(body["data"]["result"].as_array()?.clone())
    }
}

const GLOBAL: &str = "global: {scrape_interval: 500ms, evaluation_interval: 500ms}\n";

fn scrape_config(job: &str, target: &str) -> String {
    format!("- {{job_name: {job}, static_configs: [{{targets: ['{target}']}}]}}\n")
}

/// An address at which nothing listens a moment ago.
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// The value of a series.
pub fn value(series: &Value) -> f64 {
    series["value"][1].as_str().unwrap().parse().unwrap()
}
