"""What the live tests of checkpoints have the real PyTorch do: run-pytorch.py COMMAND PATH… KEY…; each command is a function below."""

import base64
import copy
import json
import sys
import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore")
torch.set_num_threads(1)


def kinds(folder):
    """Saves what PyTorch has beside plain tensors, of what its loader of weights takes: quantised and sparse ones, views, values, keys, the form before 1.6."""
    torch.manual_seed(1)
    rows = torch.randn(3, 4)
    channel = torch.tensor([0.25, 0.5, 1.0], dtype=torch.float64), torch.tensor([0, 1, 2])
    parameter = nn.Parameter(torch.ones(2), requires_grad=False)
    parameter.note = torch.tensor([5.0])
    base = torch.arange(24.0)
    values = {
        "quantised.pt": {
            "per_tensor": torch.quantize_per_tensor(rows, 1.0, 3, torch.quint8),
            "qint32": torch.quantize_per_tensor(rows, 0.25, 0, torch.qint32),
            "per_channel": torch.quantize_per_channel(rows, *channel, 0, torch.qint8),
        },
        "sparse.pt": {
            "coo": torch.eye(3).to_sparse(),
            "csr": torch.eye(3).to_sparse_csr(),
            "bsr": torch.eye(4).to_sparse_bsr((2, 2)),
            "layout": torch.sparse_coo,
        },
        "views.pt": {
            "base": base,
            "row": base[6:12],
            "grid": base.view(2, 3, 4).permute(2, 0, 1),
            "later": base.view(4, 6)[2:],
            "scalar": base[5],
            "alone": torch.ones(2, 3).t(),
            "channels_last": torch.randn(2, 3, 2, 2).contiguous(memory_format=torch.channels_last),
        },
        "values.pt": [base, (base, {"x": base.short()}), [], (), {}, 2**63, -(2**70), -129, 65536, -0.0, torch.device("cuda:1"), torch.Size([1, 2])],
        "keys.pt": {True: base, None: 1, 2: 3, "2": 4},
        "bare.pt": base,
    }
    for name, value in values.items():
        torch.save(value, f"{folder}/{name}")
    torch.save({"a": base, "tied": base}, f"{folder}/legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"p": parameter}, f"{folder}/parameter.pt")
    return [*values, "legacy.pth"]


def text(tensor):
    return base64.b64encode(bytes(tensor.contiguous().reshape(-1).view(torch.uint8).tolist())).decode() if tensor.numel() else ""


def read(path):
    """A state dict, mapped into memory."""
    state = torch.load(path, weights_only=True, mmap=True)
    return {
        "class": type(state).__name__,
        "tensors": [[key, str(x.dtype), list(x.shape), text(x)] for key, x in state.items()],
        "aligned": all(x.data_ptr() % 64 == 0 for x in state.values() if x.numel()),
    }


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 5)
        self.lstm = nn.LSTM(5, 4, num_layers=2, bidirectional=True)
        self.bn = nn.BatchNorm1d(8)
        self.out = nn.Linear(8, 5)
        self.head = nn.Linear(5, 7, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("positions", torch.arange(3), persistent=False)

    def forward(self, x):
        y, _ = self.lstm(self.embedding(x))
        return self.head(self.out(self.bn(y.flatten(0, 1))))


def parts():
    net = Net()
    groups = [{"params": net.lstm.parameters()}, {"params": [*net.out.parameters(), net.head.weight], "lr": 1.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.01)
    return net, optimizer, torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 2, 4], gamma=0.5)


def train(net, optimizer, scheduler):
    """Three steps; all that they leave behind."""
    for _ in range(3):
        optimizer.zero_grad()
        net(torch.arange(6).view(3, 2)).square().sum().backward()
        optimizer.step()
        scheduler.step()
    kept = [*net.state_dict().values(), *(x for state in optimizer.state.values() for x in state.values())]
    return [text(x) for x in kept]


def begin(folder):
    """Trains, saves, and trains on."""
    torch.manual_seed(3)
    net, optimizer, scheduler = parts()
    train(net, optimizer, scheduler)
    state = {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(), "epoch": 3}
    torch.save(state, f"{folder}/zip.pth")
    torch.save(state, f"{folder}/legacy.pth.tar", _use_new_zipfile_serialization=False)
    torch.save(net.state_dict(), f"{folder}/state.pt")
    torch.save(net, f"{folder}/module.pt")
    torch.save({"net": net, "epoch": 3}, f"{folder}/nested.pt")
    scripted = copy.deepcopy(net)
    del scripted.positions  # TorchScript keeps every buffer
    torch.jit.script(scripted).save(f"{folder}/script.pt")
    return train(net, optimizer, scheduler)


def go_on(*paths):
    """Trains on from each of some files."""
    return [gone_on(path) for path in paths]


def gone_on(path):
    net, optimizer, scheduler = parts()
    state = torch.load(path, weights_only=True, mmap=True)
    net.load_state_dict(state["model"], strict=True)
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    assert state["epoch"] == 3
    return train(net, optimizer, scheduler)


def strict(state, *paths):
    """Of each file: whether a network takes it, or what is under its "net", and has then what a state dict says, and whether its tied weights are one storage."""
    expected, results = torch.load(state, weights_only=True), []
    for path in paths:
        found = torch.load(path, weights_only=True)
        found = found.get("net", found)
        net = Net()
        net.load_state_dict(found, strict=True)
        same = {key: text(x) for key, x in net.state_dict().items()} == {key: text(x) for key, x in expected.items()}
        results.append(same and found["head.weight"].data_ptr() == found["embedding.weight"].data_ptr())
    return results


command, *arguments = sys.argv[1:]
print(json.dumps(globals()[command](*arguments)))
