//! Figures with their peers and goals, and the table of them all.

use std::fmt;

use crate::interleave::Rounds;
use crate::statistics::{median, percentile, quartiles, ratios};

/// What a figure must come to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// Ours by the peer's at most this.
    RatioAtMost(f64),
    /// Ours by the peer's at least this.
    RatioAtLeast(f64),
    /// Ours at most this, in the figure's unit.
    AtMost(f64),
    /// Ours at least this, in the figure's unit.
    AtLeast(f64),
    /// Nothing: told for comparison.
    None,
}

/// Something measured several times, with a peer measured by turns with it.
#[derive(Debug)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// The unit of all samples.
    pub(crate) unit: &'static str,
    /// Which percentile of the samples counts: 50 is the median.
    pub(crate) percent: f64,
    /// Our samples.
    pub(crate) ours: Vec<f64>,
    /// The peer's name and samples. As many as ours: they belong together round by round.
    pub(crate) peer: Option<(String, Vec<f64>)>,
    /// What it must come to.
    pub(crate) goal: Goal,
}

impl Figure {
    /// The median of rounds against a peer.
    pub(crate) fn of_rounds(
        what: &str,
        unit: &'static str,
        peer: &str,
        rounds: Rounds,
        goal: Goal,
    ) -> Figure {
        let peer = Some((peer.to_owned(), rounds.peer));
        Figure { what: what.to_owned(), unit, percent: 50.0, ours: rounds.ours, peer, goal }
    }

    fn value(&self) -> f64 {
        percentile(&self.ours, self.percent)
    }

    /// Ours by the peer's. For medians of rounds, the median of what each round came to: a machine that was slow for
    /// a while was so for both.
    fn ratio(&self) -> Option<f64> {
        let (_, peer) = self.peer.as_ref()?;
        let of_rounds = ratios(&self.ours, peer).filter(|_| self.percent == 50.0);
        Some(match of_rounds {
            Some(ratios) => median(&ratios),
            None => self.value() / percentile(peer, self.percent),
        })
    }

    /// Whether the goal is met. What could not be measured (NaN) has not met it; no goal is always met.
    fn is_met(&self) -> bool {
        let ratio = self.ratio().unwrap_or(f64::NAN);
        match self.goal {
            Goal::RatioAtMost(goal) => ratio <= goal,
            Goal::RatioAtLeast(goal) => ratio >= goal,
            Goal::AtMost(goal) => self.value() <= goal,
            Goal::AtLeast(goal) => self.value() >= goal,
            Goal::None => true,
        }
    }

    fn goal(&self) -> String {
        match self.goal {
            Goal::RatioAtMost(goal) => format!("<= {goal} x"),
            Goal::RatioAtLeast(goal) => format!(">= {goal} x"),
            Goal::AtMost(goal) => format!("<= {} {}", number(goal), self.unit),
            Goal::AtLeast(goal) => format!(">= {} {}", number(goal), self.unit),
            Goal::None => "-".to_owned(),
        }
    }

    fn cells(&self, row: &str) -> Vec<String> {
        let told = |samples: &[f64]| {
            let (first, third) = quartiles(samples);
            let value = number(percentile(samples, self.percent));
            format!("{value} {} [{}..{}]", self.unit, number(first), number(third))
        };
        let mark = match self.goal {
            Goal::None => "-",
            _ if self.is_met() => "met",
            _ => "MISSED",
        };
        let which = if self.percent == 50.0 { String::new() } else { format!(", p{}", self.percent) };
        vec![
            row.to_owned(),
            format!("{}{which}", self.what),
            told(&self.ours),
            self.peer
                .as_ref()
                .map_or_else(|| "-".to_owned(), |(name, peer)| format!("{} ({name})", told(peer))),
            self.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{} x", number(ratio))),
            self.goal(),
            mark.to_owned(),
        ]
    }
}

/// All that was measured, skipped or failed.
#[derive(Debug, Default)]
pub(crate) struct Report {
    row: &'static str,
    figures: Vec<(&'static str, Figure)>,
    skipped: Vec<String>,
    failed: Vec<String>,
}

impl Report {
    /// What follows belongs to this row.
    pub(crate) fn begin(&mut self, row: &'static str) {
        self.row = row;
    }

    /// Adds a figure, and says it at once: a run takes minutes.
    pub(crate) fn add(&mut self, figure: Figure) {
        println!("   {}", figure.cells(self.row)[1..].join("  |  "));
        self.figures.push((self.row, figure));
    }

    /// Says loudly that something could not be measured here, for example because the peer is not installed.
    pub(crate) fn skip(&mut self, what: &str, why: &str) {
        let skipped = format!("{}: {what}: {why}", self.row);
        println!("==> SKIPPED {skipped}");
        self.skipped.push(skipped);
    }

