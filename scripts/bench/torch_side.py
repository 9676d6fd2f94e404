"""PyTorch's side of the benchmarks: reads commands, answers each with a number (seconds, MB) or "-"."""

import gzip
import math
import os
import sys
import time
from types import SimpleNamespace

import numpy
import torch
from torch import nn

torch.set_num_threads(1)


def seconds(f, count=1):
    start = time.perf_counter()
    f(count)
    return (time.perf_counter() - start) / count


def threads(count):
    torch.set_num_threads(int(count))
    return 0


def peak():
    with open("/proc/self/status") as status:
        kb = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
    return int(kb) / 1000


# Small operations ------------------------------------------------------------

four = torch.rand(4)
recorded_four = torch.rand(4, requires_grad=True)
small_x, small_y = torch.rand(4, 4), torch.rand(4, 1)
small = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
small_optimizer = torch.optim.Adam(small.parameters(), lr=0.001)


def add(count):
    for _ in range(count):
        four + four


def recorded(count):
    for _ in range(count):
        recorded_four + recorded_four


def training_step(count):
    for _ in range(count):
        small_optimizer.zero_grad()
        loss = (small(small_x) - small_y).square().mean()
        loss.backward()
        small_optimizer.step()


def adam_step(count):
    for _ in range(count):
        small_optimizer.step()


SMALL = {"add": add, "recorded": recorded, "training_step": training_step, "adam_step": adam_step}
training_step(1)


def small_case(name, count):
    return seconds(SMALL[name], int(count))


# One elementwise operation ---------------------------------------------------

def operation(name, arity, low, high, size, count):
    f = getattr(torch, name, None) or getattr(nn.functional, name, None)
    if f is None:
        return None
    low, high = float(low), float(high)
    arguments = [torch.rand(int(size)) * (high - low) + low for _ in range(int(arity))]
    if name == "where":
        arguments[0] = arguments[0] > 0

    def run(count):
        for _ in range(count):
            f(*arguments)

    try:
        run(1)
    except (TypeError, ValueError, RuntimeError):  # it takes other arguments here
        return None
    return seconds(run, int(count))


# An expression over large operands -------------------------------------------

values = {}


def train(y):
    y.sum().backward()


def networks(side):
    return SimpleNamespace(
        layer_norm=nn.LayerNorm(side), rms_norm=nn.RMSNorm(side),
        batch_norm=nn.BatchNorm1d(side), batch_norm_eval=nn.BatchNorm1d(side).eval(),
        batch_norm_2d=nn.BatchNorm2d(20), group_norm=nn.GroupNorm(10, side),
        softmax=nn.Softmax(1), log_softmax=nn.LogSoftmax(1), cross_entropy=nn.CrossEntropyLoss(),
        smoothed=nn.CrossEntropyLoss(label_smoothing=0.1), nll=nn.NLLLoss(),
        multi_margin=nn.MultiMarginLoss(), mse=nn.MSELoss(), l1=nn.L1Loss(), huber=nn.HuberLoss(),
        smooth_l1=nn.SmoothL1Loss(), bce=nn.BCELoss(), bce_logits=nn.BCEWithLogitsLoss(),
        kl=nn.KLDivLoss(reduction="batchmean"), poisson=nn.PoissonNLLLoss(),
        gaussian=nn.GaussianNLLLoss(), soft_margin=nn.SoftMarginLoss(),
        hinge=nn.HingeEmbeddingLoss(), dropout=nn.Dropout(0.5), gelu=nn.GELU(), silu=nn.SiLU(),
        linear=nn.Linear(side, 10), cosine=nn.CosineSimilarity(), pairwise=nn.PairwiseDistance())


def operands(dtype, low, high):
    """Makes what scripts/bench/large.lua names, in its order."""
    size, side, low, high = 1000000, 1000, float(low), float(high)

    def draw(size):
        if dtype == "bool":
            return torch.rand(size) > 0.5
        if dtype == "int64":
            least = math.ceil(low)
            return torch.randint(least, max(math.floor(high), least + 1) + 1, (size,))
        return torch.empty(size, dtype=getattr(torch, dtype)).uniform_(low, high)

    a, m = draw(size), draw(size).view(side, side)
    values.update(
        vars(nn.functional) | vars(torch), nets=networks(side), train=train, a=a, b=draw(size),
        c=draw(size), d=a.clone(), m=m, w=draw(size).view(side, side),
        p=m.clone().requires_grad_(m.is_floating_point()), q=torch.rand(side, side),
        y=torch.randint(side, (side,)), k=torch.rand(size) > 0.5, i=torch.randperm(size),
        j=torch.randint(side, (side, side)), r=torch.randperm(side), s=torch.randint(100, (size,)),
        g=draw(100).sort()[0], z=torch.zeros_like(a), o=torch.ones_like(a))
    return 0


