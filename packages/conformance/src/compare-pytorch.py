"""Loads pairs of checkpoints in the real PyTorch, the second of each with `weights_only=True` from memory and mapped, and prints as JSON in what they differ.

Compared are classes, keys and their order, values, and of tensors type, shape, strides, bits, and which of them are in one storage and how far apart.
"""

import json
import sys
import warnings
from collections import Counter, OrderedDict

import torch

warnings.filterwarnings("ignore")


def bits(tensor):
    plain = tensor.detach()
    plain = plain.int_repr() if plain.is_quantized else plain.resolve_conj().resolve_neg()
    return bytes(plain.contiguous().reshape(-1).view(torch.uint8).tolist()) if plain.numel() else b""


def differences(old, new, path, storages):
    if isinstance(old, torch.Tensor) and isinstance(new, torch.Tensor):
        if old.layout != torch.strided or new.layout != torch.strided:
            facts = [(x.layout, x.shape, x.is_coalesced() if x.layout == torch.sparse_coo else None) for x in (old, new)]
            if facts[0] != facts[1] or bits(old.to_dense()) != bits(new.to_dense()):
                yield f"{path}: sparse"
            return
        facts = [(x.dtype, x.shape, x.stride() if x.numel() > 0 else (), x.qscheme() if x.is_quantized else None) for x in (old, new)]
        if facts[0] != facts[1]:
            yield f"{path}: {facts[0]} {facts[1]}"
        elif bits(old) != bits(new):
            yield f"{path}: bits"
        elif old.is_quantized and not torch.equal(old.dequantize(), new.dequantize()):
            yield f"{path}: scale"
        elif old.numel() > 0:
            storages.append((path, *((x.untyped_storage()._cdata, x.storage_offset()) for x in (old, new))))
        return
    if type(old) is not type(new):
        yield f"{path}: {type(old).__name__} {type(new).__name__}"
    elif isinstance(old, dict):
        if [(type(key), key) for key in old] != [(type(key), key) for key in new]:
            yield f"{path}: {list(old)} {list(new)}"
        else:
            for key in old:
                yield from differences(old[key], new[key], f"{path}/{key}", storages)
        if isinstance(old, OrderedDict | Counter):
            yield from differences(vars(old), vars(new), f"{path}/attributes", storages)
    elif isinstance(old, list | tuple):
        if len(old) != len(new):
            yield f"{path}: {len(old)} {len(new)}"
        for i, pair in enumerate(zip(old, new)):
            yield from differences(*pair, f"{path}/{i}", storages)
    elif repr(old) != repr(new):
        yield f"{path}: {old!r} {new!r}"


def sharing(storages):
    """Tensors of which one of the two files has several in one storage and the other has not, or in other places of it."""
    for i, (first, (a, b), (c, d)) in enumerate(storages):
        for second, (e, f), (g, h) in storages[i + 1 :]:
            if (a == e) != (c == g) or (a == e and b - f != d - h):
                yield f"{first} and {second}: storage"


def compare(old, new):
    loaded, found = torch.load(old, weights_only=False), []
    for mapped in (False, True):
        storages = []
        found += differences(loaded, torch.load(new, weights_only=True, mmap=mapped), "", storages)
        found += sharing(storages)
    return found


print(json.dumps([compare(*sys.argv[i : i + 2]) for i in range(1, len(sys.argv), 2)]))
