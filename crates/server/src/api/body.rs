//! Reading a request's body, of bounded size and in bounded time.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use logflux_wire::response::ErrorCode;

use super::error::ApiError;

/// How much of a body that is refused is read on, so that its sender gets to read the answer:
/// closing a connection with unread bytes throws the answer away.
const DRAINED_BYTES: usize = 32 << 20;
/// And for how long.
const DRAINED_FOR: Duration = Duration::from_secs(5);

/// Reads a body of at most `most` bytes within `patience`.
pub(super) async fn read(
    mut body: Body,
    most: usize,
    patience: Duration,
) -> Result<Vec<u8>, ApiError> {
    let announced = body.size_hint().lower();
    if announced > u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(too_large(body, most).await);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or(0).min(1 << 20));
    let reading = tokio::time::timeout(patience, async {
        while let Some(data) = next(&mut body).await? {
            if bytes.len() + data.len() > most {
                return Ok(false);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(true)
    });
    match reading.await {
        Ok(Ok(true)) => Ok(bytes),
        Ok(Ok(false)) => Err(too_large(body, most).await),
        Ok(Err(Broken)) => Err(ApiError::new(ErrorCode::InvalidRequest, "the body broke off")),
        Err(_) => Err(ApiError::overloaded("the body did not arrive in time; try again")),
    }
}

async fn too_large(body: Body, most: usize) -> ApiError {
    drain_body(body).await;
    let message = format!("the body is larger than {most} bytes: split it");
    ApiError::new(ErrorCode::PayloadTooLarge, message)
}

/// Reads on over the body of a request that is refused without it.
pub(super) async fn drain(request: Request) {
    let (parts, body) = request.into_parts();
    drain_after(&parts.headers, body).await;
}

/// As [`drain`], where the head has been looked at already. A sender that waits to be told to go on
/// is not told to.
pub(super) async fn drain_after(headers: &HeaderMap, body: Body) {
    if !headers.contains_key(header::EXPECT) {
        drain_body(body).await;
    }
}

async fn drain_body(mut body: Body) {
    let mut left = DRAINED_BYTES;
    // Whether it ended, broke off or went on too long, the answer is the same.
    let _ = tokio::time::timeout(DRAINED_FOR, async {
        while let Ok(Some(data)) = next(&mut body).await {
            left = left.saturating_sub(data.len());
            if left == 0 {
                break;
            }
        }
    })
    .await;
}

/// The connection failed, or the body is not what HTTP says it is.
struct Broken;

/// The next bytes of a body; trailers are passed over.
async fn next(body: &mut Body) -> Result<Option<Bytes>, Broken> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| Broken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
