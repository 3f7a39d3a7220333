//! The carrier below the SCIM client.

use bytes::Bytes;
pub use futures_util::future::BoxFuture;

/// The largest body that is taken from a service, in bytes after decompression.
///
/// A page of 1,000 full Slack users is about 2 MB, and a page of 1,000 groups with a million memberships about 60
/// MB. What is larger is asked for again in smaller pages; eight of these in flight are still no more than a laptop
/// can hold.
pub const MAX_BODY_BYTES: usize = 64 << 20;

/// Takes a request to the service and brings its answer back.
///
/// The URI of a request is the path and query below the service's base URL, such as
/// `/Users?startIndex=1&count=1000`. The carrier puts the base before it and adds the credentials; it follows no
/// redirect and repeats nothing.
pub trait Transport: Send + Sync {
    /// Sends one request.
    ///
    /// # Errors
    /// When no whole answer came back. An answer of any status is not an error here.
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>>;
}

/// No whole answer came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// What went wrong.
    pub kind: TransportErrorKind,
    /// Whether the service may have acted on the request all the same.
    pub reached: Reached,
    /// The reason in words, without the token.
    pub message: String,
}

/// What kept an answer from coming back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// No connection: name, route, port or proxy.
    Connect,
    /// The service's certificate was not accepted, or TLS failed otherwise.
    Tls {
        /// Whether certificates were given that are trusted besides the system's.
        own_authorities: bool,
    },
    /// What came in place of TLS is none: plain HTTP, or another protocol.
    NotTls,
    /// No answer in time.
    Timeout,
    /// The connection broke before the answer was whole.
    Interrupted,
    /// The answer is larger than [`MAX_BODY_BYTES`].
    TooLarge,
    /// The request could not be made or the answer is not HTTP.
    Invalid,
}

/// Whether a request that failed may have been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It never left.
    No,
    /// It may have.
    Perhaps,
}

impl TransportError {
    /// Whether another try may do better.
    pub(crate) fn is_passing(&self) -> bool {
        match self.kind {
            TransportErrorKind::Connect | TransportErrorKind::Timeout | TransportErrorKind::Interrupted => {
                true
            }
            TransportErrorKind::Tls { .. }
            | TransportErrorKind::NotTls
            | TransportErrorKind::TooLarge
            | TransportErrorKind::Invalid => false,
        }
    }
}
