//! The registry as text, in the format that a scraper asks for.

use std::sync::Arc;

use bytes::Bytes;
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

/// The formats of Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// The text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// OpenMetrics if `Accept` names it with a preference that is not below that of plain text, as
    /// Prometheus does: `application/openmetrics-text;version=1.0.0,...;q=0.75,text/plain;...;q=0.5`.
    pub(super) fn accepted(accept: &str) -> Self {
        let (mut open_metrics, mut text) = (0.0_f32, 0.0_f32);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            let q = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if media.eq_ignore_ascii_case("application/openmetrics-text") {
                open_metrics = open_metrics.max(q);
            } else if media.eq_ignore_ascii_case("text/plain") {
                text = text.max(q);
            }
        }
        if open_metrics > 0.0 && open_metrics >= text { Self::OpenMetrics } else { Self::Text }
    }

    /// The value of `Content-Type`.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The registry, shared by all scrapes.
#[derive(Clone, Debug)]
pub(super) struct Exposition {
    registry: Arc<Registry>,
}

impl Exposition {
    pub(super) fn new(registry: Registry) -> Self {
        Self { registry: Arc::new(registry) }
    }

    /// The metrics now. About 200 bytes for each series of a session, at most 1 KiB.
    pub(super) fn encode(&self, format: Format) -> Result<Bytes, std::fmt::Error> {
        let mut encoded = String::new();
        match format {
            Format::Text => prometheus_text::encode(&mut encoded, &self.registry)?,
            Format::OpenMetrics => text::encode(&mut encoded, &self.registry)?,
        }
        Ok(encoded.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_default_and_openmetrics_is_asked_for() {
        // What Prometheus 2.42 sends.
        let prometheus = "application/openmetrics-text;version=1.0.0,\
                          application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, format) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/plain", Format::Text),
            (prometheus, Format::OpenMetrics),
            ("application/openmetrics-text; q=0", Format::Text),
            ("application/openmetrics-text;q=0.1, text/plain;q=0.2", Format::Text),
            ("Application/OpenMetrics-Text", Format::OpenMetrics),
            (";;,,q=;q=x", Format::Text),
        ] {
            assert_eq!(Format::accepted(accept), format, "{accept}");
        }
    }
}
