-- What ran: one row for each time that an agent attached its kernel programs.
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  boot TEXT NOT NULL,             -- /proc/sys/kernel/random/boot_id
  version TEXT NOT NULL,          -- of pfsnoop
  began_ns INTEGER NOT NULL,      -- since 1970
  written_ns INTEGER NOT NULL,    -- last time that it was alive for sure
  ended_ns INTEGER                -- NULL: it runs, or was killed
) STRICT;

-- Texts that many sessions share: names of programs, reasons, addresses. Bytes that are not UTF-8 are
-- blobs. A text belongs to a segment: 65,536 numbers of sessions (session.id >> 16).
CREATE TABLE text (
  id INTEGER PRIMARY KEY,
  segment INTEGER NOT NULL,
  value ANY NOT NULL
) STRICT;

-- A pod or a container.
CREATE TABLE target (
  id INTEGER PRIMARY KEY,
  namespace TEXT,
  pod TEXT,
  pod_uid TEXT,
  container TEXT,
  container_id TEXT,
  runtime TEXT,
  is_confirmed INTEGER,
  is_disputed INTEGER
) STRICT;
CREATE INDEX target_pod ON target(pod);
CREATE INDEX target_container ON target(container_id);

-- A session in its last state. A session that changes gets a new number, so that numbers have the order
-- of the changes.
CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run(id),
  session_id TEXT NOT NULL,
  state INTEGER NOT NULL,
  time_ns INTEGER NOT NULL,
  via INTEGER NOT NULL,
  forwarder_pid INTEGER NOT NULL,
  forwarder_comm INTEGER NOT NULL REFERENCES text(id),
  forwarder_uid INTEGER,
  forwarder_exe INTEGER REFERENCES text(id),
  helper_pid INTEGER,
  helper_start_ns INTEGER,
  target INTEGER REFERENCES target(id),
  target_pid INTEGER,
  target_comm INTEGER REFERENCES text(id),
  netns INTEGER,
  is_claimed INTEGER NOT NULL,
  port INTEGER NOT NULL,
  address INTEGER REFERENCES text(id),
  outcome INTEGER,
  reason INTEGER REFERENCES text(id),
  exit_code INTEGER,
  signal INTEGER,
  bytes_to_pod INTEGER,
  bytes_from_pod INTEGER,
  connect_ns INTEGER,
  duration_ns INTEGER
) STRICT;
CREATE INDEX session_time ON session(time_ns);
CREATE INDEX session_target ON session(target, time_ns) WHERE target IS NOT NULL;
CREATE INDEX session_open ON session(id) WHERE state < 2;
CREATE INDEX session_failed ON session(time_ns) WHERE outcome > 0;

-- For people: every session with its words.
CREATE VIEW sessions AS
SELECT
  session.id AS number,
  strftime('%Y-%m-%dT%H:%M:%fZ', session.time_ns / 1e9, 'unixepoch') AS time,
  CASE state WHEN 0 THEN 'started' WHEN 1 THEN 'connected' WHEN 2 THEN 'closed' ELSE 'lost' END AS state,
  CASE outcome WHEN 0 THEN 'ok' WHEN 1 THEN 'refused' WHEN 2 THEN 'timeout' WHEN 3 THEN 'unreachable'
    WHEN 4 THEN 'target-gone' WHEN 5 THEN 'helper-missing' WHEN 6 THEN 'killed' WHEN 7 THEN 'reset'
    WHEN 8 THEN 'failed' END AS outcome,
  (SELECT value FROM text WHERE text.id = reason) AS reason,
  namespace, pod, container, container_id, port,
  CASE via WHEN 0 THEN 'nsenter+socat' ELSE 'native' END AS via,
  (SELECT CAST(value AS TEXT) FROM text WHERE text.id = forwarder_comm) AS forwarder,
  forwarder_pid, forwarder_uid,
  (SELECT CAST(value AS TEXT) FROM text WHERE text.id = forwarder_exe) AS forwarder_exe,
  bytes_to_pod, bytes_from_pod,
  connect_ns / 1e9 AS connect_seconds, duration_ns / 1e9 AS seconds,
  helper_pid, target_pid, netns, session_id, run, session.time_ns AS time_ns
FROM session LEFT JOIN target ON target.id = session.target;

-- For people: the sessions that did not end well.
CREATE VIEW failures AS
SELECT * FROM sessions WHERE outcome <> 'ok' OR state = 'lost';

-- For people: ended sessions by hour (UTC).
CREATE VIEW hours AS
SELECT
  strftime('%Y-%m-%dT%H:00Z', time_ns / 1e9, 'unixepoch') AS hour,
  count(*) AS sessions,
  sum(outcome > 0) AS failed
FROM session WHERE state = 2 GROUP BY hour;
