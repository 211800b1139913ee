-- Names of the plugin's buffers, and its help.
local M = { DASHBOARD = "areyouj://orchestration" }

---@param id string
---@return string
function M.automation(id) return "areyouj://automation/" .. id end

---@param id string
---@return string
function M.screen(id) return "areyouj://terminal/" .. id end

---@param id string
---@return string
function M.message(id) return "areyouj://message/" .. id end

---The directory of the plugin.
M.plugin = vim.fs.normalize(vim.fs.dirname(debug.getinfo(1, "S").source:sub(2)) .. "/../../../extension-nvim")

---The text of the help, in lower case.
---@return string
function M.help() return table.concat(vim.fn.readfile(M.plugin .. "/doc/areyouj.txt"), "\n"):lower() end

return M
