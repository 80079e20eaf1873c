//! An OpenTelemetry collector, made from the official protocol definitions: gRPC and HTTP at one port.

use std::convert::Infallible;
use std::io::Read as _;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tonic::codec::CompressionEncoding;
use tonic::{Status, async_trait};
use tower_service::Service as _;

/// What a collector has received, and how it answers.
#[derive(Clone, Default)]
pub struct Collector {
    pub spans: Arc<Mutex<Vec<Span>>>,
    pub logs: Arc<Mutex<Vec<LogRecord>>>,
    pub resources: Arc<Mutex<Vec<Resource>>>,
    /// The headers of each request by HTTP.
    pub heads: Arc<Mutex<Vec<hyper::HeaderMap>>>,
    /// It asks to come back later.
    pub is_overloaded: Arc<AtomicBool>,
    /// It takes all but one record of each request.
    pub rejects_one: Arc<AtomicBool>,
}

/// The certificate of a collector at `localhost`, and its key.
pub struct Identity {
    pub pem: String,
    acceptor: TlsAcceptor,
}

impl Identity {
    pub fn new() -> Self {
        let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        let mut config = config.with_single_cert(vec![issued.cert.der().clone()], key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let base64 = base64::engine::general_purpose::STANDARD.encode(issued.cert.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
        Self { pem, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

impl Collector {
    /// Listens at this address, for as long as the test runs. By gRPC if `is_grpc`, else by HTTP/1.1.
    pub fn listen(&self, address: &str, is_grpc: bool, identity: Option<&Identity>) -> u16 {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (collector, tls) = (self.clone(), identity.map(|one| one.acceptor.clone()));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let (collector, tls) = (collector.clone(), tls.clone());
                    tokio::spawn(async move {
                        match tls {
                            None => collector.serve(stream, is_grpc).await,
                            Some(tls) => {
                                // The client may not trust the certificate.
                                let Ok(stream) = tls.accept(stream).await else { return };
                                collector.serve(stream, is_grpc).await;
                            }
                        }
                    });
                }
            });
        });
        port
    }

    async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        is_grpc: bool,
    ) {
        let collector = self.clone();
        if is_grpc {
            let service = service_fn(move |request| collector.clone().grpc(request));
            let server = http2::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        } else {
            let service = service_fn(move |request| collector.clone().http(request));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        }
    }

    async fn grpc(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<tonic::body::Body>, Infallible> {
        let gzip = CompressionEncoding::Gzip;
        if request.uri().path().contains("TraceService") {
            return TraceServiceServer::new(self).accept_compressed(gzip).call(request).await;
        }
        LogsServiceServer::new(self).accept_compressed(gzip).call(request).await
    }

    async fn http(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        self.heads.lock().unwrap().push(head.headers.clone());
        if self.is_overloaded.load(Ordering::SeqCst) {
            let later = Response::builder().status(503).header("retry-after", "1");
            return Ok(later.body(Full::default()).unwrap());
        }
        assert_eq!(head.headers["content-type"], "application/x-protobuf");
        let body = match head.headers.get("content-encoding") {
            Some(gzip) => {
                assert_eq!(gzip, "gzip");
                let mut unpacked = Vec::new();
                flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut unpacked).unwrap();
                unpacked
            }
            None => body.to_vec(),
        };
        let answer = match head.uri.path() {
            "/v1/traces" => self
                .take_spans(ExportTraceServiceRequest::decode(&body[..]).unwrap())
                .encode_to_vec(),
            "/v1/logs" => {
                self.take_logs(ExportLogsServiceRequest::decode(&body[..]).unwrap()).encode_to_vec()
            }
            other => panic!("{other}"),
        };
        Ok(Response::new(Full::new(answer.into())))
    }

    fn take_spans(&self, request: ExportTraceServiceRequest) -> ExportTraceServiceResponse {
        let mut count = 0;
        for of_resource in request.resource_spans {
            self.resources.lock().unwrap().extend(of_resource.resource);
            for of_scope in of_resource.scope_spans {
                assert_eq!(of_scope.scope.unwrap().name, "pfsnoop");
                count += of_scope.spans.len();
                self.spans.lock().unwrap().extend(of_scope.spans);
            }
        }
        let partial_success = self.rejected(count).map(|(rejected_spans, error_message)| {
            ExportTracePartialSuccess { rejected_spans, error_message }
        });
        ExportTraceServiceResponse { partial_success }
    }

    fn take_logs(&self, request: ExportLogsServiceRequest) -> ExportLogsServiceResponse {
        let mut count = 0;
        for of_scope in request.resource_logs.into_iter().flat_map(|one| one.scope_logs) {
            count += of_scope.log_records.len();
            self.logs.lock().unwrap().extend(of_scope.log_records);
        }
        let partial_success = self.rejected(count).map(|(rejected_log_records, error_message)| {
            ExportLogsPartialSuccess { rejected_log_records, error_message }
        });
        ExportLogsServiceResponse { partial_success }
    }

    fn rejected(&self, count: usize) -> Option<(i64, String)> {
        let does = count > 0 && self.rejects_one.load(Ordering::SeqCst);
        does.then(|| (1, "one is \u{1b}[31mtoo old".to_owned()))
    }

    fn status(&self) -> Result<(), Status> {
        if self.is_overloaded.load(Ordering::SeqCst) {
            return Err(Status::unavailable("come back later"));
        }
        Ok(())
    }
}

#[async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        self.status()?;
        self.heads.lock().unwrap().push(request.metadata().clone().into_headers());
        Ok(tonic::Response::new(self.take_spans(request.into_inner())))
    }
}

#[async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportLogsServiceRequest>,
    ) -> Result<tonic::Response<ExportLogsServiceResponse>, Status> {
        self.status()?;
        Ok(tonic::Response::new(self.take_logs(request.into_inner())))
    }
}
