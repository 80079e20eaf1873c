//! `pfsnoop agent`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::common::running::Running;
use crate::common::{TEST_TIMEOUT, eventually, pfsnoop};

/// A running agent, attached. It serves metrics at a free port.
pub struct Agent {
    pub running: Running,
    /// Its endpoint.
    pub endpoint: Scraped,
}

/// The endpoint of an agent.
#[derive(Clone)]
pub struct Scraped {
    /// `127.0.0.1:PORT`
    pub address: String,
}

/// An answer of the agent.
pub struct HttpAnswer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// The command of an agent that serves metrics at a free port.
pub fn agent_command(args: &[&str]) -> Command {
    pfsnoop(&[&["agent", "-v", "--no-store", "--listen", "127.0.0.1:0"], args].concat())
}

impl Agent {
    pub fn start(args: &[&str]) -> Self {
        Self::run(&mut agent_command(args))
    }

    /// Starts a command from [`agent_command`].
    pub fn run(command: &mut Command) -> Self {
        let mut running = Running::start_attached(command);
        let line = running.stderr_line("the address", |line| line.contains("served at http://"));
        let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        Self { running, endpoint: Scraped { address } }
    }
}

impl std::ops::Deref for Agent {
    type Target = Scraped;

    fn deref(&self) -> &Scraped {
        &self.endpoint
    }
}

impl Scraped {
    /// A connection to its endpoint.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        stream
    }

    /// Sends a request as it is, and reads until the end.
    pub fn request(&self, request: &str) -> HttpAnswer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        HttpAnswer { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub fn get(&self, path: &str, accept: &str) -> HttpAnswer {
        self.request(&format!("GET {path} HTTP/1.0\r\nAccept: {accept}\r\n\r\n"))
    }

    /// The lines of samples of a metric now: name, labels and value.
    pub fn samples(&self, name: &str) -> Vec<String> {
        let text = self.get("/metrics", "text/plain").body;
        let is_of_it =
            |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        text.lines().filter(is_of_it).map(str::to_owned).collect()
    }

    /// The sum of the samples whose labels contain each of these.
    pub fn value(&self, name: &str, labels: &[&str]) -> f64 {
        let samples = self.samples(name);
        let of_labels = samples.iter().filter(|line| labels.iter().all(|one| line.contains(one)));
        of_labels.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// Waits until the sum is at least this.
    pub fn reaches(&self, name: &str, labels: &[&str], least: f64) -> f64 {
        eventually(&format!("{name}{labels:?} of {least}"), || {
            std::thread::sleep(Duration::from_millis(50));
            Some(self.value(name, labels)).filter(|value| *value >= least)
        })
    }
}
