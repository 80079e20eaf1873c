//! The endpoint that Kubernetes clients use: TLS, a bearer token, and the few calls of the API that a
//! port-forward takes.
//!
//! ```text
//! server (TCP, TLS, HTTP/1.1) -> api (routes, objects; portforward negotiates) -> UpgradeHandler
//!                                  ^ pods (this node's runtimes)
//! ```

mod allow;
mod api;
mod certificate;
mod endpoint;
mod kubeconfig;
mod limits;
mod pods;
mod server;
mod token;
mod upgraded;

#[cfg(test)]
mod tests;

pub use allow::{AllowList, PodPattern};
pub use certificate::CertificateError;
pub use endpoint::{Endpoint, EndpointError, EndpointOptions};
pub use kubeconfig::{Kubeconfig, KubeconfigError};
pub use limits::EndpointLimits;
pub use pods::PodCounts;
pub use token::NoRandomness;
pub use upgraded::{StreamProtocol, UpgradeHandler, UpgradedClient};
