//! Figures with their peers and goals, and the table of all figures.

use std::fmt;

use crate::interleave::Rounds;
use crate::statistics::{median, percentile, quartiles, ratios};

/// The goal of a figure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// The maximum ratio of AreYouJ to the peer.
    RatioAtMost(f64),
    /// The minimum ratio of AreYouJ to the peer.
    RatioAtLeast(f64),
    /// The maximum value, in the unit of the figure.
    AtMost(f64),
    /// The minimum value, in the unit of the figure.
    AtLeast(f64),
    /// No goal: shown for comparison.
    None,
}

/// A value that was measured several times, alternately with a peer.
#[derive(Debug)]
pub(crate) struct Figure {
    /// The name of the measurement.
    pub(crate) what: String,
    /// The unit of all samples.
    pub(crate) unit: &'static str,
    /// The percentile of the samples that is reported: 50 is the median.
    pub(crate) percent: f64,
    /// The samples of AreYouJ.
    pub(crate) ours: Vec<f64>,
    /// The name and the samples of the peer. If there are as many as of AreYouJ, they belong to the same rounds.
    pub(crate) peer: Option<(String, Vec<f64>)>,
    /// The goal.
    pub(crate) goal: Goal,
}

impl Figure {
    /// A figure with the median of rounds against a peer.
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

    /// The ratio of AreYouJ to the peer. For medians of rounds it is the median of the ratios of all rounds, because a
    /// slow period of the machine affects both.
    fn ratio(&self) -> Option<f64> {
        let (_, peer) = self.peer.as_ref()?;
        let of_rounds = ratios(&self.ours, peer).filter(|_| self.percent == 50.0);
        Some(match of_rounds {
            Some(ratios) => median(&ratios),
            None => self.value() / percentile(peer, self.percent),
        })
    }

    /// Whether the goal is met. A value that could not be measured (NaN) does not meet it; a figure without a goal
    /// always does.
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
        let summary = |samples: &[f64]| {
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
            summary(&self.ours),
            self.peer
                .as_ref()
                .map_or_else(|| "-".to_owned(), |(name, peer)| format!("{} ({name})", summary(peer))),
            self.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{} x", number(ratio))),
            self.goal(),
            mark.to_owned(),
        ]
    }
}

/// All figures, and the skipped and failed measurements.
#[derive(Debug, Default)]
pub(crate) struct Report {
    row: &'static str,
    figures: Vec<(&'static str, Figure)>,
    skipped: Vec<String>,
    failed: Vec<String>,
}

impl Report {
    /// Assigns the following figures to this row.
    pub(crate) fn begin(&mut self, row: &'static str) {
        self.row = row;
    }

    /// Adds a figure and prints it immediately, because a run takes minutes.
    pub(crate) fn add(&mut self, figure: Figure) {
        println!("   {}", figure.cells(self.row)[1..].join("  |  "));
        self.figures.push((self.row, figure));
    }

    /// Reports that something could not be measured, for example because the peer is not installed.
    pub(crate) fn skip(&mut self, what: &str, why: &str) {
        let skipped = format!("{}: {what}: {why}", self.row);
        println!("==> SKIPPED {skipped}");
        self.skipped.push(skipped);
    }

    /// Reports that the row failed.
    pub(crate) fn failed(&mut self, why: &str) {
        let failed = format!("{}: {why}", self.row);
        println!("==> FAILED {failed}");
        self.failed.push(failed);
    }

    /// Whether every goal is met and no row failed.
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

/// Formats a number with three significant digits, and large ones as integers.
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
    fn a_slow_period_for_both_does_not_change_the_ratio() {
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
    fn a_value_that_could_not_be_measured_does_not_meet_its_goal() {
        assert!(!figure(&[], &[], Goal::AtMost(1.0)).is_met());
        assert!(!figure(&[1.0], &[], Goal::RatioAtMost(1.0)).is_met());
    }

    #[test]
    fn a_failed_row_is_not_a_success_and_a_skipped_peer_is_reported() {
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
    fn a_missed_goal_is_marked() {
        let text = report(vec![figure(&[4.0], &[2.0], Goal::RatioAtMost(1.5))]).to_string();
        assert!(text.contains("MISSED") && text.contains("2.00 x") && text.contains("<= 1.5 x"), "{text}");
    }
}
