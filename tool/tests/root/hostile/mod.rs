//! What an unprivileged user, a container or a broken runtime can do to a pfsnoop that runs as root. Each
//! test is the attack itself.

mod false_containers;
mod grpc;
mod http;
mod lookups;
mod netns_files;
