//! `pfsnoop agent`: what it serves and exports, and how it is deployed.

#![expect(clippy::float_cmp, reason = "the counts are doubles, and exact below 2^53")]

mod deploy;
mod endpoint;
mod image;
mod otlp;
mod outages;
mod prometheus;
mod series;
mod unit;
