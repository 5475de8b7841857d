//! The calls of the API (PROTOCOL 7): which there are, and what they share.
//!
//! Every answer, whatever made it, goes through [`answer::finish`], which gives it its request id,
//! its security headers and, where it is an error, its form.

mod answer;
mod auth;
mod bare;
mod body;
mod encoding;
mod entries;
mod error;
mod ingest;
mod rates;
mod status;

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
use crate::keys::Authenticator;
use crate::limits::Limiter;
use crate::openapi::Base;
use crate::room::Room;
use crate::store::Store;
use error::ApiError;

/// What the calls stand on.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

struct Parts {
    config: ArcSwap<ServerConfig>,
    keys: Authenticator,
    store: Arc<dyn Store>,
    limiter: Limiter,
    /// For request bodies.
    room: Room,
}

impl App {
    pub(crate) fn new(config: ServerConfig, keys: Authenticator, store: Arc<dyn Store>) -> Self {
        let room = Room::new(config.limits.bodies);
        let (config, limiter) = (ArcSwap::from_pointee(config), Limiter::new());
        Self(Arc::new(Parts { config, keys, store, limiter, room }))
    }

    /// The settings in force. They change when they are read again.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.0.config.load_full()
    }

    /// Puts other settings in force.
    pub(crate) fn configure(&self, config: ServerConfig) {
        self.0.config.store(Arc::new(config));
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    pub(crate) fn keys(&self) -> &Authenticator {
        &self.0.keys
    }

    fn room(&self) -> &Room {
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
