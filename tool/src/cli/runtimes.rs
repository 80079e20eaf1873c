//! The options of every verb that takes names of pods.

use clap::Args;

use crate::resolve::{Endpoint, RuntimeChoice, Runtimes};

/// Which container runtimes are asked.
#[derive(Clone, Args, Debug)]
pub struct AskRuntimes {
    /// Which container runtimes to ask for pods and containers
    #[arg(long, value_enum, default_value_t)]
    pub runtime: RuntimeChoice,
    /// Ask only the runtime at this unix socket; it speaks CRI, or Docker's API with --runtime docker
    #[arg(long, value_name = "URI")]
    pub runtime_endpoint: Option<Endpoint>,
}

impl From<AskRuntimes> for Runtimes {
    fn from(AskRuntimes { runtime, runtime_endpoint }: AskRuntimes) -> Self {
        Self { choice: runtime, endpoint: runtime_endpoint }
    }
}
