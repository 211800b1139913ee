---Logs: the log of the daemon, the transcript of a session and the audit trail as the command line prints them.
local problem = require("areyouj.problem")
local program = require("areyouj.program")
local text = require("areyouj.text")
local ui = require("areyouj.ui")
local window = require("areyouj.views.window")

local M = {}

local request ---@type areyouj.Requester

---@param buffer integer
---@param lines string[]
local function show(buffer, lines)
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].modified = false
end

---The newest file of a directory.
---@param directory string
---@return string?
local function newest(directory)
  local found, at = nil, -1
  for name, kind in vim.fs.dir(directory) do
    local stat = kind == "file" and vim.uv.fs_stat(directory .. "/" .. name)
    if stat and stat.mtime.sec > at then
      found, at = directory .. "/" .. name, stat.mtime.sec
    end
  end
  return found
end

---Shows the output of a command of `areyouj` in a tab page.
---@param arguments string[]
---@param from_end boolean Begins with the last line.
local function show_output(arguments, from_end)
  local path, missing = program.find()
  if not path then return problem.show(assert(missing)) end
  vim.system(
    vim.list_extend({ path }, arguments),
    { text = true },
    vim.schedule_wrap(function(done)
      if done.code ~= 0 then
        problem.notify(text.plain(done.stderr or "", 300), vim.log.levels.ERROR)
        return
      end
      vim.cmd.tabnew()
      local buffer = vim.api.nvim_get_current_buf()
      local options = vim.bo[buffer]
      options.buftype, options.bufhidden, options.swapfile = "nofile", "wipe", false
      show(buffer, text.lines(done.stdout or ""))
      if from_end then vim.cmd("normal! G") end
    end)
  )
end

---@param id? string A session.
function M.open(id)
  if not id then
    return request("areyouj/daemon/status", {}, function(failed, status)
      if failed then return problem.show(failed) end
      local file = newest(status.logDirectory)
      if not file then return problem.notify("No log in " .. status.logDirectory, vim.log.levels.INFO) end
      vim.cmd.tabnew()
      window.edit(file)
      vim.bo.readonly, vim.bo.modifiable, vim.bo.autoread = true, false, true
      vim.cmd("normal! G")
    end)
  end
  show_output({ "logs", id:upper() }, true)
end

---Shows the audit trail, newest first.
---@param id? string Only what concerns this session.
function M.audit(id) show_output(id and { "audit", id:upper() } or { "audit" }, false) end

---@param ports { request: areyouj.Requester }
function M.setup(ports)
  request = ports.request
  ui.register({ logs = M.open, audit = M.audit })
end

return M
