---The form of a permission request: its content, the choices, and the answer that they make.
local body = require("areyouj.views.permission.body")
local styled_lines = require("areyouj.views.styled_lines")
local text = require("areyouj.text")
local tools = require("areyouj.tools")

---@class areyouj.FormRow The choice on a line.
---@field question? integer
---@field option? integer Nil with a question: an answer in own words.
---@field suggestion? integer

---@class areyouj.Form
---@field request areyouj.Permission
---@field always boolean Whether the rules for "always" are shown.
---@field rows table<integer, areyouj.FormRow> By line, from 1.
---@field private questions areyouj.Question[]
---@field private chosen table<integer, table<integer, true>> Options by question.
---@field private own table<integer, string> Answers in own words by question.
---@field private suggestions table<integer, true>
local Form = {}
Form.__index = Form

---@param request areyouj.Permission
---@return areyouj.Form
local function new(request)
  return setmetatable({
    request = request,
    always = false,
    rows = {},
    questions = request.kind == "question" and tools.questions(request.input) or {},
    chosen = {},
    own = {},
    suggestions = tools.default_suggestions(request.suggestions or {}),
  }, Form)
end

---@private
---@param built areyouj.StyledLines
function Form:add_questions(built)
  for number, question in ipairs(self.questions) do
    local chosen = self.chosen[number] or {}
    if number > 1 then built:add("") end
    for row, line in ipairs(vim.split(question.question, "\n", { plain = true })) do
      local head = row == 1 and question.header ~= "" and text.exact_line(question.header) .. "  " or ""
      built:add({ head, "AreYouJHeader" }, { text.exact_line(line), "AreYouJTitle" })
    end
    if question.multi then built:add({ "Choose one or more.", "AreYouJDim" }) end
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

---The lines of the form.
---@param directory string The directory of the session.
---@return areyouj.StyledLines
function Form:page(directory)
  local built = styled_lines.new()
  self.rows = {}
  if #self.questions > 0 then
    self:add_questions(built)
  else
    local whole = body.page(self.request, directory)
    built:with(whole.lines, whole.marks)
  end
  if self.always then
    built:add(""):add({ "Allow now and from now on:", "AreYouJTitle" })
    for place, suggestion in ipairs(self.request.suggestions) do
      built:add({ self.suggestions[place] and " [x] " or " [ ] ", "AreYouJKey" }, tools.suggestion(suggestion))
      self.rows[#built.lines] = { suggestion = place }
    end
  end
  return built
end

---Whether the request can be allowed always.
---@return boolean
function Form:offers_always() return self.request.kind ~= "question" and #(self.request.suggestions or {}) > 0 end

---Chooses the choice on a line, or takes it back.
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

---Answers a question in own words, which replace a single choice.
---@param question integer
---@param words string
function Form:set_own(question, words)
  words = vim.trim(words)
  self.own[question] = words ~= "" and words or nil
end

---The answer, or nil while a choice is missing.
---@return areyouj.Answer?
function Form:answer()
  if self.request.kind == "question" then
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
    for place = 1, #self.request.suggestions do
      -- The protocol counts from 0.
      if self.suggestions[place] then table.insert(suggestions, place - 1) end
    end
    return #suggestions > 0 and { decision = "allowAlways", suggestions = suggestions } or nil
  end
  return { decision = "allow" }
end

---The labels of the answers.
---@return { yes: string, no: string, instead: string }
function Form:labels()
  local kind = self.request.kind
  if kind == "question" then return { yes = "answer", no = "skip", instead = "reply instead" } end
  if kind == "plan" then
    return { yes = self.always and "allow always" or "approve", no = "keep planning", instead = "request changes" }
  end
  return { yes = self.always and "allow always" or "allow", no = "deny", instead = "deny with a message" }
end

return { new = new }
