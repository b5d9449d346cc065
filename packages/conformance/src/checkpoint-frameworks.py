"""Saves and loads checkpoints in the real frameworks, whichever this Python has. Prints JSON.

save FOLDER WAY...        a checkpoint of every type that the framework has, in each way (the functions of SAVE)
load LOADER=FILE...       what the framework has after loading each file (the functions of LOAD)

Of each checkpoint: its tensors by name, with type, shape, and base64 of the elements, little-endian; types of four bits packed, texts one by one. A loader that
needs a model builds one with the layers that FILE.json tells.
"""

import base64
import json
import os
import random
import re
import sys
import warnings

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
warnings.filterwarnings("ignore")

import numpy as np

SHAPE = (3, 8)
INTEGERS = ["int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"]
PLAIN = ["float64", "float32", "float16", *INTEGERS, "bool"]
COMPLEX = ["complex64", "complex128"]
FLOAT8 = ["float8e4m3fn", "float8e5m2"]
NARROW = ["float4e2m1fn", "int4", "uint4", "int2", "uint2"]
# The bits of a signalling NaN with a payload, of -0 and of the smallest subnormal.
EDGES = {
    "float64": [0xFFF4_0000_0000_0123, 0x8000_0000_0000_0000, 1],
    "float32": [0xFFA0_0123, 0x8000_0000, 1],
    "float16": [0xFD23, 0x8000, 1],
    "bfloat16": [0xFFA3, 0x8000, 1],
}
EDGES |= {"complex64": EDGES["float32"], "complex128": EDGES["float64"]}


def width(dtype):
    """Bits of an element."""
    return 8 if dtype == "bool" else int(re.match("[a-z]+([0-9]+)", dtype)[1])


