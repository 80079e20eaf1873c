//! The endpoint that Kubernetes clients use: TLS, a bearer token, and the few calls of the API that a
//! port-forward takes.
//!
//! ```text
//! server (TCP, TLS, HTTP/1.1) -> api (routes, objects; portforward negotiates) -> forwarding -> forward
//!                                  ^ pods (this node's runtimes)                    ^ streams
//! ```

mod allow;
mod api;
mod certificate;
mod endpoint;
mod forwarding;
mod kubeconfig;
mod limits;
mod on_failure;
mod pod_target;
mod pods;
mod server;
pub mod streams;
mod token;
mod upgraded;

#[cfg(test)]
mod tests;

pub use allow::{AllowList, PodPattern};
pub use certificate::CertificateError;
pub use endpoint::{Endpoint, EndpointError, EndpointOptions};
pub use forwarding::Forwarding;
pub use kubeconfig::{Kubeconfig, KubeconfigError};
pub use limits::EndpointLimits;
pub use on_failure::OnFailure;
pub use pods::PodCounts;
pub use token::NoRandomness;
pub use upgraded::{StreamProtocol, UpgradeHandler, UpgradedClient};
