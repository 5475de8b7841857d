//! Single calls to an ingest API, over TLS.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use logflux_process::PerCopy;
use logflux_wire::alert::{Alert, AlertKind, AlertsResponse};
use logflux_wire::counts::{Counts, CountsQuery, CountsResponse};
use logflux_wire::nodes::{NodesPage, NodesQuery, NodesResponse};
use logflux_wire::query::{Query, QueryResponse};
use logflux_wire::response::{
    ErrorCode, Failure, IngestCounts, IngestResponse, Status, VersionResponse,
};
use logflux_wire::{ApiKey, Entry, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::config::Config;
use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::call_error::{CallError, plain};
use crate::endpoint::Endpoint;
use crate::http::{self, ProxyError, Route};
use crate::retry::parse_retry_after;
use crate::tail::Tail;
use crate::unread::Unread;

/// The most bytes that are read of an answer to an ingest call.
const ANSWER_MAX: u64 = 64 << 10;
/// The most bytes that are read of a page of entries: 1,000 entries of 1 MiB, and what is around.
const PAGE_MAX: u64 = 1_100 << 20;

/// The most bytes that are read of alerts.
const ALERTS_MAX: u64 = 16 << 20;
/// The most nodes, and the most counts.
const COUNTED_MAX: u64 = 64 << 20;
/// How long nothing may come of a tail.
const TAIL_SILENCE: Duration = Duration::from_secs(45);

/// Whose certificates are believed.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// Mozilla's root certificates, as they were when this library was built.
    #[default]
    PublicRoots,
    /// Only these certificates: those of one file, or those that the operating system trusts
    /// (`ca_file`, `LOGFLUX_CA_FILE`).
    Only(Vec<Certificate<'static>>),
}

impl Trust {
    /// In place of a file's path, this word means the authorities that the operating system trusts. A
    /// file of this name is `./system`.
    pub const SYSTEM: &str = "system";

    /// Reads a file of one or more certificates in PEM, or those of the operating system, where the path
    /// is the word [`SYSTEM`](Self::SYSTEM).
    ///
    /// # Errors
    /// [`TrustError`] where it cannot be read, or holds no certificate.
    pub fn from_file(path: &Path) -> Result<Self, TrustError> {
        if path == Path::new(Self::SYSTEM) {
            return Self::system();
        }
        let read = |error| TrustError::Read { path: path.to_owned(), error };
        let pem = logflux_process::read_file(path).map_err(read)?;
        let certificates: Vec<_> = ureq::tls::parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            return Err(TrustError::NoCertificate { path: path.to_owned() });
        }
        Ok(Self::Only(certificates))
    }

    /// Reads the certificates that the operating system trusts: those of `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR`, where these are set. One that cannot be read is left out.
    fn system() -> Result<Self, TrustError> {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            let reasons = found.errors.iter().map(ToString::to_string).collect::<Vec<_>>();
            return Err(TrustError::NoSystem { reasons: reasons.join("; ") });
        }
        let own = |certificate: rustls::pki_types::CertificateDer<'_>| {
            Certificate::from_der(&certificate).to_owned()
        };
        Ok(Self::Only(found.certs.into_iter().map(own).collect()))
    }
}

/// Why a file of certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read.
    #[error("CA file {}: {error}", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no certificate in it.
    #[error("CA file {}: there is no certificate in PEM in it", path.display())]
    NoCertificate {
        /// Its path.
        path: PathBuf,
    },
    /// The operating system has none.
    #[error(
        "CA file system: the operating system has no authorities to trust{}: install its package of CA certificates, or name a file",
        if reasons.is_empty() { String::new() } else { format!(" ({reasons})") }
    )]
    NoSystem {
        /// What could not be read.
        reasons: String,
    },
}

/// Why no calls can be made with the settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The file of certificates cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A variable names no proxy that is supported.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// Makes calls to one ingest API with one key. Connections are kept and used again.
///
/// Redirects are never followed, so that the key never goes anywhere else. A child has connections of its
/// own, however it was made; after a restore from a snapshot new ones are opened.
pub struct Api {
    config: Config,
    /// A connection that two copies of a process both used would encrypt two requests with one nonce.
    agents: PerCopy<Agent>,
    endpoint: Endpoint,
    route: Arc<Route>,
    key: Arc<ApiKey>,
}

