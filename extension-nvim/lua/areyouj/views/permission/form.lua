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

---The rules. A permission mode or a directory is broader than the request, so a person must choose it.
---@param offers areyouj.AlwaysOffer[]
---@return table<integer, true> By position, from 1.
local function defaults(offers)
  local chosen = {}
  for place, offer in ipairs(offers) do
    if offer.byDefault then chosen[place] = true end
  end
  return chosen
end

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
    suggestions = defaults(request.always),
  }, Form)
end

---The section that shows the value at this place of the input.
---@private
---@param pointer string
---@return areyouj.DisplaySection?
function Form:section(pointer)
  for _, section in ipairs(self.request.display) do
    if section.pointer == pointer then return section end
  end
end

---@private
---@param built areyouj.StyledLines
function Form:add_questions(built)
  local shown = {} ---@type table<areyouj.DisplaySection, true>
  ---@param pointer string
  ---@param group? string
  ---@return areyouj.ShownPiece[]
  local function line(pointer, group)
    local section = self:section(pointer)
    if not section then return {} end
    shown[section] = true
    return body.line(section, group)
  end
  for number, question in ipairs(self.questions) do
    local at = ("/questions/%d"):format(number - 1)
    local chosen = self.chosen[number] or {}
    if number > 1 then built:add("") end
    local header = line(at .. "/header", "AreYouJHeader")
    local section = self:section(at .. "/question")
    if section then
      shown[section] = true
      for row, pieces in ipairs(body.rows(section, "AreYouJTitle")) do
        local head = row == 1 and vim.deepcopy(header) or {}
        if #head > 0 then table.insert(head, "  ") end
        built:row(vim.list_extend(head, pieces))
      end
    end
    if question.multi then built:add({ "Choose one or more.", "AreYouJDim" }) end
    local function row(mark, choice, words, more)
      local pieces = { { " " .. mark .. " ", "AreYouJKey" } }
      vim.list_extend(pieces, words)
      if #more > 0 then table.insert(pieces, "  ") end
      built:row(vim.list_extend(pieces, more))
      self.rows[#built.lines] = choice
    end
    local own = self.own[number]
    for place in ipairs(question.options) do
      local on = chosen[place] and (question.multi or not own)
      local mark = question.multi and (on and "[x]" or "[ ]") or (on and "(x)" or "( )")
      local option = ("%s/options/%d"):format(at, place - 1)
      local label, description = line(option .. "/label"), line(option .. "/description", "AreYouJDim")
      row(mark, { question = number, option = place }, label, description)
    end
    row(own and "(x)" or "( )", { question = number }, { own and text.exact_line(own) or "Something else…" }, {})
  end
  local rest = vim.tbl_filter(function(section) return not shown[section] end, self.request.display)
  -- The first section is the tool that asks.
  if #rest > 1 then
    built:add("")
    body.add(built, vim.list_slice(rest, 2))
  end
end

---The lines of the form.
---@return areyouj.StyledLines
function Form:page()
  local built = styled_lines.new()
  self.rows = {}
  if #self.questions > 0 then
    self:add_questions(built)
  else
    local whole = body.page(self.request)
    built:with(whole.lines, whole.marks)
  end
  if self.always then
    built:add(""):add({ "Allow now and from now on:", "AreYouJTitle" })
    for place, offer in ipairs(self.request.always) do
      built:add({ self.suggestions[place] and " [x] " or " [ ] ", "AreYouJKey" }, offer.text, {
        ", " .. offer.stored,
        "AreYouJDim",
      })
      self.rows[#built.lines] = { suggestion = place }
    end
  end
  return built
end

---Whether the request can be allowed always.
---@return boolean
function Form:offers_always() return self.request.kind ~= "question" and #self.request.always > 0 end

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
    for place = 1, #self.request.always do
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
  if kind == "trust" then return { yes = "trust the directory", no = "deny", instead = "deny with a note" } end
  return { yes = self.always and "allow always" or "allow", no = "deny", instead = "deny with a message" }
end

return { new = new }
