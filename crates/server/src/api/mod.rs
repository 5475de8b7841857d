//! The calls of the API (PROTOCOL 7): which there are, and what they share.
//!
//! Every answer, whatever made it, goes through [`answer::finish`], which gives it its request id,
//! its security headers and, where it is an error, its form.

mod answer;
mod auth;
mod bare;
mod body;
mod counting;
mod encoding;
mod entries;
mod error;
mod ingest;
mod monitoring;
mod rates;
mod reading;
mod status;
mod tail;
mod watch;

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::Request;
use axum::middleware;
use logflux_wire::response::ErrorCode;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use bare::dress;

use crate::config::ServerConfig;
use crate::keys::{Authenticator, KeyId};
use crate::limits::Limiter;
use crate::monitor::{Monitor, MonitorError};
use crate::openapi::Base;
use crate::room::Room;
use crate::store::Store;
use crate::tenant::Tenant;
use error::ApiError;

/// What the calls stand on.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

struct Parts {
    config: ArcSwap<ServerConfig>,
    keys: Authenticator,
    store: Arc<dyn Store>,
    monitor: Monitor,
    limiter: Limiter,
    /// For request bodies.
    room: Room<Tenant>,
    /// For answers that are not written yet.
    answers: Room<KeyId>,
    /// For clients that wait for entries.
    tails: Room<Tenant>,
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
        let answers = Room::new(config.limits.answers);
        let tails = Room::new(config.limits.tails);
        let stopping = tokio::sync::watch::Sender::new(false);
        let (config, limiter) = (ArcSwap::from_pointee(config), Limiter::new());
        let parts = Parts { config, keys, store, monitor, limiter, room, answers, tails, stopping };
        Self(Arc::new(parts))
    }

    /// Ends what would never end by itself.
    pub(crate) fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    fn stopping(&self) -> tokio::sync::watch::Receiver<bool> {
        self.0.stopping.subscribe()
    }

    fn tails(&self) -> &Room<Tenant> {
        &self.0.tails
    }

    fn answers(&self) -> &Room<KeyId> {
        &self.0.answers
    }

    pub(crate) fn monitor(&self) -> &Monitor {
        &self.0.monitor
    }

    /// The settings in force. They change when they are read again.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.0.config.load_full()
    }

    /// Puts other settings in force, or none of them where the monitors' cannot be.
    pub(crate) fn configure(&self, config: ServerConfig) -> Result<(), MonitorError> {
        self.0.monitor.configure(&config.monitor)?;
        self.0.config.store(Arc::new(config));
        Ok(())
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    pub(crate) fn keys(&self) -> &Authenticator {
        &self.0.keys
    }

    fn room(&self) -> &Room<Tenant> {
        &self.0.room
    }

    fn store(&self) -> &dyn Store {
        &*self.0.store
    }
}

/// The calls, each with its description.
fn calls() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Base::openapi())
        .routes(routes!(ingest::ingest))
        .routes(routes!(ingest::batch))
        .routes(routes!(entries::entries))
        .routes(routes!(tail::tail))
        .routes(routes!(counting::nodes))
        .routes(routes!(counting::counts))
        .routes(routes!(monitoring::alerts))
        .routes(routes!(monitoring::metrics))
        .routes(routes!(status::health))
        .routes(routes!(status::version))
        .routes(routes!(status::openapi))
}

/// What is said of the calls.
pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    calls().into_openapi()
}

/// All calls.
pub(crate) fn router(app: App) -> Router {
    let (calls, _) = calls().split_for_parts();
    calls
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), rates::limit))
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
