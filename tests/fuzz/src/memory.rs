//! How much memory is in use: an allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, counting.
pub struct Counting {
    used: AtomicUsize,
    most: AtomicUsize,
}

impl Counting {
    /// One that has counted nothing.
    #[expect(clippy::new_without_default, reason = "an allocator is made once, in a constant")]
    pub const fn new() -> Counting {
        Counting { used: AtomicUsize::new(0), most: AtomicUsize::new(0) }
    }

    /// The most bytes that are in use at a time beyond those in use now, while this is done; and what it returns.
    pub fn most_during<T>(&self, act: impl FnOnce() -> T) -> (usize, T) {
        let before = self.used.load(Ordering::Relaxed);
        self.most.store(before, Ordering::Relaxed);
        let returned = act();
        (self.most.load(Ordering::Relaxed).saturating_sub(before), returned)
    }

    fn grew(&self, bytes: usize) {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.most.fetch_max(used, Ordering::Relaxed);
    }
}

// SAFETY: everything is left to the system's allocator, which keeps the contract; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.grew(layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        self.used.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(place, layout) }
    }
}
