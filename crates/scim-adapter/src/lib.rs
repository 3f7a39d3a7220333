//! SCIM 2.0 over HTTP: reads a [`model::Directory`] and carries out a [`model::Change`].
//!
//! What differs between services is in [`encode`] and in the decoding of answers, one function each per
//! [`model::Dialect`]. A [`Reader`] has no method that writes; a [`Writer`] is made from one. Below both is a
//! [`Transport`], which is HTTP ([`HttpTransport`]) or a call into a simulator's router.

#![forbid(unsafe_code)]

mod dialect;
mod error;
mod exchange;
mod hide;
mod http;
mod ids;
mod locks;
mod members;
mod pace;
mod page;
mod read;
mod retry;
mod transport;
mod wire;
mod write;

pub use self::http::{ConfigError, HttpOptions, HttpTransport, Timeouts};
pub use dialect::{DecodeError, decode_group, decode_user, encode, unmet};
pub use error::{Failure, Refusal, RequestError, Subject};
pub use ids::{Ids, Unfilled};
pub use pace::{Buckets, Budget, Pacer, RequestKind};
pub use read::{ReadError, Reader};
pub use transport::{BoxFuture, MAX_BODY_BYTES, Reached, Transport, TransportError, TransportErrorKind};
pub use write::{Effect, WriteError, WriteFailure, Writer, Written};
