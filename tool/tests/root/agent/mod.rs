//! `pfsnoop agent`: what it serves and exports, and how it is deployed.

mod deploy;
mod endpoint;
mod image;
mod otlp;
mod outages;
mod prometheus;
mod series;
mod unit;
