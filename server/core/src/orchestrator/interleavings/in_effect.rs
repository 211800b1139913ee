//! What is in effect in Claude: its conversation, model and permission mode. A new Claude continues with those of its
//! predecessor.

use super::*;

/// What a person or Claude changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Conversation,
    Model,
    Mode,
}

impl Change {
    pub(super) fn any() -> impl Strategy<Value = Change> {
        prop_oneof![Just(Change::Conversation), Just(Change::Model), Just(Change::Mode)]
    }
}

/// The latest reports of a session's Claudes, each `None` if there is none.
#[derive(Default)]
pub(super) struct InEffect {
    conversation: Option<Uuid>,
    model: Option<String>,
    mode: Option<String>,
}

/// The model that a name or an alias means.
fn model_of(name: Option<&str>) -> String {
    let name = name.unwrap_or("opus");
    if name.starts_with("claude-") { name.to_owned() } else { format!("claude-{name}") }
}

impl Claude {
    pub(super) fn described_mode(&self) -> Fact {
        Fact::Described { model: None, permission_mode: Some(self.mode.clone()) }
    }

    pub(super) fn described(&self) -> [Fact; 2] {
        let (model, permission_mode) = (Some(self.model.clone()), Some(self.mode.clone()));
        [Fact::Conversation(self.conversation), Fact::Described { model, permission_mode }]
    }
}

impl Outside {
    /// A host starts Claude as ordered.
    pub(super) fn launched(&mut self, order: &LaunchOrder) -> Verdict {
        prop_assert!(self.host.is_none(), "two hosts of one session");
        self.check_order(order)?;
        self.journal.push(Fact::Started { launch: order.launch, pid: 7 });
        self.linked = true;
        self.broken = false;
        self.lost = None;
        self.sync_at = None;
        self.taken = usize::try_from(order.position.next).unwrap_or(usize::MAX);
        let asked = order.spec.permission_mode.as_deref();
        let mode = if self.widens { "bypassPermissions" } else { asked.unwrap_or("default") };
        self.host = Some(Claude {
            launch: order.launch,
            exited: false,
            waiting: VecDeque::new(),
            turn: None,
            asked: None,
            conversation: order.claude_session,
            model: model_of(order.spec.model.as_deref()),
            mode: mode.to_owned(),
            wider: asked.is_some_and(|asked| asked != mode),
            ready: false,
        });
        Ok(())
    }

    fn check_order(&self, order: &LaunchOrder) -> Verdict {
        let InEffect { conversation, model, mode } = &self.in_effect;
        if let Some(conversation) = conversation {
            prop_assert_eq!(order.claude_session, *conversation, "another conversation is continued");
        }
        if let Some(mode) = mode {
            prop_assert_eq!(order.spec.permission_mode.as_ref(), Some(mode), "another permission mode");
        }
        if let Some(model) = model {
            prop_assert_eq!(&model_of(order.spec.model.as_deref()), model, "another model");
        }
        let recorded = self.records.contains_key(&order.claude_session);
        prop_assert_eq!(order.resume, recorded, "a conversation is continued if there is a record of it");
        let finished = self.finished.contains(&order.claude_session);
        prop_assert!(order.resume || !finished, "a conversation is begun anew");
        Ok(())
    }

    /// Claude reports what is in effect. The mode that a Claude with too many rights reports does not count.
    pub(super) fn reported(&mut self, fact: Fact) {
        let counts = !self.host.as_ref().is_some_and(|claude| claude.wider);
        match &fact {
            Fact::Conversation(id) => self.in_effect.conversation = Some(*id),
            Fact::Described { model, permission_mode } => {
                let in_effect = &mut self.in_effect;
                in_effect.model = model.clone().or(in_effect.model.take());
                let mode = permission_mode.clone().filter(|_| counts);
                in_effect.mode = mode.or(in_effect.mode.take());
            }
            _ => {}
        }
        self.journal.push(fact);
    }

    /// Claude changes what is in effect, in a turn that begins with a report of what was. `opened` is the id of the
    /// conversation that it may open.
    pub(super) fn change(&mut self, what: Change, opened: Uuid) {
        let Some(claude) =
            self.host.as_mut().filter(|claude| claude.ready && !claude.exited && !claude.wider)
        else {
            return;
        };
        let before = claude.described();
        match what {
            Change::Conversation => {
                if claude.turn.is_some() || !claude.waiting.is_empty() {
                    return;
                }
                claude.conversation = opened;
                self.records.insert(opened, BTreeSet::new());
            }
            Change::Model => {
                let haiku = claude.model == "claude-haiku";
                claude.model = model_of(Some(if haiku { "sonnet" } else { "haiku" }));
            }
            Change::Mode => {
                let plan = claude.mode == "plan";
                claude.mode = if plan { "acceptEdits" } else { "plan" }.to_owned();
            }
        }
        let after = claude.described();
        before.into_iter().chain(after).for_each(|fact| self.reported(fact));
    }

    /// The record of the conversation disappears, or is back. A record of a conversation in which no turn has ended
    /// stays, because nothing shows that it existed.
    pub(super) fn move_record(&mut self) {
        if !self.moved.is_empty() {
            self.restore_records();
            return;
        }
        let Some(conversation) = self.in_effect.conversation.filter(|id| self.finished.contains(id)) else {
            return;
        };
        self.moved.extend(self.records.remove(&conversation).map(|record| (conversation, record)));
    }

    /// Every record that disappeared is back.
    pub(super) fn restore_records(&mut self) {
        for (conversation, record) in std::mem::take(&mut self.moved) {
            self.records.entry(conversation).or_default().extend(record);
        }
    }
}
