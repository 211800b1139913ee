//! Every row: what is measured, and against what.

use anyhow::Result;

use crate::Bench;

/// A row.
pub(crate) struct Row {
    /// What it is asked for by.
    pub(crate) name: &'static str,
    /// What it measures, in one line.
    pub(crate) about: &'static str,
    /// Measures and adds its figures to the report. An error means that it could not be measured.
    pub(crate) run: fn(&mut Bench) -> Result<()>,
}

/// All of them, in the order in which they run.
pub(crate) const ROWS: &[Row] = &[];
