---Creates sessions: asks for a driver, and for the working directory, one of an earlier session, or a typed one.
local config = require("areyouj.config")
local paths = require("areyouj.paths")
local problem = require("areyouj.problem")
local session_actions = require("areyouj.actions.session")
local text = require("areyouj.text")
local ui = require("areyouj.ui")

local M = {}

local model ---@type areyouj.Model
local request ---@type areyouj.Requester

---Upper bound on the directories to choose from.
local MAX_RECENT = 15

---Asks for a path, with completion. Asks again, with the problem, until a session can be created there.
---@param typed string
---@param driver? areyouj.Driver
---@param refusal? areyouj.Problem
local function ask(typed, driver, refusal)
  local prompt = refusal
      and ("%s %s\nDirectory: "):format(text.plain(refusal.message, 200), text.plain(refusal.hint, 200))
    or "Directory: "
  vim.ui.input({ prompt = prompt, default = typed, completion = paths.INPUT_COMPLETION }, function(path)
    if not path or path == "" then return end
    M.create(paths.typed(path), driver, function(again) ask(path, driver, again) end)
  end)
end

---Creates a session in a directory, if one can be created there.
---@param path string An absolute path.
---@param driver? areyouj.Driver As configured if left out.
---@param refused? fun(problem: areyouj.Problem)
function M.create(path, driver, refused)
  request("areyouj/directory/validate", { path = path }, function(failed, valid)
    if failed then return (refused or problem.show)(failed) end
    session_actions.new({ directory = valid.directory, driver = driver })
  end)
end

local DRIVERS = {
  stream = "Transcript: streams here as Claude works",
  terminal = "Terminal: Claude's own screen",
}

---Asks for the driver of a new session, then for its directory.
function M.choose()
  vim.ui.select(config.get().new.driver == "terminal" and { "terminal", "stream" } or { "stream", "terminal" }, {
    prompt = "New session with",
    kind = "areyouj_driver",
    format_item = function(driver) return DRIVERS[driver] end,
  }, function(driver)
    if driver then M.open(driver) end
  end)
end

---Asks for the directory of a new session.
---@param driver? areyouj.Driver As configured if left out.
function M.open(driver)
  local here = vim.fn.getcwd()
  local offered, seen = { { path = here, description = "working directory" } }, { [here] = true }
  local buffer_directory = vim.fs.dirname(vim.api.nvim_buf_get_name(0))
  local root = vim.bo.buftype == "" and vim.fs.root(0, ".git") or nil
  if root and not seen[root] and vim.startswith(buffer_directory, root) then
    table.insert(offered, { path = root, description = "project of this file" })
    seen[root] = true
  end
  for _, session in ipairs(model:all()) do
    if not seen[session.directory] and #offered < MAX_RECENT then
      seen[session.directory] = true
      table.insert(offered, { path = session.directory, description = "earlier session" })
    end
  end
  table.insert(offered, { description = "Another directory…" })
  vim.ui.select(offered, {
    prompt = "New session in",
    kind = "areyouj_directory",
    format_item = function(item)
      return item.path and ("%s  (%s)"):format(text.exact_line(text.path(item.path)), item.description)
        or item.description
    end,
  }, function(item)
    if not item then return end
    if item.path then
      return M.create(item.path, driver, function(refusal) ask(item.path, driver, refusal) end)
    end
    ask(here .. "/", driver)
  end)
end

---@param ports { model: areyouj.Model, request: areyouj.Requester }
function M.setup(ports)
  model, request = ports.model, ports.request
  ui.register({ new_session = M.open, choose_driver = M.choose, create_session = M.create })
end

return M
