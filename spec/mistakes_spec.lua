--- What beginners write, and what they are told: the message and the line.
---
--- A row is a script, whose lines end at a bar, and its error, which begins with the line to blame.

local files = require "spec.support.files"
local wrun = require "wrun"

local place = files.scratch(teardown)

local MISTAKES = {
  -- a dot in place of a colon
  {
    "model = nn.Linear(2, 2)|opt = optim.SGD(model:parameters())|opt.step()",
    "3: Optimizer: step: expected an object of Optimizer before the colon, got nil; "
      .. "write optimizer:step(), not optimizer.step()",
  },
  {
    "opt = optim.Adam(nn.Linear(2, 2):parameters())|opt.zero_grad()",
    "2: Optimizer: zero_grad: expected an object of Optimizer before the colon, got nil; "
      .. "write optimizer:zero_grad(), not optimizer.zero_grad()",
  },
  {
    "model = nn.Linear(2, 2)|opt = optim.SGD(model.parameters(), { lr = 0.1 })",
    "2: Module: parameters: expected an object of Module before the colon, got nil; "
      .. "write module:parameters(), not module.parameters()",
  },
  {
    "model = nn.Linear(2, 2)|model.train()",
    "2: Module: train: expected an object of Module before the colon, got nil; write "
      .. "module:train(), not module.train()",
  },
  {
    "model = nn.Linear(2, 2)|model.eval()",
    "2: Module: eval: expected an object of Module before the colon, got nil; write "
      .. "module:eval(), not module.eval()",
  },
  {
    "model = nn.Linear(2, 2)|state = model.state_dict()",
    "2: Module: state_dict: expected an object of Module before the colon, got nil; "
      .. "write module:state_dict(), not module.state_dict()",
  },
  {
    "model = nn.Linear(2, 2)|model.load_state_dict(model:state_dict())",
    "2: Module: load_state_dict: expected an object of Module before the colon, got an "
      .. "object of StateDict; write module:load_state_dict(), not module.load_state_dict()",
  },
  {
    [[model = nn.Linear(2, 2)|model.to("float64")]],
    "2: Module: to: expected an object of Module before the colon, got the string "
      .. "'float64'; write module:to(), not module.to()",
  },
  {
    "model = nn.Linear(2, 2)|y = model.forward(wrun.ones(1, 2))",
    "2: Linear: forward: expected an object of Linear before the colon, got a float32 "
      .. "tensor [1, 2]; write linear:forward(), not linear.forward()",
  },
  {
    "model = nn.Linear(2, 2)|y = nn.Linear.forward(model.weight)",
    "2: Linear: forward: expected an object of Linear before the colon, got a float32 "
      .. "tensor [2, 2]; write linear:forward(), not linear.forward()",
  },
  {
    "model = nn.Sequential(nn.Linear(2, 2))|model.append(nn.ReLU())",
    "2: List: append: expected an object of List before the colon, got an object of "
      .. "ReLU; write list:append(), not list.append()",
  },
  {
    "loader = data.loader({ x = wrun.ones(4, 2) })|for x in loader.batches() do end",
    "2: Loader: batches: expected an object of Loader before the colon, got nil; write "
      .. "loader:batches(), not loader.batches()",
  },
  {
    "opt = optim.SGD(nn.Linear(2, 2):parameters())|sched = "
      .. "optim.lr_scheduler.StepLR(opt, { step_size = 1 })|sched.step()",
    "3: LRScheduler: step: expected an object of LRScheduler before the colon, got nil; "
      .. "write lrscheduler:step(), not lrscheduler.step()",
  },
  {
    "x = wrun.ones(3)|y = x.sum()",
    "2: sum: argument 1: expected a tensor, got nil; write x:sum(), not x.sum()",
  },
  {
    "x = wrun.ones(3)|y = x.reshape(1, 3)",
    "2: reshape: argument 1: expected a tensor, got 1; write x:reshape(), not x.reshape()",
  },
  {
    "x = wrun.ones(3)|y = x.add(1)",
    "2: add: argument 2: expected a tensor or a number, got nil; write x:add(), not "
      .. "x.add()",
  },
  {
    "x = wrun.ones(2, 2)|y = x.matmul(x)",
    "2: matmul: argument 2: expected a tensor, got nil; write x:matmul(), not x.matmul()",
  },
  {
    "x = wrun.ones(3)|print(x.size())",
    "2: size: argument 1: expected a tensor, got nothing; write x:size(), not x.size()",
  },
  {
    "x = wrun.ones(3, { requires_grad = true }):sum()|x.backward()",
    "2: backward: expected a tensor, got nil; write x:backward(), not x.backward()",
  },
  {
    "machine = wrun.rbm.new { visible = 3, hidden = 2 }|machine.fit(wrun.ones(5, 3))",
    "2: rbm.Model: fit: expected an object of rbm.Model before the colon, got a float32 "
      .. "tensor [5, 3]; write model:fit(), not model.fit()",
  },
  {
    "timer = wrun.timer()|print(timer.seconds())",
    "2: Timer: seconds: expected an object of Timer before the colon, got nil; write "
      .. "timer:seconds(), not timer.seconds()",
  },
  {
    "N = nn.Module:extend(\"N\")|function N:init() self.l = nn.Linear(2, 2) end|function "
      .. "N:forward(x) return self.l(x) end|n = N()|n.forward(wrun.ones(1, 2))",
    "3: tensor: no name 'l'; the method was called with a dot; write object:method(x), "
      .. "not object.method(x)",
  },
  {
    [[N = nn.Module.extend("N")]],
    "1: extend: expected a class before the colon, got the string 'N'; write "
      .. "Class:extend(), not Class.extend()",
  },
  {
    "print(nn.Module.is_instance(nn.ReLU()))",
    "1: is_instance: expected a class before the colon, got an object of ReLU; write "
      .. "Class:is_instance(), not Class.is_instance()",
  },
  {
    "g = wrun.Generator()|g.manual_seed(1)",
    "2: manual_seed: argument 1: expected a generator, got 1; write "
      .. "generator:manual_seed(), not generator.manual_seed()",
  },
  -- what Lua compares and walks
  {
    [[x = wrun.ones(3)|if x > 0 then print("positive") end]],
    "2: tensor: <, >, <= and >= give no tensor; write x:lt(y), x:gt(y), x:le(y) or "
      .. "x:ge(y)",
  },
  {
    "x = wrun.ones(3)|y = x <= wrun.zeros(3)",
    "2: tensor: <, >, <= and >= give no tensor; write x:lt(y), x:gt(y), x:le(y) or "
      .. "x:ge(y)",
  },
  {
    "a, b = wrun.ones(2), wrun.ones(2)|n = (a == b):sum()",
    "2: sum: true and false have no methods; a == b asks whether both are one tensor, "
      .. "write a:eq(b) to compare elements",
  },
  {
    "x = wrun.ones(3)|for v in x do end",
    "2: tensor: cannot be called; write x[i] for a part, for i, part in ipairs(x) do for "
      .. "all",
  },
  {
    "loader = data.loader({ x = wrun.ones(4, 2) })|for x in loader do end",
    "2: Loader: cannot be walked by itself; write for x, y in loader:batches() do",
  },
  {
    "loader = data.loader({ x = wrun.ones(4, 2) })|for i, x in ipairs(loader) do end",
    "2: Loader: cannot be walked by itself; write for x, y in loader:batches() do",
  },
  {
    "loader = data.loader({ x = wrun.ones(4, 2) })|for i, x in pairs(loader) do end",
    "2: Loader: cannot be walked by itself; write for x, y in loader:batches() do",
  },
  {
    "sampler = data.RandomSampler(3)|for i in sampler do end",
    "2: Sampler: cannot be walked by itself; write for i in sampler:iterate() do",
  },
  {
    "x = wrun.ones(2)|print(x(1))",
    "2: tensor: cannot be called; write x[i] for a part, for i, part in ipairs(x) do for "
      .. "all",
  },
  {
    [[x = wrun.ones(2)|print("x is " .. x)|y = x.y]],
    "3: tensor: no name 'y'; wrun.help('Tensor') lists those there are",
  },

  -- names
  {
    "c = nn.Conv2d(1, 2, 3)",
    "1: nn: no name 'Conv2d'; wrun has no convolutions; nn.Module:extend(name) makes a layer "
      .. "of one's own",
  },
  {
    "l = nn.Liner(2, 2)",
    "1: nn: no name 'Liner'; did you mean Linear?",
  },
  {
    "x = wrun.ones(3)|print(x:sizes())",
    "2: tensor: no name 'sizes'; did you mean size?",
  },
  {
    "x = wrun.ones(2, 3)|y = x.T",
    "2: tensor: no name 'T'; x:t() swaps the dimensions of a matrix",
  },
  {
    "x = wrun.ones(2, 3)|y = x.data",
    "2: tensor: no name 'data'; x:detach() is x without its gradient",
  },
  {
    "x = wrun.ones(2, 3):cuda()",
    "1: tensor: no name 'cuda'; tensors are in the processor's memory",
  },
  {
    "a = wrun.ones(2, 3):numpy()",
    "1: tensor: no name 'numpy'; x:tolist() is a table, wrun.data.save_npy(path, x) a "
      .. "file for NumPy",
  },
  {
    "print(wrun.ones(2, 3).shap)",
    "1: tensor: no name 'shap'; did you mean shape?",
  },
  {
    "x = wrun.ones(2)|x.shape = { 1, 2 }",
    "2: tensor: the field 'shape' cannot be set; grad and requires_grad can",
  },
  {
    [[x = wrun.ones(2)|x.name = "weights"]],
    "2: tensor: the field 'name' cannot be set; grad and requires_grad can",
  },
  {
    "x = wrun.Tensor { 1, 2 }",
    "1: wrun: no name 'Tensor'; did you mean wrun.tensor(list)?",
  },
  {
    "loader = data.DataLoader({ x = wrun.ones(2, 2) })",
    "1: data: no name 'DataLoader'; did you mean wrun.data.loader(set, options)?",
  },
  {
    "opt = optim.adam(nn.Linear(2, 2):parameters())",
    "1: optim: no name 'adam'; did you mean Adam?",
  },
  {
    "s = optim.lr_scheduler.StepLr(nil)",
    "1: optim.lr_scheduler: no name 'StepLr'; did you mean StepLR?",
  },
  {
    "init.xavier_uniform(wrun.ones(2, 2))",
    "1: nn.init: no name 'xavier_uniform'; did you mean xavier_uniform_?",
  },
  {
    "y = nn.functional.relu(wrun.ones(2))",
    "1: nn.functional: no name 'relu'; did you mean x:relu()?",
  },
  {
    "y = wrun.linalg.svdd(wrun.ones(2, 2))",
    "1: linalg: no name 'svdd'; did you mean svd?",
  },
  {
    "m = wrun.rbm.RBM { visible = 3, hidden = 2 }",
    "1: rbm: no name 'RBM'; did you mean wrun.rbm.new { visible = n, hidden = m }?",
  },

  -- shapes, dimensions, indices
  {
    "y = wrun.ones(2, 3) * wrun.ones(4)",
    "1: mul: argument 2: expected a shape that broadcasts with [2, 3], got [4]",
  },
  {
    "y = wrun.ones(2, 3):matmul(wrun.ones(2, 3))",
    "1: matmul: argument 2: expected 3 rows to match [2, 3], got [2, 3]",
  },
  {
    "y = wrun.ones(2, 3):mm(wrun.ones(2, 3))",
    "1: mm: argument 2: expected 3 rows to match [2, 3], got [2, 3]",
  },
  {
    "y = wrun.randn(2, 3):view(4)",
    "1: view: expected a shape for the 6 elements of [2, 3], got [4]",
  },
  {
    "y = wrun.randn(2, 3):t():view(6)",
    "1: view: the elements do not lie in that order: a view of [3, 2] with strides [1, "
      .. "3] cannot have the shape [6]; use reshape",
  },
  {
    "y = wrun.ones(2, 3):sum(0)",
    "1: sum: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 0",
  },
  {
    "y = wrun.ones(2, 3):argmax(3)",
    "1: argmax: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 3",
  },
  {
    "y = wrun.ones(2, 3):transpose(0, 1)",
    "1: transpose: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 0",
  },
  {
    "y = wrun.ones(2, 3)[0]",
    "1: index: expected an index from 1 to 2 (or -2 to -1) in dimension 1, got 0",
  },
  {
    "y = wrun.ones(2, 3)[3]",
    "1: index: expected an index from 1 to 2 (or -2 to -1) in dimension 1, got 3",
  },
  {
    "print(wrun.ones(2, 3):size(0))",
    "1: size: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 0",
  },
  {
    "y = wrun.cat { wrun.ones(2, 1), wrun.ones(3, 2) }",
    "1: cat: tensor 2: expected the shape [2, 1] but for dimension 1, got [3, 2]",
  },
  {
    "y = wrun.cat(wrun.ones(2), wrun.ones(2))",
    "1: cat: argument 1: expected a table of one or more tensors, got a float32 tensor "
      .. "[2]",
  },
  {
    "y = wrun.stack(wrun.ones(2), wrun.ones(2))",
    "1: stack: argument 1: expected a table of one or more tensors, got a float32 tensor "
      .. "[2]",
  },
  {
    "x = wrun.tensor { { 1, 2 }, { 3 } }",
    "1: tensor: argument 1: expected every table at depth 2 to hold 2 values, got 1",
  },
  {
    "x = wrun.tensor(1, 2, 3)",
    "1: tensor: argument 2: expected a table of options, got 2",
  },
  {
    "x = wrun.ones(-1)",
    "1: ones: a size is negative: [-1]",
  },
  {
    "x = wrun.ones(2.5)",
    "1: ones: argument 1: expected a size, got 2.5",
  },
  {
    "print(wrun.ones(2, 3):item())",
    "1: item: argument 1: expected a tensor with one element, got a float32 tensor [2, 3]",
  },

  -- types and values
  {
    [[x = wrun.ones(2, 3, { dtype = "float" })]],
    "1: ones: option dtype: expected bool, uint8, int32, int64, float32 or float64, got "
      .. "the string 'float'",
  },
  {
    [[x = wrun.ones(2, 3, "float64")]],
    "1: ones: argument 3: expected a size, got the string 'float64'",
  },
  {
    [[x = wrun.ones(2, 3):to("cuda")]],
    "1: to: argument 2: expected bool, uint8, int32, int64, float32 or float64, got the "
      .. "string 'cuda'",
  },
  {
    "m = wrun.tensor({ 1, 2, 3 }):mean()",
    "1: mean: argument 1: expected a float32 or float64 tensor, got an int64 tensor [3]",
  },
  {
    "s = wrun.tensor({ 1, 2, 3 }):std()",
    "1: std: argument 1: expected a float32 or float64 tensor, got an int64 tensor [3]",
  },
  {
    "y = wrun.tensor({ 1, 2, 3 }):softmax(1)",
    "1: softmax: argument 1: expected a float32 or float64 tensor, got an int64 tensor "
      .. "[3]",
  },
  {
    "x = wrun.tensor({ 1, 2, 3 }, { requires_grad = true })",
    "1: tensor: option requires_grad: only float32 and float64 tensors have gradients, "
      .. "got int64",
  },
  {
    "y = wrun.ones(2) + nil",
    "1: add: argument 2: expected a tensor or a number, got nil",
  },
  {
    [[y = wrun.ones(2) + "1"]],
    "1: add: argument 2: expected a tensor or a number, got the string '1'",
  },
  {
    "y = wrun.ones(2) + { 1, 1 }",
    "1: add: argument 2: expected a tensor or a number, got a table",
  },
  {
    "y = wrun.exp(1)",
    "1: exp: argument 1: expected a tensor, got 1",
  },
  {
    "y = wrun.ones(2) & 1",
    "1: bitwise_and: argument 1: expected a tensor of integers or bool, got a float32 "
      .. "tensor [2]",
  },
  {
    "y = wrun.where(wrun.ones(2), 1, 0)",
    "1: where: argument 1: expected a bool tensor, got a float32 tensor [2]",
  },
  {
    "y = wrun.inverse(wrun.ones(2, 3))",
    "1: inverse: argument 1: expected a square matrix or a batch of such, got a float32 "
      .. "tensor [2, 3]",
  },
  {
    [[wrun.manual_seed("abc")]],
    "1: manual_seed: argument 1: expected a whole number as seed, got the string 'abc'",
  },
  {
    "x = wrun.rand(2, { seed = 1 })",
    "1: rand: option seed: unknown; the options are dtype, requires_grad, generator",
  },

  -- gradients
  {
    "x = wrun.ones(3, { requires_grad = true })|y = x * 2|y:backward()",
    "3: backward: expected a gradient for a result of shape [3]; only a single number "
      .. "starts from 1 by itself, such as y:sum() or y:mean()",
  },
  {
    "x = wrun.ones(3)|x:sum():backward()",
    "2: backward: no gradient flows into this tensor: nothing it was made from requires "
      .. "one",
  },
  {
    "x = wrun.ones(2, { requires_grad = true })|x:add_(1)",
    "2: add_: argument 1: a leaf that requires a gradient cannot be changed in place; do "
      .. "it inside wrun.no_grad",
  },
  {
    "x = wrun.ones(2, { requires_grad = true })|x[1] = 3",
    "2: assign: argument 1: a leaf that requires a gradient cannot be changed in place; "
      .. "do it inside wrun.no_grad",
  },
  {
    "y = wrun.ones(2, { requires_grad = true }):exp():sum()|y:backward()|y:backward()",
    "3: backward: this graph was walked already and its values are gone; pass "
      .. "retain_graph = true the first time",
  },
  {
    "x = wrun.ones(2, { requires_grad = true })|y = x:exp()|y:add_(1)|y:sum():backward()",
    "4: backward: result 1 of exp, a float32 tensor [2], is needed for the gradient but "
      .. "was changed in place (version 1, saved at 0); clone() it before the change",
  },
  {
    "x = wrun.ones(2)|x.grad = 3",
    "2: grad: expected a float32 tensor [2] like its tensor, got 3",
  },
  {
    "x = wrun.ones(2)|x:register_hook(print)",
    "2: register_hook: argument 1: expected a tensor that requires a gradient, got a "
      .. "float32 tensor [2]",
  },
  {
    "wrun.no_grad()|y = wrun.ones(2, { requires_grad = true }):sum()",
    "1: no_grad: nothing holds its guard, so nothing would end it; write local _ <close> "
      .. "= before the call, or give it the function to call",
  },
  {
    "wrun.no_grad(wrun.ones(2))",
    "1: no_grad: argument 1: expected a function, got a float32 tensor [2]",
  },
  {
    "f = function(x) return x:exp() end|wrun.gradcheck(f, wrun.ones(1, { requires_grad = "
      .. "true }))",
    "2: gradcheck: input 1, element 1: expected the derivative 1.3 by differences, got 1.3; in "
      .. "float32 they are mostly rounding, pass x:double()",
  },
  {
    "wrun.gradcheck(wrun.exp, { wrun.ones(2) })",
    "1: gradcheck: expected at least one input that requires a gradient",
  },
  {
    "wrun.autograd.grad(wrun.ones(2), wrun.ones(2))",
    "1: grad: no gradient flows into this tensor: nothing it was made from requires one",
  },

  -- layers
  {
    "l = nn.Linear(3)",
    "1: Linear: argument 2: expected an integer >= 0, got nil",
  },
  {
    [[l = nn.Linear("3", 2)]],
    "1: Linear: argument 1: expected an integer >= 0, got the string '3'",
  },
  {
    "l = nn.Linear(3, 2, false)",
    "1: Linear: expected a table of options, got false; write { bias = false }",
  },
  {
    "l = nn.Linear(3, 2, { bais = false })",
    "1: Linear: option bais: unknown; the options are bias, bias_init, dtype, generator, "
      .. "weight_init",
  },
  {
    "y = nn.Linear(3, 2)(wrun.ones(2, 4))",
    "1: linear: argument 1: expected [..., 3], got [2, 4]",
  },
  {
    [[y = nn.Linear(2, 2)(wrun.ones(2, 2, { dtype = "int64" }))]],
    "1: linear: expected float tensors of one type, got an int64 tensor [2, 2], a "
      .. "float32 tensor [2, 2] and a float32 tensor [2]",
  },
  {
    "y = nn.Linear(2, 2)({ 1, 2 })",
    "1: linear: argument 1: expected a tensor, got a table",
  },
  {
    "y = nn.Sequential(nn.Linear(3, 2), nn.Linear(3, 2))(wrun.ones(1, 3))",
    "1: Sequential[2] Linear(3 -> 2): linear: argument 1: expected [..., 3], got [1, 2]",
  },
  {
    "m = nn.Sequential(nn.Linear(3, 2), nn.ReLU)",
    "1: Sequential[2]: expected a module, got the class ReLU; write ReLU(...) to make one",
  },
  {
    "m = nn.Sequential(nn.Linear(3, 2), wrun.relu)",
    "1: Sequential[2]: expected a module, got a function",
  },
  {
    "y = nn.ReLU(wrun.ones(2))",
    "1: ReLU: expected a table of options, got a float32 tensor [2]; make it first and "
      .. "call that: ReLU()(tensor)",
  },
  {
    "m = nn.Linear(2, 2)|m.weight = wrun.ones(2, 4)|print(#m:parameters())",
    "2: Linear: field weight: expected a parameter as before, or nil, got a float32 "
      .. "tensor [2, 4]; write nn.Parameter(tensor), or weight:copy_(tensor) inside "
      .. "wrun.no_grad",
  },
  {
    "m = nn.Linear(2, 2)|m.bias = false|m:state_dict()",
    "2: Linear: field bias: expected a parameter as before, or nil, got false",
  },
  {
    "N = nn.Module:extend(\"N\")|function N:init() self.layers = { nn.Linear(2, 2) } "
      .. "end|print(#N():parameters())",
    "3: N: field layers: an object of Linear in a plain table is not found; write "
      .. "nn.ModuleList(list) or nn.ModuleDict(table)",
  },
  {
    "N = nn.Module:extend(\"N\")|function N:init() self.w = { nn.Parameter(wrun.ones(2)) } "
      .. "end|N():zero_grad()",
    "3: N: field w: a float32 tensor [2] in a plain table is not found; write "
      .. "nn.ParameterList(list)",
  },
  {
    "N = nn.Module:extend(\"N\")|function N:init() self.w = wrun.ones(2, { requires_grad = "
      .. "true }) end|print(#N():parameters())",
    "3: N: field w: a float32 tensor [2] is not found; write nn.Parameter(tensor)",
  },
  {
    [[N = nn.Module:extend("N")|N()(wrun.ones(2))]],
    "2: N: forward: not defined; write function N:forward(x)",
  },
  {
    "nn.Linear(2, 2):load_state_dict { [\"fc.weight\"] = wrun.ones(2, 2), [\"fc.bias\"] = "
      .. "wrun.ones(2) }",
    "1: Linear: load_state_dict: missing weight, bias; unexpected fc.bias, fc.weight; "
      .. "the names fit without 'fc.' in front",
  },
  {
    "s = { [\"0.weight\"] = wrun.ones(1, 1), [\"0.bias\"] = wrun.ones(1) "
      .. "}|nn.Sequential(nn.Linear(1, 1)):load_state_dict(s)",
    "2: Sequential: load_state_dict: missing 1.weight, 1.bias; unexpected 0.bias, "
      .. "0.weight; the names fit with '1.' for '0.' in front",
  },
  {
    "nn.Linear(2, 2):load_state_dict { weight = wrun.ones(2, 3), bias = wrun.ones(2) }",
    "1: Linear: load_state_dict: weight: expected [2, 2], got [2, 3]",
  },
  {
    "init.xavier_uniform_(nn.Linear(2, 2))",
    "1: xavier_uniform_: argument 1: expected a tensor, got an object of Linear; write "
      .. "layer.weight",
  },
  {
    "init.xavier_uniform_(nn.Linear(2, 2).bias)",
    "1: xavier_uniform_: argument 1: expected at least 2 dimensions to tell fan in from "
      .. "fan out, got [2]",
  },
  {
    [[init.he_uniform_(wrun.ones(2, 2, { dtype = "int64" }))]],
    "1: he_uniform_: argument 1: expected a float32 or float64 tensor, got an int64 "
      .. "tensor [2, 2]",
  },
  {
    "p = nn.Parameter(wrun.full({ 2 }, 1))",
    "1: Parameter: argument 1: expected a float32 or float64 tensor, got an int64 tensor "
      .. "[2]",
  },

  -- losses
  {
    "loss = nn.CrossEntropyLoss(wrun.ones(2, 3), wrun.tensor { 1, 2 })",
    "1: CrossEntropyLoss: expected a table of options, got a float32 tensor [2, 3]; make "
      .. "it first and call that: CrossEntropyLoss()(tensor)",
  },
  {
    "loss = nn.CrossEntropyLoss()(wrun.ones(2, 3), wrun.tensor { 0, 2 })",
    "1: CrossEntropyLoss: argument 2: expected classes from 1 to 3, got 0 at index 1; "
      .. "labels that count from 0 need +1",
  },
  {
    "loss = nn.CrossEntropyLoss()(wrun.ones(2, 3), wrun.tensor { 1.0, 2.0 })",
    "1: CrossEntropyLoss: argument 2: expected [2, 3] to match [2, 3], got [2]; classes "
      .. "are int64 or uint8, write y:long()",
  },
  {
    "loss = nn.CrossEntropyLoss()(wrun.ones(2, 3), { 1, 2 })",
    "1: CrossEntropyLoss: argument 2: expected a tensor, got {1, 2}",
  },
  {
    "loss = nn.MSELoss()(wrun.ones(2, 3), wrun.ones(2))",
    "1: MSELoss: argument 2: expected [2, 3] to match argument 1, got [2]",
  },
  {
    "loss = nn.MSELoss()(wrun.ones(2, 3))",
    "1: MSELoss: argument 2: expected a tensor, got nil",
  },
  {
    [[loss = nn.MSELoss { reduction = "avg" }]],
    "1: MSELoss: option reduction: expected mean, none or sum, got the string 'avg'",
  },

  -- optimisers
  {
    "opt = optim.SGD(nn.Linear(2, 2))",
    "1: SGD: argument 1: expected parameters, a list of tensors or of groups, got an "
      .. "object of Linear; write model:parameters()",
  },
  {
    "opt = optim.SGD(nn.Linear(2, 2):named_parameters())",
    "1: SGD: argument 1: expected parameters, a list of tensors or of groups, got a "
      .. "function; write model:parameters()",
  },
  {
    "opt = optim.SGD(nn.ReLU():parameters())",
    "1: SGD: argument 1: expected parameters, a list of tensors or of groups, got an "
      .. "empty list",
  },
  {
    "opt = optim.SGD(nn.Linear(2, 2):parameters(), 0.1)",
    "1: SGD: expected a table of options, got 0.1; write { NAME = 0.1 }, NAME one of "
      .. "dampening, lr, momentum, weight_decay",
  },
  {
    "opt = optim.SGD(nn.Linear(2, 2):parameters(), { learning_rate = 0.1 })",
    "1: SGD: option learning_rate: unknown; the options are dampening, lr, maximize, "
      .. "momentum, nesterov, weight_decay",
  },
  {
    [[opt = optim.SGD(nn.Linear(2, 2):parameters(), { lr = "0.1" })]],
    "1: SGD: option lr: expected a number >= 0, got the string '0.1'",
  },
  {
    "opt = optim.SGD(nn.Linear(2, 2):parameters(), { lr = -1 })",
    "1: SGD: option lr: expected a number >= 0, got -1",
  },
  {
    "opt = optim.SGD(nn.Linear(2, 2):parameters())|opt.lr = 0.5",
    "2: SGD: the option lr belongs to a group; write optimizer.param_groups[1].lr = value",
  },
  {
    "opt = optim.SGD { wrun.ones(2, { requires_grad = true }) * 2 }",
    "1: SGD: parameter 1: expected a leaf tensor, got a computed one; detach() makes it "
      .. "a leaf",
  },
  {
    "opt = optim.SGD(nn.Linear(2, 2):parameters())|opt:step(wrun.ones(1))",
    "2: SGD: step: argument 1: expected a function, got a float32 tensor [1]",
  },
  {
    "s = optim.lr_scheduler.StepLR(nn.Linear(2, 2), { step_size = 10 })",
    "1: StepLR: argument 1: expected an optimizer, got an object of Linear",
  },
  {
    "opt = optim.SGD(nn.Linear(2, 2):parameters())|s = optim.lr_scheduler.StepLR(opt, 10)",
    "2: StepLR: expected a table of options, got 10; write { NAME = 10 }, NAME one of gamma, "
      .. "step_size",
  },

  -- data and files
  {
    [[train = data.mnist("train")]],
    "1: mnist: expected a table of options, got the string 'train'; write { NAME = 'train' }, "
      .. "NAME one of folder, mirror, split",
  },
  {
    [[train = data.mnist { split = "Train" }]],
    "1: mnist: option split: expected train or test, got the string 'Train'",
  },
  {
    "train = data.mnist { train = true }",
    "1: mnist: option train: unknown; the options are folder, mirror, otherwise, split",
  },
  {
    "loader = data.loader(wrun.ones(2, 2))",
    "1: loader: argument 1: expected a data set, got a float32 tensor [2, 2]",
  },
  {
    "loader = data.loader({ x = wrun.ones(2, 2), y = wrun.ones(3) })",
    "1: loader: argument 1: expected as many targets as samples, got x [2, 2] and y [3]",
  },
  {
    "loader = data.loader({ x = wrun.ones(2, 2) }, 100)",
    "1: loader: expected a table of options, got 100; write { batch_size = 100 }",
  },
  {
    [[loader = data.loader({ x = wrun.ones(2, 2) }, { batch_size = "100" })]],
    "1: loader: option batch_size: expected an integer >= 1, got the string '100'",
  },
  {
    "loader = data.loader({ x = wrun.ones(2, 2) }, { batchsize = 1 })",
    "1: loader: option batchsize: unknown; the options are batch_sampler, batch_size, "
      .. "collate, drop_last, flatten, generator, order, sampler, shuffle, target_transform, "
      .. "transform",
  },
  {
    "loader = data.loader({ x = wrun.ones(2, 2) })|loader.batch_size = 2",
    "2: loader: option batch_size: is read when the loader is made; make another one",
  },
  {
    "set = data.TensorDataset(wrun.ones(2, 2))|s = set[3]",
    "2: TensorDataset: expected an index from 1 to 2 or from -2 to -1, got 3",
  },
  {
    [[wrun.save("model.pt", nn.Linear(2, 2))]],
    "1: save: argument 2: expected tables of tensors, got an object of Linear; write "
      .. "object:state_dict()",
  },
  {
    [[wrun.save("model.pt", { epoch = 1, model = nn.Linear(2, 2) })]],
    "1: save: argument 2: model: expected tables of tensors, got an object of Linear; "
      .. "write object:state_dict()",
  },
  {
    [[wrun.save(wrun.ones(2), "x.safetensors")]],
    "1: save: argument 1: expected a string, got a float32 tensor [2]",
  },
  {
    [[wrun.save("x.safetensors", wrun.ones(2))]],
    "1: save: argument 2: expected a table, got a float32 tensor [2]",
  },
  {
    [[wrun.save("x.safetensors", { forward = print })]],
    "1: save: argument 2: forward: expected a tensor, a table, a number, a boolean or a "
      .. "text, got a function",
  },
  {
    [[wrun.load("/no/such/file")]],
    "1: load: /no/such/file: No such file or directory",
  },

  -- machines
  {
    "m = wrun.rbm.new { visible = 3 }",
    "1: rbm.new: option hidden: expected an integer >= 1, got nil",
  },
  {
    "m = wrun.rbm.new(3, 4)",
    "1: rbm.new: expected a table of options, got 3; write { NAME = 3 }, NAME one of "
      .. "categories, hidden, seed, std, visible",
  },
  {
    "m = wrun.rbm.new { visible = 3, hidden = 4 }|m:fit(wrun.ones(5, 4))",
    "2: fit: argument 1: expected [n, 3] with n >= 1, got a float32 tensor [5, 4]",
  },
  {
    "m = wrun.rbm.new { visible = 3, hidden = 4 }|m:fit(wrun.ones(5, 3), { epoch = 3 })",
    "2: fit: option epoch: unknown; the options are batch_size, binarize, callback, "
      .. "chains, epochs, fast_lr, k, l1, l2, lr, method, momentum, offset_rate, resume, run, "
      .. "sparsity, start_from_mean, temperatures, valid, verbose",
  },
  {
    "m = wrun.rbm.new { visible = 3, hidden = 4 }|m:fit { x = wrun.ones(5, 3) }",
    "2: fit: argument 1: expected a tensor, got a table",
  },

  -- what newcomers from PyTorch, NumPy and Lua write besides
  {
    "m = nn.Linear(2, 2)|init.xavier_uniform_(m.wieght)",
    "2: Linear: no name 'wieght'; did you mean weight?",
  },
  {
    "m = nn.Linear(2, 2)|m:paramters()",
    "2: Linear: no name 'paramters'; did you mean parameters?",
  },
  {
    "opt = optim.SGD(nn.Linear(2, 2):parameters())|print(opt.lr)",
    "2: SGD: no name 'lr'; the option belongs to a group; write optimizer.param_groups[1].lr",
  },
  {
    "opt = optim.SGD(nn.Linear(2, 2):parameters())|opt:zero_gard()",
    "2: SGD: no name 'zero_gard'; did you mean zero_grad?",
  },
  {
    "l = nn.Linear(784, 256, false)",
    "1: Linear: expected a table of options, got false; write { bias = false }",
  },
  {
    "e = nn.Embedding(10)",
    "1: Embedding: argument 2: expected an integer >= 0, got nil",
  },
  {
    "n = nn.LayerNorm(3, 1e-5)",
    "1: LayerNorm: expected a table of options, got 1e-05; write { eps = 1e-05 }",
  },
  {
    "n = nn.BatchNorm1d()",
    "1: BatchNorm1d: argument 1: expected an integer >= 1, got nil",
  },
  {
    [[loss = nn.CrossEntropyLoss("sum")]],
    "1: CrossEntropyLoss: expected a table of options, got the string 'sum'; write { reduction "
      .. "= 'sum' }",
  },
  {
    "loss = nn.CrossEntropyLoss { weight = { 1, 2, 3 } }",
    "1: CrossEntropyLoss: option weight: expected a tensor, got {1, 2, 3}",
  },
  {
    "opt = optim.Adam(nn.Linear(2, 2):parameters(), { betas = 0.9 })",
    "1: Adam: option betas: expected two numbers >= 0 and < 1, got 0.9",
  },
  {
    "opt = optim.Adam(nn.Linear(2, 2):parameters(), { beta1 = 0.9 })",
    "1: Adam: option beta1: unknown; the options are amsgrad, betas, decoupled_weight_decay, "
      .. "eps, lr, maximize, weight_decay",
  },
  {
    "s = optim.lr_scheduler.StepLR(optim.SGD(nn.Linear(2, 2):parameters()))",
    "1: StepLR: option step_size: expected an integer >= 1, got nil",
  },
  {
    "s = optim.StepLR(nil, {})",
    "1: optim: no name 'StepLR'; did you mean wrun.optim.lr_scheduler.StepLR?",
  },
  {
    "s = optim.lr_scheduler.StepLR(optim.SGD(nn.Linear(2, 2):parameters()), 30, 0.1)",
    "1: StepLR: expected a table of options, got 30; write { NAME = 30 }, NAME one of gamma, "
      .. "step_size",
  },
  {
    "m = nn.Linear(2, 2):cuda()",
    "1: Linear: no name 'cuda'; wrun computes on the processor alone",
  },
  {
    [[m = nn.Linear(2, 2):to("cuda")]],
    "1: to: argument 1: expected float32 or float64, got the string 'cuda'",
  },
  {
    "x = wrun.ones(2, 3, { dtype = wrun.float64 })",
    "1: wrun: no name 'float64'; did you mean { dtype = 'float64' }?",
  },
  {
    "x = wrun.ones(2, 3):sum { dim = 1 }",
    "1: sum: argument 2: expected only dimensions in this table, without names",
  },
  {
    "x = wrun.ones(2, 3):sum(1, true, 3)",
    "1: sum: expected a table of options, got 3",
  },
  {
    "x = wrun.ones(2, 3):view(-1, -1)",
    "1: view: expected sizes of 0 or more and at most one -1, got [-1, -1]",
  },
  {
    "x = wrun.ones(2, 3):permute(0, 1)",
    "1: permute: expected each dimension from 1 to 2 once, got [0, 1]",
  },
  {
    "x = wrun.ones(2, 3):max(0)",
    "1: max: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 0",
  },
  {
    "x = wrun.ones(2, 3)[{ 1, 4 }]",
    "1: index: expected an index from 1 to 3 (or -3 to -1) in dimension 2, got 4",
  },
  {
    "x = wrun.ones(2, 3)[1][4]",
    "1: index: expected an index from 1 to 3 (or -3 to -1) in dimension 1, got 4",
  },
  {
    "x = wrun.ones(2, 3)[1.5]",
    "1: index: argument 2: expected a whole index, got 1.5",
  },
  {
    "x = wrun.ones(2, 3)[nil]",
    "1: index: argument 2: expected an index or a table of indices and slices, got nil",
  },
  {
    "x = wrun.ones(4)|x[5] = 1",
    "2: assign: expected an index from 1 to 4 (or -4 to -1) in dimension 1, got 5",
  },
  {
    [[x = wrun.ones(4)|x[1] = "a"]],
    "2: assign: argument 3: expected a tensor or a number, got the string 'a'",
  },
  {
    [[x = wrun.tensor({ 1, "a" })]],
    "1: tensor: argument 1: expected numbers or booleans in tables of one shape, got the "
      .. "string 'a'",
  },
  {
    "x = wrun.tensor({ 1, nil, 3 })",
    "1: tensor: argument 1: expected numbers or booleans in tables of one shape, got nil",
  },
  {
    "x = wrun.tensor({})|print(x[1])",
    "2: index: dimension 1 is empty, got the index 1",
  },
  {
    "x = wrun.randn { 2, 3, 4.5 }",
    "1: randn: argument 1: expected a size, got 4.5",
  },
  {
    "x = wrun.randint(10)",
    "1: randint: argument 2: expected a table of sizes, got nothing",
  },
  {
    "x = wrun.randint(10, 5, { 3 })",
    "1: randint: expected bounds with low < high, got 10 and 5",
  },
  {
    "x = wrun.randint(0, 10, 5)",
    "1: randint: argument 3: expected a table of sizes, got 5",
  },
  {
    "x = wrun.arange(0, 10, 0)",
    "1: arange: expected a step that leads from 0.0 to 10.0, got 0.0",
  },
  {
    "x = wrun.linspace(0, 1)",
    "1: linspace: argument 3: expected a number of values, got nothing",
  },
  {
    "x = wrun.full(2, 3)",
    "1: full: argument 1: expected a table of sizes, got 2",
  },
  {
    "x = wrun.cat({ wrun.ones(2), wrun.ones(3) }, 2)",
    "1: cat: argument 2: expected a dimension from 1 to 1 or from -1 to -1, got 2",
  },
  {
    "x = wrun.cat({ wrun.ones(2), 3 })",
    "1: cat: tensor 2: expected a tensor, got 3",
  },
  {
    "x = wrun.stack({ wrun.ones(2), wrun.ones(3) })",
    "1: stack: tensor 2: expected the shape [2], got [3]",
  },
  {
    "y = wrun.ones(2, 3):dot(wrun.ones(2, 3))",
    "1: dot: expected 1 and 1 dimensions, got a float32 tensor [2, 3] and a float32 tensor [2, 3]",
  },
  {
    "y = wrun.ones(3):gather(1, wrun.tensor { 0 })",
    "1: gather: argument 3: expected indices from 1 to 3, got 0 at index 1",
  },
  {
    "y = wrun.ones(3):index_select(1, { 1, 2 })",
    "1: index_select: argument 3: expected a tensor, got a table",
  },
  {
    "y = wrun.tensor { 1, 2, 3 }:one_hot(2)",
    "1: one_hot: argument 1: expected indices from 1 to 2, got 3 at index 3",
  },
  {
    "y = wrun.ones(3):masked_select(wrun.ones(3))",
    "1: masked_select: argument 2: expected a bool tensor, got a float32 tensor [3]",
  },
  {
    [[x = wrun.ones(3)|x.requires_grad = "yes"]],
    "2: requires_grad: expected true or false, got the string 'yes'",
  },
  {
    "x = wrun.tensor { 1, 2 }|x.requires_grad = true",
    "2: requires_grad: only float32 and float64 tensors have gradients, got an int64 tensor [2]",
  },
  {
    "x = wrun.ones(3, { requires_grad = true })|y = x * 2|y.requires_grad = false",
    "3: requires_grad: only a leaf can give up its gradient; use detach() on a result",
  },
  {
    "print(wrun.ones(2) + wrun.ones(3))",
    "1: add: argument 2: expected a shape that broadcasts with [2], got [3]",
  },
  {
    "x = math.max(wrun.ones(2), 1)",
    "1: tensor: <, >, <= and >= give no tensor; write x:lt(y), x:gt(y), x:le(y) or x:ge(y)",
  },
  {
    "x = wrun.sqrt(2)",
    "1: sqrt: argument 1: expected a tensor, got 2",
  },
  {
    "x = #wrun.tensor(3)",
    "1: #: a tensor without dimensions has no length",
  },
  {
    "x = wrun.ones(3)|for i = 0, 2 do print(x[i]) end",
    "2: index: expected an index from 1 to 3 (or -3 to -1) in dimension 1, got 0",
  },
  {
    "x = wrun.ones(3)|for i = 1, #x + 1 do print(x[i]) end",
    "2: index: expected an index from 1 to 3 (or -3 to -1) in dimension 1, got 4",
  },
  {
    [[m = nn.Sequential(nn.Linear(2, 2), "relu")]],
    "1: Sequential[2]: expected a module, got the string 'relu'",
  },
  {
    "m = nn.Sequential { fc1 = nn.Linear(2, 2) }",
    [[1: Sequential: names in a table have no order; write { "fc1", item } for each]],
  },
  {
    "m = nn.Linear(2, 2)|m(1)",
    "2: linear: argument 1: expected a tensor, got 1",
  },
  {
    "m = nn.Linear(2, 2)|m()",
    "2: linear: argument 1: expected a tensor, got nil",
  },
  {
    [[m = nn.Linear(2, 2)(wrun.ones(2, 2, { dtype="float64" }))]],
    "1: linear: expected float tensors of one type, got a float64 tensor [2, 2], a float32 "
      .. "tensor [2, 2] and a float32 tensor [2]",
  },
  {
    "for x, y in data.loader { x = wrun.ones(4, 2), y = wrun.ones(4) } do end",
    "1: Loader: cannot be walked by itself; write for x, y in loader:batches() do",
  },
  {
    "l = data.loader({ x = { 1, 2, 3 } })",
    "1: loader: argument 1: expected field x to be a tensor of samples, got {1, 2, 3}",
  },
  {
    "l = data.loader({ x = wrun.ones(4, 2) }, { batch_size = 0 })",
    "1: loader: option batch_size: expected an integer >= 1, got 0",
  },
  {
    "l = data.loader({ x = wrun.ones(4, 2) }, { num_workers = 4 })",
    "1: loader: option num_workers: unknown; the options are batch_sampler, batch_size, "
      .. "collate, drop_last, flatten, generator, order, sampler, shuffle, target_transform, "
      .. "transform",
  },
  {
    [[t = data.mnist { root = "/tmp" }]],
    "1: mnist: option root: unknown; the options are folder, mirror, otherwise, split",
  },
  {
    [[wrun.save({ model = 1 }, "m.safetensors")]],
    "1: save: argument 1: expected a string, got a table",
  },
  {
    [[m = nn.Linear(2, 2)|m:load("x")]],
    "2: Linear: no name 'load'; write module:load_state_dict(wrun.load(path))",
  },
  {
    [[m = nn.Linear(2, 2)|m:save("x")]],
    "2: Linear: no name 'save'; write wrun.save(path, module:state_dict())",
  },
  {
    [[m = nn.Linear(2, 2)|m:load_state_dict("x.safetensors")]],
    "2: Linear: load_state_dict: argument 1: expected a table, got the string 'x.safetensors'; "
      .. "write wrun.load(path)",
  },
  {
    [[wrun.image.save(wrun.ones(2, 2), "x.png")]],
    "1: image.save: argument 1: expected a string, got a float32 tensor [2, 2]",
  },
  {
    [[x = wrun.ones(2):astype("float64")]],
    "1: tensor: no name 'astype'; write x:to('float64')",
  },
  {
    "x = wrun.ones(2, 3):T()",
    "1: tensor: no name 'T'; x:t() swaps the dimensions of a matrix",
  },
  {
    "n = wrun.ones(2, 3):dim() .. wrun.ones(2):length()",
    "1: tensor: no name 'length'; #x is the size of the first dimension",
  },
  {
    "r = wrun.rbm.new { visible = 4, hidden = 2 }|r:fit(wrun.ones(4, 4), { epochs = 1, method "
      .. "= \"CD\" })",
    "2: fit: option method: expected cd, pcd, fpcd, pt or exact, got the string 'CD'",
  },
  {
    "r = wrun.rbm.new { visible = 4, hidden = 2 }|r:fit(wrun.ones(4, 4) * 255, { epochs = 1 })",
    "2: fit: argument 1: expected values from 0 to 1 for binary units, got 255 to 255",
  },
  {
    "r = wrun.rbm.new { visible = 4, hidden = 2 }|r:sample(3)",
    "2: rbm.Model: no name 'sample'; did you mean sample_h?",
  },
  {
    [[print("mean: " + wrun.ones(2):mean())]],
    "1: add: argument 1: expected a tensor, got the string 'mean: '; text is joined by ..",
  },
  {
    "x = wrun.ones(2, 3):mean { dim = 1 }",
    "1: mean: argument 2: expected only dimensions in this table, without names",
  },
  {
    "x = wrun.cat { wrun.ones(2), wrun.ones(2), dim = 1 }",
    "1: cat: argument 1: expected only tensors in this table, without names",
  },
  {
    "x = wrun.ones(2, 3)[{ dim = 1 }]",
    "1: index: argument 2: expected only indices and slices in this table, without names",
  },
  {
    "print(wrun.ones(2, 3).shape[0])",
    "1: Size: expected an index from 1 to 2 or from -2 to -1, got 0",
  },
  {
    "print(wrun.ones(2, 3):shape())",
    "1: tensor: shape is no method; write x.shape, or x:size(d) for one size",
  },
  {
    "l = data.loader({ x = wrun.ones(4, 2) }, 2)",
    "1: loader: expected a table of options, got 2; write { batch_size = 2 }",
  },
  {
    [[d = nn.Dropout("0.5")]],
    "1: Dropout: argument 1: expected a number from 0 to 1, got the string '0.5'",
  },
  {
    [[loss = nn.CrossEntropyLoss("mean")]],
    "1: CrossEntropyLoss: expected a table of options, got the string 'mean'; write { "
      .. "reduction = 'mean' }",
  },
  {
    "m = nn.Sequential(nn.Linear(2, 2))|m:add(nn.ReLU())",
    "2: Sequential: no name 'add'; write module:append(item)",
  },
  {
    "opt = optim.SGD(nn.Linear(2, 2).weight, { lr = 0.1 })",
    "1: SGD: argument 1: expected parameters, a list of tensors or of groups, got a float32 "
      .. "tensor [2, 2]; write { tensor }",
  },
  {
    "loss = nn.MSELoss()|loss:backward()",
    "2: MSELoss: no name 'backward'; write module(...):backward(), where that is one number",
  },
  {
    "loss = nn.functional.mse_loss(wrun.ones(2))",
    "1: mse_loss: argument 2: expected a tensor, got nil",
  },
  {
    "y = nn.functional.cross_entropy(wrun.ones(2, 3), wrun.tensor { 1, 4 })",
    "1: cross_entropy: argument 2: expected classes from 1 to 3, got 4 at index 2",
  },
  {
    "y = nn.BCELoss()(wrun.tensor { 2.0 }, wrun.tensor { 1.0 })",
    "1: BCELoss: argument 1: expected probabilities from 0 to 1, got 2.0 at index 1; for "
      .. "logits use BCEWithLogitsLoss",
  },
  {
    "y = nn.Embedding(10, 3)(wrun.tensor { 0 })",
    "1: Embedding: argument 1: expected indices from 1 to 10, got 0; indices that count from 0 "
      .. "need +1",
  },
  {
    "y = nn.Embedding(10, 3)(wrun.tensor { 1.0 })",
    "1: Embedding: argument 1: expected int64 or uint8 indices, got a float32 tensor [1]",
  },
  {
    "y = nn.BatchNorm1d(3)(wrun.ones(1, 3))",
    "1: BatchNorm1d: argument 1: expected more than 1 value per channel when training, got [1, 3]",
  },
  {
    "y = nn.BatchNorm1d(3)(wrun.ones(4, 2))",
    "1: BatchNorm1d: argument 1: expected [n, C] or [n, C, l] with C = 3, got [4, 2]",
  },
  {
    "y = nn.LayerNorm(3)(wrun.ones(4, 2))",
    "1: LayerNorm: argument 1: expected a shape that ends in [3], got [4, 2]",
  },
  {
    "x = wrun.rand(3, 3)|y = x(1, 2)",
    "2: tensor: cannot be called; write x[i] for a part, for i, part in ipairs(x) do for all",
  },
  {
    "x = wrun.rand(3)|table.insert(x, 1)",
    "2: assign: expected an index from 1 to 3 (or -3 to -1) in dimension 1, got 4",
  },
  {
    "x = wrun.rand(3)|table.sort(x)",
    "2: tensor: <, >, <= and >= give no tensor; write x:lt(y), x:gt(y), x:le(y) or x:ge(y)",
  },
  {
    "x = wrun.ones(2)|x:mul_(wrun.ones(3))",
    "2: mul_: argument 2: expected a shape that broadcasts with [2], got [3]",
  },
  {
    "x = wrun.tensor { 1, 2 }|x:add_(0.5)",
    "2: add_: argument 1: an int64 tensor [2] cannot hold results of type float32",
  },
  {
    "x = wrun.tensor { 1, 2 }|x:div_(2)",
    "2: div_: argument 1: an int64 tensor [2] cannot hold results of type float32",
  },
  {
    "x = wrun.tensor { 1, 2 } // 0",
    "1: floor_divide: argument 2: expected no zero, since integers are divided",
  },
  {
    [[x = wrun.ones(2):fill_("a")]],
    "1: fill_: argument 2: expected a tensor or a number, got the string 'a'",
  },
  {
    "x = wrun.ones(2):copy_({ 1, 2 })",
    "1: copy_: argument 2: expected a tensor or a number, got a table",
  },
  {
    [[x = wrun.ones(2):type("float64")]],
    "1: tensor: no name 'type'; did you mean dtype?",
  },
  {
    "x = wrun.zeros(2, 2):inverse()",
    "1: inverse: argument 1: the matrix is singular",
  },
  {
    "x = wrun.ones(2, 2):cholesky()",
    "1: cholesky: argument 1: the matrix is not positive definite",
  },
  {
    "x = wrun.multinomial(wrun.ones(3), 5)",
    "1: multinomial: argument 2: expected 1 to 3 samples for row 1, which has that many "
      .. "nonzero weights, got 5",
  },
  {
    "x = wrun.bernoulli(wrun.ones(2) * 2)",
    "1: bernoulli: argument 1: expected probabilities from 0 to 1, got 2.0 at index 1",
  },
  {
    "x = wrun.normal(0, -1, { 2 })",
    "1: normal: argument 2: expected standard deviations >= 0, got -1",
  },
  {
    "x = wrun.ones(2, { requires_grad = true })|y = wrun.no_grad(function() return x * 2 "
      .. "end)|y:sum():backward()",
    "3: backward: no gradient flows into this tensor: nothing it was made from requires one",
  },
  {
    [[log = wrun.logbook.open("/no/such/run.csv")]],
    "1: open: /no/such/run.csv: No such file or directory",
  },
  {
    "bar = wrun.progress.bar(10)|bar:set(1)",
    "1: progress.bar: expected a table of options, got 10; write { NAME = 10 }, NAME one of "
      .. "columns, count, first, scale",
  },
  {
    "for x in wrun.progress(10) do end",
    "1: progress: argument 1: expected a function, got 10",
  },
  {
    "wrun.plot.line({ 1, 2 }, { 1, 2 })",
    "1: plot: no name 'line'; wrun.help(wrun.plot) lists those there are",
  },
  {
    "data.random_split(data.TensorDataset(wrun.ones(4)), { 3, 2 })",
    "1: random_split: argument 2: expected lengths that add up to 4, or fractions to 1, got 5",
  },
  {
    "data.transforms.Normalize(0.5)",
    "1: data.transforms: no name 'Normalize'; did you mean normalize?",
  },
  {
    "data.TensorDataset(wrun.ones(4), wrun.ones(3))",
    "1: TensorDataset: argument 2: expected a tensor of 4 samples, got a float32 tensor [3]",
  },
  {
    "set = data.TensorDataset(wrun.ones(4))|print(set[0])",
    "2: TensorDataset: expected an index from 1 to 4 or from -4 to -1, got 0",
  },
  {
    "set = data.TensorDataset(wrun.ones(4))|print(set:len())",
    "2: TensorDataset: no name 'len'; write #object",
  },
  {
    "print(nn.init.normal_(nn.Linear(2, 2).weight, 0, -1))",
    "1: normal_: option std: expected a number >= 0, got -1",
  },
  {
    [[init.kaiming_uniform_(nn.Linear(2, 2).weight, "relu")]],
    "1: kaiming_uniform_: option a: expected a number, got the string 'relu'",
  },
  {
    [[init.kaiming_uniform_(nn.Linear(2, 2).weight, { mode = "fan-in" })]],
    "1: kaiming_uniform_: option mode: expected fan_in or fan_out, got the string 'fan-in'",
  },
  {
    "init.constant_(nn.Linear(2, 2).weight)",
    "1: constant_: argument 2: expected a tensor or a number, got nil",
  },
  {
    "init.uniform_(nn.Linear(2, 2).weight, 1, -1)",
    "1: uniform_: option b: expected a number >= a, which is 1, got -1",
  },
  {
    [[init.apply(nn.Linear(2, 2), "xavier")]],
    "1: apply: argument 2: expected a function of a tensor or the name of one, like "
      .. "\"xavier_uniform\", got the string 'xavier'",
  },
  {
    "r = nn.init.report(nn.Linear(2, 2))",
    "1: report: argument 2: expected a tensor, got nil",
  },
  {
    "nn.utils.clip_grad_norm_(nn.Linear(2, 2):parameters())",
    "1: clip_grad_norm_: argument 2: expected a number >= 0, got nil",
  },
  {
    "m = nn.ModuleList({ nn.Linear(2, 2) })|m(wrun.ones(2))",
    "2: ModuleList: forward: not defined; call the modules in it",
  },
  {
    "m = nn.Sequential(nn.Linear(2, 2))|m[0](wrun.ones(2))",
    "2: Sequential: indices count from 1, got 0",
  },
  {
    [[N = nn.Module:extend("N")|function N.forward(x) return x end]],
    "2: N: forward: the module comes first; write function N:forward(x)",
  },
  {
    [[N = nn.Module:extend("N")|N(wrun.ones(2))]],
    "2: N: expected no arguments, since it has no init, got a float32 tensor [2]; N()(...) "
      .. "makes an object and calls it",
  },
  {
    "x = wrun.ones(2):map(math.sin)",
    "1: tensor: no name 'map'; operations take all elements at once, as x:exp() does",
  },

  -- experiments, sweeps, starts, pictures
  {
    "run = wrun.experiment(\"demo\")",
    "1: experiment: expected a table of options, got the string 'demo'; write { NAME = "
      .. "'demo' }, NAME one of folder, name",
  },
  {
    "run = wrun.experiment { folder = place, seeds = 1 }",
    "1: experiment: option seeds: unknown; the options are every, folder, keep, keeps, name, "
      .. "options, seed",
  },
  {
    "run = wrun.experiment { name = \"a/b\" }",
    "1: experiment: option name: expected a name of letters, digits, - and _, got the string "
      .. "'a/b'",
  },
  {
    "run = wrun.experiment { name = \"a\", folder = place .. \"/a\" }|for epoch in run:loop(3) "
      .. "do end",
    "2: loop: expected parts to keep; first say what the run is made of: run:keep { model = "
      .. "model }",
  },
  {
    "run = wrun.experiment { name = \"b\", folder = place .. \"/b\" }|run:log { loss = 1 }",
    "2: Experiment: no name 'log'; write run:add { loss = loss } for a mean over the epoch, "
      .. "run:set { loss = loss } else",
  },
  {
    "run = wrun.experiment { name = \"c\", folder = place .. \"/c\" }|run:finish()",
    "2: Experiment: no name 'finish'; write run:close()",
  },
  {
    "run = wrun.experiment { name = \"d\", folder = place .. \"/d\" }|run:save(\"model.pt\")",
    "2: Experiment: no name 'save'; a run saves what run:keep names; write "
      .. "wrun.save(run:path(name), table) for more",
  },
  {
    "run = wrun.experiment { name = \"e\", folder = place .. \"/e\" }|run:keep(nn.Linear(1, 1))",
    "2: keep: argument 1: expected a table of parts by name, such as { model = model }, got "
      .. "an object of Linear",
  },
  {
    "run = wrun.experiment { name = \"f\", folder = place .. \"/f\" }|run:keep { opt = optim.SGD "
      .. "}",
    "2: keep: argument 1: expected an object as opt, where the class SGD stands, got a table",
  },
  {
    "run = wrun.experiment { name = \"g\", folder = place .. \"/g\" }|run:add { loss = 1 }",
    "2: add: expected inside of a loop, as its means are an epoch's; set is for other values",
  },
  {
    "run = wrun.experiment { name = \"h\", folder = place .. \"/h\" }|run:column(\"acc\")",
    "2: column: argument 1: expected a name that a row of the log has, got the string 'acc'",
  },
  {
    "s = wrun.sweep(function(o) return { loss = 1 } end, { lr = { 0.1 } })",
    "1: sweep: argument 1: expected a table, got a function",
  },
  {
    "s = wrun.sweep({ lr = 1 }, function(o) return o.lr end, { workers = 0, folder = place, "
      .. "name = \"sa\" })",
    "1: sweep: expected the run to return a table of names and values, got 1",
  },
  {
    "s = wrun.sweep({ lr = 1 }, function(o) return { x = o.rate } end, { workers = 0, folder "
      .. "= place, name = \"sb\" })",
    "1: sweep: no name 'rate'; the options are lr",
  },
  {
    "s = wrun.sweep({ lr = 1 }, function(o) return { x = o.lr } end, { jobs = 2 })",
    "1: sweep: option jobs: unknown; the options are draw_seed, draws, folder, maximize, "
      .. "minimize, mpi, name, workers",
  },
  {
    "s = wrun.sweep({ lr = 1 }, function(o) return { x = o.lr } end, { workers = 0, folder = "
      .. "place, name = \"sc\", minimize = \"loss\" })",
    "1: sweep: option minimize: expected a number that runs return, one of x, got 'loss'",
  },
  {
    "s = wrun.sweep({ lr = {} }, function(o) return { x = 1 } end, { workers = 0, folder = "
      .. "place, name = \"sd\" })",
    "1: sweep: option lr: expected one value or more, got none",
  },
  {
    "s = wrun.sweep({ lr = wrun.sweep.uniform(0, 1) }, function(o) return { x = o.lr } end, "
      .. "{ folder = place })",
    "1: sweep: option lr: is drawn, which needs draws = N",
  },
  {
    "lr = wrun.sweep.loguniform(1e-4, 1e-1)",
    "1: sweep: no name 'loguniform'; did you mean log_uniform?",
  },
  {
    "wrun.report(\"nofolder\")",
    "1: report: nofolder: No such file or directory",
  },
  {
    "c = wrun.checkpoint(nn.Linear(1, 1))",
    "1: checkpoint: argument 1: expected a string, got an object of Linear",
  },
  {
    "e = wrun.early_stopping { patience = 3 }",
    "1: early_stopping: argument 1: expected a model, got a table",
  },
  {
    "e = wrun.early_stopping(nn.Linear(1, 1), { patience = 3 })|if e.early_stop then "
      .. "print(1) end",
    "2: EarlyStopping: no name 'early_stop'; stopping:step(value) says whether it is time to "
      .. "stop",
  },
  {
    "e = wrun.early_stopping(nn.Linear(1, 1), { mode = \"maximum\" })",
    "1: early_stopping: option mode: expected min or max, got the string 'maximum'",
  },
  {
    "e = wrun.early_stopping(nn.Linear(1, 1))|e:step(wrun.ones(2))",
    "2: step: argument 1: expected a number, got a float32 tensor [2]",
  },
  {
    "l = nn.Linear(2, 2, { weight_init = \"xavier\" })",
    "1: Linear: option weight_init: expected a function of a tensor or the name of one, like "
      .. "\"xavier_uniform\", got the string 'xavier'",
  },
  {
    "l = nn.Linear(2, 2, { weight_init = function(w) return w * 0.1 end })",
    "1: initialiser: expected the tensor to be filled in place, as by tensor:copy_(values); "
      .. "what the function returned would be lost",
  },
  {
    "m = nn.Sequential(nn.Linear(2, 2))|nn.init.apply(\"he_normal\", m)",
    "2: apply: argument 1: expected a module, got the string 'he_normal'",
  },
  {
    "m = nn.Sequential(nn.Linear(2, 2))|m:init_weights()",
    "2: Sequential: no name 'init_weights'; write nn.init.apply(module, rule)",
  },
  {
    "m = wrun.rbm.new { visible = 3, hidden = 2 }|m:train(wrun.ones(5, 3))",
    "2: rbm.Model: no name 'train'; write model:fit(x)",
  },
  {
    "m = wrun.rbm.new { visible = 3, hidden = 2, visible_units = \"gauss\" }",
    "1: rbm.new: option visible_units: expected binary, gaussian, softmax or what rbm.units "
      .. "makes, got the string 'gauss'",
  },
  {
    "m = wrun.rbm.new { visible = 3, hidden = 2 }|m:fit(wrun.ones(5, 3) * 2)",
    "2: fit: argument 1: expected values from 0 to 1 for binary units, got 2 to 2",
  },
  {
    "wrun.image.show(\"x.png\")",
    "1: image.show: argument 2: expected a tensor, got nil",
  },
  {
    "wrun.image.save(\"x.jpg\", wrun.ones(2, 2))",
    "1: image.save: argument 1: expected the path of a PNG file, got 'x.jpg'",
  },
  {
    "wrun.plot.plot({ 1, 2, 3 })",
    "1: plot: no name 'plot'; write plot.Figure {}:line(values):save(path)",
  },
  {
    "f = wrun.plot.Figure {}|f:line({ 1, 2 })|f:show()",
    "3: Figure: no name 'show'; write print(figure:text()), or figure:save(path)",
  },
  {
    "wrun.profile(function() end)",
    "1: wrun: no name 'profile'; write wrun --profile script.lua in the shell",
  },
  {
    "a = wrun.metrics.accuracy(wrun.ones(3, 2), wrun.tensor { 0, 1, 1 })",
    "1: accuracy: argument 2: expected classes from 1 to 2, got 0; classes that count from 0 "
      .. "need +1",
  },
  {
    "a = wrun.metrics.f1(wrun.tensor { 1 }, wrun.tensor { 1 })",
    "1: metrics: no name 'f1'; write metrics.confusion(names), which has precision, recall "
      .. "and f1",
  },
  {
    "c = wrun.metrics.confusion(2)|c:update(wrun.tensor { 1 }, wrun.tensor { 2 })",
    "2: metrics.Confusion: no name 'update'; write confusion:add(scores, y)",
  },
  {
    "print(nn.init.profile(wrun.sin))",
    "1: profile: argument 1: expected a function that has an integral, got one without, or by "
      .. "chance, at a spread of 10000; profile(f, { std = 1 }) looks at one",
  },
  {
    "print(nn.init.profile(wrun.tanh).gain)",
    "1: Profile: no name 'gain'; the gain is profile.std, where none was given",
  },
  {
    "s = nn.Sequential(nn.Linear(2, 2), nn.ReLU())|s[1] = nil",
    "2: Sequential[1]: a list has no gaps; write list:remove(1)",
  },
  {
    "l = nn.Linear(2, 2)|l.weight = l.weight * 0.1",
    "2: Linear: field weight: expected a parameter as before, or nil, got a float32 tensor "
      .. "[2, 2]; write nn.Parameter(tensor), or weight:copy_(tensor) inside wrun.no_grad",
  },
  {
    "l = nn.Linear(2, 2)|l.weight = 0",
    "2: Linear: field weight: expected a parameter as before, or nil, got 0",
  },
  {
    "l = nn.BatchNorm1d(2)|l.running_mean = 0",
    "2: BatchNorm1d: field running_mean: expected a tensor as before, or nil, got 0",
  },
}

-- What the scripts need not make themselves; they print nothing.
local function environment()
  return setmetatable({
    wrun = wrun, nn = wrun.nn, optim = wrun.optim, data = wrun.data, init = wrun.nn.init,
    print = function() end, place = place,
  }, { __index = _G })
end

describe("a beginner's mistake is answered at its own line", function()
  for _, mistake in ipairs(MISTAKES) do
    local script, expected = table.unpack(mistake)
    it((script:gsub("|", "; ")), function()
      wrun.manual_seed(1)
      local run = assert(load(script:gsub("|", "\n"), "=script", "t", environment()))
      local ok, message = pcall(run)
      assert.is_false(ok)
      -- long fractions are rounding, which differs between builds
      assert.equal("script:" .. expected, (message:gsub("(%d%.%d)%d%d%d%d+", "%1")))
      assert.is_true(wrun.is_grad_enabled())
    end)
  end

  it("three hundred and forty times", function()
    assert.equal(346, #MISTAKES)
  end)
end)
