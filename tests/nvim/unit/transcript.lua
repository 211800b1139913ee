local Transcript = require("areyouj.views.transcript")
local wait = require("lib.wait")
local same = wait.same

local function open()
  local buffer = vim.api.nvim_create_buf(false, true)
  local context = { directory = "/p", icons = true, working = false, permission = function() end }
  return Transcript.new(buffer, context), buffer
end

local function lines(buffer) return vim.api.nvim_buf_get_lines(buffer, 0, -1, false) end

local function entry(seq, body) return { seq = seq, at = 0, body = body } end

---Random entries: calls with later results, subagents, permission requests that end.
local function conversation(count)
  local all, calls, open_calls, requests = {}, {}, {}, {}
  local kinds = {
    "user",
    "text",
    "thinking",
    "toolCall",
    "toolResult",
    "permission",
    "permissionEnd",
    "turnEnd",
    "notice",
    "text",
    "toolCall",
  }
  for seq = 1, count do
    local kind = kinds[math.random(#kinds)]
    local body
    if kind == "toolCall" then
      local parent = #calls > 0 and math.random(3) == 1 and calls[math.random(#calls)] or nil
      body = {
        kind = kind,
        toolUseId = "t" .. seq,
        tool = "Bash",
        input = { command = "run " .. seq .. "\nmore" },
        parentToolUseId = parent,
      }
      table.insert(calls, body.toolUseId)
      table.insert(open_calls, body.toolUseId)
    elseif kind == "toolResult" and #open_calls > 0 then
      body = {
        kind = kind,
        toolUseId = table.remove(open_calls, math.random(#open_calls)),
        isError = math.random(5) == 1,
        text = "out " .. seq,
        truncated = false,
      }
    elseif kind == "permission" then
      body = { kind = kind, permissionId = "p" .. seq, permissionKind = "tool", tool = "Bash", title = "run " .. seq }
      table.insert(requests, body.permissionId)
    elseif kind == "permissionEnd" and #requests > 0 then
      body = { kind = kind, permissionId = table.remove(requests), outcome = "allowed" }
    elseif kind == "turnEnd" then
      body = { kind = kind, ok = true, outcome = "success", costUsd = 0.1, durationMs = 10 }
    elseif kind == "notice" then
      body = { kind = kind, level = "info", text = "notice " .. seq }
    elseif kind == "text" then
      local parent = #calls > 0 and math.random(4) == 1 and calls[math.random(#calls)] or nil
      body = { kind = kind, text = "text " .. seq .. "\nsecond line", parentToolUseId = parent }
    else
      body = { kind = kind == "thinking" and kind or "user", text = kind .. " " .. seq }
    end
    all[seq] = entry(seq, body)
  end
  return all
end

local function slice(list, first, last) return vim.list_slice(list, first, last) end

return {
  tests = {
    {
      "entries that arrive one by one, in groups or all at once make the same lines and folds",
      function()
        math.randomseed(11)
        for _ = 1, 25 do
          local all = conversation(120)
          local whole, one = open()
          whole:reset(all, false)
          local parts, other = open()
          local at = math.random(0, 40)
          parts:reset(slice(all, 1, at), false)
          while at < #all do
            local next_at = math.min(#all, at + math.random(1, 9))
            parts:add_delta({ thinking = math.random(2) == 1, text = "partial\noutput" })
            parts:flush()
            parts:append(slice(all, at + 1, next_at))
            at = next_at
          end
          same("lines", lines(other), lines(one))
          same("folds", parts.levels, whole.levels)
          same("a level for each line", #whole.levels, #lines(one))
        end
      end,
    },
    {
      "older pages are added above, and results join their calls",
      function()
        local all = {
          entry(1, { kind = "user", text = "first" }),
          entry(2, { kind = "toolCall", toolUseId = "t", tool = "Bash", input = { command = "ls" } }),
          entry(3, { kind = "toolResult", toolUseId = "t", isError = false, text = "a.rs", truncated = false }),
          entry(4, { kind = "text", text = "There is one." }),
        }
        local whole, one = open()
        whole:reset(all, false)
        local late, other = open()
        late:reset(slice(all, 3, 4), true)
        wait.has("orphan", table.concat(lines(other), "\n"), "of an earlier call")
        same("oldest", late.oldest, 3)
        late:prepend(slice(all, 1, 2), false)
        same("lines", lines(other), lines(one))
        same("folds", late.levels, whole.levels)
      end,
    },
    {
      "older pages make the same lines as all entries at once, if no page splits a subagent",
      function()
        math.randomseed(5)
        for _ = 1, 20 do
          local all = vim.tbl_filter(function(one) return not one.body.parentToolUseId end, conversation(100))
          local whole, one = open()
          whole:reset(all, false)
          local pages, other = open()
          local from = #all - 20
          pages:reset(slice(all, from + 1, #all), true)
          while from > 0 do
            local to = from
            from = math.max(0, from - math.random(1, 30))
            pages:prepend(slice(all, from + 1, to), from > 0)
          end
          same("lines", lines(other), lines(one))
          same("folds", pages.levels, whole.levels)
        end
      end,
    },
    {
      "a window keeps its scroll position, and a window at the end follows the end",
      function()
        local all = conversation(200)
        local transcript, buffer = open()
        vim.api.nvim_win_set_buf(0, buffer)
        transcript:reset(slice(all, 101, 150), true)
        vim.cmd("normal! G")
        transcript:append(slice(all, 151, 160))
        same("at the end", vim.api.nvim_win_get_cursor(0)[1], #lines(buffer))
        local middle = math.floor(#lines(buffer) / 2)
        vim.fn.winrestview({ lnum = middle, topline = middle - 5, col = 0 })
        local cursor, top = vim.fn.getline("."), vim.fn.getline(vim.fn.line("w0"))
        transcript:append(slice(all, 161, 170))
        transcript:prepend(slice(all, 1, 100), false)
        transcript:add_delta({ thinking = false, text = "x\ny" })
        transcript:flush()
        same("the line of the cursor", vim.fn.getline("."), cursor)
        same("the line at the top", vim.fn.getline(vim.fn.line("w0")), top)
        vim.cmd.enew()
      end,
    },
    {
      "partial output grows by its deltas, and its entry replaces it",
      function()
        local transcript, buffer = open()
        transcript:reset({ entry(1, { kind = "user", text = "go" }) }, false)
        for _, piece in ipairs({ "Hel", "lo\n", "\27[31mwor", "ld" }) do
          transcript:add_delta({ thinking = false, text = piece })
          transcript:flush()
        end
        same("partial", slice(lines(buffer), 4, 6), { "", "Hello", "world" })
        transcript:append({ entry(2, { kind = "text", text = "Hello\nworld" }) })
        same("written", slice(lines(buffer), 4, 9), { "", "Hello", "world" })
        transcript:add_delta({ thinking = true, text = "hm" })
        transcript:flush()
        transcript:discard_live()
        same("discarded", slice(lines(buffer), 4, 9), { "", "Hello", "world" })
      end,
    },
    {
      "a text of a megabyte is truncated",
      function()
        local transcript, buffer = open()
        transcript:reset({ entry(1, { kind = "text", text = ("x\n"):rep(500000) }) }, false)
        assert(#lines(buffer) < 500, #lines(buffer))
        wait.has("note", table.concat(lines(buffer), "\n"), "1.0 MB in total. <CR> shows all.")
      end,
    },
    {
      "the oldest entries are dropped above the upper bound, and can be added again",
      function()
        local transcript, buffer = open()
        local many = {}
        for seq = 1, 20001 do
          many[seq] = entry(seq, { kind = "notice", level = "info", text = "n" .. seq })
        end
        transcript:reset({}, false)
        transcript:append(many)
        same("oldest", transcript.oldest, 5001)
        same("more", transcript.more, true)
        same("lines", #lines(buffer), 15002)
        transcript:prepend(slice(many, 4801, 5000), true)
        same("line", lines(buffer)[2], "· n4801")
      end,
    },
  },
}
