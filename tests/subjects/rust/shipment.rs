//! Shipping through the client of `logflux-transport`.

use std::error::Error;
use std::time::Duration;

use logflux_envelope::{Level, Timestamp};
use logflux_transport::{Client, Settings};
use serde_json::{Value, json};

use crate::{Subject, hex, mode, number, secret, text};

impl Subject {
    pub(crate) fn ship(&mut self, request: &Value) -> Result<Value, Box<dyn Error>> {
        let endpoint = text(request, "endpoint").parse()?;
        let mut settings = Settings::new(endpoint, text(request, "api_key").parse()?);
        settings.ca_file = Some(text(request, "ca_file").into());
        settings.node = Some(text(request, "node").parse()?);
        let hint = |name| Duration::from_millis(number(&request["hints"], name));
        settings.flush_interval = hint("flush_interval_ms");
        settings.retry.initial_delay = hint("initial_delay_ms");
        settings.retry.max_delay = hint("max_delay_ms");
        let secret = secret(request).map_err(|_| "no secret")?;
        let mode = mode(request).map_err(|_| "no mode")?;
        let client = Client::builder(settings, secret).mode(mode).build()?;
        for message in request["messages"].as_array().into_iter().flatten() {
            let level = Level::from_number(number(message, "loglevel"))?;
            client.log_bytes(level, &hex(message, "message_hex"), Timestamp::now());
        }
        self.client = Some(client);
        Ok(json!({}))
    }

    pub(crate) fn flush(&mut self, request: &Value) -> Result<Value, Box<dyn Error>> {
        let client = self.client.take().ok_or("nothing was shipped")?;
        let flushed = client.flush(Duration::from_millis(number(request, "timeout_ms")));
        let dropped = client.stats().dropped.total();
        let _ = client.close(Duration::ZERO);
        flushed?;
        if dropped == 0 { Ok(json!({})) } else { Err("some were dropped".into()) }
    }
}
