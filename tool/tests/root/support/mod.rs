//! What the tests that need root share: one file per fixture.

pub mod bpf_maps;
pub mod cgroup;
pub mod containerd;
pub mod cri;
pub mod cri_server;
pub mod docker;
pub mod doctor;
pub mod exclusive;
pub mod exec;
pub mod exec_cases;
pub mod fixture;
pub mod forward;
pub mod helper;
pub mod image;
pub mod netns;
pub mod parts;
pub mod pod;
pub mod podman;
pub mod processes;
pub mod records;
pub mod schema;
pub mod service;
pub mod stand_in;
pub mod vm;
pub mod watch;
pub mod websocket;
