//! The HTTP carrier: rustls, bounded, and never further than it was sent.

use crate::hide::without;
use crate::transport::{BoxFuture, MAX_BODY_BYTES, Reached, Transport, TransportError, TransportErrorKind};
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response};
use secrecy::{ExposeSecret, SecretString};
use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;
use url::{Host, Url};

/// The length, in bytes, from which on a token is taken out of answers. A shorter one (Slack's have more than fifty) keeps
/// nothing secret, and may well be a part of what somebody is called.
const SHORTEST_SECRET: usize = 8;

/// What the carrier needs to know.
#[derive(Debug)]
pub struct HttpOptions {
    /// The address below which `/Users` and `/Groups` lie, with or without a slash at its end.
    pub base: Url,
    /// The bearer token.
    pub token: SecretString,
    /// Certificates in PEM that are trusted besides the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// How long is waited.
    pub timeouts: Timeouts,
}

/// How long is waited for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For a whole answer.
    pub answer: Duration,
}

impl Default for Timeouts {
    /// Ten seconds for a connection; two minutes for an answer, because a page of 1,000 users takes a service a
    /// while.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_mins(2) }
    }
}

/// Why a carrier cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The scheme is neither `https` nor `http`.
    #[error("the target must be an https URL, and its scheme is `{0}`")]
    Scheme(String),
    /// Plain HTTP would show the token to the network.
    #[error(
        "plain http is for this machine only (127.0.0.1, [::1], localhost), and the target is {0}; use https"
    )]
    PlainHttp(String),
    /// The URL holds a user name or a password.
    #[error("the target must not hold a user name or a password; the token has its own place")]
    UserInfo,
    /// The URL holds a query or a fragment.
    #[error("the target must not hold a query or a fragment")]
    Query,
    /// The URL has no host.
    #[error("the target has no host")]
    NoHost,
    /// The token is empty, or holds a character that cannot stand in a header. Which one is not said.
    #[error(
        "the token is empty or holds a character that a token cannot hold (a space, a line break or a byte order mark?)"
    )]
    Token,
    /// The certificates cannot be read.
    #[error("the certificates are not PEM: {0}")]
    Certificates(String),
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up: {0}")]
    Client(String),
}

/// HTTP by reqwest: TLS by rustls, no redirects, no retries, a bounded answer. Proxy variables are honoured, but
/// not for this machine. An answer that repeats the token, as error pages do that show what they were sent, is handed on
/// without it: answers are logged and shown, the token never is.
pub struct HttpTransport {
    client: reqwest::Client,
    /// The base without a slash at its end.
    base: String,
    token: SecretString,
    authorization: HeaderValue,
    answer: Duration,
    /// Whether certificates are trusted besides the system's.
    own_authorities: bool,
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").field("base", &self.base).finish_non_exhaustive()
    }
}

