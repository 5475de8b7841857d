//! Reading a request's body, of bounded size and in bounded time.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use logflux_wire::response::ErrorCode;

use super::error::ApiError;
use crate::room::Held;
use crate::tenant::Tenant;

/// How much of a body that is refused is read on, so that its sender gets to read the answer:
/// closing a connection with unread bytes throws the answer away.
const DRAINED_BYTES: usize = 128 << 20;
/// And for how long.
const DRAINED_FOR: Duration = Duration::from_secs(10);

/// Reads a body of at most `most` bytes within `patience`, and takes as much room for it.
pub(super) async fn read(
    mut body: Body,
    most: usize,
    patience: Duration,
    room: &mut Held<Tenant>,
) -> Result<Vec<u8>, ApiError> {
    let announced = body.size_hint().lower();
    if announced > u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(too_large(body, most).await);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or(0).min(1 << 20));
    let reading = tokio::time::timeout(patience, async {
        while let Some(data) = next(&mut body).await? {
            if bytes.len() + data.len() > most {
                return Err(Fault::TooLarge);
            }
            if !room.grow(data.len()) {
                return Err(Fault::NoRoom);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(())
    });
    match reading.await {
        Ok(Ok(())) => Ok(bytes),
        Ok(Err(Fault::TooLarge)) => Err(too_large(body, most).await),
        Ok(Err(Fault::NoRoom)) => {
            drop(bytes);
            drain_body(body).await;
            Err(ApiError::overloaded("the server holds too much already; try again"))
        }
        Ok(Err(Fault::Broken)) => {
            Err(ApiError::new(ErrorCode::InvalidRequest, "the body broke off"))
        }
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

/// Why a body is not read to its end.
enum Fault {
    TooLarge,
    NoRoom,
    /// The connection failed, or the body is not what HTTP says it is.
    Broken,
}

/// The next bytes of a body; trailers are passed over.
async fn next(body: &mut Body) -> Result<Option<Bytes>, Fault> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| Fault::Broken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
