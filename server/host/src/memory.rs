//! Memory that the C library's allocator keeps. Allocators other than GNU's release it by themselves.

/// Makes the allocator release memory at once. By default it learns from the first large message to keep as much, in
/// every host.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the C library has no safe call for it")]
pub fn keep_small() {
    use nix::libc::{M_MMAP_THRESHOLD, M_TOP_PAD, M_TRIM_THRESHOLD, mallopt};
    /// A block of this size or more is a mapping of its own: well below the pieces in which output is read.
    const OWN_MAPPING: i32 = 32 << 10;
    /// The heap keeps no more than this unused at its end.
    const UNUSED: i32 = 16 << 10;
    // SAFETY: these parameters can be set at any time, and no other code sets them.
    unsafe {
        mallopt(M_MMAP_THRESHOLD, OWN_MAPPING);
        mallopt(M_TRIM_THRESHOLD, UNUSED);
        mallopt(M_TOP_PAD, 0);
    }
}

/// Nothing to do: only the GNU allocator keeps memory.
#[cfg(not(target_env = "gnu"))]
pub fn keep_small() {}

/// Releases freed blocks between used ones, which the allocator would keep. It takes milliseconds, so call it when
/// much was freed.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the C library has no safe call for it")]
pub fn give_back() {
    // SAFETY: any thread can call it at any time, and it leaves used blocks alone.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}

/// Nothing to do: only the GNU allocator keeps memory.
#[cfg(not(target_env = "gnu"))]
pub fn give_back() {}
