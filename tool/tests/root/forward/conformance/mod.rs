//! Whether a client and a server notice a forwarder between them. `behaviours.txt` lists what they
//! do, `differences.txt` what they may notice and why, and docs/conformance.md shows all of it.

mod behaviours;
mod check;
mod differences;
mod forwarders;
mod page;
mod run;
mod way;
