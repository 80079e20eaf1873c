//! Errors as the API server reports them: a `Status` object, whose message clients print.

use hyper::StatusCode;
use serde::Serialize;

/// An error for the client (k8s.io/apimachinery/pkg/apis/meta/v1, `Status`).
#[derive(Clone, Debug)]
pub(in crate::serve) struct Status {
    code: StatusCode,
    /// A word that programs can tell apart.
    reason: &'static str,
    message: String,
    details: Option<Details>,
    /// The answer is the message alone.
    is_text: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Details {
    name: String,
    kind: &'static str,
}

impl Status {
    pub(in crate::serve) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    /// `pods "kuard" not found`
    pub(super) fn pod_not_found(name: &str) -> Self {
        let message = format!("pods {name:?} not found");
        Self::not_found(message).about("pods", name)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    /// A path that leads nowhere.
    pub(super) fn no_resource() -> Self {
        Self::not_found("the server could not find the requested resource")
    }

    /// `pods "kuard" is forbidden: WHY`
    pub(super) fn pod_forbidden(name: &str, why: &str) -> Self {
        let message = format!("pods {name:?} is forbidden: {why}");
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).about("pods", name)
    }

    /// The method of the request is none of the path's.
    pub(super) fn no_method() -> Self {
        Self::method_not_allowed("the server does not allow this method on the requested resource")
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    pub(super) fn method_not_allowed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    }

    /// Not 405, which says it best: for a watch that fails with 405, kubectl 1.20 prints a sentence of its
    /// own. It prints the server's only for 403 and 406, and only if the answer is a text (client-go's
    /// `NewGenericServerResponse` and `newUnstructuredResponseError`).
    pub(super) fn no_watch(message: impl Into<String>) -> Self {
        let status = Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message);
        Self { is_text: true, ..status }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn too_many_requests() -> Self {
        let message = "too many connections are open, please try again later";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message)
    }

    /// The runtimes do not answer.
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
    }

    fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, is_text: false }
    }

    fn about(self, kind: &'static str, name: &str) -> Self {
        Self { details: Some(Details { name: name.to_owned(), kind }), ..self }
    }

    /// The HTTP status.
    pub(super) fn code(&self) -> u16 {
        self.code.as_u16()
    }

    #[cfg(test)]
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// The HTTP status and the message, if the answer is to be a text.
    pub(super) fn as_text(&self) -> Option<(StatusCode, &str)> {
        self.is_text.then_some((self.code, &self.message))
    }

    /// The HTTP status, and the object for the body.
    pub(super) fn into_parts(self) -> (StatusCode, impl Serialize) {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Object {
            kind: &'static str,
            api_version: &'static str,
            metadata: Empty,
            status: &'static str,
            message: String,
            reason: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            details: Option<Details>,
            code: u16,
        }
        #[derive(Serialize)]
        struct Empty {}
        let code = self.code();
        let object = Object {
            kind: "Status",
            api_version: "v1",
            metadata: Empty {},
            status: "Failure",
            message: self.message,
            reason: self.reason,
            details: self.details,
            code,
        };
        (self.code, object)
    }
}
