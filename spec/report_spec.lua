--- The page of runs: what is on it, that it is harmless whoever wrote the runs, and read by a browser.

local child = require "spec.support.child"
local files = require "spec.support.files"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local folder = files.folder()

teardown(function()
  files.remove(folder)
end)

local NASTY = "<script>alert(1)</script>\"'&\27"

-- Three runs, a picture, a study and a run that cannot be read.
local function make_runs()
  for i, lr in ipairs { 0.1, 0.2, 0.3 } do
    local run = wrun.experiment {
      name = "run" .. i, folder = folder .. "/run" .. i, seed = i,
      options = { lr = lr, same = 7, note = i == 1 and NASTY or "plain" },
    }
    run:keep { model = wrun.nn.Linear(1, 1) }
    for epoch in run:loop(5) do
      run:add { loss = lr / epoch, [NASTY:sub(1, -2)] = i == 2 and 0 / 0 or epoch }
    end
    run:set { best = 0.125 * i }
    run:close()
  end
  wrun.image.save(folder .. "/run1/weights.png", wrun.rand(1, 4, 4))
  files.write(folder .. "/run2/" .. "a<b>.svg", "<svg onload='alert(1)'/>")
  assert(os.execute("mkdir -p " .. folder .. "/bad"))
  files.write(folder .. "/bad/manifest.json", '{"name": <script>')
  wrun.sweep({ a = { 1, 2 }, b = NASTY }, function(o)
    return { loss = o.a + #o.b, hash = "x" }
  end, { workers = 0, folder = folder, name = "study" })
end

local html

local function page()
  if not html then
    make_runs()
    html = files.read(wrun.report(folder))
  end
  return html
end

-- Is this pattern, or plain text, on the page?
local function has(pattern, is_plain)
  assert.is_true(page():find(pattern, 1, is_plain) ~= nil, pattern)
end

local function count(text, plain)
  return select(2, text:gsub(plain:gsub("%p", "%%%0"), ""))
end

describe("wrun.report", function()
  it("shows runs side by side, with the options that differ and the last measures", function()
    local head = page():match("<thead>(.-)</thead>"):gsub("</?tr?h?>", " ")
    assert.matches("run%s+status%s+lr%s+note%s+seed%s+epochs%s+seconds", head)
    has(">0.375</td>") -- what is set behind the loop
    assert.is_nil(head:find("same", 1, true))
    for i = 1, 3 do
      has(('class="run%%-%d" stroke="#%%x+"'):format(i + 1))
    end
    has('data-sort="0.06">0.06</td>', true) -- 0.3 / 5
    has("<h2>Study study</h2>", true)
    has('class="failed">failed</span>', true)
  end)

  it("has nothing that another wrote as anything but text", function()
    assert.equal(1, count(page(), "<script>"))
    assert.equal(0, count(page(), "alert(1)</script>"))
    assert.is_true(count(page(), "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;") > 3)
    assert.is_nil(page():find("[\0-\8\11-\31]"))
    assert.equal(0, count(page(), "onload"))
    assert.equal(0, count(page(), "http://") + count(page(), "https://"))
  end)

  it("carries the pictures", function()
    local inside = page():match('run1/weights.png</figcaption><img alt="[^"]*" src="data:image/png;'
      .. 'base64,([^"]*)"')
    local path = folder .. "/again.png"
    assert(os.execute(("echo '%s' | base64 -d > %s"):format(inside, path)))
    assert.equal(files.read(folder .. "/run1/weights.png"), files.read(path))
    os.remove(path)
    has("run2/a&lt;b&gt;.svg", true)
  end)

  it("is what the command writes, and refuses folders without runs", function()
    page()
    local result = child.run { "report", folder, "--output", folder .. "/other.html" }
    assert.equal(folder .. "/other.html\n", result.out)
    assert.equal(html, files.read(folder .. "/other.html"))
    assert.equal("report: /nowhere: No such file or directory", refusal(wrun.report, "/nowhere"))
    assert(os.execute("mkdir -p " .. folder .. "/run3/none"))
    assert.equal(("report: %s: holds no runs of wrun.experiment or wrun.sweep"):format(folder
      .. "/run3/none"), refusal(wrun.report, folder .. "/run3/none"))
    assert.equal("report: /dev/full/x: Not a directory",
      refusal(wrun.report, folder, { output = "/dev/full/x" }))
    assert.matches("Error: report: /nowhere: No such", child.run({ "report", "/nowhere" }).err, 1,
      true)
  end)

  it("is a page that a browser reads, sorts and hides lines of", function()
    local browser = files.shell("command -v chromium || true")
    if browser == "" then
      pending("needs chromium")
      return
    end
    local path = folder .. "/clicked.html"
    files.write(path, (page():gsub("'unsafe%-inline'\">", "'unsafe-inline'\">"):gsub("</body>",
      '<script>document.querySelectorAll("th")[2].click(); document.querySelectorAll("th")[2]'
      .. '.click(); document.querySelector("input[data-run=run-2]").click();</script></body>')))
    local result = child.shell(("timeout 60 %s --headless --no-sandbox --disable-gpu --dump-dom "
      .. "file://%s"):format(browser, path))
    if result.status ~= 0 or not result.out:find("<body>", 1, true) then
      pending("chromium does not run here")
      return
    end
    local body = result.out:match("<tbody>(.-)</tbody>")
    local order = {}
    for name in body:gmatch('data%-sort="(run%d)"') do
      order[#order + 1] = name
    end
    assert.same({ "run3", "run2", "run1" }, order)
    assert.equal(2, count(result.out, 'class="run-2" stroke="#d55e00" fill="#d55e00" '
      .. 'style="display: none;"'))
  end)
end)
