//! The endpoint that Kubernetes clients use: TLS, a bearer token, and the few calls of the API that a
//! port-forward takes.

mod allow;
mod certificate;
mod kubeconfig;
mod pods;
mod token;

pub use allow::{AllowList, PodPattern};
pub use certificate::CertificateError;
pub use kubeconfig::{Kubeconfig, KubeconfigError};
pub use pods::PodCounts;
pub use token::NoRandomness;
