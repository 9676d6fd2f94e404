--- Compiles modules for embedded.c: lua5.4 precompile.lua LIST FOLDER writes FOLDER/NUMBER.luac for
--- each row MODULE(NUMBER, "lua/wrun/nn.lua") of the list. Their debug information stays, since
--- errors name lines.

local list, folder = ...

for number, path in assert(io.open(list)):read("a"):gmatch("MODULE%((%d+), \"(.-)\"%)") do
  local module = path:match("^lua/(.*)%.lua$"):gsub("/", ".")
  local source = assert(io.open(path)):read("a")
  local file = assert(io.open(("%s/%d.luac"):format(folder, number), "wb"))
  assert(file:write(string.dump(assert(load(source, "=" .. module)))))
  assert(file:close())
end
