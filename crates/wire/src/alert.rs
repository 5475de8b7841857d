//! What the ingest API's monitors tell (`GET /v1/alerts`, and the webhook).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::response::Status;

/// What an alert is about.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AlertKind {
    /// A key or an address has nearly used up its requests of a minute.
    LimitNear,
    /// A key or an address was refused for its limit.
    LimitExceeded,
    /// An address failed to authenticate again and again, or many addresses did.
    AuthFailures,
    /// A key sends far more than in its own past hour.
    UnusualUse,
    /// A payload is as large as may be, or larger.
    LargePayload,
    /// A key sends much that is no valid entry.
    InvalidPayloads,
    /// A salt and iv came again with another entry: a sender repeats its nonces.
    NonceReused,
    /// The server's clock has jumped: nothing is deleted for its age until an operator confirms it.
    ClockJumped,
    /// Something in the store cannot be read.
    StoreDamaged,
    /// The store's write-ahead log has grown beyond its bound.
    StoreLogLarge,
    /// The disk of the data folder is nearly full.
    DiskLow,
    /// The server's certificate is about to expire.
    CertificateExpiring,
}

impl AlertKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::LimitNear,
        Self::LimitExceeded,
        Self::AuthFailures,
        Self::UnusualUse,
        Self::LargePayload,
        Self::InvalidPayloads,
        Self::NonceReused,
        Self::ClockJumped,
        Self::StoreDamaged,
        Self::StoreLogLarge,
        Self::DiskLow,
        Self::CertificateExpiring,
    ];

    /// The kind as it travels, such as `auth_failures`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LimitNear => "limit_near",
            Self::LimitExceeded => "limit_exceeded",
            Self::AuthFailures => "auth_failures",
            Self::UnusualUse => "unusual_use",
            Self::LargePayload => "large_payload",
            Self::InvalidPayloads => "invalid_payloads",
            Self::NonceReused => "nonce_reused",
            Self::ClockJumped => "clock_jumped",
            Self::StoreDamaged => "store_damaged",
            Self::StoreLogLarge => "store_log_large",
            Self::DiskLow => "disk_low",
            Self::CertificateExpiring => "certificate_expiring",
        }
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for AlertKind {
    type Err = AlertKindError;

    fn from_str(name: &str) -> Result<Self, AlertKindError> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(AlertKindError)
    }
}

/// The text is no kind of alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a kind is one of limit_near, limit_exceeded, auth_failures, unusual_use, large_payload, \
     invalid_payloads, nonce_reused, clock_jumped, store_damaged, store_log_large, disk_low, \
     certificate_expiring"
)]
pub struct AlertKindError;

/// Something that whoever runs a server should look at.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its number, which grows from 1.
    pub id: i64,
    /// What it is about.
    pub kind: AlertKind,
    /// When: RFC 3339, in UTC.
    pub time: String,
    /// A sentence for people.
    pub message: String,
    /// The public name of the key that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The tenant of that key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The address that it is about; of IPv6 the network of 64 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The figures behind it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

/// The answer to `GET /v1/alerts`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertsResponse {
    /// `success`.
    pub status: Status,
    /// The request's own name, `req_…`.
    pub request_id: String,
    /// The alerts.
    pub data: AlertsPage,
}

/// Alerts, the newest first.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertsPage {
    /// The alerts.
    pub alerts: Vec<Alert>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_as_it_is_named() {
        for kind in AlertKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(kind.name().parse(), Ok(kind));
            assert!(AlertKindError.to_string().contains(kind.name()));
        }
        assert_eq!("other".parse::<AlertKind>(), Err(AlertKindError));
    }
}
