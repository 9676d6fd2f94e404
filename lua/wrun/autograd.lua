--- Gradients: switching their recording on and off, and the two ways to ask for them.
--- runtime/bind/bind_autograd.c records a node for each operation, bind_backward.c walks back over
--- them.

local check = require "wrun.check"
local Class = require "wrun.class"
local core = require "wrun.core"
local operations = require "wrun.operations"

local graph, fail = core.graph, check.fail
local no_grad, enable_grad = core.scoped.no_grad, core.scoped.enable_grad

local M = {}

--- Calls f(...) without recording and returns its results; without arguments it returns a guard for
--- `local _ <close> =`, which lasts to the end of the block.
---     local w = wrun.ones(2, { requires_grad = true })
---     wrun.no_grad(function() w:sub_(0.5) end)
---     print(w)
---@type fun(f?: function, ...: any): any
M.no_grad = no_grad

--- Calls f(...) with recording on, also inside no_grad, and returns its results; without arguments
--- it returns a guard, as no_grad.
---     wrun.no_grad(function() print(wrun.enable_grad(wrun.is_grad_enabled)) end)
---@type fun(f?: function, ...: any): any
M.enable_grad = enable_grad

--- Is recording on?
---     print(wrun.is_grad_enabled(), wrun.no_grad(wrun.is_grad_enabled))
---@type fun(): boolean
M.is_grad_enabled = graph.is_grad_enabled

--- Calls f(...) and returns its results; meanwhile a NaN in a gradient is an error, which names the
--- operation and the line of the script that called it. Without arguments it returns a guard, as
--- no_grad.
--- domain  any function; the line is known of operations that were recorded inside such a scope;
---   NaNs are looked for in what each operation passes on, not in sums of those, as in PyTorch
--- raises  what f raises; `backward: the gradient of argument N of OPERATION has a NaN`
--- cost    a look at every gradient, and a line noted for every operation; nothing while off
---     local x = wrun.zeros(2, { requires_grad = true })
---     print(pcall(wrun.autograd.detect_anomaly, function()
---       (x:sqrt() * 0):sum():backward() -- 0 times infinity
---     end))
---@type fun(f?: function, ...: any): any
M.detect_anomaly = core.scoped.detect_anomaly

local function refuse_nan(g, i, label, line)
  if operations.isnan(g):any():item() then
    fail("backward: the gradient of argument %d of %s has a NaN; %s", i, label,
      line and "its forward call is at " .. line
        or "its forward call was made outside detect_anomaly, so its line is not known")
  end
end

-- Hooks ----------------------------------------------------------------------

---@class wrun.Handle: wrun.Class
--- A hook that is in its place until it is removed.
local Handle = Class:extend("Handle")

