//! The text of a kubeconfig.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::serve::token::Token;

/// A kubeconfig with one cluster, one user and one context, which is the current one. It is JSON, which
/// is YAML too. `authority` is the PEM text of the certificate that signed the endpoint's.
pub(in crate::serve) fn document(address: SocketAddr, authority: &str, token: &Token) -> String {
    let name = "pfsnoop";
    let cluster = json!({
        "server": format!("https://{address}"),
        "certificate-authority-data": STANDARD.encode(authority),
    });
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": name, "cluster": cluster }],
        "users": [{ "name": name, "user": { "token": token.secret() } }],
        "contexts": [{ "name": name, "context": { "cluster": name, "user": name } }],
        "current-context": name,
    });
    format!("{config:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_finds_the_address_the_authority_and_the_token() {
        let token = Token::random().unwrap();
        let text = document("[::1]:6443".parse().unwrap(), "PEM", &token);
        let config: serde_json::Value = serde_json::from_str(&text).unwrap();
        let cluster = &config["clusters"][0]["cluster"];
        assert_eq!(cluster["server"], "https://[::1]:6443");
        assert_eq!(cluster["certificate-authority-data"], "UEVN");
        assert_eq!(config["users"][0]["user"]["token"], token.secret());
        assert_eq!(config["current-context"], config["contexts"][0]["name"]);
    }
}
