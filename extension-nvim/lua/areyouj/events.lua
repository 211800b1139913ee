---Events: listeners inside the plugin, and `User AreYouJ…` autocommands outside.
local M = {}

---@class areyouj.Emitter
---@field private listeners table<string, table<fun(...), true>>
local Emitter = {}
Emitter.__index = Emitter

---@return areyouj.Emitter
function M.new() return setmetatable({ listeners = {} }, Emitter) end

---Subscribes a listener until the returned function is called.
---@param name string
---@param listener fun(...)
---@return fun()
function Emitter:on(name, listener)
  self.listeners[name] = self.listeners[name] or {}
  -- A new function for each call, so that the same listener can subscribe twice.
  local function entry(...) listener(...) end
  self.listeners[name][entry] = true
  return function() self.listeners[name][entry] = nil end
end

---@param name string
---@param ... any
function Emitter:emit(name, ...)
  for _, listener in ipairs(vim.tbl_keys(self.listeners[name] or {})) do
    local ok, problem = pcall(listener, ...)
    if not ok then
      vim.schedule(
        function() vim.notify("AreYouJ: " .. tostring(problem), vim.log.levels.ERROR, { title = "AreYouJ" }) end
      )
    end
  end
end

---Executes the `User` autocommands of a name.
---@param name string
---@param payload table
function M.user(name, payload)
  vim.api.nvim_exec_autocmds("User", { pattern = "AreYouJ" .. name, modeline = false, data = payload })
end

return M
