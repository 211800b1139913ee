---Pickers: `vim.ui.select`, or a picker plugin.
---@diagnostic disable: unresolved-require, undefined-field -- The picker plugins are optional.
local config = require("areyouj.config")

local M = {}

---@class areyouj.Pick
---@field prompt string
---@field line fun(item: any): string
---@field preview fun(item: any): string[]

---@type table<string, { module: string, pick: fun(items: any[], options: areyouj.Pick, choose: fun(item: any)) }>
M.known = {
  snacks = {
    module = "snacks.picker",
    pick = function(items, options, choose)
      require("snacks.picker").pick({
        title = options.prompt,
        items = vim.tbl_map(function(item)
          local preview = { text = table.concat(options.preview(item), "\n"), ft = "text" }
          return { text = options.line(item), item = item, preview = preview }
        end, items),
        format = "text",
        preview = "preview",
        confirm = function(picker, chosen)
          picker:close()
          if chosen then vim.schedule(function() choose(chosen.item) end) end
        end,
      })
    end,
  },
  ["fzf-lua"] = {
    module = "fzf-lua",
    pick = function(items, options, choose)
      local lines = {}
      for number, item in ipairs(items) do
        lines[number] = number .. "\t" .. options.line(item)
      end
      require("fzf-lua").fzf_exec(lines, {
        prompt = options.prompt .. "> ",
        fzf_opts = { ["--delimiter"] = "\t", ["--with-nth"] = "2.." },
        preview = function(chosen)
          local item = items[tonumber(chosen[1]:match("^%d+")) or 0]
          return item and table.concat(options.preview(item), "\n") or ""
        end,
        actions = {
          ["default"] = function(chosen)
            local item = chosen and chosen[1] and items[tonumber(chosen[1]:match("^%d+")) or 0]
            if item then choose(item) end
          end,
        },
      })
    end,
  },
  telescope = {
    module = "telescope",
    pick = function(items, options, choose)
      local actions, state = require("telescope.actions"), require("telescope.actions.state")
      require("telescope.pickers")
        .new({}, {
          prompt_title = options.prompt,
          finder = require("telescope.finders").new_table({
            results = items,
            entry_maker = function(item)
              local line = options.line(item)
              return { value = item, display = line, ordinal = line }
            end,
          }),
          sorter = require("telescope.config").values.generic_sorter({}),
          previewer = require("telescope.previewers").new_buffer_previewer({
            define_preview = function(self, entry)
              vim.api.nvim_buf_set_lines(self.state.bufnr, 0, -1, false, options.preview(entry.value))
            end,
          }),
          attach_mappings = function(prompt)
            actions.select_default:replace(function()
              local entry = state.get_selected_entry()
              actions.close(prompt)
              if entry then choose(entry.value) end
            end)
            return true
          end,
        })
        :find()
    end,
  },
}

---Asks a person to choose an item.
---@generic T
---@param items T[]
---@param options areyouj.Pick
---@param choose fun(item: T)
function M.pick(items, options, choose)
  local wanted = config.get().picker
  local picker = M.known[wanted]
  -- `auto` does not probe for picker plugins: it uses `vim.ui.select`, which a plugin may have replaced.
  if picker and pcall(require, picker.module) then return picker.pick(items, options, choose) end
  vim.ui.select(items, { prompt = options.prompt, kind = "areyouj_session", format_item = options.line }, function(item)
    if item then choose(item) end
  end)
end

return M
