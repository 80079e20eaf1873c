//! Where records are exported to, from the command line and the environment.

use std::path::PathBuf;
use std::time::Duration;

use hyper::Uri;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::resource::Resource;
use super::signal::{Protocol, Signal};
use super::variables::{VariableError, Variables, pairs};

/// `OTEL_EXPORTER_OTLP_TIMEOUT` by default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The port of OTLP/gRPC by convention (OTLP specification, "OTLP/gRPC default port").
const GRPC_PORT: u16 = 4317;

/// Where each signal is exported to.
#[derive(Clone, Debug)]
pub struct OtlpOptions {
    /// What the records are from.
    pub resource: Resource,
    /// The exports, at most one for each signal.
    pub signals: Vec<SignalOptions>,
}

/// How one signal is exported.
#[derive(Clone, Debug)]
pub struct SignalOptions {
    /// What is exported.
    pub signal: Signal,
    /// The whole address, with the path of OTLP/HTTP.
    pub uri: Uri,
    /// What carries the records.
    pub protocol: Protocol,
    /// Sent with each request.
    pub headers: HeaderMap,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Requests are compressed with gzip.
    pub is_compressed: bool,
    /// The file of the certificates that are trusted, instead of the system's.
    pub certificate: Option<PathBuf>,
}

impl OtlpOptions {
    /// From `--otlp`, which wins, and from variables, which `read` reads. Without an endpoint nothing is
    /// exported: an agent on a node has no collector at localhost that the specification's default would
    /// find.
    pub fn new(
        otlp: Option<&Uri>,
        node: &str,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, VariableError> {
        let variables = Variables::new(read);
        let resource = Resource::new(node, &variables);
        let mut signals = Vec::new();
        if !variables.is_true("OTEL_SDK_DISABLED") {
            for signal in [Signal::Traces, Signal::Logs] {
                signals.extend(signal_options(signal, otlp, &variables)?);
            }
        }
        Ok(Self { resource, signals })
    }
}

fn signal_options(
    signal: Signal,
    otlp: Option<&Uri>,
    variables: &Variables<'_>,
) -> Result<Option<SignalOptions>, VariableError> {
    let exporter = variables.get(&format!("OTEL_{}_EXPORTER", signal.in_variables()));
    if exporter.is_some_and(|exporter| exporter.eq_ignore_ascii_case("none")) {
        return Ok(None);
    }
    let Some((name, uri, is_base)) = endpoint(signal, otlp, variables)? else { return Ok(None) };
    check(&name, &uri)?;
    let protocol = protocol(signal, &uri, variables)?;
    let uri = match protocol {
        Protocol::HttpProtobuf if is_base => below(&name, &uri, signal.http_path())?,
        _ => uri,
    };
    Ok(Some(SignalOptions {
        signal,
        uri,
        protocol,
        headers: headers(signal, variables)?,
        timeout: timeout(signal, variables)?,
        is_compressed: is_compressed(signal, variables)?,
        certificate: setting(signal, "CERTIFICATE", variables).map(|(_, path)| path.into()),
    }))
}

/// A setting and the name of its variable: the one of the signal, or the one of all signals.
fn setting(signal: Signal, what: &str, variables: &Variables<'_>) -> Option<(String, String)> {
    let own = format!("OTEL_EXPORTER_OTLP_{}_{what}", signal.in_variables());
    let common = format!("OTEL_EXPORTER_OTLP_{what}");
    [own, common].into_iter().find_map(|name| Some((name.clone(), variables.get(&name)?)))
}

/// The endpoint, who named it, and whether the path of the signal comes below it: only the endpoint of a
/// single signal is used as it is.
fn endpoint(
    signal: Signal,
    otlp: Option<&Uri>,
    variables: &Variables<'_>,
) -> Result<Option<(String, Uri, bool)>, VariableError> {
    if let Some(uri) = otlp {
        return Ok(Some(("--otlp".to_owned(), uri.clone(), true)));
    }
    let Some((name, value)) = setting(signal, "ENDPOINT", variables) else { return Ok(None) };
    let is_base = name == "OTEL_EXPORTER_OTLP_ENDPOINT";
    match value.parse() {
        Ok(uri) => Ok(Some((name, uri, is_base))),
        Err(_) => Err(VariableError::new(&name, "not a URL; give http://HOST:PORT")),
    }
}

fn check(name: &str, uri: &Uri) -> Result<(), VariableError> {
    let has_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if !has_scheme || authority.is_empty() {
        return Err(VariableError::new(name, "not a URL; give http://HOST:PORT"));
    }
    if authority.contains('@') {
        let why = "a user name in the URL is not sent; use OTEL_EXPORTER_OTLP_HEADERS";
        return Err(VariableError::new(name, why));
    }
    Ok(())
}

fn below(name: &str, uri: &Uri, path: &str) -> Result<Uri, VariableError> {
    let base = uri.path().trim_end_matches('/');
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = format!("{base}/{path}").parse().ok();
    Uri::from_parts(parts).map_err(|_| VariableError::new(name, "not a URL of a collector"))
}

/// The specification's default is `http/protobuf`. But only gRPC is at the port of gRPC.
fn protocol(
    signal: Signal,
    uri: &Uri,
    variables: &Variables<'_>,
) -> Result<Protocol, VariableError> {
    let Some((name, value)) = setting(signal, "PROTOCOL", variables) else {
        let is_grpc = uri.port_u16() == Some(GRPC_PORT);
        return Ok(if is_grpc { Protocol::Grpc } else { Protocol::HttpProtobuf });
    };
    match value.as_str() {
        "grpc" => Ok(Protocol::Grpc),
        "http/protobuf" => Ok(Protocol::HttpProtobuf),
        _ => Err(VariableError::new(&name, "expected grpc or http/protobuf")),
    }
}

fn headers(signal: Signal, variables: &Variables<'_>) -> Result<HeaderMap, VariableError> {
    let mut headers = HeaderMap::new();
    let Some((variable, list)) = setting(signal, "HEADERS", variables) else { return Ok(headers) };
    for (name, value) in pairs(&list) {
        let wrong = || VariableError::new(&variable, "not a list of NAME=VALUE,NAME=VALUE");
        let mut value = HeaderValue::try_from(value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(HeaderName::try_from(name.to_lowercase()).map_err(|_| wrong())?, value);
    }
    Ok(headers)
}

fn timeout(signal: Signal, variables: &Variables<'_>) -> Result<Duration, VariableError> {
    let Some((name, value)) = setting(signal, "TIMEOUT", variables) else { return Ok(TIMEOUT) };
    let milliseconds = value.parse::<u64>().ok().filter(|&milliseconds| milliseconds > 0);
    let wrong = || VariableError::new(&name, "expected a number of milliseconds above 0");
    milliseconds.map(Duration::from_millis).ok_or_else(wrong)
}

fn is_compressed(signal: Signal, variables: &Variables<'_>) -> Result<bool, VariableError> {
    match setting(signal, "COMPRESSION", variables) {
        None => Ok(false),
        Some((_, value)) if value == "none" => Ok(false),
        Some((_, value)) if value == "gzip" => Ok(true),
        Some((name, _)) => Err(VariableError::new(&name, "expected gzip or none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(
        otlp: Option<&str>,
        variables: &[(&str, &str)],
    ) -> Result<OtlpOptions, VariableError> {
        let otlp = otlp.map(|uri| uri.parse().unwrap());
        let read = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        OtlpOptions::new(otlp.as_ref(), "node-1", &read)
    }

    fn uris(options: &OtlpOptions) -> Vec<(String, Protocol)> {
        options.signals.iter().map(|one| (one.uri.to_string(), one.protocol)).collect()
    }

    #[test]
    fn the_endpoint_of_one_signal_is_used_as_it_is() {
        let http = Protocol::HttpProtobuf;
        let base = options(None, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/x/")]).unwrap();
        let expected = ["http://c:4318/x/v1/traces", "http://c:4318/x/v1/logs"];
        assert_eq!(uris(&base), expected.map(|uri| (uri.to_owned(), http)));
        let one = options(None, &[("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://c:1/in")]).unwrap();
        assert_eq!(uris(&one), [("http://c:1/in".to_owned(), http)]);
        assert!(options(None, &[]).unwrap().signals.is_empty(), "nothing by default");
    }

    #[test]
    fn the_option_wins_and_the_port_of_grpc_means_grpc() {
        let variables = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other")];
        let found = options(Some("http://c:4317"), &variables).unwrap();
        assert_eq!(uris(&found), vec![("http://c:4317/".to_owned(), Protocol::Grpc); 2]);
        let variables = [("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")];
        let found = options(Some("http://c:4317"), &variables).unwrap();
        assert_eq!(found.signals[0].protocol, Protocol::HttpProtobuf);
    }

    #[test]
    fn switches_turn_signals_off() {
        let count =
            |variables: &[(&str, &str)]| options(Some("http://c"), variables).unwrap().signals;
        assert_eq!(count(&[("OTEL_SDK_DISABLED", "true")]).len(), 0);
        let traces = count(&[("OTEL_LOGS_EXPORTER", "none")]);
        assert_eq!(traces.iter().map(|one| one.signal).collect::<Vec<_>>(), [Signal::Traces]);
    }

    #[test]
    fn settings_of_a_signal_win_over_those_of_all() {
        let found = options(
            Some("https://c"),
            &[
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
                ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "700"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=se%20cret,x=1"),
                ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"),
                ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
            ],
        );
        let [traces, logs] = <[SignalOptions; 2]>::try_from(found.unwrap().signals).unwrap();
        assert_eq!([traces.timeout, logs.timeout].map(|it| it.as_millis()), [500, 700]);
        assert_eq!([traces.is_compressed, logs.is_compressed], [true, false]);
        assert_eq!(traces.headers["api-key"], "se cret");
        assert!(!format!("{traces:?}").contains("cret"), "headers are secret");
        assert_eq!(logs.certificate.unwrap().to_str(), Some("/ca.pem"));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://c"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:secret@c"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c c"),
        ] {
            let error = options(None, &[(name, value)]).unwrap_err();
            assert!(error.name == name && !error.why.contains("secret"), "{error}");
        }
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10s"),
            ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "zstd"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a b=secret"),
        ] {
            let error = options(Some("http://c"), &[(name, value)]).unwrap_err();
            assert!(error.name == name && !error.why.contains("secret"), "{error}");
        }
    }
}
