//! The sessions of streams, joined with what the kernel saw.

use std::io;
use std::sync::{Arc, Mutex};

use pfsnoop::attribution::Attribution;
use pfsnoop::forward::{self, Forward, StreamEnd};
use pfsnoop::model::{Outcome, Session, State, Update, Via};
use pfsnoop::monitor::{Monitor, MonitorOptions};
use pfsnoop::output::Sink;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::streams::{Streams, target_of};
use crate::common::TEST_TIMEOUT;
use crate::support::pod::DemoPod;

/// Keeps the sessions.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Session>>>);

impl Sink for Kept {
    fn update(&mut self, update: &Update) -> io::Result<()> {
        if let Update::Session(session) = update {
            self.0.lock().unwrap().push((**session).clone());
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, _open: usize) -> io::Result<()> {
        Ok(())
    }
}

/// Makes one request to the page of the demo pod, and returns the sessions.
async fn sessions(dialer: &str, pod: &DemoPod) -> Vec<Session> {
    let target = target_of(pod.pause).await;
    let options = MonitorOptions::own_children(false);
    let monitor = Monitor::attach(options, Attribution::without_names()).unwrap();
    let Streams { forwarder: streams, events } = Streams::start(dialer, 8, true);
    let correlator = forward::correlator(true).unwrap();
    let (monitor, forwarder) = (Some(monitor), streams.forwarder());
    let running = Forward { forwarder, events, monitor, correlator };
    let (kept, shutdown) = (Kept::default(), CancellationToken::new());
    let requests = async {
        let (_, events) = tokio::sync::mpsc::channel(1);
        let streams = Streams { forwarder: streams, events };
        let mut opened = streams.open(&target, 8080);
        let page = opened.ask(b"GET / HTTP/1.0\r\n\r\n").await;
        assert!(page.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&page));
        assert_eq!(opened.answer().await, StreamEnd::Complete, "{dialer}");
        shutdown.cancel();
    };
    let mut sink = kept.clone();
    let running = timeout(TEST_TIMEOUT, forward::run(running, &mut sink, &shutdown));
    let (ended, ()) = tokio::join!(running, requests);
    ended.unwrap().unwrap();
    std::mem::take(&mut *kept.0.lock().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_stream_has_its_client_and_the_kernels_facts() {
    let pod = DemoPod::start();
    for (dialer, via) in [("native", Via::Native), ("nsenter", Via::NsenterSocat)] {
        let all = sessions(dialer, &pod).await;
        let states: Vec<_> = all.iter().map(|session| session.state.name()).collect();
        assert_eq!(states, ["started", "connected", "closed"], "{dialer}: {all:#?}");
        for session in &all {
            let client = session.client.as_ref().unwrap();
            assert_eq!(client.user_agent, "kubectl/v1.32.3 (linux/amd64)");
            assert_eq!((session.via, session.port, session.ports), (via, 8080, None));
            assert_eq!(session.target.netns, Some(pod.netns()));
        }
        let State::Closed(closed) = &all[2].state else { panic!("{all:#?}") };
        assert_eq!(closed.outcome, Outcome::Ok, "{dialer}: {closed:?}");
        assert!(closed.connect_ns.is_some(), "only the kernel knows: {closed:?}");
        assert!(all[2].address.is_some_and(|address| address.is_loopback()));
    }
}
