//! The calls of the API (PROTOCOL 7): which there are, and what they share.
//!
//! Every answer, whatever made it, goes through [`answer::finish`], which gives it its request id,
//! its security headers and, where it is an error, its form.

mod answer;
mod auth;
mod bare;
mod body;
mod entries;
mod error;
mod ingest;
mod monitoring;
mod status;
mod tail;
mod watch;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware;
use axum::routing::{get, post};
use logflux_wire::response::ErrorCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use bare::dress;

use crate::config::ServerConfig;
use crate::keys::Authenticator;
use crate::monitor::Monitor;
use crate::room::Room;
use crate::store::Store;
use error::ApiError;

/// What the calls stand on.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

struct Parts {
    config: ServerConfig,
    keys: Authenticator,
    store: Arc<dyn Store>,
    monitor: Monitor,
    /// For request bodies.
    room: Room,
    /// For clients that wait for entries.
    tails: Arc<Semaphore>,
    stopping: tokio::sync::watch::Sender<bool>,
}

impl App {
    pub(crate) fn new(
        config: ServerConfig,
        keys: Authenticator,
        store: Arc<dyn Store>,
        monitor: Monitor,
    ) -> Self {
        let room = Room::new(config.limits.bodies);
        let tails = Arc::new(Semaphore::new(config.limits.tails));
        let stopping = tokio::sync::watch::Sender::new(false);
        Self(Arc::new(Parts { config, keys, store, monitor, room, tails, stopping }))
    }

    /// Ends what would never end by itself.
    pub(crate) fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    fn stopping(&self) -> tokio::sync::watch::Receiver<bool> {
        self.0.stopping.subscribe()
    }

    fn take_tail(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.tails).try_acquire_owned().ok()
    }

    fn monitor(&self) -> &Monitor {
        &self.0.monitor
    }

    fn config(&self) -> &ServerConfig {
        &self.0.config
    }

    fn keys(&self) -> &Authenticator {
        &self.0.keys
    }

    fn room(&self) -> &Room {
        &self.0.room
    }

    fn store(&self) -> &dyn Store {
        &*self.0.store
    }
}

/// All calls.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/v1/ingest", post(ingest::ingest))
        .route("/v1/batch", post(ingest::batch))
        .route("/v1/entries", get(entries::entries))
        .route("/v1/tail", get(tail::tail))
        .route("/v1/alerts", get(monitoring::alerts))
        .route("/metrics", get(monitoring::metrics))
        .route("/health", get(status::health))
        .route("/version", get(status::version))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), watch::watch))
        .layer(middleware::from_fn(answer::finish))
        .with_state(app)
}

async fn not_found(request: Request) -> ApiError {
    body::drain(request).await;
    ApiError::new(ErrorCode::NotFound, "there is no such path")
}

async fn method_not_allowed(request: Request) -> ApiError {
    body::drain(request).await;
    ApiError::new(ErrorCode::MethodNotAllowed, "this path does not take this method")
}
