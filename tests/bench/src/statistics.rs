//! Statistics of samples.

/// The percentile of the samples, linearly interpolated; NaN without samples.
pub(crate) fn percentile(samples: &[f64], percent: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = percent.clamp(0.0, 100.0) / 100.0 * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * position.fract()
}

/// The median of the samples.
pub(crate) fn median(samples: &[f64]) -> f64 {
    percentile(samples, 50.0)
}

/// The first and the third quartile.
pub(crate) fn quartiles(samples: &[f64]) -> (f64, f64) {
    (percentile(samples, 25.0), percentile(samples, 75.0))
}

/// The ratio of each sample to the peer's sample of the same round, or `None` if the numbers of samples differ or are
/// 0.
pub(crate) fn ratios(ours: &[f64], peer: &[f64]) -> Option<Vec<f64>> {
    let paired = !ours.is_empty() && ours.len() == peer.len();
    paired.then(|| ours.iter().zip(peer).map(|(ours, peer)| ours / peer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_does_not_depend_on_the_order() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&[7.0]), 7.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn percentiles_range_from_the_minimum_to_the_maximum() {
        let samples: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        for percent in [0.0, 1.0, 25.0, 99.0, 100.0] {
            assert_eq!(percentile(&samples, percent), percent);
        }
        assert_eq!(percentile(&[10.0, 20.0], 75.0), 17.5);
        assert_eq!(percentile(&[10.0, 20.0], 200.0), 20.0);
    }

    #[test]
    fn half_of_the_samples_are_between_the_quartiles() {
        assert_eq!(quartiles(&[1.0, 2.0, 3.0, 4.0, 5.0]), (2.0, 4.0));
    }

    #[test]
    fn each_round_is_compared_with_itself() {
        // The machine was ten times slower in the second round, for both.
        assert_eq!(ratios(&[2.0, 20.0], &[1.0, 10.0]), Some(vec![2.0, 2.0]));
        assert_eq!(ratios(&[2.0], &[1.0, 10.0]), None);
        assert_eq!(ratios(&[], &[]), None);
    }
}
