//! Processes whose files are on a file system that never answers (FUSE). Who waits for it may be beyond
//! every signal.

use serde_json::Value;

use crate::common::temp::TempDir;
use crate::support::doctor::{examine_alone, find, severity};
use crate::support::fixture::silent_fuse;

const NOBODY: u32 = 65534;

/// Runs the doctor beside a process of that user and name, and ends the file system if the doctor waits for
/// it.
fn examine_beside(uid: u32, name: &str, way: &str) -> Vec<Value> {
    let dir = TempDir::new(&format!("silent-{way}-{uid}"));
    let (folder, fixture) = (dir.path().display(), silent_fuse().display());
    examine_alone(&format!(
        "{fixture} {uid} {name} {way} {folder} > {folder}.ready & silent=$!\n\
         for i in {{1..100}}; do [ -s {folder}.ready ] && break; sleep 0.05; done\n\
         [ -s {folder}.ready ] || exit 8\n\
         rm {folder}.ready\n\
         $PFSNOOP doctor -o json & doctor=$!\n\
         for i in {{1..200}}; do kill -0 $doctor 2> /dev/null || break; sleep 0.1; done\n\
         if kill -0 $doctor 2> /dev/null; then\n\
             cat /proc/$doctor/stat >&2; kill -KILL $silent; wait $doctor; exit 9\n\
         fi\n\
         wait $doctor"
    ))
    .0
}

#[test]
fn a_file_of_another_process_is_never_taken() {
    for uid in [NOBODY, 0] {
        let findings = examine_beside(uid, "socat", "descriptor");
        // nobody's is no forward of the node's. What root's does cannot be read.
        let what = if uid == 0 { "cannot be read for 1 of 1" } else { "no socat of a forward" };
        assert!(find(&findings, "leftover", what).is_some(), "{uid}: {findings:#?}");
    }
}

#[test]
fn a_daemon_whose_files_do_not_answer_is_reported() {
    let findings = examine_beside(0, "kubelet", "path");
    for (check, program) in [("helper.socat", "socat"), ("helper.nsenter", "nsenter")] {
        let part = format!("finds {program}: its files do not answer within 3 s");
        assert_eq!(severity(&findings, check, &part), "warn");
        // Everybody else's answers come all the same.
        assert_eq!(severity(&findings, check, "pfsnoop finds /usr/bin/"), "ok");
    }
}
