--- The text of an error that a call must raise, without file and line in front.

--- Calls fn(...), which must raise, and returns the message; it must blame a line of a spec.
return function(fn, ...)
  local ok, message = pcall(fn, ...)
  assert(not ok, "expected an error")
  local text, count = tostring(message):gsub("^[^\n:]*spec/[%w_/]+%.lua:%d+: ", "")
  assert(count == 1, "the error does not blame the script: " .. tostring(message))
  return text
end
