//! The fault layer on a socket: a loopback proxy in front of a simulated workspace, so that the same decisions meet the
//! real HTTP stack as the events they stand for.
//!
//! It speaks just enough HTTP/1.1 to be understood, by hand: what it is for is to break its rules.

use crate::simulation::faults::Fate;
use crate::simulation::service::{Answer, Service, throttled, trouble};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::{HeaderName, HeaderValue, Request};
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A proxy that listens.
pub struct Proxy {
    listener: TcpListener,
    service: Service,
    /// How long a slow answer takes at most: real time is dear.
    patience: Duration,
}

impl Proxy {
    /// Opens a loopback port in front of `service`; slow answers take `patience` at most.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn open(service: Service, patience: Duration) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?, service, patience })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the port cannot be told.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until it is dropped.
    pub async fn serve(self) {
        while let Ok((stream, _)) = self.listener.accept().await {
            let (service, patience) = (self.service.clone(), self.patience);
            drop(tokio::spawn(async move {
                // A broken connection is what this is about.
                Connection { stream, service, patience, buffer: BytesMut::new() }.run().await.ok();
            }));
        }
    }
}

/// One connection of a client.
struct Connection {
    stream: TcpStream,
    service: Service,
    patience: Duration,
    buffer: BytesMut,
}

impl Connection {
    async fn run(mut self) -> io::Result<()> {
        while let Some(request) = self.request().await? {
            let (method, target) = (request.method().clone(), request.uri().to_string());
            let (number, fate) = self.service.receive(&method, &target, request.body());
            let answered = match fate {
                Fate::Pass | Fate::NoOp | Fate::Stale { .. } | Fate::Deactivates { .. } => {
                    let answer = self.answer(number, request, fate).await;
                    self.whole(number, &answer).await?;
                    true
                }
                Fate::Throttle { retry_after, code } => {
                    self.whole(number, &throttled(retry_after.as_deref(), code)).await?;
                    true
                }
                Fate::Trouble { status, acted, is_page } => {
                    if acted {
                        self.service.serve(number, request).await;
                    }
                    self.whole(number, &trouble(status, is_page)).await?;
                    true
                }
                Fate::NoConnection | Fate::Late { .. } => false,
                Fate::Reset { acted } => {
                    if acted {
                        self.service.serve(number, request).await;
                    }
                    false
                }
                Fate::Cut { keep } => {
                    let answer = self.service.serve(number, request).await;
                    self.cut(&answer, keep).await?;
                    false
                }
                Fate::Slow { there, back } => {
                    tokio::time::sleep(there.min(self.patience)).await;
                    let answer = self.service.serve(number, request).await;
                    tokio::time::sleep(back.min(self.patience)).await;
                    self.whole(number, &answer).await?;
                    true
                }
            };
            if !answered {
                self.service.heard(number, None);
                return Ok(());
            }
        }
        Ok(())
    }

    async fn answer(&self, number: usize, request: Request<Bytes>, fate: Fate) -> Answer {
        match fate {
            Fate::NoOp => self.service.pretend(&request),
            Fate::Stale { age } => self.service.serve_stale(number, request, age).await,
            Fate::Deactivates { .. } => {
                let target = request.uri().to_string();
                let answer = self.service.serve(number, request).await;
                if answer.status().is_success() {
                    self.service.plan_deactivation(&target, Duration::ZERO);
                }
                answer
            }
            _ => self.service.serve(number, request).await,
        }
    }

    /// The next request; `None` when the client is gone.
    async fn request(&mut self) -> io::Result<Option<Request<Bytes>>> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        };
        let head = self.buffer.split_to(end + 4);
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.lines();
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let target = path.strip_prefix("/scim/v2").unwrap_or(path);
        let mut request = Request::builder().method(method).uri(target);
        let mut length = 0;
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.trim().parse::<HeaderValue>()) {
                if name == CONTENT_LENGTH {
                    length = value.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(0);
                }
                request = request.header(name, value);
            }
        }
        while self.buffer.len() < length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
        let body = self.buffer.split_to(length).freeze();
        request.body(body).map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    async fn whole(&mut self, number: usize, answer: &Answer) -> io::Result<()> {
        let length = format!("content-length: {}\r\n", answer.body().len());
        let head = head(answer, &length);
        self.service.heard(number, Some(answer));
        self.stream.write_all(head.as_bytes()).await?;
        self.stream.write_all(answer.body()).await
    }

    /// A part of an answer that says that it is whole: by its length, or in chunks of which the last is cut.
    async fn cut(&mut self, answer: &Answer, keep: usize) -> io::Result<()> {
        let body = answer.body();
        let kept = body.slice(..body.len() * keep / 1000);
        let in_chunks = body.len().is_multiple_of(2);
        let how = if in_chunks {
            "transfer-encoding: chunked\r\n".to_owned()
        } else {
            format!("content-length: {}\r\n", body.len() + 1)
        };
        let mut bytes = head(answer, &how).into_bytes();
        if in_chunks {
            bytes.extend(format!("{:x}\r\n", body.len() + 1).into_bytes());
        }
        bytes.extend(&kept);
        self.stream.write_all(&bytes).await?;
        self.stream.shutdown().await
    }
}

fn head(answer: &Answer, length: &str) -> String {
    let mut head = format!("HTTP/1.1 {} x\r\n", answer.status().as_u16());
    for (name, value) in answer.headers() {
        let is_length = name == CONTENT_LENGTH || name == http::header::TRANSFER_ENCODING;
        if !is_length {
            write!(head, "{name}: {}\r\n", value.to_str().unwrap_or_default()).unwrap();
        }
    }
    head + length + "\r\n"
}