def bits(dtype, shape=SHAPE):
    """Bytes that any element may have, the same in every framework; of floats the first are those of EDGES."""
    count = int(np.prod(shape))
    data = bytearray(random.Random(f"{dtype} {shape}").randbytes(count * width(dtype) // 8))
    if dtype == "bool":
        return bytes(byte % 2 for byte in data)
    size = width(dtype) // (16 if dtype.startswith("complex") else 8)
    edges = b"".join(edge.to_bytes(size, "little") for edge in EDGES.get(dtype, []))
    data[: len(edges)] = edges[: len(data)]
    return bytes(data)


def text(data):
    return base64.b64encode(data).decode()


def fact(dtype, shape, data):
    return {"dtype": dtype, "shape": list(shape), "data": data if isinstance(data, list) else text(data)}


def put_in(dtypes, shape=SHAPE):
    """What goes into a checkpoint: a tensor of each type, a scalar, and one without elements."""
    shapes = {**{dtype: (dtype, shape) for dtype in dtypes}, "scalar": ("float32", ()), "empty": ("float32", (0, 4))}
    return {f"{layer}/values": (dtype, shape, bits(dtype, shape)) for layer, (dtype, shape) in shapes.items()}


def facts(tensors):
    return {name: fact(*each) for name, each in tensors.items()}


def own_name(dtype):
    """As NumPy has it, and ml_dtypes: float8_e5m2."""
    return dtype.replace("float8", "float8_").replace("float4", "float4_")


def array(dtype, shape, data):
    try:
        own = np.dtype(dtype)
    except TypeError:
        import ml_dtypes

        own = np.dtype(getattr(ml_dtypes, own_name(dtype)))
    if width(dtype) < 8:
        data = unpacked(data, width(dtype))
    return np.frombuffer(data, own).reshape(shape)


def unpacked(data, size):
    """Codes of fewer than eight bits, each in a byte; those of signed ones as they are, for what reads them takes the low bits."""
    return bytes(byte >> at & (1 << size) - 1 for byte in data for at in range(0, 8, size))


def packed(codes, size):
    per_byte = 8 // size
    groups = [codes[at : at + per_byte] for at in range(0, len(codes), per_byte)]
    return bytes(sum((code & (1 << size) - 1) << i * size for i, code in enumerate(group)) for group in groups)


def array_fact(value, dtype=None):
    value = np.asarray(value)
    if value.dtype.kind in "OSU":
        texts = [x if isinstance(x, bytes) else x.encode() for x in value.astype(object).ravel()]
        return fact("string", value.shape, [text(x) for x in texts])
    dtype = dtype or value.dtype.name.replace("float8_", "float8").replace("float4_", "float4")
    data = np.ascontiguousarray(value).tobytes()
    return fact(dtype, value.shape, packed(data, width(dtype)) if width(dtype) < 8 else data)


# ---- PyTorch and safetensors

TORCH = [*PLAIN, "bfloat16", *COMPLEX, *FLOAT8, "float8e4m3fnuz", "float8e5m2fnuz", "float8e8m0fnu"]
TORCH_LEGACY = [dtype for dtype in TORCH if not dtype.startswith("float8") and dtype not in ("uint64", "uint32", "uint16")]


def torch_type(dtype):
    import torch

    return getattr(torch, "float4_e2m1fn_x2" if dtype == "float4e2m1fn" else own_name(dtype))


def torch_tensor(dtype, shape, data):
    import torch

    if dtype == "float4e2m1fn":
        shape = (*shape[:-1], shape[-1] // 2)
    return torch.frombuffer(bytearray(data), dtype=torch_type(dtype)).view(shape) if data else torch.zeros(shape, dtype=torch_type(dtype))


def torch_fact(value):
    import torch

    dtype, shape = str(value.dtype).removeprefix("torch.").replace("float8_", "float8"), list(value.shape)
    if dtype == "float4_e2m1fn_x2":
        dtype, shape = "float4e2m1fn", [*shape[:-1], 2 * shape[-1]]
    data = value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if value.numel() else b""
    return fact(dtype, shape, data)


def torch_state(dtypes):
    tensors = put_in(dtypes)
    state = {name: torch_tensor(*each) for name, each in tensors.items()}
    state["tied/values"], tensors["tied/values"] = state["float32/values"], tensors["float32/values"]
    return state, facts(tensors)


def save_torch(folder):
    import torch

    state, saved = torch_state(TORCH)
    torch.save(state, f"{folder}/zip.pt")
    return "zip.pt", saved


def save_torch_legacy(folder):
    import torch

    state, saved = torch_state(TORCH_LEGACY)
    torch.save({"epoch": 3, "state_dict": state}, f"{folder}/legacy.pth.tar", _use_new_zipfile_serialization=False)
    return "legacy.pth.tar", saved


def load_torch(path):
    import torch

    return {name: torch_fact(value) for name, value in flat(torch.load(path, weights_only=True, mmap=True))}


def flat(value, path=()):
    if isinstance(value, dict):
        for key, below in value.items():
            yield from flat(below, (*path, str(key)))
    elif hasattr(value, "untyped_storage"):
        yield ".".join(path), value


def save_safetensors(folder):
    import safetensors.torch

    known = {str(dtype) for dtype in safetensors.torch._SIZE}
    dtypes = [dtype for dtype in [*TORCH, "float4e2m1fn"] if str(torch_type(dtype)) in known]
    assert len(dtypes) == len(known), known
    tensors = put_in(dtypes)
    safetensors.torch.save_file({name: torch_tensor(*each) for name, each in tensors.items()}, f"{folder}/theirs.safetensors")
    return "theirs.safetensors", facts(tensors)


def load_safetensors(path):
    import safetensors.torch

    return {name: torch_fact(value) for name, value in safetensors.torch.load_file(path).items()}


# ---- NumPy and MXNet


def save_numpy(folder):
    tensors = put_in([*PLAIN, "bfloat16", *COMPLEX])
    arrays = {name: array(*each) for name, each in tensors.items()}
    arrays["string/values"] = np.array([["a", ""], ["名前", "x" * 40]])
    np.savez(f"{folder}/theirs.npz", **arrays)
    return "theirs.npz", {**facts(tensors), "string/values": array_fact(arrays["string/values"])}


def load_numpy(path):
    with np.load(path) as arrays:
        # NumPy has no name for bfloat16, and keeps its bytes.
        return {name: array_fact(value, "bfloat16" if value.dtype == "V2" else None) for name, value in arrays.items()}


MXNET = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int8", "uint8", "bool"]


def mxnet():
    np.bool = bool  # MXNet 1.9 still uses it
    import mxnet

    return mxnet


def mxnet_array(mx, dtype, shape, data):
    own = np.dtype([("bfloat16", np.uint16)]) if dtype == "bfloat16" else dtype
    return mx.nd.array(np.frombuffer(data, own).reshape(shape), dtype=own)


def save_mxnet(folder):
    """As MXNet did before it had scalars, and arrays without elements."""
    mx = mxnet()
    tensors = {name: each for name, each in put_in(MXNET).items() if name not in ("scalar/values", "empty/values")}
    mx.nd.save(f"{folder}/theirs.params", {f"arg:{name}": mxnet_array(mx, *each) for name, each in tensors.items()})
    return "theirs.params", facts(tensors)


def save_mxnet_shapes(folder):
    mx = mxnet()
    tensors = put_in(MXNET)
    with mx.util.np_shape(True):
        mx.nd.save(f"{folder}/shapes.params", {name: mxnet_array(mx, *each) for name, each in tensors.items()})
    return "shapes.params", facts(tensors)


def load_mxnet(path):
    found = {}
    for name, value in mxnet().nd.load(path).items():
        own = value.asnumpy()
        found[name.removeprefix("arg:").removeprefix("aux:")] = array_fact(own, "bfloat16" if own.dtype.names else None)
    return found


# ---- TensorFlow

TENSORFLOW = [*PLAIN, "bfloat16", *COMPLEX, *FLOAT8, *NARROW]


def save_tensorflow(folder):
    import tensorflow as tf

    tensors = put_in(TENSORFLOW)
    texts = np.array([["a", ""], ["名前", "x" * 40]], object)
    values = {name: array(*each) for name, each in tensors.items()} | {"string/values": texts}
    layers = {}
    for name, value in values.items():
        layers[name.split("/")[0]] = layer = tf.Module()
        layer.values = tf.Variable(tf.constant(value), trainable=False)
    tf.train.Checkpoint(**layers).write(f"{folder}/theirs")
    return "theirs.index", {**facts(tensors), "string/values": array_fact(texts)}


def load_tensorflow(path):
    import tensorflow as tf

    reader = tf.train.load_checkpoint(path.removesuffix(".index"))
    names = [name for name in reader.get_variable_to_dtype_map() if name != "_CHECKPOINTABLE_OBJECT_GRAPH"]
    return {name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"): array_fact(reader.get_tensor(name)) for name in names}


# ---- Keras


def keras_model(layers):
    """A layer of each name, of a class of that name, since files tell layers by their classes; each has one variable."""
    import keras

    def build(self, _):
        dtype, shape = layers[self.name]
        self.value = self.add_weight(name="values", shape=shape, dtype=dtype, trainable=False, initializer="zeros")
        self.built = True

    body = {"build": build, "call": lambda self, x: x}
    made = [type(name, (keras.layers.Layer,), body)(name=name) for name in layers]
    model = keras.Sequential([keras.layers.Input((2,)), *made], name="held")
    return model, dict(zip(layers, made))


def keras_made():
    import keras

    # Keras 2 does not load the bfloat16 that it saved.
    tensors = put_in([*PLAIN, *([] if keras.__version__.startswith("2.") else ["bfloat16"]), *COMPLEX])
    model, layers = keras_model({name.split("/")[0]: each[:2] for name, each in tensors.items()})
    for name, each in tensors.items():
        layers[name.split("/")[0]].value.assign(array(*each))
    return model, tensors


def save_keras(end, key):
    """As `end` of a path says. Where a file numbers the variables of a layer, the first is 0."""

    def save(folder):
        model, tensors = keras_made()
        path = f"theirs-{len(os.listdir(folder))}{end}"
        (model.save if end == ".keras" else model.save_weights)(f"{folder}/{path}")
        return path, {name.replace("values", key): each for name, each in facts(tensors).items()}

    return save


def load_keras(path):
    with open(f"{path}.json") as file:
        expected = json.load(file)
    layers = {name.split("/")[0]: (each["dtype"], each["shape"]) for name, each in expected.items()}
    model, made = keras_model(layers)
    # Older files tell layers by their order, or by their names where that is asked for.
    model.load_weights(path, **({} if path.endswith(".weights.h5") else {"by_name": True}))
    return {name: array_fact(made[name.split("/")[0]].value.numpy(), layers[name.split("/")[0]][0]) for name in expected}


SAVE = {
    "torch": save_torch,
    "torch-legacy": save_torch_legacy,
    "safetensors": save_safetensors,
    "numpy": save_numpy,
    "mxnet": save_mxnet,
    "mxnet-shapes": save_mxnet_shapes,
    "tensorflow": save_tensorflow,
    "keras": save_keras(".keras", "0"),
    "keras-weights": save_keras(".weights.h5", "0"),
    "keras-h5": save_keras(".h5", "values"),
}
LOAD = {
    "torch": load_torch,
    "safetensors": load_safetensors,
    "numpy": load_numpy,
    "mxnet": load_mxnet,
    "tensorflow": load_tensorflow,
    "keras": load_keras,
}


def version(way):
    name = way.split("-")[0]
    return f"{name} {sys.modules[name].__version__.split('+')[0]}"


def save(folder, *ways):
    saved = {}
    for way in ways:
        file, tensors = SAVE[way](folder)
        saved[way] = {"by": version(way), "file": file, "tensors": tensors}
    return saved


def loaded(loader, path):
    try:
        return {"tensors": LOAD[loader](path), "by": version(loader)}
    except Exception as error:  # of one file: the others are loaded
        return {"error": f"{type(error).__name__}: {error}"}


def load(*files):
    return [loaded(*each.split("=", 1)) for each in files]


print(json.dumps({"save": save, "load": load}[sys.argv[1]](*sys.argv[2:])), flush=True)
