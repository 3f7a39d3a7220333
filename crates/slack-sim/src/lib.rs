//! A simulator of Slack's SCIM service.
//!
//! It is a witness: it shares no code with the client that it tests, and implements what is known of Slack, not what
//! would be convenient. What nobody knows is a switch ([`Switches`]). The marks "S1" to "S20" in the comments are
//! sections of the project's fact sheet on Slack's SCIM API.
//!
//! A [`Simulator`] is made from a [`Seed`] and answers through a router, on a socket or in the process:
//!
//! ```
//! use slack_sim::{Seed, Simulator, Switches};
//! use tower::ServiceExt as _;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let seed = Seed::parse(r#"{ "users": [ { "userName": "ada", "email": "ada@acme.example" } ] }"#)?;
//! let simulator = Simulator::new(&seed, Switches::default())?;
//! let request = http::Request::get("/scim/v2/Users").header("authorization", "Bearer any").body(axum::body::Body::empty())?;
//! let response = simulator.router().oneshot(request).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod clock;
mod discovery;
mod errors;
mod limits;
mod locks;
mod reply;
mod rfc;
mod schema;
mod scim;
mod seed;
mod service;
mod simulator;
mod slack;
mod switches;
mod table;

pub use seed::{Resources, Seed, SeedError, SeedGroup, SeedName, SeedUser};
pub use simulator::{RequestRecord, Simulator};
pub use slack::user::{Address, Channel, Guest, Kind, User};
pub use slack::world::{Group, World};
pub use switches::*;
