//! The demo's pod, as something to forward to.

use rustix::process::Signal;

use super::{pfsnoop, running::Running};

/// `pfsnoop demo --stay`, up and running.
pub struct DemoPod {
    pub pause: u32,
    pub local_port: u16,
    demo: Running,
}

impl DemoPod {
    pub fn start() -> Self {
        let mut demo = Running::start(&mut pfsnoop(&["demo", "--stay"]));
        demo.stdout_line("address to open", |line| line.starts_with("Open http://"));
        let first = demo.stdout_line("pod", |line| line.starts_with("Pod with pause process"));
        let forwarding = demo.stdout_line("listener", |line| line.contains("127.0.0.1:"));
        let word = |line: &str, n: usize| line.split([' ', ':']).nth(n).unwrap().to_owned();
        Self {
            pause: word(&first, 4).parse().unwrap(),
            local_port: word(&forwarding, 3).parse().unwrap(),
            demo,
        }
    }

    pub fn pid(&self) -> u32 {
        self.demo.pid()
    }

    /// Ends it by a signal and waits for its own end.
    pub fn end(mut self, signal: Signal) -> std::process::ExitStatus {
        self.demo.signal(signal);
        self.demo.wait()
    }
}
