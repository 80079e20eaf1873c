//! The secret that a client shows with each request.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use ring::rand::{SecureRandom as _, SystemRandom};
use subtle::ConstantTimeEq as _;

/// How many random bytes a token has.
const TOKEN_BYTES: usize = 32;

/// A random bearer token (RFC 6750). It is in the kubeconfig and nowhere else: not in logs, not in
/// arguments, not in debugging output.
pub(super) struct Token(String);

/// The kernel gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the kernel gives no random numbers for the token (getrandom)")]
pub struct NoRandomness;

impl Token {
    /// A new one, from the kernel's random numbers (getrandom(2)).
    pub(super) fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; TOKEN_BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// For the kubeconfig only.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }

    /// Whether a request shows it: `Authorization: Bearer TOKEN`, once. How long the comparison takes
    /// does not depend on the bytes.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let Some((scheme, shown)) = value.as_bytes().split_at_checked("Bearer ".len()) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(shown.ct_eq(self.0.as_bytes()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let one = |value: &&str| (AUTHORIZATION, value.parse().unwrap());
        values.iter().map(one).collect()
    }

    #[test]
    fn only_the_whole_token_is_accepted() {
        let token = Token::random().unwrap();
        let secret = token.secret();
        assert!(token.is_in(&headers(&[&format!("Bearer {secret}")])));
        assert!(token.is_in(&headers(&[&format!("bearer {secret}")])), "RFC 9110, 11.1");
        let (shorter, _) = secret.split_at(secret.len() - 1);
        for wrong in [
            &["Bearer "][..],
            &["Bearer"],
            &[""],
            &[secret],
            &[&format!("Basic {secret}")],
            &[&format!("Bearer {shorter}")],
            &[&format!("Bearer {shorter}-")],
            &[&format!("Bearer {secret}x")],
            &[&format!("Bearer  {secret}")],
            &["Bearer x", &format!("Bearer {secret}")],
            &[],
        ] {
            // The last character of the token may be the one that was put in its place.
            if !wrong.contains(&format!("Bearer {secret}").as_str()) || wrong.len() > 1 {
                assert!(!token.is_in(&headers(wrong)), "{wrong:?}");
            }
        }
    }

    #[test]
    fn each_token_is_another_and_none_is_printed() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_ne!(one.secret(), other.secret());
        assert_eq!(one.secret().len(), 43, "32 bytes in base64");
        assert_eq!(format!("{one:?}"), "Token(..)");
    }
}
