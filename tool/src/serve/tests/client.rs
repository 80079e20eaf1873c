//! A client that knows the endpoint from its kubeconfig alone.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

type Http = (
    http1::SendRequest<Empty<Bytes>>,
    http1::Connection<TokioIo<TlsStream<TcpStream>>, Empty<Bytes>>,
);

/// What a client has.
#[derive(Clone)]
pub(super) struct Client {
    address: SocketAddr,
    tls: TlsConnector,
    pub(super) token: String,
}

impl Client {
    pub(super) fn of(kubeconfig: &Path, address: SocketAddr) -> Self {
        let config: Value = serde_json::from_slice(&std::fs::read(kubeconfig).unwrap()).unwrap();
        let cluster = &config["clusters"][0]["cluster"];
        assert_eq!(cluster["server"], format!("https://{address}"));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let authority = STANDARD.decode(text(&cluster["certificate-authority-data"])).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tls = TlsConnector::from(Arc::new(tls));
        Self { address, tls, token: text(&config["users"][0]["user"]["token"]) }
    }

    /// A connection with TLS, on which nothing was sent.
    pub(super) async fn connect(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::from(self.address.ip());
        self.tls.connect(name, stream).await.unwrap()
    }

    /// The answer to a request with the token.
    pub(super) async fn get(&self, path: &str) -> (u16, String) {
        self.send(self.request("GET", path)).await
    }

    /// The same, as JSON.
    pub(super) async fn json(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.get(path).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    /// A request with the token.
    pub(super) fn request(&self, method: &str, path: &str) -> Request<Empty<Bytes>> {
        let token = format!("Bearer {}", self.token);
        let request = Request::builder().method(method).uri(path).header("host", "x");
        request.header("authorization", token).body(Empty::new()).unwrap()
    }

    pub(super) async fn send(&self, request: Request<Empty<Bytes>>) -> (u16, String) {
        let response = self.answer(request).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.into()).unwrap())
    }

    /// A connection for several requests.
    pub(super) async fn http(&self) -> Http {
        http1::handshake(TokioIo::new(self.connect().await)).await.unwrap()
    }

    pub(super) async fn answer(
        &self,
        request: Request<Empty<Bytes>>,
    ) -> Response<hyper::body::Incoming> {
        let (mut sender, connection) = self.http().await;
        tokio::spawn(connection.with_upgrades());
        sender.send_request(request).await.unwrap()
    }

    /// The connection after an answer of 101.
    pub(super) async fn upgrade(&self, request: Request<Empty<Bytes>>) -> TokioIo<Upgraded> {
        let response = self.answer(request).await;
        assert_eq!(response.status(), 101);
        TokioIo::new(hyper::upgrade::on(response).await.unwrap())
    }
}