/// What an answer says of the server's rate limit (`X-RateLimit-…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How many requests a window has.
    pub limit: u64,
    /// How many are left in this one.
    pub remaining: u64,
    /// How long until the next begins, by the server's own clock.
    pub resets_in: Duration,
}

/// An answer to an ingest call, and what it says of the rate limit.
#[derive(Debug)]
pub struct Answer {
    /// What became of the entries.
    pub result: Result<IngestResponse, CallError>,
    /// The rate limit, where the server has one.
    pub rate: Option<RateLimit>,
}

/// One page of entries that a query gave.
#[derive(Debug)]
pub struct Page {
    /// The entries, and among them what this version cannot read.
    pub entries: Vec<Result<Entry, Unread>>,
    /// Where to go on; `None` where this is the last page.
    pub cursor: Option<String>,
}

impl Api {
    /// Makes a caller; no connection is opened yet. The `route` is one that [`Route::choose`] has
    /// chosen for the endpoint. `timeout` is for a whole call.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        key: &ApiKey,
        trust: Trust,
        route: Route,
        timeout: Duration,
    ) -> Self {
        let config = configure(&endpoint, trust, Some(timeout));
        Self::with_config(config, endpoint, Arc::new(route), Arc::new(key.clone()))
    }

    /// The same with another key, with other authorities, or both. It has connections of its own.
    pub(crate) fn renewed(&self, key: Option<&ApiKey>, trust: Option<&Trust>) -> Self {
        let config = match trust {
            Some(trust) => configure(&self.endpoint, trust.clone(), self.config.timeouts().global),
            None => self.config.clone(),
        };
        let key = key.map_or_else(|| Arc::clone(&self.key), |key| Arc::new(key.clone()));
        Self::with_config(config, self.endpoint.clone(), Arc::clone(&self.route), key)
    }

    fn with_config(
        config: Config,
        endpoint: Endpoint,
        route: Arc<Route>,
        key: Arc<ApiKey>,
    ) -> Self {
        let agents = PerCopy::new(http::agent(config.clone(), &route, &key));
        Self { config, agents, endpoint, route, key }
    }

    fn agent(&self) -> Agent {
        self.agents.get(|| http::agent(self.config.clone(), &self.route, &self.key))
    }

    /// The address that is called.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The way that calls take: through a proxy, or direct.
    #[must_use]
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// `POST /v1/ingest`: sends one entry or an array of up to 100, in canonical JSON.
    ///
    /// # Errors
    /// [`CallError`] where no entry is known to be stored. An array of which some are refused is no
    /// error; the answer names them.
    pub fn ingest(&self, body: &[u8]) -> Result<IngestResponse, CallError> {
        self.ingest_paced(body).result
    }

    /// As [`ingest`](Self::ingest), with what the answer says of the rate limit.
    #[must_use]
    pub fn ingest_paced(&self, body: &[u8]) -> Answer {
        let response = self
            .agent()
            .post(self.endpoint.url("/v1/ingest"))
            .header("authorization", http::AUTHORIZATION)
            .content_type("application/json")
            .send(body);
        match response {
            Err(error) => Answer { result: Err(CallError::from_ureq(error)), rate: None },
            Ok(response) => {
                let rate = rate_limit(response.headers());
                let result = success(response, ANSWER_MAX).and_then(|answer| {
                    let answer: AnyAnswer =
                        serde_json::from_slice(&answer).map_err(|_| CallError::NotOurs)?;
                    Ok(answer.into())
                });
                Answer { result, rate }
            }
        }
    }

    /// Whether the key may ingest: sends an empty batch, which stores nothing, and which a server
    /// refuses as empty only after it has taken the key.
    ///
    /// # Errors
    /// [`CallError`] where the key is refused, or there is no such server.
    pub fn check_key(&self) -> Result<(), CallError> {
        match self.ingest(b"[]") {
            Err(CallError::Refused { code: Some(ErrorCode::InvalidEntry), .. }) => Ok(()),
            Ok(_) => Err(CallError::NotOurs),
            Err(error) => Err(error),
        }
    }

    /// `GET /v1/entries`: one page of sealed entries.
    ///
    /// # Errors
    /// [`CallError`] where there is no page.
    pub fn query(&self, query: &Query) -> Result<Page, CallError> {
        let response = self
            .agent()
            .get(self.endpoint.url("/v1/entries"))
            .query_pairs(query.to_pairs())
            .header("authorization", http::AUTHORIZATION)
            .header("accept", "application/json")
            .call()
            .map_err(CallError::from_ureq)?;
        let answer = success(response, PAGE_MAX)?;
        let page: QueryResponse<'_> =
            serde_json::from_slice(&answer).map_err(|_| CallError::NotOurs)?;
        let entries =
            page.data.entries.iter().map(|raw| Unread::parse(raw.get().as_bytes())).collect();
        Ok(Page { entries, cursor: page.data.cursor })
    }

    /// `GET /v1/nodes`: one page of the nodes that have sent entries.
    ///
    /// # Errors
    /// [`CallError`] where there is no answer.
    pub fn nodes(&self, query: &NodesQuery) -> Result<NodesPage, CallError> {
        let answer: NodesResponse = self.get("/v1/nodes", query.to_pairs(), COUNTED_MAX)?;
        Ok(answer.data)
    }

    /// `GET /v1/counts`: how many entries there are, by time.
    ///
    /// # Errors
    /// [`CallError`] where there is no answer.
    pub fn counts(&self, query: &CountsQuery) -> Result<Counts, CallError> {
        let answer: CountsResponse = self.get("/v1/counts", query.to_pairs(), COUNTED_MAX)?;
        Ok(answer.data)
    }

    /// Asks with the key for what is given as JSON.
    fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        pairs: Vec<(&'static str, String)>,
        most: u64,
    ) -> Result<T, CallError> {
        let response = self
            .agent()
            .get(self.endpoint.url(path))
            .query_pairs(pairs)
            .header("authorization", http::AUTHORIZATION)
            .call()
            .map_err(CallError::from_ureq)?;
        serde_json::from_slice(&success(response, most)?).map_err(|_| CallError::NotOurs)
    }

    /// `GET /v1/tail`: entries as they arrive, those of `query` by its level and node. `after` is the
    /// `id` of the last one that is known; without it, they come from now on. It ends where nothing has come for
    /// 45 seconds, in which a server says three times that it is there.
    ///
    /// # Errors
    /// [`CallError`] where the server does not begin to answer.
    pub fn tail(&self, query: &Query, after: Option<&str>) -> Result<Tail, CallError> {
        let pairs = query.to_pairs().into_iter().filter(|(name, _)| *name != "limit");
        let mut request = self
            .agent()
            .get(self.endpoint.url("/v1/tail"))
            .query_pairs(pairs)
            .header("authorization", http::AUTHORIZATION)
            .header("accept", "text/event-stream");
        if let Some(id) = after {
            request = request.header("last-event-id", id);
        }
        let answered = self.config.timeouts().global;
        let response = request
            .config()
            .timeout_global(None)
            .timeout_connect(answered)
            .timeout_recv_response(answered)
            .timeout_per_read(Some(TAIL_SILENCE))
            .build()
            .call()
            .map_err(CallError::from_ureq)?;
        if response.status() != StatusCode::OK {
            success(response, ANSWER_MAX)?;
            return Err(CallError::NotOurs);
        }
        Ok(Tail::new(response.into_body().into_with_config().limit(u64::MAX).reader()))
    }

    /// `GET /v1/alerts`: what the server's monitors have told, the newest first.
    ///
    /// # Errors
    /// [`CallError`] where there is no answer.
    pub fn alerts(
        &self,
        kind: Option<AlertKind>,
        since: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Alert>, CallError> {
        let mut pairs = vec![("limit", limit.to_string())];
        pairs.extend(kind.map(|kind| ("kind", kind.to_string())));
        pairs.extend(since.map(|since| ("since", since.to_string())));
        let answer: AlertsResponse = self.get("/v1/alerts", pairs, ALERTS_MAX)?;
        Ok(answer.data.alerts)
    }

    /// `GET /version`, without the key: what the server speaks.
    ///
    /// # Errors
    /// [`CallError`] where there is no such server.
    pub fn version(&self) -> Result<VersionResponse, CallError> {
        let response =
            self.agent().get(self.endpoint.url("/version")).call().map_err(CallError::from_ureq)?;
        serde_json::from_slice(&success(response, ANSWER_MAX)?).map_err(|_| CallError::NotOurs)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

fn configure(endpoint: &Endpoint, trust: Trust, timeout: Option<Duration>) -> Config {
    let roots = match trust {
        Trust::PublicRoots => RootCerts::WebPki,
        Trust::Only(certificates) => certificates.into(),
    };
    Agent::config_builder()
        // The route says which proxy is used. What `ureq` finds in the environment is not asked.
        .proxy(None)
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .https_only(endpoint.is_encrypted())
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("logflux/", env!("CARGO_PKG_VERSION")))
        .timeout_global(timeout)
        .build()
}

/// Reads the rate limit; a reset is told in the server's time, and so is measured by its `Date`.
fn rate_limit(headers: &HeaderMap) -> Option<RateLimit> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let number = |name: &str| text(name)?.trim().parse::<u64>().ok();
    let now = text("date")
        .and_then(|date| httpdate::parse_http_date(date).ok())
        .unwrap_or_else(SystemTime::now)
        .duration_since(UNIX_EPOCH)
        .ok()?;
    Some(RateLimit {
        limit: number("x-ratelimit-limit")?,
        remaining: number("x-ratelimit-remaining")?,
        resets_in: Duration::from_secs(number("x-ratelimit-reset")?).saturating_sub(now),
    })
}

