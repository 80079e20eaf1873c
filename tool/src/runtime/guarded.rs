//! A client whose answers come within limits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::client::{Answer, Names, Place, RuntimeClient};
use super::label_limits::{MAX_LABEL, MAX_LABELS};
use super::worker::ask;
use crate::model::{ForwardingMode, Pod, TargetDetails, TargetInfo};

/// How long the whole list may take.
const LIST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the place of one target may take.
const PLACE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the names of one container may take. A row waits for a second only. What comes later
/// serves the next row.
const NAMES_TIMEOUT: Duration = Duration::from_secs(2);

/// A name is cut after so many bytes. Names in Kubernetes have 253 at most. The ones of thousands of
/// containers are remembered, and a table takes a minute for a name of megabytes.
const MAX_NAME: usize = 1024;

/// At most this many declared ports are kept.
const MAX_PORTS: usize = 64;

/// Asks a client on the thread for the runtimes.
pub(super) struct Guarded {
    client: Arc<dyn RuntimeClient>,
    version: String,
}

impl Guarded {
    pub(super) fn guard(client: Arc<dyn RuntimeClient>) -> Arc<dyn RuntimeClient> {
        let version = cut(client.version().to_owned());
        Arc::new(Self { client, version })
    }
}

impl RuntimeClient for Guarded {
    fn name(&self) -> &'static str {
        self.client.name()
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn default_namespace(&self) -> &'static str {
        self.client.default_namespace()
    }

    fn forwarding_mode(&self) -> ForwardingMode {
        self.client.forwarding_mode()
    }

    fn start_command(&self, id: &str) -> String {
        self.client.start_command(id)
    }

    fn start_pod_command(&self, id: &str) -> Option<String> {
        self.client.start_pod_command(id)
    }

    fn list(&self) -> Answer<'_, Vec<TargetInfo>> {
        let client = Arc::clone(&self.client);
        let list = async move { Ok(client.list().await?.into_iter().map(listed).collect()) };
        Box::pin(ask(LIST_TIMEOUT, list))
    }

    fn place<'a>(&'a self, of: &'a TargetInfo) -> Answer<'a, Option<Place>> {
        let (client, of) = (Arc::clone(&self.client), of.clone());
        Box::pin(ask(PLACE_TIMEOUT, async move { client.place(&of).await }))
    }

    fn names<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Names>> {
        let (client, id) = (Arc::clone(&self.client), id.to_owned());
        let names = async move { Ok(client.names(&id).await?.map(short)) };
        Box::pin(ask(NAMES_TIMEOUT, names))
    }
}

fn listed(info: TargetInfo) -> TargetInfo {
    let TargetInfo { kind, id, name, name_in_pod, pod, is_running, state, details } = info;
    let (id, state, pod) = (cut(id), cut(state), pod.map(short_pod));
    let (name, name_in_pod) = (name.map(cut), name_in_pod.map(cut));
    let details = short_details(details);
    TargetInfo { kind, id, name, name_in_pod, pod, is_running, state, details }
}

fn short_details(details: TargetDetails) -> TargetDetails {
    let TargetDetails { labels, created, image, mut ports } = details;
    let fits = |(name, value): &(String, String)| name.len().max(value.len()) <= MAX_LABEL;
    let labels: BTreeMap<_, _> = labels.into_iter().filter(fits).take(MAX_LABELS).collect();
    ports.truncate(MAX_PORTS);
    for port in &mut ports {
        port.name = port.name.take().map(cut);
    }
    TargetDetails { labels, created, image: image.map(cut), ports }
}

fn short(Names { name, pod, pid }: Names) -> Names {
    Names { name: name.map(cut), pod: pod.map(short_pod), pid }
}

fn short_pod(Pod { namespace, name, uid }: Pod) -> Pod {
    Pod { namespace: cut(namespace), name: cut(name), uid: cut(uid) }
}

fn cut(mut name: String) -> String {
    if name.len() > MAX_NAME {
        name.truncate(name.floor_char_boundary(MAX_NAME));
        name.shrink_to_fit();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(cut("web".to_owned()), "web");
        let long = "x".to_owned() + &"ü".repeat(MAX_NAME);
        let short = cut(long.clone());
        assert!(short.len() >= MAX_NAME - 1 && short.len() <= MAX_NAME);
        assert!(long.starts_with(&short));
    }

    #[test]
    fn labels_that_are_too_long_or_too_many_are_left_out() {
        let label = |name: &str, value: usize| (name.to_owned(), "x".repeat(value));
        let of = |labels: Vec<(String, String)>| {
            let labels = labels.into_iter().collect();
            short_details(TargetDetails { labels, ..TargetDetails::default() }).labels
        };
        let kept = of(vec![label("a", MAX_LABEL), label("b", MAX_LABEL + 1), label("c", 0)]);
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["a", "c"]);
        let many = (0..2 * MAX_LABELS).map(|number| label(&number.to_string(), 1)).collect();
        assert_eq!(of(many).len(), MAX_LABELS);
    }
}
