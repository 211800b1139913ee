-- A home of AreYouJ. The program `test-home` creates it, with the scripted Messages API and the real Claude CLI, and removes
-- it. The functions here also run the command line.
local cleanup = require("lib.cleanup")
local wait = require("lib.wait")

local Home = {}
Home.__index = Home

local programs = assert(vim.env.AREYOUJ_BIN_DIR, "AREYOUJ_BIN_DIR is not set")

---Creates a home, with project directories of these names.
---@param options { projects?: string[], stand_in?: string }
local function open(options)
  local self = setmetatable({ lines = {}, errors = "", ended = nil }, Home)
  local command = { programs .. "/test-home" }
  if options.stand_in then vim.list_extend(command, { "--stand-in", options.stand_in }) end
  vim.list_extend(command, options.projects or {})
  local partial = ""
  self.process = vim.system(command, {
    stdin = true,
    env = { AREYOUJ_BIN_DIR = programs },
    stdout = function(_, chunk)
      if not chunk then return end
      local parts = vim.split(partial .. chunk, "\n", { plain = true })
      partial = table.remove(parts)
      vim.list_extend(self.lines, parts)
    end,
    stderr = function(_, chunk) self.errors = self.errors .. (chunk or "") end,
  }, function(done) self.ended = done.code end)
  cleanup.later(function() self:close() end)
  local first = self:answer()
  self.environment, self.directory, self.projects, self.program =
    first.environment, first.home, first.projects, first.program
  return self
end

function Home:answer()
  return vim.json.decode(wait.until_true("an answer of test-home", function()
    assert(not self.ended, self.errors)
    return table.remove(self.lines, 1)
  end))
end

function Home:order(order)
  self.process:write(vim.json.encode(order) .. "\n")
  return self:answer()
end

---Releases the turns that are held with this name.
function Home:release(name) self:order({ release = name }) end

---Sets the script that answers a prompt; see `tests/src/messages_api/script.rs`.
function Home:on(prompt, script) self:order({ on = { prompt, script } }) end

---Every prompt that the scripted Messages API received, in order.
function Home:prompts() return self:order({ prompts = true }) end

---Runs `areyouj` and returns its output.
function Home:run(...)
  local done = vim
    .system({ self.program, ... }, { env = self.environment, clear_env = true, cwd = self.directory, text = true })
    :wait()
  assert(done.code == 0, ("areyouj %s: %s"):format(table.concat({ ... }, " "), done.stderr))
  return vim.trim(done.stdout)
end

function Home:json(...)
  local words = { ... }
  table.insert(words, "--json")
  return vim.json.decode(self:run(unpack(words)), { luanil = { object = true } })
end

function Home:wait(id, status) self:run("wait", id, "--for", status, "--timeout", "60") end

---Creates a session and waits until it is idle.
function Home:idle(project, ...)
  local id = self:run("new", self.projects[project], ...)
  self:wait(id, "idle")
  return id
end

---Queues a message and waits until the session is idle.
function Home:say(id, text)
  self:run("send", id, text)
  self:wait(id, "idle")
end

---The texts of the queued messages, in order.
function Home:waiting(id)
  local queued = vim.tbl_filter(function(message) return message.state == "queued" end, self:json("queue", id))
  return vim.tbl_map(function(message) return message.text end, queued)
end

---Allows the open permission request of a session.
function Home:allow(id) self:run("allow", self:json("permissions", id)[1].id) end

---Denies the open permission request of a session.
function Home:deny(id) self:run("deny", self:json("permissions", id)[1].id) end

---Whether a project has a file.
---@return boolean
function Home:has_file(project, name) return vim.uv.fs_stat(self.projects[project] .. "/" .. name) ~= nil end

---Waits until a project has a file.
function Home:gets_file(project, name)
  wait.until_true("the file " .. name, function() return self:has_file(project, name) end)
end

---The process id of the daemon.
function Home:daemon()
  local status = self:json("daemon", "status")
  assert(status.running, "no daemon is running")
  return status.pid
end

function Home:close()
  if self.ended then return end
  self.process:write(nil)
  wait.until_true("the end of the home", function() return self.ended ~= nil end)
  assert(self.ended == 0, "the home was not cleaned up: " .. self.errors)
end

return { open = open }