/// The body of a good answer.
fn success(mut response: Response<Body>, max: u64) -> Result<Vec<u8>, CallError> {
    let status = response.status();
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| parse_retry_after(value.to_str().ok()?, SystemTime::now()));
    if status.is_redirection() {
        return Err(CallError::Redirected { status: status.as_u16() });
    }
    let max = if status == StatusCode::OK { max } else { ANSWER_MAX };
    let body = response.body_mut().with_config().limit(max).read_to_vec();
    if status == StatusCode::OK {
        return body.map_err(CallError::from_ureq);
    }
    // The status says enough where the body does not.
    let error = body.ok().and_then(|body| serde_json::from_slice::<AnyError>(&body).ok());
    Err(CallError::Refused {
        status: status.as_u16(),
        code: error.as_ref().and_then(AnyError::code),
        from_api: error.is_some(),
        failures: error.as_ref().and_then(AnyError::failures).unwrap_or_default(),
        message: error.map_or_else(
            || "the answer is not from a LogFlux ingest API".to_owned(),
            |error| plain(&error.error.message),
        ),
        retry_after,
    })
}

/// A good answer of any version of the API (PROTOCOL 7).
#[derive(Deserialize)]
struct AnyAnswer {
    status: Status,
    message: String,
    request_id: String,
    data: IngestCounts,
    #[serde(default)]
    failures: Vec<AnyFailure>,
}

