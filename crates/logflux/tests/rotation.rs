//! The client of the process takes another key and another secret while it runs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // A failed test may say so.

mod place;

use logflux::{Rotation, Secret};
use place::{ENOUGH, Place, secret};

#[test]
fn the_client_of_the_process_rotates_and_where_there_is_none_nothing_does() {
    assert!(!logflux::rotate(Rotation::new().secret(secret())).unwrap());
    let place = Place::new();
    let mut settings = place.settings();
    settings.api_key = "lf_0123456789abcdefABCDEF0123456789".parse().unwrap();
    let other = Secret::new("a secret of another year").unwrap();
    let config = logflux::Config::new(settings, other).mode(logflux::Mode::Hkdf);
    let guard = logflux::init(config.close_within(ENOUGH)).unwrap();
    guard.rotate(Rotation::new().secret(secret())).unwrap();
    let key = place.settings().api_key;
    assert!(
        logflux::rotate(Rotation::new().ca_file("/no/such/file").api_key(key.clone())).is_err()
    );
    assert!(logflux::rotate(Rotation::new().api_key(key)).unwrap());
    logflux::info!("rotated");
    guard.close(ENOUGH).unwrap();
    assert_eq!(place.texts(), ["rotated"]);
}
