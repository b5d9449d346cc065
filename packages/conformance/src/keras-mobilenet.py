"""Saves a MobileNetV2 of Keras that is built as the one in tools/fixtures/torch_nets.py, and what it computes: keras-mobilenet.py FOLDER

Layers are named as in Keras' own; the paddings are PyTorch's, and so are the constants of the normalisations, which no file of weights tells.
"""

import os
import pathlib
import sys

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools" / "fixtures"))

import keras
import numpy as np
from fixture import generator, write_golden

L = keras.layers
# Expansion, width, repeats, stride.
STAGES = [(1, 8, 1, 1), (6, 8, 2, 2), (6, 8, 2, 2), (6, 16, 1, 2), (6, 24, 1, 1)]


def normalised(x, name, activation=True):
    x = L.BatchNormalization(epsilon=1e-5, name=name)(x)
    return L.ReLU(6.0, name=f"{name}_relu")(x) if activation else x


def convolved(x, width, size, stride, name, norm, activation=True):
    if size > 1:
        x = L.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    return normalised(L.Conv2D(width, size, stride, use_bias=False, name=name)(x), norm, activation)


def block(x, expansion, width, stride, prefix):
    y = x
    if expansion > 1:
        y = convolved(y, expansion * x.shape[-1], 1, 1, f"{prefix}expand", f"{prefix}expand_BN")
    y = L.ZeroPadding2D(1, name=f"{prefix}pad")(y)
    y = normalised(L.DepthwiseConv2D(3, stride, use_bias=False, name=f"{prefix}depthwise")(y), f"{prefix}depthwise_BN")
    y = convolved(y, width, 1, 1, f"{prefix}project", f"{prefix}project_BN", activation=False)
    return L.Add(name=f"{prefix}add")([x, y]) if stride == 1 and x.shape[-1] == width else y


def mobilenet():
    image = L.Input((37, 29, 3), name="image")
    x = convolved(image, 8, 3, 2, "Conv1", "bn_Conv1")
    count = 0
    for expansion, width, repeats, stride in STAGES:
        for i in range(repeats):
            x = block(x, expansion, width, 1 if i else stride, f"block_{count}_" if count else "expanded_conv_")
            count += 1
    x = convolved(x, 48, 1, 1, "Conv_1", "Conv_1_bn")
    return keras.Model(image, L.Dense(7, name="predictions")(L.GlobalAveragePooling2D()(x)), name="mobilenet")


def lively(model):
    rng = generator("keras-mobilenet")
    ranges = {"gamma": (0.6, 1.5), "beta": (-0.4, 0.4), "moving_mean": (-0.1, 0.1), "moving_variance": (0.7, 1.4), "bias": (-1, 1)}
    values = []
    for weight in model.weights:
        name, shape = weight.name.split("/")[-1].removesuffix(":0"), tuple(weight.shape)
        fan_in = np.prod(shape[:2]) if "depthwise" in weight.name else np.prod(shape[:-1])
        values.append(rng.uniform(*ranges[name], shape) if name in ranges else rng.standard_normal(shape) * np.sqrt(2 / fan_in))
    model.set_weights(values)


folder = pathlib.Path(sys.argv[1])
model = mobilenet()
lively(model)
image = generator("keras-mobilenet image").standard_normal((2, 3, 37, 29), dtype="float32")
write_golden(folder, {"image": image}, {"scores": np.asarray(model(image.transpose(0, 2, 3, 1), training=False))})
model.save(folder / "mobilenet.keras")
model.save(folder / "mobilenet.h5")
model.save_weights(folder / "mobilenet.weights.h5")
