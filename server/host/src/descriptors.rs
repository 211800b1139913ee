//! Descriptors that a program was started with and does not want.

/// Closes what the starter left open by mistake: whoever lives long would hold it as long,
/// and what it starts after it.
#[expect(unsafe_code, reason = "nix has no call for it, and descriptors of unknown origin have no owner")]
pub fn close_inherited() {
    use nix::libc::{STDERR_FILENO, SYS_close_range, c_uint, syscall};
    let first = c_uint::try_from(STDERR_FILENO + 1).unwrap_or(c_uint::MAX);
    let no_flags: c_uint = 0;
    // SAFETY: it runs before this process opens anything of its own, so nothing owns these descriptors. A kernel
    // without the call leaves them open.
    unsafe {
        syscall(SYS_close_range, first, c_uint::MAX, no_flags);
    }
}
