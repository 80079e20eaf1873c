//! Pods and namespaces, for those who look.

use std::fmt::Display;

use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use super::answer::{Body, json, warn};
use super::list_query::{ListQuery, wants_table};
use super::objects::{List, ListMeta, Namespace, Observed, PodObject};
use super::status::Status;
use super::table::Table;
use crate::serve::pods::{PodSource, ServedPod};

/// Answers requests for pods and namespaces.
pub(super) struct Lists<'a> {
    pub(super) pods: &'a PodSource,
    pub(super) node: &'a str,
}

impl Lists<'_> {
    /// The pods of a namespace, or of all.
    pub(super) async fn pods(
        &self,
        namespace: Option<&str>,
        head: &Parts,
    ) -> Result<Response<Body>, Status> {
        let query = query(head)?;
        let snapshot = self.pods.list().await.map_err(unavailable)?;
        let is_in = |pod: &&ServedPod| namespace.is_none_or(|it| pod.pod.namespace == it);
        let is_selected = |pod: &&ServedPod| {
            query.labels.selects(pod.labels()) && query.fields.selects(pod, self.node)
        };
        let pods = snapshot.pods.iter().filter(is_in).filter(is_selected).collect();
        let mut response = self.show_pods(pods, snapshot.time, &query, head).await;
        warn(&mut response, &snapshot.unanswered);
        Ok(response)
    }

    async fn show_pods(
        &self,
        pods: Vec<&ServedPod>,
        time: Timestamp,
        query: &ListQuery,
        head: &Parts,
    ) -> Response<Body> {
        let (networks, unanswered) = self.pods.networks(&pods).await;
        let observed = |pod: &ServedPod| Observed {
            node: self.node,
            network: networks.get(&pod.entry.info.id),
        };
        let mut response = if wants_table(&head.headers) {
            let pods: Vec<_> = pods.into_iter().map(|pod| (pod, observed(pod))).collect();
            ok(&Table::of_pods(&pods, query.include, time))
        } else {
            let items = pods.into_iter().map(|pod| PodObject::new(pod, observed(pod))).collect();
            ok(&List::new("PodList", ListMeta::of(time), items))
        };
        warn(&mut response, &unanswered);
        response
    }

    /// One pod.
    pub(super) async fn pod(
        &self,
        namespace: &str,
        name: &str,
        head: &Parts,
    ) -> Result<Response<Body>, Status> {
        let query = query(head)?;
        if !self.pods.allows(namespace, name) {
            return Err(not_allowed(namespace, name));
        }
        let snapshot = self.pods.list().await.map_err(unavailable)?;
        let pod = snapshot.pod(namespace, name).ok_or_else(|| Status::pod_not_found(name))?;
        if wants_table(&head.headers) {
            return Ok(self.show_pods(vec![pod], snapshot.time, &query, head).await);
        }
        let (networks, _) = self.pods.networks(&[pod]).await;
        let network = networks.get(&pod.entry.info.id);
        Ok(ok(&PodObject::new(pod, Observed { node: self.node, network })))
    }

    /// The namespaces that have pods.
    pub(super) async fn namespaces(&self, head: &Parts) -> Result<Response<Body>, Status> {
        query(head)?;
        let snapshot = self.pods.list().await.map_err(unavailable)?;
        let names = snapshot.namespaces();
        if wants_table(&head.headers) {
            return Ok(ok(&Table::of_namespaces(&names, snapshot.time)));
        }
        let items = names.into_iter().map(Namespace::named).collect();
        Ok(ok(&List::new("NamespaceList", ListMeta::of(snapshot.time), items)))
    }

    /// One namespace.
    pub(super) async fn namespace(
        &self,
        name: &str,
        head: &Parts,
    ) -> Result<Response<Body>, Status> {
        let snapshot = self.pods.list().await.map_err(unavailable)?;
        if !snapshot.namespaces().contains(&name) {
            return Err(Status::not_found(format!("namespaces {name:?} not found")));
        }
        if wants_table(&head.headers) {
            return Ok(ok(&Table::of_namespaces(&[name], snapshot.time)));
        }
        Ok(ok(&Namespace::named(name)))
    }
}

fn ok(object: &impl Serialize) -> Response<Body> {
    json(StatusCode::OK, object)
}

/// What the client asks of the list. Nothing here can be watched: kubectl prints the sentence after the
/// list.
fn query(head: &Parts) -> Result<ListQuery, Status> {
    let query = ListQuery::parse(head.uri.query().unwrap_or_default())?;
    if query.is_watch {
        return Err(Status::no_watch(
            "pfsnoop serve lists pods and does not watch them: repeat `kubectl get pods`, or see every \
             forward with `pfsnoop watch`",
        ));
    }
    Ok(query)
}

/// No runtime answers.
pub(super) fn unavailable(asked: impl Display) -> Status {
    Status::unavailable(format!("no container runtime answers on this node ({asked})"))
}

/// The pod is none of `--allow`.
pub(super) fn not_allowed(namespace: &str, name: &str) -> Status {
    let why = format!(
        "pfsnoop serve was started with --allow, which does not include {namespace}/{name}"
    );
    Status::pod_forbidden(name, &why)
}
