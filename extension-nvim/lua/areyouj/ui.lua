---Opens views. Each view registers its openers here, so that views can open each other without a circle of requires.

---@alias areyouj.Place "current"|"tab"|"split"|"vsplit"

---@class areyouj.SessionPageOptions
---@field session? areyouj.Session The session as the caller knows it.
---@field typing? boolean Whether keys go to a terminal at once; true if left out.

---@class areyouj.Ui
---@field dashboard fun()
---@field session fun(id: string, place?: areyouj.Place, options?: areyouj.SessionPageOptions) The page of its driver.
---@field transcript fun(id: string, place?: areyouj.Place)
---@field screen fun(id: string) The terminal, or a message why there is none.
---@field show_driver fun(id: string, driver: areyouj.Driver) Replaces the page of the other driver.
---@field composer fun(id: string, add?: string) Opens the composer with a text added to its draft.
---@field keep_draft fun(id: string, words: string) Keeps a text as the draft if there is none.
---@field queue fun(id: string)
---@field permission fun(id?: string) The given permission request, or the one that is displayed.
---@field permission_of fun(session_id: string) The oldest permission request of a session.
---@field choose_permission fun()
---@field new_session fun(driver?: areyouj.Driver) Asks for a directory.
---@field choose_driver fun() Asks for the driver of a new session, then for its directory.
---@field create_session fun(path: string, driver?: areyouj.Driver)
---@field switch fun(all?: boolean)
---@field choose_session fun(prompt: string, choose: fun(id: string))
---@field next_waiting fun(step: 1|-1)
---@field logs fun(id?: string)
---@field audit fun(id?: string)
local M = {}

---@param openers table<string, function> By the names of the fields of `areyouj.Ui`.
function M.register(openers)
  for name, opener in pairs(openers) do
    M[name] = opener
  end
end

return M
