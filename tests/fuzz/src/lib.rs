//! What the fuzz targets share: taking their input apart, files to work on, reading a journal to its end, counting memory.

pub mod input;
pub mod journal;
pub mod memory;
pub mod scratch;
pub mod stream;
