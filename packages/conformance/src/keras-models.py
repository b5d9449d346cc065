"""Makes, and reads, models of Keras 2.15 or 3, whichever this Python has. Prints JSON.

make FOLDER                   saves each model as NAME.h5, NAME.keras and NAME.weights.h5
read [--custom] FILE...       loads whole models
weights NAME=FILE...          loads weights into models that are built here
predict EXPECTED=FILE...      loads whole models, and says how far each output is from what another Keras predicted

Of each model: its weights in their order, as base64, what it was given, and what it predicts.
"""

import base64
import json
import os
import sys

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}

import keras
import numpy as np
import tensorflow as tf

L = keras.layers


def image():
    x = inputs = L.Input((16, 18, 3), name="picture")
    x = L.Conv2D(6, 3, strides=2, padding="same", use_bias=False)(x)
    x = L.BatchNormalization()(x)
    x = L.ReLU(max_value=6.0)(x)
    x = L.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x)
    x = skip = L.LeakyReLU()(x)
    x = L.SeparableConv2D(8, 3, padding="same")(x)
    x = L.PReLU(shared_axes=[1, 2])(x)
    x = L.MaxPooling2D()(x)
    x = L.Conv2DTranspose(5, 3, strides=2, padding="same", activation="elu")(x)
    x = L.Cropping2D(((0, 0), (0, 1)))(x)
    x = L.ZeroPadding2D(((0, 0), (0, 2)))(x)
    x = L.Concatenate()([x, skip])
    x = L.LayerNormalization(axis=-1)(x)
    x = L.GlobalAveragePooling2D()(x)
    frozen = L.Dense(7, activation="tanh", trainable=False, name="frozen")
    inner = keras.Sequential([L.Input((17,)), frozen, L.BatchNormalization(name="inner_norm"), L.Dense(5)], name="inner")
    y = inner(x)
    return keras.Model(inputs, [L.Softmax()(y), L.Dense(1, activation="sigmoid")(L.Multiply()([y, y]))], name="image")


def text():
    tokens = L.Input((9,), dtype="int32", name="tokens")
    more = L.Input((9, 4), name="more")
    x = L.Embedding(23, 4)(tokens)
    x = L.Add()([x, more])
    x = L.Bidirectional(L.LSTM(3, return_sequences=True))(x)
    x = L.MultiHeadAttention(2, 3)(x, value=x)
    x = L.TimeDistributed(L.Dense(4, activation="relu"))(x)
    x = L.GRU(5, return_sequences=True)(x)
    x = L.Conv1D(4, 3)(x)
    x = L.SimpleRNN(4)(x)
    return keras.Model([tokens, more], L.Dense(2)(L.Dropout(0.5)(x)), name="text")


def sequence():
    return keras.Sequential([L.Input((5,)), L.Dense(4, activation="relu"), L.GaussianNoise(0.1), L.Dense(3)], name="sequence")


def recurrent():
    frames = L.Input((6, 5), name="frames")
    x = L.Bidirectional(L.LSTM(4, return_sequences=True), name="first")(frames)
    x = L.Bidirectional(L.GRU(3, return_sequences=True), name="second")(x)
    x = L.Bidirectional(L.GRU(3, return_sequences=True, reset_after=False), name="third")(x)
    return keras.Model(frames, L.Dense(2, name="head")(x), name="recurrent")


class Scale(L.Layer):
    """A class that is not Keras' own."""

    def build(self, shape):
        self.factor = self.add_weight(name="factor", shape=(shape[-1],), initializer="ones")
        self.built = True

    def call(self, x):
        return x * self.factor


def custom():
    inputs = L.Input((4,), name="x")
    return keras.Model(inputs, L.Dense(2)(Scale(name="scale")(L.Dense(3)(inputs))), name="custom")


MODELS = {"image": image, "text": text, "sequence": sequence, "recurrent": recurrent, "custom": custom}


def built(name):
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    model = MODELS[name]()
    rng = np.random.default_rng(7)
    model.set_weights([np.abs(w * 0 + rng.normal(0, 0.4, w.shape)).astype(w.dtype) for w in model.get_weights()])
    return model


def facts(model):
    rng = np.random.default_rng(11)
    inputs = [rng.integers(0, 23, (2, *x.shape[1:])) if "int" in str(x.dtype) else rng.normal(size=(2, *x.shape[1:])).astype("float32") for x in model.inputs]
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    weights = [base64.b64encode(np.ascontiguousarray(w).tobytes()).decode() for w in model.get_weights()]
    given = [np.asarray(x).astype("float64").ravel().tolist() for x in inputs]
    return {"keras": keras.__version__, "weights": weights, "inputs": given, "outputs": [np.asarray(y).astype("float64").ravel().tolist() for y in outputs]}


def make(folder):
    made = {}
    for name in MODELS:
        model = built(name)
        model.save(f"{folder}/{name}.h5")
        model.save(f"{folder}/{name}.keras")
        model.save_weights(f"{folder}/{name}.weights.h5")
        made[name] = facts(model)
    return made


def read(*files):
    scope = {"Scale": Scale} if files[0] == "--custom" else {}
    return [facts(keras.models.load_model(file, compile=False, custom_objects=scope)) for file in files if file != "--custom"]


def weights(*pairs):
    found = []
    for name, file in [pair.split("=", 1) for pair in pairs]:
        model = built(name)
        model.set_weights([w * 0 for w in model.get_weights()])
        model.load_weights(file)
        found.append(facts(model))
    return found


def predict(*pairs):
    tf.nn.convolution, tf.nn.conv_transpose = on_cpu(tf.nn.convolution), on_cpu(tf.nn.conv_transpose)
    return [distances(*pair.split("=", 1)) for pair in pairs]


def on_cpu(function):
    """A convolution with channels first, which TensorFlow has on GPUs alone, by the one with channels last."""

    def convolved(x, kernel, *shapes, data_format=None, **kwargs):
        if not data_format or not data_format.startswith("NC"):
            return function(x, kernel, *shapes, data_format=data_format, **kwargs)
        # Of a transposed convolution the first is that of its result, with the batch.
        last = [[s[0], *s[2:], s[1]] if isinstance(s, (list, tuple)) and len(s) == len(x.shape) else s for s in shapes]
        y = function(tf.experimental.numpy.moveaxis(x, 1, -1), kernel, *last, data_format=f"N{data_format[2:]}C", **kwargs)
        return tf.experimental.numpy.moveaxis(y, -1, 1)

    return convolved


def distances(expected, file):
    """The largest difference of each output, as a share of its largest value."""
    with open(expected) as text:
        known = json.load(text)
    inputs, wanted = ([np.frombuffer(base64.b64decode(x["data"]), x["dtype"]).reshape(x["shape"]) for x in known[key]] for key in ("inputs", "outputs"))
    model = keras.models.load_model(file, compile=False)
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    assert [np.shape(y) for y in outputs] == [y.shape for y in wanted]
    return [float(np.abs(np.asarray(y) - z).max() / np.abs(z).max()) for y, z in zip(outputs, wanted)]


print(json.dumps({"predict": predict, "make": make, "read": read, "weights": weights}[sys.argv[1]](*sys.argv[2:])), flush=True)