    /// The row broke down.
    pub(crate) fn failed(&mut self, why: &str) {
        let failed = format!("{}: {why}", self.row);
        println!("==> FAILED {failed}");
        self.failed.push(failed);
    }

    /// Whether every goal is met and no row broke down.
    pub(crate) fn is_good(&self) -> bool {
        self.failed.is_empty() && self.figures.iter().all(|(_, figure)| figure.is_met())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["row", "figure", "ours [quartiles]", "peer [quartiles]", "ratio", "goal", ""];
        let mut lines = vec![head.map(str::to_owned).to_vec()];
        lines.extend(self.figures.iter().map(|(row, figure)| figure.cells(row)));
        let width = |column: usize| {
            lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
        for line in &lines {
            let padded: Vec<String> =
                line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(formatter, "{}", padded.join("  ").trim_end())?;
        }
        for skipped in &self.skipped {
            writeln!(formatter, "==> SKIPPED {skipped}")?;
        }
        for failed in &self.failed {
            writeln!(formatter, "==> FAILED {failed}")?;
        }
        let goals = self.figures.iter().filter(|(_, figure)| !matches!(figure.goal, Goal::None));
        let (met, missed): (Vec<_>, Vec<_>) = goals.partition(|(_, figure)| figure.is_met());
        let (skipped, failed) = (self.skipped.len(), self.failed.len());
        writeln!(
            formatter,
            "{} goals met, {} missed, {skipped} skipped, {failed} rows failed",
            met.len(),
            missed.len()
        )
    }
}

/// Three digits that mean something; large ones whole.
fn number(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => "?".to_owned(),
        size if size >= 100.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(ours: &[f64], peer: &[f64], goal: Goal) -> Figure {
        let rounds = Rounds { ours: ours.to_vec(), peer: peer.to_vec() };
        Figure::of_rounds("it", "ms", "peer", rounds, goal)
    }

    fn report(figures: Vec<Figure>) -> Report {
        let mut report = Report::default();
        report.begin("row");
        figures.into_iter().for_each(|figure| report.add(figure));
        report
    }

    #[test]
    fn a_goal_is_met_up_to_its_bound() {
        for (goal, met) in [
            (Goal::RatioAtMost(2.0), true),
            (Goal::RatioAtMost(1.9), false),
            (Goal::RatioAtLeast(2.0), true),
            (Goal::RatioAtLeast(2.1), false),
            (Goal::AtMost(4.0), true),
            (Goal::AtMost(3.9), false),
            (Goal::AtLeast(4.0), true),
            (Goal::AtLeast(4.1), false),
            (Goal::None, true),
        ] {
            assert_eq!(figure(&[4.0], &[2.0], goal).is_met(), met, "{goal:?}");
            assert_eq!(report(vec![figure(&[4.0], &[2.0], goal)]).is_good(), met);
        }
    }

    #[test]
    fn a_slow_hour_for_both_leaves_the_ratio_as_it_is() {
        let figure = figure(&[2.0, 200.0, 2.2], &[1.0, 100.0, 110.0], Goal::None);
        assert_eq!(figure.ratio(), Some(2.0));
    }

    #[test]
    fn a_percentile_is_compared_with_the_same_percentile() {
        let mut figure = figure(&[1.0, 2.0, 9.0], &[1.0, 1.0, 3.0], Goal::None);
        figure.percent = 100.0;
        assert_eq!(figure.ratio(), Some(3.0));
    }

    #[test]
    fn what_could_not_be_measured_has_not_met_its_goal() {
        assert!(!figure(&[], &[], Goal::AtMost(1.0)).is_met());
        assert!(!figure(&[1.0], &[], Goal::RatioAtMost(1.0)).is_met());
    }

    #[test]
    fn a_row_that_broke_down_is_no_success_and_a_skipped_peer_is_said() {
        let mut report = report(vec![]);
        report.skip("against dtach", "it is not installed");
        assert!(report.is_good());
        report.failed("no daemon");
        assert!(!report.is_good());
        let text = report.to_string();
        assert!(text.contains("SKIPPED row: against dtach: it is not installed"), "{text}");
        assert!(text.contains("0 goals met, 0 missed, 1 skipped, 1 rows failed"), "{text}");
    }

    #[test]
    fn a_missed_goal_cannot_be_overlooked() {
        let text = report(vec![figure(&[4.0], &[2.0], Goal::RatioAtMost(1.5))]).to_string();
        assert!(text.contains("MISSED") && text.contains("2.00 x") && text.contains("<= 1.5 x"), "{text}");
    }
}
