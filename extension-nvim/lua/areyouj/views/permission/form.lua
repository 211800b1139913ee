---A prompt as something to answer: what is asked, the choices so far, and the answer they amount to.
local asked = require("areyouj.views.permission.body")
local page = require("areyouj.views.styled_lines")
local text = require("areyouj.text")
local tools = require("areyouj.tools")

---@class areyouj.FormRow What a line chooses.
---@field question? integer
---@field option? integer Nil with a question: words of one's own.
---@field suggestion? integer

---@class areyouj.Form
---@field prompt areyouj.Permission
---@field always boolean Whether the rules for "always" are shown.
---@field rows table<integer, areyouj.FormRow> By line, from 1.
---@field private questions areyouj.Question[]
---@field private chosen table<integer, table<integer, true>> Options by question.
---@field private own table<integer, string> Words of one's own by question.
---@field private suggestions table<integer, true>
local Form = {}
Form.__index = Form

---@param prompt areyouj.Permission
---@return areyouj.Form
local function new(prompt)
  return setmetatable({
    prompt = prompt,
    always = false,
    rows = {},
    questions = prompt.kind == "question" and tools.questions(prompt.input) or {},
    chosen = {},
    own = {},
    suggestions = tools.sensible(prompt.suggestions or {}),
  }, Form)
end

---@private
---@param built areyouj.Page
function Form:ask(built)
  for number, question in ipairs(self.questions) do
    local chosen = self.chosen[number] or {}
    if number > 1 then built:add("") end
    for row, line in ipairs(vim.split(question.question, "\n", { plain = true })) do
      local head = row == 1 and question.header ~= "" and text.exact_line(question.header) .. "  " or ""
      built:add({ head, "AreYouJHeader" }, { text.exact_line(line), "AreYouJTitle" })
    end
    if question.multi then built:add({ "Choose any number.", "AreYouJDim" }) end
    local function row(mark, choice, words, more)
      built:add({ " " .. mark .. " ", "AreYouJKey" }, words, { more, "AreYouJDim" })
      self.rows[#built.lines] = choice
    end
    local own = self.own[number]
    for place, option in ipairs(question.options) do
      local on = chosen[place] and (question.multi or not own)
      local mark = question.multi and (on and "[x]" or "[ ]") or (on and "(x)" or "( )")
      local more = option.description ~= "" and "  " .. text.exact_line(option.description) or ""
      row(mark, { question = number, option = place }, text.exact_line(option.label), more)
    end
    row(own and "(x)" or "( )", { question = number }, own and text.exact_line(own) or "Something else…", "")
  end
end

---What is shown.
---@param directory string The session's.
---@return areyouj.Page
function Form:page(directory)
  local built = page.new()
  self.rows = {}
  if #self.questions > 0 then
    self:ask(built)
  else
    local whole = asked.page(self.prompt, directory)
    built:with(whole.lines, whole.marks)
  end
  if self.always then
    built:add(""):add({ "Allow this, and from now on", "AreYouJTitle" })
    for place, suggestion in ipairs(self.prompt.suggestions) do
      built:add({ self.suggestions[place] and " [x] " or " [ ] ", "AreYouJKey" }, tools.suggestion(suggestion))
      self.rows[#built.lines] = { suggestion = place }
    end
  end
  return built
end

---Whether there is anything that "always" could mean.
---@return boolean
function Form:offers_always() return self.prompt.kind ~= "question" and #(self.prompt.suggestions or {}) > 0 end

---Chooses what a line stands for, or takes it back.
---@param row areyouj.FormRow
function Form:toggle(row)
  if row.suggestion then
    self.suggestions[row.suggestion] = not self.suggestions[row.suggestion] or nil
  elseif row.option then
    local chosen = self.chosen[row.question] or {}
    if self.questions[row.question].multi then
      chosen[row.option] = not chosen[row.option] or nil
    else
      chosen = { [row.option] = true }
      self.own[row.question] = nil
    end
    self.chosen[row.question] = chosen
  end
end

---Words of one's own, in place of a single choice.
---@param question integer
---@param words string
function Form:say(question, words)
  words = vim.trim(words)
  self.own[question] = words ~= "" and words or nil
end

---The answer, or nil while something has still to be chosen.
---@return areyouj.Answer?
function Form:answer()
  if self.prompt.kind == "question" then
    local choices = {}
    for number, question in ipairs(self.questions) do
      local labels, own = {}, self.own[number]
      for place, option in ipairs(question.options) do
        if self.chosen[number] and self.chosen[number][place] then table.insert(labels, option.label) end
      end
      if own and not question.multi then labels = {} end
      if own then table.insert(labels, own) end
      if #labels == 0 then return nil end
      choices[number] = labels
    end
    return #choices > 0 and { decision = "choose", choices = choices } or nil
  elseif self.always then
    local suggestions = {}
    for place = 1, #self.prompt.suggestions do
      -- The daemon counts from 0.
      if self.suggestions[place] then table.insert(suggestions, place - 1) end
    end
    return #suggestions > 0 and { decision = "allowAlways", suggestions = suggestions } or nil
  end
  return { decision = "allow" }
end

---What the answers are called.
---@return { yes: string, no: string, instead: string }
function Form:words()
  local kind = self.prompt.kind
  if kind == "question" then return { yes = "answer", no = "do not answer", instead = "say something else" } end
  if kind == "plan" then
    return { yes = self.always and "allow always" or "go ahead", no = "keep planning", instead = "say what to change" }
  end
  return { yes = self.always and "allow always" or "allow", no = "deny", instead = "say what to do instead" }
end

return { new = new }
