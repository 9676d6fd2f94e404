--- Every reader and every writer of files, wherever a path may lead and whatever may lie there: an
--- error that names the function, the path and the reason, and what was there before stays.

local child = require "spec.support.child"
local files = require "spec.support.files"
local lfs = require "lfs"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local data, image = wrun.data, wrun.image

local x = wrun.arange(1, 13):float():reshape(3, 4)
local folder = files.scratch(teardown)

-- The names in messages; what reads a file, and writes it; the ending there must be, and how many
-- bytes are enough to be read.
local FORMATS = {
  { read = "npy", write = "save_npy", load = data.npy, save = data.save_npy },
  { read = "npz", write = "save_npz", load = function(path) return data.npz(path).x end,
    save = function(path, t) data.save_npz(path, { x = t }, { compress = true }) end },
  { read = "csv", write = "save_csv", load = data.csv, save = data.save_csv,
    enough = function() return 0 end },
  { read = "load", write = "save", load = wrun.load,
    save = function(path, t) wrun.save(path, { x = t, note = "a text" }) end },
  { read = "image.load", write = "image.save", load = image.load,
    save = function(path, t) image.save(path, t / 12) end,
    enough = function(bytes) return #bytes - #"....IEND...." end },
  { read = "idx", load = data.idx, save = function(path)
      files.write(path, files.gzip(files.idx(8, { 2, 3 }, "abcdef")))
    end },
  { write = "open", ending = ".csv", save = function(path)
      local book <close> = wrun.logbook.open(path)
      book:write { loss = 0.5 }
    end },
}

--- The files of the folder, in order, each with what it holds or leads to.
local function listing(path)
  local list = {}
  for name in lfs.dir(path) do
    local at = path .. "/" .. name
    local kind = lfs.symlinkattributes(at, "mode")
    if name:find("[^.]") then
      list[#list + 1] = name .. " " .. (kind == "file" and files.read(at)
        or kind == "link" and lfs.symlinkattributes(at, "target") or kind)
    end
  end
  table.sort(list)
  return list
end

--- Fresh places: name -> the path, and the reason why nothing can be had or put there.
local function places(ending)
  files.remove(folder)
  assert(os.execute(("mkdir -p %s/folder%s && mkfifo %s/fifo%s"):format(folder, ending, folder,
    ending)))
  files.write(folder .. "/file", "old")
  assert(lfs.link("loop" .. ending, folder .. "/loop" .. ending, true))
  return {
    { "/folder", "Is a directory" },
    { "/none/x", "No such file or directory" },
    { "/file/x", "Not a directory" },
    { "/loop", "Too many levels of symbolic links" },
    { "/" .. ("n"):rep(300), "File name too long" },
    { "/" .. ("n/"):rep(3000), "File name too long" },
  }
end

local function all_of(bytes)
  return #bytes
end

local function in_form(name, path, reason)
  return ("%s: %s: %s"):format(name, path, reason)
end

for _, format in ipairs(FORMATS) do
  local ending = format.ending or ""

  if format.read then
    describe(format.read, function()
      it("says why there is nothing to read", function()
        for _, place in ipairs(places(ending)) do
          local path = folder .. place[1]
          assert.equal(in_form(format.read, path, place[2]), refusal(format.load, path))
        end
      end)

      it("reads or refuses files cut at every byte, damaged at every byte, and followed by more",
        function()
          places(ending)
          local path = folder .. "/x"
          format.save(path, x)
          local bytes, start = files.read(path), format.read .. ": " .. path .. ": "
          local function try(content)
            files.write(path, content)
            local ok, message = pcall(format.load, path)
            assert.is_true(ok or message:find(start, 1, true) ~= nil, message)
            assert.is_true(ok or not message:gsub("\n", ""):find("%c"), message)
            return ok
          end
          assert.is_true(try(bytes))
          for i = 0, #bytes - 1 do
            local is_read = try(bytes:sub(1, i))
            assert.is_true(not is_read or i >= (format.enough or all_of)(bytes))
            for _, byte in ipairs { "\0", "\xff", "\x80", "9", "\n" } do
              try(bytes:sub(1, i) .. byte .. bytes:sub(i + 2))
            end
          end
          for _, more in ipairs { "\0", "x", bytes, ("\0"):rep(1000), "\xef\xbb\xbf" } do
            try(bytes .. more)
          end
          try("\xef\xbb\xbf" .. bytes)
        end)

      it("says what a file of another kind is", function()
        places(ending)
        local path = folder .. "/x"
        files.write(path, "\x89HDF\r\n\x1a\n" .. ("\0"):rep(100))
        assert.matches("it is an HDF5 file", refusal(format.load, path), 1, true)
      end)
    end)
  end

  if format.write then
    describe(format.write, function()
      it("says why nothing can be written, and leaves all as it was", function()
        for _, place in ipairs(places(ending)) do
          local path, before = folder .. place[1] .. ending, listing(folder)
          assert.equal(in_form(format.write, path, place[2]), refusal(format.save, path, x))
          assert.same(before, listing(folder))
        end
      end)

      it("follows links to where they lead", function()
        places(ending)
        files.write(folder .. "/old" .. ending, "")
        for _, target in ipairs { "old", "new" } do
          local link = folder .. "/to_" .. target .. ending
          assert(lfs.link(target .. ending, link, true))
          format.save(link, x)
          assert.equal("link", lfs.symlinkattributes(link, "mode"))
          assert.is_true(#files.read(folder .. "/" .. target .. ending) > 0)
        end
        assert.is_nil(table.concat(listing(folder)):find("%.new "))
      end)
    end)
  end
end

local WRITERS = [[
  local wrun, path = require "wrun", arg[1]
  local data, x = wrun.data, wrun.rand(40, 100)
  print(pcall(data.save_npy, path, x))
  print(pcall(data.save_npz, path, { x = x }))
  print(pcall(data.save_csv, path, x))
  print(pcall(wrun.save, path, { x = x }))
  print(pcall(wrun.image.save, path, x))
  print(pcall(function()
    local book <close> = wrun.logbook.open(path .. ".jsonl")
    book:write { loss = 0.5 }
  end))]]

describe("a limit of a file's size", function()
  it("is said, and what was there before stays", function()
    child.with_folder(function(scratch)
      local path = files.write(scratch .. "/x", "old")
      child.with_file(WRITERS, function(script)
        local result = child.shell(("ulimit -f 1; %s %s %s"):format(child.quote(child.wrun), script,
          path))
        assert.same({ err = "", status = 0 }, { err = result.err, status = result.status })
        local count = 0
        for name, reason in result.out:gmatch(":%d+: ([%w_.]+): " .. path .. ": ([^\n]+)\n") do
          count = count + 1
          assert.equal("File too large", reason, name)
        end
        assert.equal(5, count, result.out)
      end)
      assert.equal("old", files.read(path))
      assert.is_nil(table.concat(listing(scratch)):find(".new", 1, true))
    end)
  end)
end)

describe("a disk", function()
  -- Runs the writers on `scratch`/disk/x, which holds "old"; `prepare` and `run` are words for the
  -- shell. Returns what was printed, then the files that are there and what "x" holds.
  local function write(scratch, prepare, run)
    local result
    child.with_file(WRITERS, function(script)
      local code = ([[
        set -e; cd %s; mkdir disk; cp %s wrun; cp %s script; chmod -R a+rX . ; %s
        %s ./wrun script disk/x; echo; ls disk; cat disk/x]]):format(scratch,
        child.quote(child.wrun), script, prepare, run)
      result = child.shell("unshare -rm sh -c " .. child.quote(code))
    end)
    return result
  end

  -- Says that each writer gave the reason, the log's `log`, and that the rest of the output is so.
  local function expect(result, reason, log, left)
    assert.same({ err = "", status = 0 }, { err = result.err, status = result.status })
    local messages, rest = result.out:match("^(.*)\n\n(.*)$")
    local names = {}
    for line in messages:gmatch("[^\n]+") do
      names[#names + 1] = line:match("^false\t.-:%d+: ([%w_.]+): disk/x: " .. reason .. "$")
        or line:match("^false\t.-:%d+: (" .. log .. "): disk/x.jsonl: " .. reason .. "$") or line
    end
    assert.same({ "save_npy", "save_npz", "save_csv", "save", "image.save", log }, names)
    assert.equal(left, rest)
  end

  local can_mount = child.shell("unshare -rm mount -t tmpfs none /mnt").status == 0

  it("that is full keeps what was there, whole", function()
    if not can_mount then
      return pending("no file system may be mounted here")
    end
    child.with_folder(function(scratch)
      expect(write(scratch, "mount -t tmpfs -o size=16k none disk; printf old >disk/x; "
        .. "cat /dev/zero >disk/rest 2>/dev/null || true", ""), "No space left on device", "write",
        "rest\nx\nx.jsonl\nold")
    end)
  end)

  it("that is read only says so", function()
    if not can_mount then
      return pending("no file system may be mounted here")
    end
    child.with_folder(function(scratch)
      expect(write(scratch, "mount -t tmpfs none disk; printf old >disk/x; "
        .. "mount -o remount,ro disk", ""), "Read%-only file system", "open", "x\nold")
    end)
  end)
end)

describe("a folder without permission", function()
  it("keeps what is there", function()
    local is_root = child.shell("id -u").out == "0\n"
    child.with_folder(function(scratch)
      child.with_file(WRITERS, function(script)
        local user = is_root and "setpriv --reuid=65534 --clear-groups" or ""
        local result = child.shell(([[
          cd %s; mkdir disk; cp %s wrun; cp %s script; printf old >disk/x; chmod -R a+rX,a-w .
          %s ./wrun script disk/x; echo; ls disk; cat disk/x; chmod -R u+w .]]):format(scratch,
          child.quote(child.wrun), script, user))
        assert.same({ err = "", status = 0 }, { err = result.err, status = result.status })
        local _, count = result.out:gsub(": disk/x[.jsonl]*: Permission denied\n", "")
        assert.equal(6, count, result.out)
        assert.equal("x\nold", result.out:match("\n\n(.*)$"))
      end)
    end)
  end)
end)
