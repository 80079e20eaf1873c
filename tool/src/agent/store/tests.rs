//! The writer and the reader, on a real file.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{History, Keep, StoreCounters, StoreOptions, StoreSink};
use crate::host::clock;
use crate::model::{
    Client, Closed, Container, Destination, End, Helper, HistoryFilter, Outcome, Owner,
    PastSession, Pod, PodName, Ready, Reason, Session, State, Update, Via,
};
use crate::output::Sink;

const FOREVER: Keep = Keep { age: Duration::from_secs(1 << 30), bytes: u64::MAX >> 1 };

/// A store in a folder of its own, which is removed at the end.
struct Stored {
    folder: PathBuf,
    counters: Arc<StoreCounters>,
}

impl Stored {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("pfsnoop-unit-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Self { folder, counters: Arc::default() }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("sessions.db")
    }

    /// An agent that has just attached.
    fn agent(&self, keep: Keep) -> StoreSink {
        let options = StoreOptions { path: self.path(), keep };
        let mut sink = StoreSink::start(options, Arc::clone(&self.counters)).unwrap();
        let ready = Ready { time_ns: clock::boottime_ns(), command: "agent", has_execs: false };
        sink.update(&Update::Ready(ready)).unwrap();
        sink
    }

    /// Stores sessions, and ends the agent.
    fn store(&self, sessions: impl IntoIterator<Item = Session>) {
        let mut sink = self.agent(FOREVER);
        sessions.into_iter().for_each(|session| give(&mut sink, session));
        sink.end(0).unwrap();
    }

    fn all(&self) -> Vec<PastSession> {
        self.filtered(&HistoryFilter::default())
    }

    fn filtered(&self, filter: &HistoryFilter) -> Vec<PastSession> {
        let history = History::open(&self.path()).unwrap();
        let numbers = history.numbers(filter, None).unwrap();
        history.sessions(&numbers).unwrap()
    }