impl From<AnyAnswer> for IngestResponse {
    fn from(answer: AnyAnswer) -> Self {
        let AnyAnswer { status, message, request_id, data, failures } = answer;
        let failures = failures.into_iter().map(Failure::from).collect();
        Self { status, message, request_id, data, failures }
    }
}

/// What is said of an entry that is refused, also with a code that this version does not know.
#[derive(Deserialize)]
struct AnyFailure {
    index: usize,
    code: String,
    message: String,
}

impl From<AnyFailure> for Failure {
    /// A code that is not known counts as `invalid_entry`, and its name stands before the message.
    fn from(AnyFailure { index, code, message }: AnyFailure) -> Self {
        match known_code(&code) {
            Some(code) => Self { index, code, message: plain(&message) },
            None => {
                let message = plain(&format!("{code}: {message}"));
                Self { index, code: ErrorCode::InvalidEntry, message }
            }
        }
    }
}

fn known_code(code: &str) -> Option<ErrorCode> {
    serde_json::from_value(code.into()).ok()
}

/// An error in the API's form (PROTOCOL 7), also with a code that this version does not know.
#[derive(Deserialize)]
struct AnyError {
    #[expect(dead_code, reason = "an answer without it is not the API's")]
    status: Status,
    error: AnyErrorBody,
}

#[derive(Deserialize)]
struct AnyErrorBody {
    code: String,
    message: String,
    #[serde(default)]
    details: Option<serde_json::Value>,
}

impl AnyError {
    fn code(&self) -> Option<ErrorCode> {
        known_code(&self.error.code)
    }

    fn failures(&self) -> Option<Vec<Failure>> {
        let failures = self.error.details.as_ref()?.get("failures")?;
        let failures: Vec<AnyFailure> = Vec::deserialize(failures).ok()?;
        Some(failures.into_iter().map(Failure::from).collect())
    }
}
