//! Doors for the fuzz targets to private code. Only with the feature `fuzzing`.

use crate::driver::ingest::Ingest;
use crate::orchestrator::Position;

/// An ingest that treats lines of output longer than `line_bytes` as too long.
pub fn ingest(position: Position, line_bytes: usize) -> Ingest {
    Ingest::with_limit(position, line_bytes)
}
