//! What must hold after every event, and after everything has settled.

use super::*;

impl World {
    pub(super) fn check(&self) -> Verdict {
        for (session, id, text) in &self.acknowledged {
            let Some(row) = self.disk.messages.get(id) else {
                return Err(TestCaseError::fail(format!("message {id} was acknowledged and is lost")));
            };
            prop_assert_eq!(row.session, *session, "a message changed its session");
            prop_assert_eq!(&row.text, text);
        }
        for (id, times) in &self.begun {
            prop_assert!(*times <= 1, "message {} was begun {} times", id, times);
        }
        for (request, times) in &self.answers {
            prop_assert!(*times <= 1, "permission request {} was answered {} times", request, times);
        }
        for row in self.disk.messages.values() {
            let begun = self.begun.get(&row.id).copied().unwrap_or(0);
            if row.state == MessageState::Done {
                prop_assert_eq!(begun, 1, "message {} is called done and never began", row.id);
            }
            if row.state == MessageState::Cancelled {
                prop_assert_eq!(begun, 0, "message {} is called cancelled and began", row.id);
            }
        }
        for (session, order) in &self.order {
            let mut sorted = order.clone();
            sorted.sort();
            prop_assert!(self.reordered.contains(session) || *order == sorted, "order lost: {:?}", order);
        }
        for (session, row) in &self.disk.sessions {
            let entries = self.disk.entries.get(session).map_or(0, BTreeSet::len);
            prop_assert_eq!(
                u64::try_from(entries).unwrap_or(0),
                row.seq,
                "the transcript of {} has gaps",
                session
            );
        }
        Ok(())
    }

    /// Lets everything settle: without further events, and with every decision made.
    pub(super) fn come_to_rest(&mut self) -> Verdict {
        // A session in error can have lost its place to another one.
        self.state.settings.max_active = u32::MAX;
        for outside in self.outside.values_mut() {
            outside.widens = false;
            outside.restore_records();
        }
        for _ in 0..400 {
            self.now.monotonic += 30_000;
            self.event(Event::Tick)?;
            for session in self.sessions() {
                self.ingest(session, usize::MAX / 2)?;
                self.claude_continues(session, false)?;
                let row = &self.disk.sessions[&session];
                let (paused, fails) = (row.paused.is_paused(), row.goal == Goal::Fail);
                let target = SessionRef::Id(session.to_string());
                if fails {
                    let of = self.request(target.clone());
                    self.command(Operation::Session(of, SessionOperation::Restart))?;
                }
                if paused {
                    let of = self.request(target);
                    self.command(Operation::Session(of, SessionOperation::ResumeQueue))?;
                }
            }
            let open = self.disk.permissions.values().filter(|row| row.state == PermissionState::Open);
            for seen in open.map(seen).collect::<Vec<_>>() {
                let of = self.request(seen);
                self.command(Operation::Answer(of, Answer::Allow))?;
            }
            if self.disk.messages.values().all(|row| row.state.is_final()) {
                return self.check();
            }
        }
        let stuck: Vec<_> = self.disk.messages.values().filter(|row| !row.state.is_final()).collect();
        Err(TestCaseError::fail(format!("messages never come to an end: {stuck:?}")))
    }
}

/// Facts of one session change nothing in another, except that it can get a start slot that became free.
pub(super) fn check_only_about(session: SessionId, effects: &[Effect]) -> Verdict {
    for effect in effects {
        let of = match effect {
            Effect::Persist(Change::Message(row)) => row.session,
            Effect::Persist(Change::Permission(row)) => row.id.session,
            Effect::Persist(Change::Entry { session, .. }) => *session,
            Effect::Send { session, .. } | Effect::Stop { session, .. } | Effect::Release { session, .. } => {
                *session
            }
            Effect::Publish(Notification::Entry { session, .. } | Notification::Delta { session, .. }) => {
                *session
            }
            Effect::Publish(Notification::Permission(row)) => row.id.session,
            Effect::Publish(Notification::QueueChanged(session)) => *session,
            _ => continue,
        };
        prop_assert_eq!(of, session, "a fact of one session reached another: {:?}", effect);
    }
    Ok(())
}
