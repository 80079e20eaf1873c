//! The calls of the Kubernetes API that port-forward clients make.
//!
//! ```text
//! api (token, method) -> route -> list | discovery | portforward -> objects -> answer
//! ```

mod answer;
mod api;
mod discovery;
mod list;
mod list_query;
mod objects;
mod portforward;
mod route;
mod select;
mod status;
mod table;

pub(super) use api::Api;
