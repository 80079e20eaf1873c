//! `pfsnoop serve`, with every client: kubectl of three versions, and the clients for Python, JavaScript
//! and Rust. `client.rs` lists the clients, and `checks.rs` lists what each of them is asked for, with
//! each runtime and each dialer.

mod checks;
mod client;
mod ends;
mod everything;
mod site;
mod transfers;
