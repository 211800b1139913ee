---`:checkhealth areyouj`: versions, the program, the daemon, Claude and logs, with a remedy for each problem.
local app = require("areyouj.app")
local config = require("areyouj.config")
local pickers = require("areyouj.pickers")
local program = require("areyouj.program")
local text = require("areyouj.text")

local M = {}

---How long `areyouj doctor` may take, in milliseconds.
local DOCTOR_MS = 20000

---@param name string
---@param value any
local function report_check(name, value)
  if value.state == "problem" then
    vim.health.error(name .. ": " .. value.message, value.fix and { value.fix } or nil)
  elseif value.state == "warning" then
    vim.health.warn(name .. ": " .. value.message, value.fix and { value.fix } or nil)
  else
    vim.health.ok(name .. ": " .. value.message)
  end
end

local function editor()
  vim.health.start("AreYouJ: editor")
  local v = (vim.version --[[@as fun(): vim.Version]])()
  local version = ("%d.%d.%d"):format(v.major, v.minor, v.patch)
  if vim.fn.has("nvim-0.10") == 1 then
    vim.health.ok("Neovim " .. version)
  else
    vim.health.error("Neovim " .. version, { "Install Neovim 0.10 or newer." })
  end
  local given = config.given()
  local wrong = config.problems(given)
  if #wrong == 0 then vim.health.ok(next(given) and "configuration" or "configuration: defaults") end
  for _, words in ipairs(wrong) do
    vim.health.error(words, { "See :help areyouj-configuration." })
  end
  local picker = pickers.known[config.get().picker]
  if picker and not pcall(require, picker.module) then
    vim.health.warn(
      ("picker: %s is not installed; AreYouJ uses vim.ui.select"):format(config.get().picker),
      { 'Install it, or set picker = "auto".' }
    )
  end
end

local function connection()
  local now = app.model.connection
  if now.state == "connected" then
    vim.health.ok(("connected; %s"):format(text.count(#app.model:live(), "session")))
  elseif now.state == "stopped" then
    vim.health.info("not connected; the first command connects")
  else
    local why = now.problem and ": " .. now.problem.message or ""
    vim.health.warn(
      now.state .. why,
      { now.problem and now.problem.hint or "", "Run :AreYouJ reconnect to try again." }
    )
  end
end

function M.check()
  editor()
  vim.health.start("AreYouJ: program")
  local path, missing = program.find()
  if not path or missing then
    vim.health.error(missing and missing.message or "", { missing and missing.hint or "" })
    return
  end
  vim.health.ok("program: " .. path)
  connection()
  local ok, done = pcall(
    function() return vim.system({ path, "doctor", "--json" }, { text = true }):wait(DOCTOR_MS) end
  )
  local decoded, report = pcall(vim.json.decode, ok and done.stdout or "")
  if not decoded or type(report) ~= "table" or type(report.checks) ~= "table" then
    local words = ok and (done.stderr or "") or tostring(done)
    vim.health.error("areyouj doctor failed: " .. vim.trim(words), { "Reinstall areyouj." })
    return
  end
  for _, check in ipairs(report.checks) do
    report_check(check.name, check)
  end
  vim.health.start("AreYouJ: paths")
  local names = vim.tbl_keys(report.paths or {})
  table.sort(names)
  for _, name in ipairs(names) do
    vim.health.info(("%s: %s"):format(name, report.paths[name]))
  end
  vim.health.info("for a bug report: areyouj doctor --report, which prints no texts, names or paths of yours")
  vim.health.info("log of Neovim's language client: " .. require("vim.lsp.log").get_filename())
end

return M