-- Puts fn at the end of a list of hooks.
function Handle:init(hooks, fn)
  self.hooks, self.fn = hooks, fn
  hooks[#hooks + 1] = self
end

--- Takes the hook away; a second time does nothing.
function Handle:remove()
  for i, handle in ipairs(self.hooks) do
    if rawequal(handle, self) then
      table.remove(self.hooks, i)
    end
  end
end

M.Handle = Handle

-- node or leaf -> its hooks, a list of handles, and the tensor that retains its gradient
local hooks_of = setmetatable({}, { __mode = "k" })

local function run_hooks(target, g)
  local hooks = hooks_of[target]
  for _, handle in ipairs(table.move(hooks, 1, #hooks, 1, {})) do -- a hook may remove itself
    local result = handle.fn(g)
    if result ~= nil then
      if not check.is_tensor(result) or not check.same_shape(result, g) then
        fail("backward: expected a hook to return a gradient of shape %s or nil, got %s",
          check.shape_text(g), check.describe(result))
      end
      g = result:to(g.dtype)
    end
  end
  local x = hooks.retains
  if x then
    x.grad = x.grad and x.grad + g or g:clone()
  end
  return g
end

local walk = graph.walker(operations, refuse_nan, run_hooks)

local function check_output(f, output)
  if not check.is_tensor(output) then
    fail("%s: expected a tensor, got %s", f, check.describe(output))
  elseif not output.requires_grad then
    fail("%s: no gradient flows into this tensor: nothing it was made from requires one", f)
  end
end

-- what a walk from a single number starts from; never changed
local ones = {
  float32 = operations.ones({ dtype = "float32" }),
  float64 = operations.ones({ dtype = "float64" }),
}

-- The seed of a walk from output, both checked. Of most walks it is 1, found by one question.
local function seed_of(f, output, seed)
  local one = seed == nil and ones[graph.loss_dtype(output)]
  if one then
    return one
  end
  check_output(f, output)
  if seed == nil then
    if output:numel() ~= 1 then
      fail("%s: expected a gradient for a result of shape %s; only a single number starts from 1 "
        .. "by itself, such as y:sum() or y:mean()", f, check.shape_text(output))
    end
    return operations.ones(output.shape, { dtype = output.dtype })
  elseif not check.is_tensor(seed) or not check.same_shape(seed, output) then
    fail("%s: expected a gradient of shape %s, got %s", f, check.shape_text(output),
      check.describe(seed))
  end
  return seed:to(output.dtype)
end

local BACKWARD_OPTIONS = {
  retain_graph = check.optional(check.boolean()),
  create_graph = check.boolean(false),
}

--- whether the walk is recorded and whether the graph stays, from options that were checked or nil
local function modes(options)
  if options == nil then
    return false, false
  elseif options.retain_graph == nil then
    return options.create_graph, options.create_graph
  end
  return options.create_graph, options.retain_graph
end

--- Adds to `grad` of every leaf that made `output` the derivative of output with respect to it.
--- shapes  output [...], gradient the same
--- domain  float32 or float64; options retain_graph (keep the graph for another walk) and
---   create_graph (record this walk, so that gradients have gradients)
--- cost    about twice the work of computing output
---     local x = wrun.tensor({ 1.0, 2.0, 3.0 }, { requires_grad = true })
---     x:square():sum():backward()
---     print(x.grad)
---@param gradient wrun.Tensor?  of output's shape; 1 where output is a single number
function M.backward(output, gradient, options)
  local seed = seed_of("backward", output, gradient)
  options = options ~= nil and check.options("backward", options, BACKWARD_OPTIONS) or nil
  local create, keep = modes(options)
  local switched = create and enable_grad or no_grad
  switched(walk, output, seed, keep)
end

--- Walks back from a single number and calls take(leaf, g), outside recording, as soon as the
--- gradient of a leaf is whole; what returns true keeps g, which is not added to the leaf's `grad`.
--- Leaves that have hooks get theirs in the end, in `grad`.
function M.backward_to(output, take)
  no_grad(walk, output, seed_of("backward", output), false, nil, take)
end

local HOOK = check.callable()

-- The hooks of a tensor's gradient, also of one that was computed, in whose node the walk asks.
local function hooks_on(fname, x)
  check.tensor_argument(fname, 1, x)
  if not x.requires_grad then
    fail("%s: argument 1: expected a tensor that requires a gradient, got %s", fname,
      check.describe(x))
  end
  local target = x.grad_fn or x
  hooks_of[target] = hooks_of[target] or {}
  graph.set_hooked(target)
  return hooks_of[target]
end

--- Has hook(g) called with the gradient of x, whole, in each backward pass; what it returns, unless
--- nothing, takes its place. Returns a handle, whose remove() undoes this.
--- shapes  g as x
--- domain  any function; the hooks of a leaf are called when the walk has ended
--- raises  backward raises `backward: expected a hook to return a gradient of shape`
---     local x = wrun.ones(2, { requires_grad = true })
---     local y = x * 3
---     local handle = y:register_hook(function(g) return g * 10 end)
---     y:sum():backward()
---     print(x.grad, handle:remove())
---@param hook fun(g: wrun.Tensor): wrun.Tensor?
---@return wrun.Handle
function M.register_hook(x, hook)
  local hooks = hooks_on("register_hook", x)
  return Handle(hooks, check.argument("register_hook", 2, hook, HOOK))
end

--- Keeps the gradient of x, which was computed, in its `grad`, as leaves have theirs.
--- shapes  any
--- domain  leaves stay as they are; hooks of x come first
---     local x = wrun.ones(2, { requires_grad = true })
---     local y = x * 3
---     y:retain_grad()
---     y:square():sum():backward()
---     print(y.grad)
function M.retain_grad(x)
  local hooks = hooks_on("retain_grad", x)
  hooks.retains = x.grad_fn and x or nil
end

local GRAD_OPTIONS = {
  grad_outputs = check.optional(check.passed_on()),
  retain_graph = check.optional(check.boolean()),
  create_graph = check.boolean(false),
  allow_unused = check.boolean(false),
}

local function as_list(what, value)
  if check.is_tensor(value) then
    return { value }
  elseif type(value) ~= "table" or (#value == 0 and what ~= "option grad_outputs") then
    fail("grad: %s: expected a tensor or a table of tensors, got %s", what, check.describe(value))
  end
  return what == "option grad_outputs" and value or check.list(value)
end

--- Returns the derivatives of outputs with respect to inputs, which need not be leaves; changes no
--- `grad`. Walks, and lets go, only what leads from the outputs to the inputs.
--- shapes  outputs any, option grad_outputs the same; each result has its input's shape
--- domain  float32 or float64; options grad_outputs (1 for a single number), retain_graph,
---   create_graph, and allow_unused: nil for an input that does not lead to the outputs
---     local x = wrun.tensor(2.0, { requires_grad = true })
---     local dx = wrun.autograd.grad(x ^ 3, x, { create_graph = true })
---     print(dx, wrun.autograd.grad(dx, x)) -- 3 x^2 and 6 x
---@param outputs wrun.Tensor|wrun.Tensor[]
---@param inputs wrun.Tensor|wrun.Tensor[]
---@return wrun.Tensor ...  one for each input
function M.grad(outputs, inputs, options)
  options = check.options("grad", options, GRAD_OPTIONS)
  local create, keep = modes(options)
  outputs, inputs = as_list("argument 1", outputs), as_list("argument 2", inputs)
  local given = as_list("option grad_outputs", options.grad_outputs or {})
  local seeds = {}
  for i, output in ipairs(outputs) do
    seeds[i] = seed_of("grad", output, given[i])
  end
  for _, input in ipairs(inputs) do
    check_output("grad", input)
  end
  local targets, wanted = {}, {}
  for i, input in ipairs(inputs) do
    targets[i] = input.grad_fn or input
    wanted[targets[i]] = true
  end
  local switched = create and enable_grad or no_grad
  local _ <close> = switched()
  local sums = walk(outputs, seeds, keep, wanted)
  local results, pass = {}, graph.pass()
  for _, seed in ipairs(seeds) do
    graph.own(seed, pass)
  end
  for i in ipairs(inputs) do
    local g = sums[targets[i]]
    if g == nil and not options.allow_unused then
      fail("grad: input %d does not lead to the outputs; pass allow_unused = true to get nil", i)
    end
    results[i] = g and graph.own(g, pass)
  end
  return table.unpack(results, 1, #inputs)
end

return M
