//! Streams that name their targets, as an endpoint passes them on.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pfsnoop::forward::{
    Dialer, ForwardEvent, Limits, Native, Nsenter, RelayEnd, Report, StreamEnd, StreamForwarder,
    StreamTarget, stream_pair,
};
use pfsnoop::model::{Client, Outcome, Transport};
use pfsnoop::runtime::Runtimes;
use pfsnoop::target::{Target, TargetName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::common::{TEST_TIMEOUT, eventually, stdout_of};
use crate::support::netns::process_in_new_netns;
use crate::support::pod::DemoPod;

/// Where the endpoint of these tests is said to listen.
const ENDPOINT: &str = "127.0.0.1:6443";

/// The forwarder of an endpoint.
pub struct Streams {
    pub forwarder: StreamForwarder,
    pub events: mpsc::Receiver<ForwardEvent>,
}

/// A stream of a client.
pub struct Opened {
    stream: UnixStream,
    gone: CancellationToken,
    answer: oneshot::Receiver<StreamEnd>,
}

pub async fn target_of(pid: u32) -> Arc<Target> {
    Arc::new(Target::find(&TargetName::Pid(pid), None, &Runtimes::default()).await.unwrap())
}

impl Streams {
    pub fn start(dialer: &str, max_connections: u32, is_watched: bool) -> Self {
        let dialer: Box<dyn Dialer> = match dialer {
            "native" => Box::new(Native::default()),
            _ => Box::new(Nsenter::look_up().unwrap()),
        };
        let limits = Limits { max_connections, max_buffer_kib: 64 * 1024, is_watched };
        let endpoint: SocketAddr = ENDPOINT.parse().unwrap();
        let (forwarder, events) = StreamForwarder::start(dialer, limits, vec![endpoint]);
        Self { forwarder, events }
    }

    pub fn open(&self, target: &Arc<Target>, port: u16) -> Opened {
        let client = Client {
            address: "127.0.0.1:51234".parse().unwrap(),
            user_agent: "kubectl/v1.32.3 (linux/amd64)".to_owned(),
            transport: Transport::Spdy,
        };
        let to = StreamTarget {
            target: Arc::clone(target),
            destination: Arc::new(target.destination()),
            id: "0123abc".into(),
            port,
            client: Arc::new(client),
        };
        let (stream, end) = stream_pair().unwrap();
        let gone = CancellationToken::new();
        let (sender, answer) = oneshot::channel();
        let answered = move |end| sender.send(end).unwrap();
        self.forwarder.serve(to, end, gone.clone(), answered);
        Opened { stream, gone, answer }
    }

    /// The report of the next connection that ends.
    async fn report(&mut self) -> Report {
        loop {
            let event = timeout(TEST_TIMEOUT, self.events.recv()).await.unwrap().unwrap();
            if let ForwardEvent::Closed(report) = event {
                return report;
            }
        }
    }
}

impl Opened {
    pub async fn answer(self) -> StreamEnd {
        timeout(TEST_TIMEOUT, self.answer).await.unwrap().unwrap()
    }

    /// Sends this and returns everything that comes, and then resets the stream, as kubectl does.
    pub async fn ask(&mut self, question: &[u8]) -> Vec<u8> {
        self.stream.write_all(question).await.unwrap();
        let mut answer = Vec::new();
        let reading = self.stream.read_to_end(&mut answer);
        timeout(TEST_TIMEOUT, reading).await.unwrap().unwrap();
        self.gone.cancel();
        answer
    }
}

async fn failure(opened: Opened) -> String {
    match opened.answer().await {
        StreamEnd::Failed(words) => words,
        end => panic!("{end:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_its_half_close_pass_through_a_stream() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7120, "serve-echo");
    let target = target_of(pod.pause).await;
    for dialer in ["native", "nsenter"] {
        let mut streams = Streams::start(dialer, 8, false);
        let data: Vec<u8> = (0..2_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
        let mut opened = streams.open(&target, 7120);
        let question = data.clone();
        let (mut from, mut to) = opened.stream.split();
        let asking = async {
            to.write_all(&question).await.unwrap();
            to.shutdown().await.unwrap();
        };
        let mut answer = Vec::new();
        let ((), read) = tokio::join!(asking, from.read_to_end(&mut answer));
        assert!(read.is_ok() && answer == data, "{dialer}: {}", answer.len());
        assert_eq!(opened.answer().await, StreamEnd::Complete, "{dialer}");
        let report = streams.report().await;
        assert!(matches!(report.result, Ok(RelayEnd::Ended)), "{dialer}: {report:?}");
        assert_eq!((report.accepted.port, report.accepted.ports()), (7120, None));
        let bytes = (report.bytes_to_pod, report.bytes_from_pod);
        assert_eq!(bytes, (data.len() as u64, data.len() as u64), "{dialer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_is_passed_on_from_either_side() {
    let pod = DemoPod::start();
    let _zeros = pod.serve_fixture(7121, "serve-zeros");
    let _reset = pod.serve_fixture(7122, "serve-reset");
    let target = target_of(pod.pause).await;
    for dialer in ["native", "nsenter"] {
        let mut streams = Streams::start(dialer, 8, false);
        let mut opened = streams.open(&target, 7121);
        opened.stream.write_all(b"100000000\n").await.unwrap();
        opened.stream.read_exact(&mut vec![0; 100_000]).await.unwrap();
        let Opened { stream, gone, answer } = opened;
        gone.cancel();
        drop(stream);
        assert_eq!(timeout(TEST_TIMEOUT, answer).await.unwrap().unwrap(), StreamEnd::Reset);
        assert_eq!(streams.report().await.result.unwrap_err().outcome(), Outcome::Reset);
        eventually("the end inside the pod", || {
            let all = stdout_of(&mut pod.inside(&["ss", "-Htn", "sport", "=", ":7121"]));
            all.is_empty().then_some(())
        });
        let mut opened = streams.open(&target, 7122);
        opened.stream.write_all(b"x").await.unwrap();
        let end = opened.answer().await;
        let report = streams.report().await;
        assert_eq!(end, StreamEnd::Reset, "{dialer}: {report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_has_the_kubelets_words() {
    let pod = DemoPod::start();
    let target = target_of(pod.pause).await;
    let mut ended = process_in_new_netns();
    let gone = target_of(ended.pid()).await;
    ended.signal(rustix::process::Signal::KILL);
    ended.wait();
    for (dialer, refused, no_pod) in [
        (
            "native",
            "IPv4: dial tcp4 127.0.0.1:9: connect: connection refused",
            "network namespace for sandbox \"0123abc\" is closed",
        ),
        ("nsenter", "127.0.0.1:9, 16): Connection refused", "container not running (0123abc)"),
    ] {
        let mut streams = Streams::start(dialer, 8, false);
        let mut opened = streams.open(&target, 9);
        // The refusal may come first.
        if let Err(error) = opened.stream.write_all(b"question").await {
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        }
        let words = failure(opened).await;
        let start = "error forwarding port 9 to pod 0123abc, uid : ";
        assert!(words.starts_with(start) && words.ends_with(refused), "{dialer}: {words}");
        let report = streams.report().await;
        let outcome = report.result.unwrap_err().outcome();
        assert_eq!((outcome, report.bytes_to_pod), (Outcome::Refused, 0), "{dialer}");
        let words = failure(streams.open(&gone, 80)).await;
        assert_eq!(words, format!("error forwarding port 80 to pod 0123abc, uid : {no_pod}"));
        let report = streams.report().await;
        assert_eq!(report.result.unwrap_err().outcome(), Outcome::TargetGone, "{dialer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_ends_while_it_is_dialed_is_noticed() {
    let mut pod = process_in_new_netns();
    let target = target_of(pod.pid()).await;
    let script = "ip link set lo up; iptables -A INPUT -p tcp --dport 7123 -j DROP";
    let netns = format!("--net=/proc/{}/ns/net", pod.pid());
    stdout_of(crate::common::system("nsenter").args([&netns, "sh", "-c", script]));
    let mut streams = Streams::start("native", 8, false);
    let opened = streams.open(&target, 7123);
    tokio::time::sleep(Duration::from_millis(100)).await;
    pod.signal(rustix::process::Signal::KILL);
    pod.wait();
    assert!(failure(opened).await.ends_with("is closed"));
    assert_eq!(streams.report().await.result.unwrap_err().outcome(), Outcome::TargetGone);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_leave_while_its_target_is_dialed() {
    let pod = DemoPod::start();
    pod.drop_packets_to(7124);
    let target = target_of(pod.pause).await;
    for dialer in ["native", "nsenter"] {
        let mut streams = Streams::start(dialer, 8, false);
        let opened = streams.open(&target, 7124);
        tokio::time::sleep(Duration::from_millis(100)).await;
        opened.gone.cancel();
        assert_eq!(opened.answer().await, StreamEnd::Reset, "{dialer}");
        assert_eq!(streams.report().await.result.unwrap_err().outcome(), Outcome::Reset);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_would_be_too_many_or_lead_back_are_refused() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7125, "serve-echo");
    let target = target_of(pod.pause).await;
    let own = target_of(std::process::id()).await;
    for dialer in ["native", "nsenter"] {
        let mut streams = Streams::start(dialer, 1, false);
        let words = failure(streams.open(&own, 6443)).await;
        assert!(words.contains("127.0.0.1:6443 inside the target is where pfsnoop"), "{words}");
        streams.report().await;
        let mut first = eventually("the only place", || {
            let opened = streams.open(&target, 7125);
            opened.answer.is_empty().then_some(opened)
        });
        first.stream.write_all(b"x").await.unwrap();
        first.stream.read_exact(&mut [0]).await.unwrap();
        let words = failure(streams.open(&target, 7125)).await;
        assert!(words.ends_with(": 1 connections are open, and no more are allowed"), "{words}");
        let stopped = streams.forwarder.forwarder();
        let (end, ()) = tokio::join!(first.answer(), stopped.stop());
        assert_eq!(end, StreamEnd::Reset, "{dialer}");
        assert_eq!(streams.open(&target, 7125).answer().await, StreamEnd::Reset, "{dialer}");
    }
}
