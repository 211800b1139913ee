//! Descriptors that a program inherits and does not need.

/// Closes descriptors that the parent left open by mistake. A long-lived process would keep them open, and pass them
/// to its children.
#[expect(unsafe_code, reason = "nix has no call for it, and descriptors of unknown origin have no owner")]
pub fn close_inherited() {
    use nix::libc::{STDERR_FILENO, SYS_close_range, c_uint, syscall};
    let first = c_uint::try_from(STDERR_FILENO + 1).unwrap_or(c_uint::MAX);
    let no_flags: c_uint = 0;
    // SAFETY: it runs before this process opens a file, so nothing owns these descriptors. A kernel without the call
    // leaves them open.
    unsafe {
        syscall(SYS_close_range, first, c_uint::MAX, no_flags);
    }
}
