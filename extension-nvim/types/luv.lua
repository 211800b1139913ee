---@meta
-- The part of `vim.uv` that the plugin uses; Neovim has no annotations of it.

---@class uv
---@field hrtime fun(): integer Nanoseconds of a monotonic clock.
---@field now fun(): integer Milliseconds, cached by the event loop.
---@field os_homedir fun(): string?
---@field fs_stat fun(path: string): { type: string, mtime: { sec: integer } }?
---@field fs_scandir fun(path: string): uv.uv_fs_t?
---@field fs_scandir_next fun(listing: uv.uv_fs_t): string?, string
---@field gettimeofday fun(): integer, integer Seconds and microseconds since the epoch.
---@field random fun(length: integer): string
---@field new_timer fun(): uv.uv_timer_t?

---@class uv.uv_timer_t
---@field start fun(self: uv.uv_timer_t, timeout: integer, interval: integer, callback: fun())
---@field stop fun(self: uv.uv_timer_t)

---@class uv.uv_fs_t
