//! What an unprivileged user, a container or a broken runtime can do to a pfsnoop that runs as root. Each
//! test is the attack itself.
//! `docs/SECURITY.md` has the promises that these tests hold.

mod containers;
mod devices;
mod false_containers;
mod grpc;
mod hosts;
mod http;
mod lookups;
mod namesakes;
mod netns_files;
mod path;
mod quoting;
mod silent_files;
