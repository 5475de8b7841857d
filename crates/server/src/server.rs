//! A server: made of its settings, run until it is told to stop.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::api::App;
use crate::config::ServerConfig;
use crate::keys::{Authenticator, KeysError};
use crate::monitor::{Monitor, MonitorError};
use crate::reload::Reloader;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};
use crate::tls::{self, TlsError};
use crate::{folder, listen, machine, open_files, signals};

/// An ingest server that is bound to its address and has opened its store, but does not answer yet:
/// connections wait until it runs.
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    tls: RustlsConfig,
    app: App,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Server {
    /// Makes the data folder, reads the certificate, opens the keys and the store, and binds the
    /// address, in this order.
    ///
    /// # Errors
    /// [`ServerError`], which says which of these failed.
    pub fn bind(config: ServerConfig) -> Result<Self, ServerError> {
        folder::create(&config.data)
            .map_err(|source| ServerError::Data { path: config.data.clone(), source })?;
        let store = SqliteStore::open(&config.data, &config.limits, &config.store)?;
        Self::bind_with_store(config, Arc::new(store))
    }

    /// As [`bind`](Self::bind), with another store. The keys are in the data folder all the same.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn bind_with_store(
        config: ServerConfig,
        store: Arc<dyn Store>,
    ) -> Result<Self, ServerError> {
        let tls = RustlsConfig::from_config(tls::load(&config.tls)?);
        let keys = Authenticator::start(&config.data)?;
        let failed = |source| ServerError::Listen { addr: config.listen, source };
        let listener = TcpListener::bind(config.listen).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let monitor = Monitor::start(&config.data, &config.monitor, &*store)?;
        let app = App::new(config, keys, store, monitor);
        Ok(Self { listener, addr, tls, app })
    }

    /// The address that it is bound to, with the port that was free.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// What puts other settings in force while it runs.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        let started = self.app.config();
        Reloader { app: self.app.clone(), tls: self.tls.clone(), started }
    }

    /// Serves, on the tokio runtime that polls this, until `shutdown` is done; then answers the
    /// requests that have begun, for at most [`Timeouts::shutdown`](crate::Timeouts::shutdown), and
    /// writes what waits for the store.
    ///
    /// # Errors
    /// [`ServerError::Serve`].
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Result<(), ServerError> {
        tracing::info!(addr = %self.addr, "listening");
        let (app, keys) = (self.app.clone(), self.app.keys());
        let shutdown = async {
            shutdown.await;
            self.app.stop();
        };
        let served = tokio::select! {
            served = listen::serve(self.listener, self.tls, app, shutdown) => served,
            () = keys.write_usage_forever() => Ok(()),
            () = machine::watch(&self.app) => Ok(()),
        };
        keys.write_usage().await;
        served.map_err(ServerError::Serve)?;
        tracing::info!(addr = %self.addr, "stopped");
        Ok(())
    }

    /// Serves on a runtime of its own until the process gets SIGINT (Ctrl-C) or SIGTERM. At a SIGHUP
    /// it reads its certificate again. It first raises the process's soft limit of open files to the
    /// hard one. It must not be called from async code.
    ///
    /// # Errors
    /// [`ServerError::Runtime`] or [`ServerError::Serve`].
    pub fn run(self) -> Result<(), ServerError> {
        let config = self.app.config();
        self.run_reading(move || Ok((*config).clone()))
    }

    /// As [`run`](Self::run), and at a SIGHUP goes on with the settings that `read` gives. Where it
    /// gives an error, or the certificate is unusable, that is logged and nothing changes.
    ///
    /// # Errors
    /// [`ServerError::Runtime`] or [`ServerError::Serve`].
    pub fn run_reading(
        self,
        read: impl Fn() -> Result<ServerConfig, String> + Send + Sync + 'static,
    ) -> Result<(), ServerError> {
        open_files::raise_limit();
        let runtime = runtime()?;
        let reloader = self.reloader();
        let result = runtime.block_on(async {
            let interrupted = signals::interrupted().map_err(ServerError::Runtime)?;
            let hung_up =
                signals::reload_at_hangup(reloader, read).map_err(ServerError::Runtime)?;
            tokio::select! {
                result = self.run_until(interrupted) => result,
                () = hung_up => Ok(()),
            }
        });
        runtime.shutdown_timeout(LAST_WORDS);
        result
    }

    /// Serves on a thread and a runtime of its own until it is stopped.
    ///
    /// # Errors
    /// [`ServerError::Runtime`].
    pub fn spawn(self) -> Result<Running, ServerError> {
        let addr = self.addr;
        let reloader = self.reloader();
        let runtime = runtime()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            let result = runtime.block_on(self.run_until(async {
                // A handle that is dropped stops the server as well.
                stopped.await.ok();
            }));
            runtime.shutdown_timeout(LAST_WORDS);
            result
        };
        let thread = std::thread::Builder::new()
            .name("logflux-server".to_owned())
            .spawn(serve)
            .map_err(ServerError::Runtime)?;
        Ok(Running { addr, reloader, stop: Some(stop), thread: Some(thread) })
    }
}

/// How long a runtime waits for blocking calls at its end.
const LAST_WORDS: Duration = Duration::from_secs(5);

fn runtime() -> Result<Runtime, ServerError> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("logflux-http")
        .enable_all()
        .build()
        .map_err(ServerError::Runtime)
}

/// A server that runs on a thread of its own. Dropping it stops the server, too, and waits for it.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    reloader: Reloader,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServerError>>>,
}

impl Running {
    /// The address that it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What puts other settings in force while it runs.
    #[must_use]
    pub fn reloader(&self) -> &Reloader {
        &self.reloader
    }

    /// Stops the server as [`Server::run_until`] does, and waits until it has.
    ///
    /// # Errors
    /// [`ServerError::Serve`], also where it had failed before.
    pub fn stop(mut self) -> Result<(), ServerError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), ServerError> {
        self.stop = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(ServerError::Serve(io::Error::other("the server's thread failed"))),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "the server failed");
        }
    }
}

/// Why a server cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The data folder cannot be made.
    #[error("data folder {}: {source}", .path.display())]
    Data {
        /// The folder.
        path: std::path::PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The certificate or its key is unusable.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The keys cannot be opened.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The monitors cannot be started.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// The address cannot be bound.
    #[error("listening on {addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The runtime cannot be started.
    #[error("starting the server's threads: {0}")]
    Runtime(io::Error),
    /// The listener failed.
    #[error("serving: {0}")]
    Serve(io::Error),
}
