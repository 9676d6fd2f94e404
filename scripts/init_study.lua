#!/usr/bin/env wrun
--- How a start decides what a deep network learns: three studies on MNIST, and what they must show.
---
---   spreads  of signals and gradients by layer, for seven starts, as [Glorot2010], figures 6 to 9
---   depths   the error after one epoch by depth, as [He2015], figure 3
---   widths   the cost by learning rate and width, usual and in muP, as [Yang2022], figure 1
---
--- It ends with a status other than 0 if one of its claims does not hold.

local argparse = require "argparse"
local wrun = require "wrun"
local data, nn, optim, plot = wrun.data, wrun.nn, wrun.optim, wrun.plot
local init, progress = nn.init, wrun.progress

local parser = argparse("init_study.lua", "Shows what starts do to deep and to wide networks.")
parser:option("--studies", "What to look at.", "spreads,depths,widths")
parser:option("--units", "Hidden units a layer in the study of spreads.", "1000",
  data.whole("--units", 1))
parser:option("--depths", "Hidden layers in the study of depths.", "5,10,20,30")
parser:option("--widths", "Hidden units a layer in the study of widths.",
  "64,128,256,512,1024,2048")
data.options(parser, { out = true })
local args = parser:parse()

local function numbers(name)
  local list = {}
  for text in args[name]:gmatch("[^,]+") do
    local number = math.tointeger(text)
    if not number or number < 1 or number <= (list[#list] or 0) then
      parser:error(("option '--%s': expected rising whole numbers, got '%s'"):format(name,
        args[name]))
    end
    list[#list + 1] = number
  end
  return list
end

local depths, widths = numbers("depths"), numbers("widths")

if args.out then -- before the work, if it cannot be done
  local ok, reason = plot.has_gnuplot()
  if not ok then
    parser:error("option '--out': " .. reason)
  end
end

-- What the studies share -----------------------------------------------------

local function default(weight) -- as [Glorot2010] calls "standard", with PyTorch's spread
  local bound = 1 / math.sqrt(weight:size(2))
  return init.uniform_(weight, -bound, bound)
end

local function orthogonal(gain)
  return function(weight)
    return init.orthogonal_(weight, gain)
  end
end

-- A network of hidden layers, each followed by the activation; the last layer starts like the others.
local function network(depth, width, activation, start)
  local model, inputs = nn.Sequential(), 784
  for _ = 1, depth do
    model:append(nn.Linear(inputs, width)):append(activation())
    inputs = width
  end
  return init.apply(model:append(nn.Linear(inputs, 10)), start)
end

local train, test = data.images(args)
local mean, std = train.x:float():mean() / 255, train.x:float():std() / 255

local function standardised(x)
  return (x:flatten(2):float() / 255 - mean) / std
end

local claims, all_hold = {}, true

local function claim(holds, text, ...)
  all_hold = all_hold and holds
  claims[#claims + 1] = ("%-14s %s"):format(holds and "holds" or "DOES NOT HOLD",
    text:format(...))
end

local function write(name, values, form)
  local cells = {}
  for i, value in ipairs(values) do
    cells[i] = form:format(value)
  end
  print(("  %-22s%s"):format(name, table.concat(cells)))
end

local function save(name, picture)
  if args.out then
    picture:save(args.out .. "/" .. name)
    print(("  picture: %s/%s"):format(args.out, name))
  end
end

local studies = {}

-- Spreads --------------------------------------------------------------------

local LAYERS, EXAMPLES = 5, 300

local STARTS = {
  { "tanh, U(1/sqrt n)", nn.Tanh, default },
  { "tanh, Xavier", nn.Tanh, init.xavier_uniform_ },
  { "sigmoid, U(1/sqrt n)", nn.Sigmoid, default },
  { "sigmoid, Xavier", nn.Sigmoid, init.xavier_uniform_ },
  { "ReLU, U(1/sqrt n)", nn.ReLU, default },
  { "ReLU, Xavier", nn.ReLU, init.xavier_uniform_ },
  { "ReLU, He", nn.ReLU, init.he_uniform_ },
}

-- By what values change from one layer to the next, from the first of them on or a later one.
local function factor(values, first)
  return (values[#values] / values[first]) ^ (1 / (#values - first))
end

local function span(values)
  local low, high = math.huge, 0
  for _, value in ipairs(values) do
    low, high = math.min(low, value), math.max(high, value)
  end
  return high / low
end

function studies.spreads()
  local count = math.min(EXAMPLES, #test.y)
  local x, y = standardised(test.x:narrow(1, 1, count)), test.y:narrow(1, 1, count)
  print(("spreads in %d hidden layers of %d units, of %d images"):format(LAYERS, args.units,
    count))
  local found, bar <close> = {}, progress.bar { label = "spreads", count = #STARTS }
  for i, start in ipairs(STARTS) do
    local model = network(LAYERS, args.units, start[2], start[3])
    local of = { name = start[1], signal = {}, theory = {}, gradient = {}, weight = {} }
    for _, call in ipairs(init.report(model, x, { target = y }).calls) do
      if call.kind == "linear" and call.fan_out == args.units then
        table.insert(of.signal, call.std)
        table.insert(of.theory, call.expected.spread)
        table.insert(of.gradient, call.gradient_rms)
        table.insert(of.weight, call.weight_gradient_rms)
      end
    end
    found[i], found[of.name] = of, of
    bar:update(i)
  end
  bar:close()
  local figures = {}
  for i, part in ipairs {
    { "signal", "signals" },
    { "theory", "signals by theory" },
    { "gradient", "gradients of the signals" },
    { "weight", "gradients of the weights" },
  } do
    local key = part[1]
    print(("\n%s, layer by layer, and the factor a layer"):format(part[2]))
    figures[i] = plot.Figure { title = part[2], x = "layer", y = "spread", log = "y" }
    for _, of in ipairs(found) do
      local cells = table.move(of[key], 1, LAYERS, 1, {})
      cells[LAYERS + 1] = factor(of[key], 1)
      write(of.name, cells, "%11.3g")
      figures[i]:line(of[key], { label = of.name })
    end
  end
  save("spreads.png", plot.grid({ figures[1], figures[3], figures[4] }, { columns = 3 }))
  for _, wanted in ipairs {
    { "ReLU, Xavier", 2 ^ -0.5, 1 },
    { "tanh, U(1/sqrt n)", 3 ^ -0.5, 2 }, -- in the first layer tanh bends the signal
  } do
    local name, change, first = table.unpack(wanted)
    local got = factor(found[name].signal, first)
    claim(math.abs(got - change) <= 0.03, "%s: the signal changes by %.3f +- 0.03 a layer: %.3f",
      name, change, got)
  end
  local usual = found[STARTS[1][1]]
  -- the first layer has other inputs
  local weights = table.move(usual.weight, 2, LAYERS, 1, {})
  claim(span(weights) < 1.15 and span(usual.gradient) > 8,
    "%s: gradients of signals differ by more than 8 times: %.1f; those of weights 2 to %d by less "
    .. "than 15 %%: %.0f %%", usual.name, span(usual.gradient), LAYERS, 100 * (span(weights) - 1))
end

-- Depths ---------------------------------------------------------------------

local DEPTH_WIDTH, BATCH = 128, 100

local function test_error(model)
  return wrun.no_grad(function()
    local guess = model(standardised(test.x)):argmax(2)
    return 100 * guess:ne(test.y):float():mean():item()
  end)
end

local function learn_epoch(model)
  local loader = data.loader({ x = standardised(train.x), y = train.y }, {
    batch_size = BATCH, shuffle = true, drop_last = true,
  })
  local optimizer = optim.SGD(model:parameters(), { lr = 0.005, momentum = 0.9 })
  local criterion = nn.CrossEntropyLoss()
  for x, y in loader:batches() do
    optimizer:zero_grad()
    criterion(model(x), y):backward()
    optimizer:step()
  end
end

function studies.depths()
  print(("test error in %% after one epoch, by hidden layers of %d units"):format(DEPTH_WIDTH))
  local rows = {
    { "ReLU, Xavier", nn.ReLU, init.xavier_normal_ },
    { "ReLU, He", nn.ReLU, init.he_normal_ },
    { "tanh, Xavier", nn.Tanh, init.xavier_normal_ },
    { "tanh, orthogonal", nn.Tanh, orthogonal(1) },
  }
  write("", depths, "%9d")
  local figure = plot.Figure { title = "after one epoch", x = "hidden layers", y = "error in %" }
  local bar <close> = progress.bar { label = "depths", count = #rows * #depths }
  local errors = {}
  for i, row in ipairs(rows) do
    local name, activation, start = table.unpack(row)
    errors[name] = {}
    for j, depth in ipairs(depths) do
      wrun.manual_seed(args.seed)
      local model = network(depth, DEPTH_WIDTH, activation, start)
      learn_epoch(model)
      errors[name][j] = test_error(model)
      bar:update((i - 1) * #depths + j)
    end
    figure:line(depths, errors[name], { label = name })
  end
  bar:close()
  for _, row in ipairs(rows) do
    write(row[1], errors[row[1]], "%9.2f")
  end
  save("depths.png", figure)
  for j, depth in ipairs(depths) do
    if depth == 30 then
      local xavier, he = errors["ReLU, Xavier"][j], errors["ReLU, He"][j]
      claim(xavier > 80, "ReLU, 30 layers, Xavier: an error above 80 %%: %.2f %%", xavier)
      claim(he < 15, "ReLU, 30 layers, He: an error below 15 %%: %.2f %%", he)
    end
  end
end

-- Widths ---------------------------------------------------------------------

local POWERS = { -13, -12, -11, -10, -9, -8, -7, -6 } -- of 2, learning rates of Adam
local STEPS, IMAGES, ROWS = 40, 256, 32

-- The mean cost of the first steps over and over the same images: low where learning is quick.
local function cost_of(width, lr, is_mup, x, y)
  wrun.manual_seed(args.seed)
  local model, groups = network(2, width, nn.ReLU, init.he_normal_), nil
  if is_mup then
    wrun.manual_seed(args.seed)
    groups = init.mup_(model, network(2, widths[1], nn.ReLU, init.zeros_), { lr = lr })
  end
  local optimizer = optim.Adam(groups or model:parameters(), { lr = lr })
  local criterion, batches, sum = nn.CrossEntropyLoss(), #y // ROWS, 0
  for step = 0, STEPS - 1 do
    local first = step % batches * ROWS + 1
    optimizer:zero_grad()
    local cost = criterion(model(x:narrow(1, first, ROWS)), y:narrow(1, first, ROWS))
    cost:backward()
    optimizer:step()
    sum = sum + cost:item()
  end
  return sum / STEPS
end

function studies.widths()
  local count = math.min(IMAGES, #train.y)
  local x, y = standardised(train.x:narrow(1, 1, count)), train.y:narrow(1, 1, count)
  local rates, best, figures = {}, {}, {}
  for i, power in ipairs(POWERS) do
    rates[i] = 2.0 ^ power
  end
  print(("mean cost of %d steps, by learning rate of Adam (2^n), * the best"):format(STEPS))
  local bar <close> = progress.bar { label = "widths", count = 2 * #widths * #rates }
  local done, texts = 0, {}
  for i, name in ipairs { "usual", "muP" } do
    best[name] = {}
    figures[i] = plot.Figure {
      title = name, x = "learning rate", y = "mean cost", log = "x", y_range = { 0, 2.5 },
    }
    for _, width in ipairs(widths) do
      local costs, least = {}, 1
      for j, rate in ipairs(rates) do
        costs[j] = cost_of(width, rate, name == "muP", x, y)
        least = costs[j] < costs[least] and j or least
        done = done + 1
        bar:update(done)
      end
      table.insert(best[name], rates[least])
      figures[i]:line(rates, costs, { label = "width " .. width })
      for j, cost in ipairs(costs) do
        costs[j] = ("%8.3f%s"):format(cost, j == least and "*" or " ")
      end
      texts[#texts + 1] = { ("%s, width %d"):format(name, width), costs }
    end
  end
  bar:close()
  write("", POWERS, "%8d ")
  for _, text in ipairs(texts) do
    write(text[1], text[2], "%s")
  end
  save("widths.png", plot.grid(figures, { columns = 2 }))
  if #widths > 1 and widths[1] <= 64 and widths[#widths] >= 2048 then
    local usual, mup = span(best.usual), span(best.muP)
    claim(mup <= 2, "muP: the best learning rate moves by at most 2 times: %g", mup)
    claim(usual >= 8, "usual: the best learning rate moves by at least 8 times: %g", usual)
  end
end

-- All ------------------------------------------------------------------------

local chosen = {}
for name in args.studies:gmatch("[^,]+") do
  chosen[#chosen + 1] = studies[name]
    or parser:error(("option '--studies': no study called '%s'"):format(name))
end
local timer = wrun.timer()
for _, study in ipairs(chosen) do
  study()
  print()
end
print(table.concat(claims, "\n"))
print(("%.1f s"):format(timer:seconds()))
if not all_hold then
  os.exit(1, true)
end
