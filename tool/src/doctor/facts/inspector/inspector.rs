//! The parent's side: asks the child, and gives it up when it does not answer.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::getpid;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::question::{Answer, Question};
use crate::host::process::die_with;

/// How long one answer may take. A kubelet's program of 100 MiB is read from a slow disk in that time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// How long all answers together may take.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(20);

/// How many children are given up. Each stays until the file system that it waits for answers or ends.
const MAX_GIVEN_UP: usize = 3;

/// At most this many bytes of an answer are read. A `PATH` has at most 1 MiB, of which each byte takes four
/// in JSON.
const MAX_ANSWER: u64 = 8 * 1024 * 1024;

/// Looks at other processes through a child.
#[derive(Debug, Default)]
pub struct Inspector {
    child: Option<Running>,
    given_up: usize,
    spent: Duration,
}

#[derive(Debug)]
struct Running {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The child waits for a file system.
    #[error("its files do not answer within {} s", ANSWER_TIMEOUT.as_secs())]
    Silent,
    /// Others have used up the time.
    #[error("it was not looked at, because the files of other processes do not answer")]
    OutOfTime,
    /// The child does not work.
    #[error("the process that looks at it does not work: {0}")]
    Broken(#[from] std::io::Error),
}

impl Inspector {
    /// Asks about a process.
    ///
    /// Must be called within a tokio runtime.
    pub async fn ask(&mut self, question: &Question) -> Result<Answer, NoAnswer> {
        let left = TOTAL_TIMEOUT.saturating_sub(self.spent);
        if self.given_up >= MAX_GIVEN_UP || left.is_zero() {
            return Err(NoAnswer::OutOfTime);
        }
        let start = Instant::now();
        let mut child = match self.child.take() {
            Some(child) => child,
            None => Running::start()?,
        };
        let answer = timeout(ANSWER_TIMEOUT.min(left), child.ask(question)).await;
        self.spent += start.elapsed();
        match answer {
            Ok(Ok(answer)) => {
                self.child = Some(child);
                Ok(answer)
            }
            Ok(Err(error)) => Err(error.into()),
            // Dropping the child sends SIGKILL, and waits for nothing.
            Err(_) => {
                self.given_up += 1;
                Err(NoAnswer::Silent)
            }
        }
    }
}

impl Running {
    fn start() -> std::io::Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        command.arg0("pfsnoop").arg("doctor-inspector");
        // A child that is given up must hold nothing of ours open: whoever reads our stderr would wait
        // for it.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.current_dir("/").process_group(0).kill_on_drop(true);
        let parent = getpid();
        // SAFETY: between fork and exec, the closure makes two system calls and touches no memory.
        unsafe { command.pre_exec(move || die_with(parent)) };
        let mut child = command.spawn()?;
        let missing = || std::io::Error::other("its pipes are missing");
        let questions = child.stdin.take().ok_or_else(missing)?;
        let answers = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Self { child, questions, answers })
    }

    async fn ask(&mut self, question: &Question) -> std::io::Result<Answer> {
        let mut line = serde_json::to_vec(question)?;
        line.push(b'\n');
        self.questions.write_all(&line).await?;
        let mut answer = Vec::new();
        (&mut self.answers).take(MAX_ANSWER).read_until(b'\n', &mut answer).await?;
        if answer.is_empty() {
            let id = self.child.id().unwrap_or_default();
            return Err(std::io::Error::other(format!("process {id} has ended")));
        }
        Ok(serde_json::from_slice(&answer)?)
    }
}
