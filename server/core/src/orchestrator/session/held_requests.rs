//! Permission requests of hooks that Claude's own record does not confirm yet.
//!
//! Anything below a terminal's Claude can report as a hook. A person sees a request only while Claude records that it
//! waits for an answer; so a forged one cannot ask a person for anything while Claude asks nothing.

use crate::orchestrator::PermissionRequest;

/// Claude records that it waits within half a second, and the daemon reads the record five times a second. A machine that
/// swaps gets reserve.
const CONFIRM_MS: u64 = 10_000;

/// Held requests: as many hooks as a host lets wait.
const MAX_HELD: usize = 64;

/// The held requests, in order.
#[derive(Debug, Default)]
pub(super) struct HeldRequests {
    /// With the monotonic time by which Claude must confirm each.
    held: Vec<(u64, PermissionRequest)>,
}

impl HeldRequests {
    /// Holds a request. Returns the oldest if there are too many.
    pub(super) fn hold(&mut self, now: u64, request: PermissionRequest) -> Option<PermissionRequest> {
        self.held.push((now + CONFIRM_MS, request));
        (self.held.len() > MAX_HELD).then(|| self.held.remove(0).1)
    }

    /// Takes all: Claude records that it waits.
    pub(super) fn take_all(&mut self) -> Vec<PermissionRequest> {
        std::mem::take(&mut self.held).into_iter().map(|(_, request)| request).collect()
    }

    /// Takes those that Claude has not confirmed in time.
    pub(super) fn take_late(&mut self, now: u64) -> Vec<PermissionRequest> {
        let late = self.held.extract_if(.., |(by, _)| *by <= now);
        late.map(|(_, request)| request).collect()
    }

    /// Takes those that this is true of.
    pub(super) fn take_if(&mut self, wanted: impl Fn(&PermissionRequest) -> bool) -> Vec<PermissionRequest> {
        let wanted = self.held.extract_if(.., |(_, request)| wanted(request));
        wanted.map(|(_, request)| request).collect()
    }

    /// When [`HeldRequests::take_late`] is due.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.held.first().map(|(by, _)| *by)
    }
}
