-- Runs the tests. Prints one line for each, then the counts. Exit 1 if one failed.
local here = vim.fs.dirname(vim.fn.fnamemodify(arg[0], ":p"))
package.path = here .. "/?.lua;" .. package.path
vim.opt.runtimepath:prepend(vim.fs.normalize(here .. "/../../extension-nvim"))

local cleanup = require("lib.cleanup")
local filters = { unpack(arg) }
local passed, failed = 0, 0

local function wanted(name)
  if #filters == 0 then return true end
  return vim.iter(filters):any(function(filter) return name:find(filter, 1, true) ~= nil end)
end

local function say(line)
  io.stdout:write(line, "\n")
  io.stdout:flush()
end

local function run(name, test)
  local began = vim.uv.hrtime()
  local ok, problem = xpcall(test, debug.traceback)
  local milliseconds = math.floor((vim.uv.hrtime() - began) / 1e6)
  if ok then
    passed = passed + 1
    say(("ok   %s (%d ms)"):format(name, milliseconds))
  else
    failed = failed + 1
    say(("FAIL %s (%d ms)\n     %s"):format(name, milliseconds, tostring(problem):gsub("\n", "\n     ")))
  end
end

for _, kind in ipairs({ "unit", "e2e" }) do
  local files = vim.fn.glob(("%s/%s/*.lua"):format(here, kind), true, true)
  table.sort(files)
  for _, path in ipairs(files) do
    local file = kind .. "/" .. vim.fs.basename(path):gsub("%.lua$", "")
    local group = dofile(path)
    local tests = vim.tbl_filter(function(test) return wanted(file .. ": " .. test[1]) end, group.tests)
    if #tests > 0 then
      local ok, problem = true, nil
      if group.before then
        ok, problem = xpcall(group.before, debug.traceback)
      end
      for _, test in ipairs(tests) do
        run(file .. ": " .. test[1], ok and test[2] or function() error(problem, 0) end)
      end
      -- The processes of a group end with it. A process that stays is a failure.
      local clean, left = pcall(cleanup.all)
      if not clean then run(file .. ": leaves nothing behind", function() error(left, 0) end) end
    end
  end
end
say(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0 and passed > 0 and 0 or 1)
