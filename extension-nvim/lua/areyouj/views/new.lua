---Choosing a directory for a new session: the working directory, those of earlier sessions, or any that is typed.
local text = require("areyouj.text")

local M = {}

---Directories of earlier sessions that are offered.
local MAX_RECENT = 15

---Asks for a path, with completion, and again with what is wrong as long as no session can be created there.
---@param typed string
---@param wrong? areyouj.Problem
local function ask(typed, wrong)
  local prompt = wrong and ("%s %s\nDirectory: "):format(text.plain(wrong.message, 200), text.plain(wrong.hint, 200))
    or "Directory: "
  vim.ui.input({ prompt = prompt, default = typed, completion = "dir" }, function(path)
    if not path or path == "" then return end
    M.create(path, function(problem) ask(path, problem) end)
  end)
end

---Creates a session in a directory, if one can be created there.
---@param path string
---@param refused? fun(problem: areyouj.Problem)
function M.create(path, refused)
  local absolute = vim.fn.fnamemodify(vim.fs.normalize(path), ":p")
  require("areyouj").request("areyouj/directory/validate", { path = absolute }, function(problem, valid)
    if problem then return (refused or require("areyouj.problem").show)(problem) end
    require("areyouj.actions").new({ directory = valid.directory })
  end)
end

---Asks for the directory of a new session.
function M.open()
  local here = vim.fn.getcwd()
  local offered, seen = { { path = here, more = "working directory" } }, { [here] = true }
  local buffer_directory = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(0), ":p:h")
  local root = vim.bo.buftype == "" and vim.fs.root(0, ".git") or nil
  if root and not seen[root] and vim.startswith(buffer_directory, root) then
    table.insert(offered, { path = root, more = "project of this file" })
    seen[root] = true
  end
  for _, session in ipairs(require("areyouj").model():all()) do
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
      return M.create(item.path, function(problem) ask(item.path, problem) end)
    end
    ask(here .. "/")
  end)
end

return M
