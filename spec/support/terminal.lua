--- Whether a spec can have a terminal: the program `script` makes one where the system lets it.

local M = {}

local answer

--- Marks the running spec as pending, with the reason, where there is no terminal to be had.
function M.needed()
  if answer == nil then
    answer = os.execute("script -qec true /dev/null < /dev/null > /dev/null 2>&1") == true
  end
  if not answer then
    pending("needs a terminal, which the program script cannot make here")
  end
end

return M
