//! An allocator that measures memory usage.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, with counters.
pub struct Counting {
    used: AtomicUsize,
    peak: AtomicUsize,
}

impl Counting {
    /// An allocator with all counters at 0.
    #[expect(clippy::new_without_default, reason = "an allocator is made once, in a constant")]
    pub const fn new() -> Counting {
        Counting { used: AtomicUsize::new(0), peak: AtomicUsize::new(0) }
    }

    /// Calls a function; returns its peak memory usage in bytes beyond the current one, and its result.
    pub fn peak_during<T>(&self, call: impl FnOnce() -> T) -> (usize, T) {
        let before = self.used.load(Ordering::Relaxed);
        self.peak.store(before, Ordering::Relaxed);
        let result = call();
        (self.peak.load(Ordering::Relaxed).saturating_sub(before), result)
    }

    fn grew(&self, bytes: usize) {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(used, Ordering::Relaxed);
    }
}

// SAFETY: all calls are forwarded to the system's allocator, which fulfils the contract; the counters do not touch its
// memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.grew(layout.size());
        // SAFETY: the caller fulfils the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.used.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller fulfils the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}
