//! `pfsnoop agent`: what it serves and exports.

mod endpoint;
mod otlp;
mod outages;
mod prometheus;
mod series;
