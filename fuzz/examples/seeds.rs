//! Writes what fuzzing begins with, out of the vectors: `fuzz/corpus/TARGET/…`.

use std::error::Error;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use logflux_transport::{Spool, SpoolOptions};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut entries = Vec::new();
    for file in fs::read_dir(here.join("../vectors"))? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            collect(&serde_json::from_slice(&fs::read(path)?)?, &mut entries)?;
        }
    }
    // Nobody needs a megabyte to begin with.
    entries.retain(|entry| entry.len() <= 4096);
    entries.sort();
    entries.dedup();
    let mut fields = Vec::new();
    let mut timestamps = Vec::new();
    for entry in &entries {
        let Ok(Value::Object(entry)) = serde_json::from_slice(entry) else { continue };
        for field in ["payload", "iv", "salt"] {
            fields.extend(entry.get(field).and_then(Value::as_str).map(|f| f.as_bytes().to_vec()));
        }
        timestamps.extend(
            entry.get("timestamp").and_then(Value::as_str).map(|t| t.as_bytes().to_vec()),
        );
    }
    let batch = |few: &[Vec<u8>]| [b"[", few.join(&b","[..]).as_slice(), b"]"].concat();
    let batches = entries.chunks(2).map(batch).collect();
    let corpus = here.join("corpus");
    for (target, seeds) in [
        ("entry", entries.clone()),
        ("batch", batches),
        ("base64", fields),
        ("timestamp", timestamps),
        ("spool", segments(&entries)?),
    ] {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:04}")), seed)?;
        }
        println!("{target}: {} seeds", seeds.len());
    }
    Ok(())
}

/// Every entry of a vector file, wherever it stands.
fn collect(value: &Value, entries: &mut Vec<Vec<u8>>) -> Result<(), Box<dyn Error>> {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(entry)) = object.get("entry_b64") {
                entries.push(STANDARD.decode(entry)?);
            }
            object.values().try_for_each(|value| collect(value, entries))
        }
        Value::Array(values) => values.iter().try_for_each(|value| collect(value, entries)),
        _ => Ok(()),
    }
}

/// Segments of a few entries each, as a spool writes them.
fn segments(entries: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut segments = Vec::new();
    for few in entries.chunks(3).take(20) {
        let folder = tempfile::tempdir()?;
        let (mut spool, _) = Spool::open(folder.path(), SpoolOptions::default())?;
        for entry in few.iter().filter(|entry| !entry.is_empty()) {
            spool.append(entry)?;
        }
        spool.sync()?;
        for file in fs::read_dir(folder.path())? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "seg") {
                segments.push(fs::read(path)?);
            }
        }
    }
    Ok(segments)
}
