//! Measures AreYouJ and the peer alternately, so that both run under the same conditions.

use anyhow::Result;

/// The measurements of each round.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// Those of AreYouJ.
    pub(crate) ours: Vec<f64>,
    /// Those of the peer, from the same rounds.
    pub(crate) peer: Vec<f64>,
}

/// Measures this many rounds after a warm-up round. The order alternates between rounds, so that neither always runs
/// after the other.
pub(crate) fn interleave(
    rounds: usize,
    mut ours: impl FnMut() -> Result<f64>,
    mut peer: impl FnMut() -> Result<f64>,
) -> Result<Rounds> {
    let mut measured = Rounds::default();
    for round in 0..=rounds {
        let (mine, theirs) = if round % 2 == 0 {
            let mine = ours()?;
            (mine, peer()?)
        } else {
            let theirs = peer()?;
            (ours()?, theirs)
        };
        if round > 0 {
            measured.ours.push(mine);
            measured.peer.push(theirs);
        }
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn the_order_alternates_and_the_warm_up_round_does_not_count() {
        let order = RefCell::new(String::new());
        let measure = |name: char| {
            order.borrow_mut().push(name);
            Ok(order.borrow().len() as f64)
        };
        let rounds = interleave(2, || measure('o'), || measure('p')).unwrap();
        assert_eq!(*order.borrow(), "oppoop");
        assert_eq!((rounds.ours, rounds.peer), (vec![4.0, 5.0], vec![3.0, 6.0]));
    }

    #[test]
    fn an_error_ends_the_measurement() {
        assert!(interleave(2, || anyhow::bail!("no"), || Ok(1.0)).is_err());
    }
}
