"""Reads files with the real safetensors and prints what each holds as JSON; `torch` has the tensors that PyTorch gets."""

import base64
import json
import sys

import safetensors
import safetensors.torch
import torch


def text(data):
    return base64.b64encode(bytes(data)).decode()


def read(path):
    with open(path, "rb") as file:
        raw = dict(safetensors.deserialize(file.read()))
    tensors = [{"name": name, "dtype": each["dtype"], "shape": list(each["shape"]), "data": text(each["data"])} for name, each in raw.items()]
    with safetensors.safe_open(path, "pt") as opened:
        order, metadata = opened.offset_keys(), opened.metadata() or {}
        has = [name for name in order if raw[name]["dtype"] in safetensors.torch._TYPES]
        loaded = {name: text(opened.get_tensor(name).contiguous().reshape(-1).view(torch.uint8).tolist()) for name in has}
    return {"version": safetensors.__version__, "tensors": tensors, "metadata": metadata, "order": order, "torch": loaded}


print(json.dumps([read(path) for path in sys.argv[1:]]))
