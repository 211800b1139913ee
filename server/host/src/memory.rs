//! What the C library's allocator keeps. Others than the GNU one give memory back by themselves.

/// Makes the allocator give memory back at once. Left alone, it learns from the first large message to keep as much
/// for ever, in every host.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the C library has no safe call for it")]
pub fn keep_small() {
    use nix::libc::{M_MMAP_THRESHOLD, M_TOP_PAD, M_TRIM_THRESHOLD, mallopt};
    /// From this size on a block is a mapping of its own: well below the pieces in which output is read.
    const OWN_MAPPING: i32 = 32 << 10;
    /// No more than this stays unused at the end of the heap.
    const UNUSED: i32 = 16 << 10;
    // SAFETY: these parameters may be set at any time, and nobody else sets them.
    unsafe {
        mallopt(M_MMAP_THRESHOLD, OWN_MAPPING);
        mallopt(M_TRIM_THRESHOLD, UNUSED);
        mallopt(M_TOP_PAD, 0);
    }
}

/// Nothing to do: only the GNU allocator keeps memory.
#[cfg(not(target_env = "gnu"))]
pub fn keep_small() {}

/// Gives back what was freed between what is in use, which the allocator would keep for ever. It takes milliseconds, so
/// it is for when much was freed.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the C library has no safe call for it")]
pub fn give_back() {
    // SAFETY: it may be called at any time by any thread, and leaves what is in use alone.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}

/// Nothing to do: only the GNU allocator keeps memory.
#[cfg(not(target_env = "gnu"))]
pub fn give_back() {}
