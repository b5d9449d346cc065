"""Exports networks of PyTorch, trains them on, and loads state dicts into them. Prints JSON.

export FOLDER                 NAME/: ONNX files of each network as it was before, both exporters; old.pth; after training went on state_dict.pth and
                              .safetensors, and golden.npz, what PyTorch computes then
strict NAME=FILE...           of each file: in which tensors a network that took it strictly differs from the state_dict.pth beside it
"""

import json
import logging
import pathlib
import sys
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools" / "fixtures"))
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import safetensors.torch
import torch
from torch_models import KEEP_BATCH_NORM, dynamo, enliven, export, script
from torch_trained import CASES, save_trained, train

torch.set_num_threads(1)
SEED = 9  # not that of the fixtures

TOKENS = {0: "batch", 1: "length"}
# Sizes that stay free: with fixed ones exporters cut off the rows of tables that are not looked up.
FREE = {"bert": {name: TOKENS for name in CASES["bert"][2]}, "gpt2": {"input_ids": TOKENS}}
PLAIN = {"ts_op17.onnx": script(17), "dynamo_op18.onnx": dynamo(18)}
# Exporters compute batch normalisations into convolutions unless they are told not to.
KEPT = {"ts_op17_bn.onnx": script(17, **KEEP_BATCH_NORM), "dynamo_op18_bn.onnx": dynamo(18, optimize=False)}
FIXED = {"ts_op17_fixed.onnx": script(17)}
MORE = {"mobilenet_v2": KEPT, "resnet": KEPT, "unet": KEPT, "bert": FIXED}


def export_all(folder):
    exported = {}
    for name, (network, inputs, *names) in CASES.items():
        own = pathlib.Path(folder) / name
        own.mkdir()
        torch.manual_seed(SEED)
        model = enliven(network(), inputs)
        files = PLAIN | MORE.get(name, {})
        for file, options in files.items():
            export(model, inputs, own, file, names, dynamic=None if file in FIXED else FREE.get(name), **options)
        torch.save(model.state_dict(), own / "old.pth")
        train(model, inputs)
        save_trained(own, model, inputs, *names)
        safetensors.torch.save_file(model.state_dict(), own / "state_dict.safetensors")
        exported[name] = list(files)
    return exported


def strict(*pairs):
    return [differences(*pair.split("=", 1)) for pair in pairs]


def differences(name, path):
    model = CASES[name][0]()
    model.load_state_dict(torch.load(path, weights_only=True, mmap=True), strict=True)
    expected = torch.load(pathlib.Path(path).parent / "state_dict.pth", weights_only=True)
    bits = lambda value: value.contiguous().reshape(-1).view(torch.uint8)
    return [key for key, value in model.state_dict().items() if value.dtype != expected[key].dtype or not torch.equal(bits(value), bits(expected[key]))]


print(json.dumps({"export": export_all, "strict": strict}[sys.argv[1]](*sys.argv[2:])), flush=True)
