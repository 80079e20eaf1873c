//! The options of every command that asks container runtimes.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::runtime::{Endpoint, Protocol, Runtimes, protocols};

/// Which container runtimes are asked.
#[derive(Clone, Args, Debug)]
pub struct AskRuntimes {
    /// Which container runtimes to ask for pods, containers and their names
    #[arg(long, default_value = AUTO, value_parser = runtime_values())]
    pub runtime: RuntimeChoice,
    /// Ask only the runtime at this unix socket; it serves CRI, or the API that --runtime names
    #[arg(long, value_name = "URI")]
    pub runtime_endpoint: Option<Endpoint>,
}

/// The value of `--runtime`: an API of the registry, or `auto`.
#[derive(Clone, Copy, Debug)]
pub struct RuntimeChoice(Option<&'static Protocol>);

const AUTO: &str = "auto";

fn runtime_values() -> impl TypedValueParser<Value = RuntimeChoice> {
    let auto = PossibleValue::new(AUTO).help("All runtimes that are found");
    let others = protocols().map(|one| PossibleValue::new(one.name).help(one.help));
    let by_name = |name: String| RuntimeChoice(protocols().find(|one| one.name == name));
    PossibleValuesParser::new(std::iter::once(auto).chain(others)).map(by_name)
}

impl From<AskRuntimes> for Runtimes {
    fn from(AskRuntimes { runtime, runtime_endpoint }: AskRuntimes) -> Self {
        Self { protocol: runtime.0, endpoint: runtime_endpoint, client: None }
    }
}
