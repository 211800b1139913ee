//! Doors for the fuzz targets to private code. Only with the feature `fuzzing`.

use std::io;
use std::path::Path;

use crate::Writer;

/// A writer with segments of `segment_size` bytes that keeps at least `kept` bytes.
///
/// # Errors
/// As [`Writer::open`].
pub fn writer(directory: &Path, floor: u64, segment_size: u64, kept: u64) -> io::Result<Writer> {
    Writer::open_sized(directory, floor, segment_size, kept)
}
