-- Collects figures and prints them as one table, with goals for comparison.
local M = {}

local rows = { { "measured", "figure", "goal" } }

---Adds a figure.
function M.note(what, figure, goal) table.insert(rows, { what, figure, goal or "" }) end

local function percentile(sorted, percent) return sorted[math.max(1, math.ceil(percent / 100 * #sorted))] end

---Adds the median, the 95th percentile and the maximum of times in milliseconds.
function M.times(what, times, goal)
  assert(#times > 0, "nothing was measured: " .. what)
  table.sort(times)
  local figure = ("p50 %.2f ms, p95 %.2f ms, max %.2f ms"):format(
    percentile(times, 50),
    percentile(times, 95),
    times[#times]
  )
  M.note(("%s (%d)"):format(what, #times), figure, goal)
end

function M.print()
  local widths = { 0, 0, 0 }
  for _, row in ipairs(rows) do
    for column = 1, 3 do
      widths[column] = math.max(widths[column], vim.fn.strdisplaywidth(row[column]))
    end
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for column = 1, 3 do
      cells[column] = row[column] .. (" "):rep(widths[column] - vim.fn.strdisplaywidth(row[column]))
    end
    io.stdout:write((table.concat(cells, "  "):gsub("%s+$", "")), "\n")
  end
end

return M
