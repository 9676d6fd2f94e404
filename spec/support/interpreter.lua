--- The command that runs a script as these specs are run.

--- Returns the first word of the command line that started this process: the wrun under test.
return function()
  local first = 0
  while arg[first - 1] do
    first = first - 1
  end
  return arg[first]
end