impl HttpTransport {
    /// Sets the carrier up. Nothing is sent.
    ///
    /// # Errors
    /// When the target is not one that a token may be sent to, or the token or the certificates cannot be used.
    pub fn new(options: &HttpOptions) -> Result<Self, ConfigError> {
        let HttpOptions { base, token, ca_pem, timeouts } = options;
        let is_local = check_base(base)?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| ConfigError::Token)?;
        authorization.set_sensitive(true);
        // RFC 6750 §2.1 allows fewer characters still; a byte order mark or a space is a mistake for any service.
        if token.expose_secret().is_empty()
            || !token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(ConfigError::Token);
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("rosterctl/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(timeouts.connect)
            .read_timeout(timeouts.answer);
        if is_local {
            builder = builder.no_proxy();
        }
        if let Some(pem) = ca_pem {
            let certificates = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| ConfigError::Certificates(words(&error)))?;
            if certificates.is_empty() {
                return Err(ConfigError::Certificates("there is none in the file".to_owned()));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        Ok(Self {
            client: builder.build().map_err(|error| ConfigError::Client(words(&error)))?,
            base: base.as_str().trim_end_matches('/').to_owned(),
            token: token.clone(),
            authorization,
            answer: timeouts.answer,
            own_authorities: ca_pem.is_some(),
        })
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let deadline = tokio::time::timeout(self.answer, self.exchange(request)).await;
        deadline.unwrap_or_else(|_| {
            Err(TransportError {
                kind: TransportErrorKind::Timeout,
                reached: Reached::Perhaps,
                message: format!("no answer within {} seconds", self.answer.as_secs()),
            })
        })
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (parts, body) = request.into_parts();
        let url = format!("{}{}", self.base, parts.uri);
        let mut request = self.client.request(parts.method, url).headers(parts.headers);
        request = request.header(AUTHORIZATION, self.authorization.clone());
        if !body.is_empty() {
            request = request.body(body);
        }
        let mut answer = request.send().await.map_err(|error| self.failed(&error))?;
        let mut whole = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.failed(&error))? {
            if whole.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(TransportError {
                    kind: TransportErrorKind::TooLarge,
                    reached: Reached::Perhaps,
                    message: format!("the answer is larger than {} MiB", MAX_BODY_BYTES >> 20),
                });
            }
            whole.extend_from_slice(&chunk);
        }
        let token = self.token.expose_secret().as_bytes();
        let hide = |bytes: &[u8]| if token.len() < SHORTEST_SECRET { None } else { without(token, bytes) };
        let whole = whole.freeze();
        let mut response = Response::new(hide(&whole).map_or(whole, Bytes::from));
        *response.status_mut() = answer.status();
        let mut headers = std::mem::take(answer.headers_mut());
        for value in headers.values_mut() {
            if let Some(hidden) = hide(value.as_bytes()) {
                *value = HeaderValue::try_from(hidden).unwrap_or(HeaderValue::from_static(""));
            }
        }
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn failed(&self, error: &reqwest::Error) -> TransportError {
        let message = words(error);
        let (kind, reached) = if error.is_connect() && is_tls(error) {
            // How rustls puts it that the first byte of an answer begins no TLS record (RFC 8446 §5.1).
            let is_other = message.contains("InvalidContentType");
            let tls = TransportErrorKind::Tls { own_authorities: self.own_authorities };
            (if is_other { TransportErrorKind::NotTls } else { tls }, Reached::No)
        } else if error.is_connect() {
            (TransportErrorKind::Connect, Reached::No)
        } else if error.is_timeout() {
            (TransportErrorKind::Timeout, Reached::Perhaps)
        } else if error.is_builder() {
            (TransportErrorKind::Invalid, Reached::No)
        } else {
            (TransportErrorKind::Interrupted, Reached::Perhaps)
        };
        TransportError { kind, reached, message }
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.carry(request))
    }
}

/// Whether the base is on this machine; an error when a token must not be sent there.
fn check_base(base: &Url) -> Result<bool, ConfigError> {
    let is_local = match base.host().ok_or(ConfigError::NoHost)? {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    if !base.username().is_empty() || base.password().is_some() {
        return Err(ConfigError::UserInfo);
    }
    if base.query().is_some() || base.fragment().is_some() {
        return Err(ConfigError::Query);
    }
    match base.scheme() {
        "https" => Ok(is_local),
        "http" if is_local => Ok(true),
        "http" => Err(ConfigError::PlainHttp(base.host_str().unwrap_or_default().to_owned())),
        other => Err(ConfigError::Scheme(other.to_owned())),
    }
}

/// Whether a connection failed because of what came over it rather than because there was none: what rustls objects
/// to reaches us as invalid data, perhaps wrapped in another I/O error, whose `source` passes over what it wraps.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        let mut io = error.downcast_ref::<io::Error>();
        while let Some(error) = io {
            if error.kind() == io::ErrorKind::InvalidData {
                return true;
            }
            io = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>());
        }
        cause = error.source();
    }
    false
}

/// An error with all its causes, without the URL: the request is named elsewhere.
fn words(error: &reqwest::Error) -> String {
    let mut text = match error {
        e if e.is_timeout() => "no answer in time".to_owned(),
        e if e.is_connect() => "no connection".to_owned(),
        e if e.is_body() || e.is_decode() => "the answer broke off".to_owned(),
        e if e.is_request() => "the connection broke".to_owned(),
        _ => "the request failed".to_owned(),
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}
