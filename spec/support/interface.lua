--- What users of PyTorch expect to find: the must and should of the interface, by part.
---
--- A name is looked up in the table that `at` names, and where that is "wrun" as a tensor's method
--- too.

local function words(text)
  local list = {}
  for word in text:gmatch("%S+") do
    list[#list + 1] = word
  end
  return list
end

local function part(title, at, text)
  return { title = title, at = at, names = words(text) }
end

return {
  part("creation", "wrun", [[
    tensor zeros ones full empty eye arange linspace logspace zeros_like ones_like full_like
    empty_like rand_like randn_like rand randn randint randperm normal bernoulli multinomial
    poisson tril triu meshgrid
  ]]),
  part("types", "wrun", "to float double long int byte bool item tolist"),
  part("shape and index", "wrun", [[
    view reshape t transpose permute squeeze unsqueeze expand flatten contiguous cat stack split
    chunk narrow select index index_select masked_select masked_fill gather scatter scatter_add
    take roll flip unfold repeat repeat_interleave where
  ]]),
  part("elementwise", "wrun", [[
    add sub mul div pow neg abs sqrt exp log log1p expm1 sin cos tan tanh sigmoid relu clamp round
    floor ceil sign eq ne lt le gt ge logical_and logical_or logical_xor logical_not maximum
    minimum erf erfinv lgamma atan2 lerp addcmul addcdiv fmod remainder
  ]]),
  part("in place", "wrun", [[
    add_ sub_ mul_ div_ pow_ neg_ abs_ sqrt_ exp_ log_ tanh_ sigmoid_ relu_ clamp_ copy_ fill_
    zero_ masked_fill_ scatter_add_ index_add_
  ]]),
  part("reductions", "wrun", [[
    sum mean var std max min argmax argmin prod any all norm logsumexp softmax log_softmax cumsum
    cumprod median topk sort unique histc bincount quantile kthvalue
  ]]),
  part("linear algebra", "wrun", [[
    mm mv bmm matmul addmm dot outer einsum svd qr eigh cholesky solve inv det
  ]]),
  part("random numbers", "wrun", [[
    manual_seed seed initial_seed get_rng_state set_rng_state Generator fork_rng uniform_ normal_
    bernoulli_ exponential_ cauchy_ log_normal_ geometric_ random_
  ]]),
  part("gradients", "wrun.autograd", "backward grad Function"),
  part("initialisers", "wrun.nn.init", [[
    calculate_gain uniform_ normal_ trunc_normal_ constant_ ones_ zeros_ eye_ dirac_
    xavier_uniform_ xavier_normal_ kaiming_uniform_ kaiming_normal_ orthogonal_ sparse_
  ]]),
  part("layers", "wrun.nn", [[
    Linear Sequential Identity Flatten Dropout BatchNorm1d LayerNorm Embedding ModuleList
  ]]),
  part("activations", "wrun.nn", [[
    ReLU Sigmoid Tanh Softmax LogSoftmax LeakyReLU ELU SELU GELU SiLU Softplus PReLU ReLU6 Hardtanh
    Softsign Mish LogSigmoid CELU Hardswish
  ]]),
  part("losses", "wrun.nn", [[
    CrossEntropyLoss NLLLoss MSELoss BCELoss BCEWithLogitsLoss L1Loss SmoothL1Loss HuberLoss
    KLDivLoss HingeEmbeddingLoss CosineEmbeddingLoss MarginRankingLoss TripletMarginLoss
    MultiMarginLoss
  ]]),
  part("modules", "wrun.nn.Module", [[
    parameters named_parameters children named_children modules named_modules buffers named_buffers
    state_dict load_state_dict train eval zero_grad apply requires_grad_ to register_buffer
    register_parameter register_forward_hook register_forward_pre_hook register_full_backward_hook
    summary
  ]]),
  part("optimisers", "wrun.optim", [[
    SGD Adam AdamW RMSprop Adagrad Adadelta Adamax NAdam RAdam Rprop ASGD LBFGS
  ]]),
  part("schedulers", "wrun.optim.lr_scheduler", [[
    StepLR MultiStepLR ExponentialLR CosineAnnealingLR LambdaLR ReduceLROnPlateau ConstantLR
    LinearLR PolynomialLR MultiplicativeLR CyclicLR OneCycleLR CosineAnnealingWarmRestarts
    SequentialLR ChainedScheduler
  ]]),
  part("utilities", "wrun.nn.utils", [[
    clip_grad_norm_ clip_grad_value_ parameters_to_vector vector_to_parameters
  ]]),
  part("data", "wrun.data", [[
    loader TensorDataset Subset ConcatDataset random_split SequentialSampler RandomSampler
    SubsetRandomSampler WeightedRandomSampler BatchSampler
  ]]),
}