    fn wait_for_stored(&self, count: u64) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while self.counters.stored() < count {
            assert!(Instant::now() < deadline, "{} of {count} stored", self.counters.stored());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn give(sink: &mut StoreSink, session: Session) {
    sink.update(&Update::Session(Box::new(session))).unwrap();
}

/// A session that has ended now.
fn ended(id: &str, outcome: Outcome) -> Session {
    let session = Session::example(Closed::example(outcome));
    Session { id: id.to_owned(), time_ns: clock::boottime_ns(), ..session }
}

/// Everything that a session of the monitor can have.
fn full() -> Session {
    let closed = Closed {
        outcome: Outcome::Reset,
        reason: Reason::InWords("because \u{202e} \x1b[31m".to_owned()),
        helper_end: Some(End::Killed(9)),
        stderr: None,
        error: None,
        bytes_to_pod: Some(u64::from(u32::MAX) * 5),
        bytes_from_pod: Some(0),
        connect_ns: Some(7),
        duration_ns: Some(1 << 50),
    };
    let container = Container {
        id: "0123456789abcdef".repeat(4),
        runtime: "cri-o",
        name: Some("web \"'; DROP TABLE session".to_owned()),
        is_confirmed: true,
        is_disputed: false,
    };
    let pod = Pod { namespace: "shop".into(), name: "kuard".into(), uid: "u-1".into() };
    let mut session = ended("4711-1-2", Outcome::Ok);
    session.via = Via::NsenterSocat;
    session.forwarder.comm = b"\xff\xfebad"[..].into();
    session.forwarder.uid = Some(1000);
    session.forwarder.exe = Some(b"/usr/bin/\xc3\xbc\xff"[..].into());
    session.helper = Some(Helper { pid: 12, start_ns: Some(1 << 60) });
    session.target = Destination {
        pid: Some(99),
        netns: Some(4_026_532_316),
        owner: Owner { container: Some(container), pod: Some(pod), is_claimed: false },
        is_claimed: true,
        ..Destination::default()
    };
    session.address = Some("::1".parse().unwrap());
    session.state = State::Closed(closed);
    session
}

#[test]
fn the_runtime_of_a_container_comes_back() {
    const ALL: [&str; 8] =
        ["containerd", "cri-o", "docker", "ecs", "lxc", "podman", "systemd-nspawn", "unknown"];
    let stored = Stored::new("runtimes");
    stored.store(ALL.map(|runtime| {
        let mut session = Session { id: runtime.to_owned(), ..full() };
        let owner = &mut session.target.owner;
        owner.container.as_mut().unwrap().runtime = runtime;
        session
    }));
    for PastSession { session, .. } in stored.all() {
        assert_eq!(session.target.owner.container.unwrap().runtime, session.id);
    }
}

#[test]
fn a_session_comes_back_as_it_was() {
    let stored = Stored::new("whole");
    let session = full();
    let time_ns = clock::wall_time(session.time_ns).as_nanosecond();
    stored.store([session.clone()]);
    let [past] = &stored.all()[..] else { panic!("one session") };
    assert!((past.time.as_nanosecond() - time_ns).abs() < 1_000_000, "a millisecond");
    let mut expected = Session { time_ns: 0, ..session };
    let State::Closed(closed) = &mut expected.state else { panic!("{expected:?}") };
    // The words have no dangerous characters any more.
    closed.reason = Reason::InWords(crate::output::reason(&closed.reason));
    assert_eq!(past.session, expected);
}

/// What a session of the monitor never has is not stored.
#[test]
fn only_forwards_of_pfsnoop_itself_have_a_client() {
    let client = Client {
        address: "127.0.0.1:1".parse().unwrap(),
        user_agent: String::new(),
        transport: crate::model::Transport::Spdy,
    };
    let stored = Stored::new("client");
    stored.store([Session { client: Some(Arc::new(client)), ..full() }]);
    assert_eq!(stored.all()[0].session.client, None);
}

#[test]
fn a_session_is_one_row_in_its_last_state() {
    let stored = Stored::new("states");
    let mut sink = stored.agent(FOREVER);
    let in_state = |state| Session { state, ..ended("1-1", Outcome::Ok) };
    give(&mut sink, in_state(State::Started));
    stored.wait_for_stored(1);
    assert_eq!(stored.all()[0].session.state, State::Started);
    give(&mut sink, in_state(State::Connected));
    stored.wait_for_stored(2);
    assert_eq!(stored.all()[0].session.state, State::Connected);
    give(&mut sink, ended("1-1", Outcome::Ok));
    stored.wait_for_stored(3);
    // A whole session within one batch.
    give(&mut sink, Session { id: "2-2".to_owned(), ..in_state(State::Started) });
    give(&mut sink, ended("2-2", Outcome::Refused));
    sink.end(0).unwrap();
    let ends: Vec<_> = stored.all().into_iter().map(|past| past.session.id).collect();
    assert_eq!(ends, ["1-1", "2-2"]);
    assert!(stored.all().iter().all(|past| matches!(past.session.state, State::Closed(_))));
}

#[test]
fn what_is_open_when_a_run_begins_is_lost_unless_its_end_comes() {
    let stored = Stored::new("runs");
    let mut sink = stored.agent(FOREVER);
    for id in ["1-1", "2-2"] {
        give(&mut sink, Session { state: State::Connected, ..ended(id, Outcome::Ok) });
    }
    stored.wait_for_stored(2);
    let ready = Ready { time_ns: clock::boottime_ns(), command: "agent", has_execs: false };
    sink.update(&Update::Ready(ready)).unwrap();
    give(&mut sink, ended("2-2", Outcome::Ok));
    sink.end(0).unwrap();
    let states: Vec<_> =
        stored.all().into_iter().map(|past| (past.session.id, past.session.state.name())).collect();
    assert_eq!(states, [("1-1".to_owned(), "lost"), ("2-2".to_owned(), "closed")]);
}

#[test]
fn old_sessions_and_what_they_referred_to_are_deleted() {
    let stored = Stored::new("age");
    stored.store([full(), ended("1-1", Outcome::Ok)]);
    std::thread::sleep(Duration::from_millis(1100));
    let mut sink = stored.agent(Keep { age: Duration::from_secs(1), ..FOREVER });
    give(&mut sink, ended("2-2", Outcome::Ok));
    let deadline = Instant::now() + Duration::from_secs(30);
    let count = |table: &str| {
        let connection = Connection::open(stored.path()).unwrap();
        let query = format!("SELECT count(*) FROM {table}");
        connection.query_row(&query, (), |row| row.get::<_, i64>(0)).unwrap()
    };
    while count("session") != 1 || count("target") != 0 {
        assert!(Instant::now() < deadline, "{} {}", count("session"), count("target"));
        std::thread::sleep(Duration::from_millis(50));
    }
    sink.end(0).unwrap();
    assert_eq!(stored.all()[0].session.id, "2-2");
}

#[test]
fn the_file_does_not_outgrow_its_limit() {
    let stored = Stored::new("size");
    let keep = Keep { bytes: 2 * 1024 * 1024, ..FOREVER };
    let mut sink = stored.agent(keep);
    for n in 0..40_000_u64 {
        give(&mut sink, ended(&format!("{n}-1000000000-2000000000"), Outcome::Ok));
        if n % 2000 == 0 {
            stored.wait_for_stored(n.saturating_sub(2000));
        }
    }
    stored.wait_for_stored(40_000);
    // Some more steps.
    let deadline = Instant::now() + Duration::from_mins(1);
    while stored.counters.file_bytes() > keep.bytes {
        give(&mut sink, ended("1-1", Outcome::Ok));
        assert!(Instant::now() < deadline, "{} bytes", stored.counters.file_bytes());
        std::thread::sleep(Duration::from_millis(50));
    }
    sink.end(0).unwrap();
    let bytes = std::fs::metadata(stored.path()).unwrap().len();
    assert!(bytes < 2 * keep.bytes, "{bytes} on the disk");
    let all = stored.all();
    assert!(all.len() > 2000 && all.iter().any(|past| past.session.id.starts_with("39999-")));
    assert_eq!(stored.counters.dropped(), 0);
}

#[test]
fn a_file_that_is_removed_is_made_again() {
    let stored = Stored::new("removed");
    let mut sink = stored.agent(FOREVER);
    give(&mut sink, ended("1-1", Outcome::Ok));
    stored.wait_for_stored(1);
    for name in ["sessions.db", "sessions.db-wal", "sessions.db-shm"] {
        std::fs::remove_file(stored.folder.join(name)).unwrap();
    }
    give(&mut sink, ended("2-2", Outcome::Ok));
    stored.wait_for_stored(2);
    sink.end(0).unwrap();
    assert_eq!(stored.all().len(), 1);
    assert!(stored.counters.failures().all(|(_, count)| count == 0));
}

#[test]
fn a_store_that_takes_the_place_of_another_keeps_its_sessions() {
    let (stored, other) = (Stored::new("replaced"), Stored::new("replacement"));
    other.store((0..50).map(|n| ended(&format!("{n}-1"), Outcome::Ok)));
    let mut sink = stored.agent(FOREVER);
    give(&mut sink, ended("100-1", Outcome::Ok));
    stored.wait_for_stored(1);
    std::fs::rename(other.path(), stored.path()).unwrap();
    for name in ["sessions.db-wal", "sessions.db-shm"] {
        std::fs::remove_file(stored.folder.join(name)).unwrap();
    }
    give(&mut sink, ended("101-1", Outcome::Ok));
    stored.wait_for_stored(2);
    sink.end(0).unwrap();
    assert_eq!(stored.all().len(), 51);
}

#[test]
fn filters_find_pods_and_containers() {
    let stored = Stored::new("pods");
    let mut other = full();
    other.id = "1-1".to_owned();
    other.target.owner.pod.as_mut().unwrap().name = "other".to_owned();
    let mut disputed = full();
    disputed.id = "2-2".to_owned();
    disputed.target.owner.container.as_mut().unwrap().is_disputed = true;
    stored.store([full(), other, disputed, ended("3-3", Outcome::Ok)]);
    let pod = |namespace: &str, name: &str| HistoryFilter {
        pod: Some(PodName { namespace: Some(namespace.to_owned()), name: name.to_owned() }),
        ..HistoryFilter::default()
    };
    let container = |container: &str| HistoryFilter {
        container: Some(container.to_owned()),
        ..HistoryFilter::default()
    };
    let found = |filter: HistoryFilter| {
        let all = stored.filtered(&filter).into_iter();
        all.map(|past| past.session.id).collect::<BTreeSet<_>>()
    };
    let ids = |ids: &[&str]| ids.iter().copied().map(ToOwned::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(found(pod("shop", "kuard")), ids(&["4711-1-2", "2-2"]));
    assert_eq!(found(pod("shop", "other")), ids(&["1-1"]));
    assert_eq!(found(pod("bank", "kuard")), ids(&[]));
    let namespace =
        HistoryFilter { namespace: Some("shop".to_owned()), ..HistoryFilter::default() };
    assert_eq!(found(namespace).len(), 3);
    for name in ["0123456789ab", "web \"'; DROP TABLE session"] {
        assert_eq!(found(container(name)), ids(&["4711-1-2", "1-1"]), "{name}");
    }
    assert_eq!(found(container("123")), ids(&[]));
}
