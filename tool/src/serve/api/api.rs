//! A request and its answer.

use std::sync::Arc;

use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::{Body, text};
use super::discovery;
use super::list::Lists;
use super::portforward;
use super::route::Route;
use super::status::Status;
use crate::serve::pods::PodSource;
use crate::serve::server::Visitor;
use crate::serve::token::Token;
use crate::serve::upgraded::{UpgradeHandler, UpgradedClient};

/// Answers requests.
pub(in crate::serve) struct Api<H> {
    token: Token,
    pods: PodSource,
    node: String,
    handler: H,
    /// The tasks of forwards, which end when the token is cancelled.
    forwards: (TaskTracker, CancellationToken),
    ending: CancellationToken,
}

impl<H: UpgradeHandler> Api<H> {
    pub(in crate::serve) fn new(
        token: Token,
        pods: PodSource,
        node: String,
        handler: H,
        forwards: (TaskTracker, CancellationToken),
        ending: CancellationToken,
    ) -> Self {
        Self { token, pods, node, handler, forwards, ending }
    }

    /// Cancelled when the endpoint ends.
    pub(in crate::serve) fn ending(&self) -> &CancellationToken {
        &self.ending
    }

    /// Only `/healthz` is answered without the token.
    pub(in crate::serve) async fn answer<B>(
        self: Arc<Self>,
        request: Request<B>,
        visitor: &Arc<Visitor>,
    ) -> Response<Body>
    where
        B: Send + 'static,
    {
        if request.uri().path() == "/healthz" {
            return text(StatusCode::OK, "ok");
        }
        if !self.token.is_in(request.headers()) {
            return Status::unauthorized().into();
        }
        if !visitor.admit() {
            return Status::too_many_requests().into();
        }
        self.answer_client(request, visitor).await.unwrap_or_else(Into::into)
    }

    async fn answer_client<B: Send + 'static>(
        self: Arc<Self>,
        request: Request<B>,
        visitor: &Arc<Visitor>,
    ) -> Result<Response<Body>, Status> {
        let path = request.uri().path().to_owned();
        let route = Route::of(&path).ok_or_else(Status::no_resource)?;
        if let Route::PortForward { namespace, name } = route {
            return self.forward(request, (namespace, name), visitor).await;
        }
        let (head, _) = request.into_parts();
        let is_read = matches!(head.method, Method::GET | Method::HEAD);
        // kubectl prints the sentence for `exec` and `attach`, which are no reads.
        match route {
            Route::OtherOfPod(_) | Route::OtherResource(_) => {}
            _ if is_read => {}
            _ => return Err(Status::no_method()),
        }
        self.read(route, &head).await
    }

    async fn read(&self, route: Route<'_>, head: &Parts) -> Result<Response<Body>, Status> {
        let lists = Lists { pods: &self.pods, node: &self.node };
        match route {
            Route::Version => Ok(discovery::version()),
            Route::CoreVersions => Ok(discovery::core_versions()),
            Route::Groups => Ok(discovery::groups()),
            Route::AppsGroup => Ok(discovery::apps_group()),
            Route::CoreResources => Ok(discovery::core_resources()),
            Route::AppsResources => Ok(discovery::apps_resources()),
            Route::Namespaces => lists.namespaces(head).await,
            Route::Namespace(name) => lists.namespace(name, head).await,
            Route::Pods(namespace) => lists.pods(namespace, head).await,
            Route::Pod { namespace, name } => lists.pod(namespace, name, head).await,
            Route::OtherResource(resource) => Err(Status::not_found(format!(
                "container runtimes know pods and no {resource}: use `kubectl port-forward pod/NAME` \
                 (`kubectl get pods -A` lists the pods)"
            ))),
            Route::OtherOfPod(other) => Err(Status::not_found(format!(
                "pfsnoop serve does not answer {other:?}, only `kubectl get pods` and `kubectl \
                 port-forward`"
            ))),
            Route::PortForward { .. } => Err(Status::no_method()),
        }
    }

    /// Answers the upgrade, and hands the connection to the handler once the answer is sent.
    async fn forward<B: Send + 'static>(
        self: Arc<Self>,
        mut request: Request<B>,
        (namespace, name): (&str, &str),
        visitor: &Arc<Visitor>,
    ) -> Result<Response<Body>, Status> {
        let served = portforward::target(&self.pods, namespace, name).await?;
        let upgrade = hyper::upgrade::on(&mut request);
        let (head, _) = request.into_parts();
        let portforward::Accepted { protocol, response } = match portforward::negotiate(&head) {
            Ok(accepted) => accepted,
            Err(refused) => return Ok(*refused),
        };
        let user_agent = portforward::user_agent(&head.headers);
        let (visitor, (tasks, stopped)) = (Arc::clone(visitor), self.forwards.clone());
        tasks.spawn(async move {
            let serving = async {
                // An error: the client has left before the answer was sent.
                let Ok(io) = upgrade.await else { return };
                let client = UpgradedClient {
                    io: hyper_util::rt::TokioIo::new(io),
                    protocol,
                    pod: served.pod,
                    entry: served.entry,
                    address: visitor.address(),
                    user_agent,
                    ending: self.ending.clone(),
                };
                self.handler.serve(client).await;
            };
            stopped.run_until_cancelled(serving).await;
            // The client has its place until here.
            drop(visitor);
        });
        Ok(response)
    }
}
