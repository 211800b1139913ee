---Choosing the directory of a new session, and its form: the working directory, those of earlier sessions, or any that is typed.
local config = require("areyouj.config")
local paths = require("areyouj.paths")
local problem = require("areyouj.problem")
local session_actions = require("areyouj.actions.session")
local text = require("areyouj.text")
local ui = require("areyouj.ui")

local M = {}

local model ---@type areyouj.Model
local request ---@type areyouj.Requester

---Directories of earlier sessions that are offered.
local MAX_RECENT = 15

---Asks for a path, with completion, and again with what is wrong as long as no session can be created there.
---@param typed string
---@param driver? areyouj.Driver
---@param wrong? areyouj.Problem
local function ask(typed, driver, wrong)
  local prompt = wrong and ("%s %s\nDirectory: "):format(text.plain(wrong.message, 200), text.plain(wrong.hint, 200))
    or "Directory: "
  vim.ui.input({ prompt = prompt, default = typed, completion = paths.INPUT_COMPLETION }, function(path)
    if not path or path == "" then return end
    M.create(paths.typed(path), driver, function(refusal) ask(path, driver, refusal) end)
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

local FORMS = {
  stream = "Stream: the transcript here, written as Claude speaks",
  terminal = "Terminal: Claude's own screen",
}

---Asks for the form of a new session, then for its directory.
function M.choose()
  vim.ui.select(config.get().new.driver == "terminal" and { "terminal", "stream" } or { "stream", "terminal" }, {
    prompt = "New session as",
    kind = "areyouj_driver",
    format_item = function(driver) return FORMS[driver] end,
  }, function(driver)
    if driver then M.open(driver) end
  end)
end

---Asks for the directory of a new session.
---@param driver? areyouj.Driver As configured if left out.
function M.open(driver)
  local here = vim.fn.getcwd()
  local offered, seen = { { path = here, more = "working directory" } }, { [here] = true }
  local buffer_directory = vim.fs.dirname(vim.api.nvim_buf_get_name(0))
  local root = vim.bo.buftype == "" and vim.fs.root(0, ".git") or nil
  if root and not seen[root] and vim.startswith(buffer_directory, root) then
    table.insert(offered, { path = root, more = "project of this file" })
    seen[root] = true
  end
  for _, session in ipairs(model:all()) do
    if not seen[session.directory] and #offered < MAX_RECENT then
      seen[session.directory] = true
      table.insert(offered, { path = session.directory, more = "used before" })
    end
  end
  table.insert(offered, { more = "another directory…" })
  vim.ui.select(offered, {
    prompt = "New session in",
    kind = "areyouj_directory",
    format_item = function(item)
      return item.path and ("%s  (%s)"):format(text.exact_line(text.path(item.path)), item.more) or item.more
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