def expression(threads, count, *words):
    torch.set_num_threads(int(threads))
    code = compile(" ".join(words), "expression", "eval")

    def run(count):
        for _ in range(count):
            eval(code, values)

    try:
        run(1)
    except (NameError, AttributeError, TypeError, ValueError, RuntimeError):  # it has not this one
        return None
    return seconds(run, int(count))


# The network of mnist_xavier.lua ---------------------------------------------

class Network:
    def __init__(self, folder):
        self.x = torch.tensor(read(folder, "train-images-idx3-ubyte", 16)).float().view(-1, 784) / 255
        self.y = torch.tensor(read(folder, "train-labels-idx1-ubyte", 8)).long()
        layers = [nn.Linear(784, 256), nn.Linear(256, 256), nn.Linear(256, 10)]
        for layer in layers:
            nn.init.xavier_uniform_(layer.weight)
        self.model = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.001)
        self.criterion = nn.CrossEntropyLoss()

    def train(self, epochs):
        for _ in range(epochs):
            order = torch.randperm(len(self.x))
            cost = 0
            for batch in range(len(self.x) // 100):
                chosen = order[batch * 100:batch * 100 + 100]
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(self.x[chosen]), self.y[chosen])
                loss.backward()
                self.optimizer.step()
                cost += loss.item()


class Machine:
    """An RBM 784-500 that learns by CD-1 or PCD-1, as one would write it in PyTorch."""

    def __init__(self, x):
        self.x = x
        self.w = torch.randn(500, 784) * 0.01
        self.a, self.b = torch.zeros(784), torch.zeros(500)
        self.chain = torch.bernoulli(torch.full((100, 500), 0.5))

    @torch.no_grad()
    def train(self, persistent, lr=0.01):
        order = torch.randperm(len(self.x))
        for batch in range(len(self.x) // 100):
            v0 = torch.bernoulli(self.x[order[batch * 100:batch * 100 + 100]])
            p0 = torch.sigmoid(torch.addmm(self.b, v0, self.w.t()))
            h = self.chain if persistent else torch.bernoulli(p0)
            v = torch.bernoulli(torch.sigmoid(torch.addmm(self.a, h, self.w)))
            p = torch.sigmoid(torch.addmm(self.b, v, self.w.t()))
            if persistent:
                self.chain = torch.bernoulli(p)
            self.w.addmm_(p0.t(), v0, alpha=lr / 100).addmm_(p.t(), v, alpha=-lr / 100)
            self.a.add_((v0 - v).mean(0), alpha=lr)
            self.b.add_((p0 - p).mean(0), alpha=lr)


def read(folder, name, header):
    path = os.path.join(folder, name)
    opened = open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz", "rb")
    with opened as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


network = None


def load(*folder):
    global network
    network = Network(" ".join(folder))
    return 0


def epoch(count):
    return seconds(network.train, int(count))


machine = None


def machine_epoch(method):
    global machine
    machine = machine or Machine(network.x)
    return seconds(lambda _: machine.train(method == "pcd"))


# Growth ----------------------------------------------------------------------

def growth_step(width, batch, depth, count):
    width, batch = int(width), int(batch)
    layers = [layer for _ in range(int(depth)) for layer in (nn.Linear(width, width), nn.ReLU())]
    model = nn.Sequential(*layers)
    for weight in model.parameters():
        if weight.ndim == 2:
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    x, y = torch.randn(batch, width), torch.randn(batch, width)

    def run(count):
        for _ in range(count):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()

    run(1)
    return seconds(run, int(count))


def growth_epoch(rows, features, batch, count):
    """An epoch over rows in memory, whose shuffled batches are picked from tensors."""
    rows, features, batch = int(rows), int(features), int(batch)
    x, y = torch.randn(rows, features), torch.randn(rows, 1)
    model = nn.Linear(features, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def run(count):
        for _ in range(count):
            for chosen in torch.randperm(rows).split(batch):
                optimizer.zero_grad()
                nn.functional.mse_loss(model(x[chosen]), y[chosen]).backward()
                optimizer.step()

    return seconds(run, int(count))


COMMANDS = {
    "growth_step": growth_step,
    "growth_epoch": growth_epoch,
    "threads": threads,
    "peak": peak,
    "small": small_case,
    "operation": operation,
    "operands": operands,
    "expression": expression,
    "load": load,
    "epoch": epoch,
    "machine_epoch": machine_epoch,
}

for line in sys.stdin:
    command, *arguments = line.split()
    answer = COMMANDS[command](*arguments)
    print("-" if answer is None else repr(float(answer)), flush=True)
