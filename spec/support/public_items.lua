--- Everything public with its documentation.

local reference = require "wrun.reference"

return function()
  local list, faces = {}, reference.faces()
  local items = reference.items(faces)
  reference.each(faces, function(item)
    list[#list + 1] = {
      name = item.name,
      kind = item.kind,
      value = item.value,
      start = item.start,
      members = item.members,
      is_defined = not item.name:find("empty"), -- what that holds, no run before it decides
      entry = reference.documentation(items, item),
    }
  end)
  return list
end
