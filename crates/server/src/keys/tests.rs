use super::*;

fn new_key() -> NewKey {
    NewKey::new("acme".parse().unwrap(), Scope::Ingest.into())
}

#[test]
fn a_key_is_made_found_listed_and_revoked() {
    let data = tempfile::tempdir().unwrap();
    let keys = Keys::open(data.path()).unwrap();
    let mut new = new_key();
    new.note = Some("the web servers".to_owned());
    new.expires = Some("2999-01-01T00:00:00.5Z".parse().unwrap());
    let (key, info) = keys.create(&new).unwrap();
    assert_eq!(info.expires, Some("2999-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(info.state(Timestamp::now()), KeyState::Active);
    assert_eq!(info.state("2999-01-01T00:00:00Z".parse().unwrap()), KeyState::Expired);
    assert_eq!(keys.find(&key).unwrap(), Some(info.clone()));
    let (other, _) = keys.create(&new_key()).unwrap();
    assert_ne!(key, other);

    // Another process sees the same, and what it revokes is revoked here.
    let elsewhere = Keys::open(data.path()).unwrap();
    assert_eq!(elsewhere.list().unwrap().keys.len(), 2);
    elsewhere.revoke(&info.id).unwrap();
    let revoked = elsewhere.get(&info.id).unwrap();
    assert_eq!(revoked.state(Timestamp::now()), KeyState::Revoked);
    assert_eq!(keys.find(&key).unwrap(), Some(revoked.clone()));
    keys.revoke(&info.id).unwrap();
    assert_eq!(keys.get(&info.id).unwrap(), revoked);
    assert_eq!(keys.find(&other).unwrap().unwrap().revoked, None);
}

#[test]
fn a_damaged_key_takes_no_other_with_it_is_named_and_can_be_revoked() {
    let data = tempfile::tempdir().unwrap();
    let keys = Keys::open(data.path()).unwrap();
    let (_, good) = keys.create(&new_key()).unwrap();
    let damage = |set: &str| {
        let (_, damaged) = keys.create(&new_key()).unwrap();
        let update = format!("UPDATE keys SET {set} WHERE id = ?1");
        keys.lock().execute(&update, [damaged.id.as_str()]).unwrap();
        damaged.id
    };
    let (scopes, hash) = (damage("scopes = 'zz'"), damage("hash = x'00'"));
    damage("id = 'key_-'");
    let list = keys.list().unwrap();
    assert_eq!(list.keys, [good]);
    assert_eq!(list.damaged.len(), 3);
    for id in [Some(scopes.clone()), Some(hash), None] {
        assert!(list.damaged.contains(&id), "{id:?}: {list:?}");
    }
    let error = keys.get(&scopes).unwrap_err();
    assert!(error.to_string().contains("is damaged"), "{error}");
    keys.revoke(&scopes).unwrap();
    let select = "SELECT revoked FROM keys WHERE id = ?1";
    let revoked: Option<i64> =
        keys.lock().query_row(select, [scopes.as_str()], |row| row.get(0)).unwrap();
    assert!(revoked.is_some());
}

#[test]
fn no_file_of_the_folder_holds_the_key() {
    let data = tempfile::tempdir().unwrap();
    let keys = Keys::open(data.path()).unwrap();
    let (key, _) = keys.create(&new_key()).unwrap();
    let random = key.expose().strip_prefix(ApiKey::PREFIX).unwrap().as_bytes();
    for file in std::fs::read_dir(data.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(random.len()).any(|window| window == random));
    }
}

#[test]
fn what_is_wrong_is_refused_and_named() {
    let data = tempfile::tempdir().unwrap();
    let keys = Keys::open(data.path()).unwrap();
    let id: KeyId = "key_AAAAAAAAAAAA".parse().unwrap();
    assert!(matches!(keys.revoke(&id), Err(KeysError::NotFound(missing)) if missing == id));
    for note in ["x".repeat(201), "two\nlines".to_owned()] {
        let new = NewKey { note: Some(note), ..new_key() };
        assert!(matches!(keys.create(&new), Err(KeysError::Note)));
    }
    for bad in ["", "key_", "key_AAAAAAAAAAA", "key_AAAAAAAAAAA-", "lf_AAAAAAAAAAAA"] {
        assert_eq!(bad.parse::<KeyId>(), Err(KeyIdError), "{bad}");
    }

    keys.lock().pragma_update(None, "user_version", 99).unwrap();
    drop(keys);
    let newer = Keys::open(data.path()).unwrap_err();
    assert!(matches!(newer, KeysError::Version { found: 99, newest: 3 }), "{newer}");
}

#[cfg(unix)]
#[test]
fn the_folder_and_its_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("new");
    let keys = Keys::open(&data).unwrap();
    keys.create(&new_key()).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in std::fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{path:?}");
    }
}
