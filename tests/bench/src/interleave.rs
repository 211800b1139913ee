//! Ours and the peer by turns, so that both meet the same machine.

use anyhow::Result;

/// What was measured round by round.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// Ours.
    pub(crate) ours: Vec<f64>,
    /// The peer's, of the same rounds.
    pub(crate) peer: Vec<f64>,
}

/// Measures that many rounds after one that does not count. Who is first changes from round to round, so that neither
/// always runs in the other's wake.
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
    fn they_take_turns_in_being_first_and_the_first_round_does_not_count() {
        let order = RefCell::new(String::new());
        let measure = |who: char| {
            order.borrow_mut().push(who);
            Ok(order.borrow().len() as f64)
        };
        let rounds = interleave(2, || measure('o'), || measure('p')).unwrap();
        assert_eq!(*order.borrow(), "oppoop");
        assert_eq!((rounds.ours, rounds.peer), (vec![4.0, 5.0], vec![3.0, 6.0]));
    }

    #[test]
    fn a_failure_ends_it() {
        assert!(interleave(2, || anyhow::bail!("no"), || Ok(1.0)).is_err());
    }
}
