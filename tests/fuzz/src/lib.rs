//! Shared code of the fuzz targets: parsing their input, temporary files, reading a journal, measuring memory.

pub mod input;
pub mod journal;
pub mod memory;
pub mod scratch;
pub mod stream;
