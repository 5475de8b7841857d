//! `logflux spool inspect`

use std::io::Write;
use std::path::Path;

use logflux_envelope::{Entry, Timestamp};
use logflux_transport::{DeadLetters, SegmentView, SpoolError, SpoolView};
use serde_json::{Value, json};

use super::Skips;
use crate::escape;
use crate::failure::Outcome;
use crate::output::Format;
use crate::streams::stdout;

pub(super) fn run(asked: &Path, format: Format) -> Outcome {
    let mut skips = Skips::default();
    for folder in super::folders(asked)? {
        let Some(view) = skips.view(asked, &folder)? else { continue };
        let Some(found) = skips.unless_own(asked, &folder, look(&folder, view))? else { continue };
        let mut stdout = stdout();
        match format {
            Format::Json => writeln!(stdout, "{}", found.json(&folder))?,
            Format::Text => found.print(&folder, &mut stdout)?,
        }
    }
    skips.end()
}

/// What stands in one folder.
struct Found {
    view: SpoolView,
    /// The earliest and the latest time of an entry.
    times: Option<(Timestamp, Timestamp)>,
    /// Sound records that are no entries.
    strange: u64,
    dead: u64,
    dead_damaged: u64,
}

fn look(folder: &Path, view: SpoolView) -> Result<Found, SpoolError> {
    let mut times: Option<(Timestamp, Timestamp)> = None;
    let mut strange = 0;
    view.each_entry(|entry| {
        match Entry::parse(entry) {
            Ok(entry) => {
                let time = entry.timestamp();
                times = Some(times.map_or((time, time), |(a, b)| (a.min(time), b.max(time))));
            }
            Err(_) => strange += 1,
        }
        Ok::<_, SpoolError>(())
    })?;
    let mut dead = 0;
    let dead_damaged = DeadLetters::of_spool(folder).read(|_| dead += 1)?;
    Ok(Found { view, times, strange, dead, dead_damaged })
}

impl Found {
    fn sum(&self, of: impl Fn(&SegmentView) -> u64) -> u64 {
        self.view.segments().iter().map(of).sum()
    }

    fn print(&self, folder: &Path, out: &mut impl Write) -> Outcome {
        writeln!(out, "{}", escape::path(folder))?;
        writeln!(
            out,
            "  entries       {} in {} bytes and {} segments",
            self.view.len(),
            self.sum(|segment| segment.bytes),
            self.view.segments().len()
        )?;
        if let Some((oldest, newest)) = self.times {
            writeln!(out, "  times         {oldest} to {newest}")?;
        }
        match (self.sum(|segment| segment.lost), self.sum(|segment| segment.skipped_bytes)) {
            (0, 0) => writeln!(out, "  damage        none")?,
            (lost, bytes) => writeln!(out, "  damage        {lost} records, {bytes} bytes")?,
        }
        if self.strange > 0 {
            writeln!(out, "  not entries   {}", self.strange)?;
        }
        writeln!(out, "  dead letters  {}", self.dead)?;
        if self.dead_damaged > 0 {
            writeln!(out, "  damaged ones  {}", self.dead_damaged)?;
        }
        Ok(())
    }

    fn json(&self, folder: &Path) -> Value {
        let segments: Vec<Value> = self.view.segments().iter().map(segment_json).collect();
        json!({
            "folder": folder.display().to_string(),
            "entries": self.view.len(),
            "bytes": self.sum(|segment| segment.bytes),
            "lost": self.sum(|segment| segment.lost),
            "skipped_bytes": self.sum(|segment| segment.skipped_bytes),
            "no_entries": self.strange,
            "oldest": self.times.map(|(oldest, _)| oldest.to_string()),
            "newest": self.times.map(|(_, newest)| newest.to_string()),
            "dead_letters": self.dead,
            "dead_letters_damaged": self.dead_damaged,
            "segments": segments,
        })
    }
}

fn segment_json(segment: &SegmentView) -> Value {
    json!({
        "name": segment.name,
        "bytes": segment.bytes,
        "entries": segment.entries,
        "acknowledged": segment.acknowledged,
        "lost": segment.lost,
        "skipped_bytes": segment.skipped_bytes,
    })
}
