//! The check of `tool/src`, and checks of small made-up trees.

use std::path::Path;

use super::check::check;
use super::tree::Tree;

#[test]
fn the_sources_keep_the_layering() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let broken = check(&Tree::read(&sources));
    let lines = broken.join(
        "
src/",
    );
    assert!(
        broken.is_empty(),
        "{} places break a rule:
src/{lines}",
        broken.len()
    );
}

/// The places in a tree that break a rule. The folders of its files get a `mod.rs` where they lack it.
fn broken(files: &[(&str, &str)]) -> Vec<String> {
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    check(&Tree::new(files.iter().map(owned).collect()))
}

#[test]
fn imports_to_the_right_are_fine() {
    let files = [
        ("lib.rs", "pub mod forward;\npub mod model;"),
        ("main.rs", "use pfsnoop::forward::Forward;\nfn main() { forward::run(); }"),
        ("forward/mod.rs", "mod dial;\npub(crate) use dial::{self as d, Dialer};"),
        ("forward/dial.rs", "use crate::model::Event;\npub struct Dialer(Event);"),
        ("model/mod.rs", "//! Data.\n\nmod event;\npub use event::*;"),
        ("model/event.rs", "/// See crate::forward.\npub struct Event; // crate::forward"),
    ];
    assert_eq!(broken(&files), [""; 0]);
}

#[test]
fn imports_to_the_left_are_found_in_use_declarations_and_in_code() {
    let files = [
        ("forward/listener.rs", "pub struct Listener;"),
        (
            "host/process.rs",
            "use std::fs;\nuse crate::{\n    model::Event,\n    forward::listener::Listener,\n};\n\
             fn f() {\n    vec![crate::monitor::start()];\n    super::super::probe::load();\n}",
        ),
        ("model/event.rs", "pub(crate) use super::super::output;"),
    ];
    let rule = "a module imports only from modules to its right";
    let to_host = "monitor, attribution, target, runtime, probe, output, host";
    assert_eq!(
        broken(&files),
        [
            format!("host/process.rs:4: host imports forward: {rule} (forward, {to_host})"),
            format!("host/process.rs:7: host imports monitor: {rule} ({to_host})"),
            format!("host/process.rs:8: host imports probe: {rule} (probe, output, host)"),
            format!(
                "model/event.rs:1: model imports output: {rule} (output, host, sessions, model)"
            ),
        ]
    );
}

#[test]
fn code_of_unit_tests_does_not_count() {
    let files = [
        (
            "model/event.rs",
            "#[cfg(test)]\nuse crate::forward::get;\n#[cfg(test)]\nmod tests {\n    use \
             crate::probe;\n}\n#[cfg(test)]\nmod more;\n",
        ),
        ("model/event/more.rs", "use crate::output::Sink;"),
    ];
    assert_eq!(broken(&files), [""; 0]);
}

#[test]
fn an_unknown_module_is_found() {
    let found = broken(&[("helpers.rs", ""), ("node/mod.rs", ""), ("node/netns.rs", "")]);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("helpers.rs:1: `helpers` has no place in the order of modules ("));
    assert!(found[1].starts_with("node/mod.rs:1: `node` has no place in the order of modules ("));
}

#[test]
fn mod_files_with_other_items_are_found() {
    let text = "//! Sessions.\n\n#[macro_use]\nmod table;\npub use table::{A, B};\n\nconst N: u8 = \
                1;\npub(crate) fn f() {}\nimpl A { fn g() {} }\n#[cfg(test)]\nmod tests { fn t() {} }";
    let rule = "a mod.rs file declares and re-exports only";
    assert_eq!(
        broken(&[("sessions/mod.rs", text), ("sessions/table.rs", "pub struct A;\nstruct B;")]),
        [
            format!("sessions/mod.rs:7: `const N`: {rule}"),
            format!("sessions/mod.rs:8: `fn f`: {rule}"),
            format!("sessions/mod.rs:9: `impl A`: {rule}"),
        ]
    );
}

#[test]
fn aya_outside_of_probe_is_found() {
    let files = [
        ("probe/load.rs", "use aya::Ebpf;"),
        ("monitor/start.rs", "// aya\nfn f(_: &str) -> aya_log::Logger {\n    f(\"aya\")\n}"),
        ("commands/exec.rs", "use {aya::Ebpf, pfsnoop_common::Exec};"),
    ];
    assert_eq!(
        broken(&files),
        [
            "commands/exec.rs:1: `aya`: only probe names aya",
            "monitor/start.rs:2: `aya_log`: only probe names aya",
        ]
    );
}

#[test]
fn proc_outside_of_host_is_found() {
    let files = [
        ("host/process.rs", "fn f() { read(\"/proc/self/stat\") }"),
        ("doctor/facts/limits.rs", "fn f() { read(\"/proc/sys/fs/file-nr\") }"),
        ("doctor/limits.rs", "//! Of /proc.\nfn f() { read(format!(\"/proc/{pid}/stat\")) }"),
        ("forward/dial.rs", "fn f() {\n    procfs::process::all_processes();\n}"),
    ];
    let rule = "only host, doctor::facts and demo read /proc";
    let found = broken(&files);
    assert_eq!(found[1], format!("forward/dial.rs:2: `procfs`: {rule}"));
    assert!(found[0].starts_with("doctor/limits.rs:2: `/proc/"), "{found:#?}");
    assert_eq!(found.len(), 2, "{found:#?}");
}

#[test]
fn cycles_between_files_are_found_through_re_exports() {
    let files = [
        ("runtime/mod.rs", "mod cri;\nmod docker;\nmod list;\npub use cri::Cri;\nuse list::*;"),
        ("runtime/cri.rs", "use super::docker;\nuse super::List;\npub struct Cri(List);"),
        ("runtime/docker.rs", "pub fn f() {}"),
        ("runtime/list.rs", "//! A list.\nuse crate::runtime::Cri;\npub struct List(Cri);"),
    ];
    let rule = "no cycles between files";
    assert_eq!(
        broken(&files),
        [
            format!(
                "runtime/cri.rs:2: {rule}: runtime/cri.rs -> runtime/list.rs -> runtime/cri.rs"
            ),
            format!(
                "runtime/list.rs:2: {rule}: runtime/list.rs -> runtime/cri.rs -> runtime/list.rs"
            ),
        ]
    );
}
