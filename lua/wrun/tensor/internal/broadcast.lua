--- The shape that shapes broadcast to.

--- Returns the shape to which all `shapes` broadcast, or nil and the number of the first that does
--- not broadcast with those before it.
return function(shapes)
  local joint = {}
  for i, shape in ipairs(shapes) do
    for _ = 1, #shape - #joint do
      table.insert(joint, 1, 1)
    end
    local lead = #joint - #shape
    for d, size in ipairs(shape) do
      local so_far = joint[lead + d]
      if so_far ~= size and so_far ~= 1 and size ~= 1 then
        return nil, i
      end
      joint[lead + d] = so_far == 1 and size or so_far
    end
  end
  return joint
end
