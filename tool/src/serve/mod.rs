//! The endpoint that Kubernetes clients use: TLS, a bearer token, and the few calls of the API that a
//! port-forward takes.

mod allow;
mod api;
mod certificate;
mod kubeconfig;
mod limits;
mod pods;
mod server;
mod token;
mod upgraded;

pub use allow::{AllowList, PodPattern};
pub use certificate::CertificateError;
pub use kubeconfig::{Kubeconfig, KubeconfigError};
pub use limits::EndpointLimits;
pub use pods::PodCounts;
pub use token::NoRandomness;
pub use upgraded::{StreamProtocol, UpgradeHandler, UpgradedClient};
