//! What the fuzz targets share: taking their input apart, files to work on, and reading a journal to its end.

pub mod input;
pub mod journal;
pub mod scratch;
pub mod stream;
