"""Reads checkpoints with the real TensorFlow and prints what each holds as JSON: `read-tensorflow.py PREFIX…`."""

import base64
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf


def data(value):
    if value.dtype.kind in "OS":
        return [base64.b64encode(text).decode() for text in np.asarray(value, object).ravel()]
    return base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()


def read(prefix):
    reader = tf.train.load_checkpoint(prefix)
    dtypes = reader.get_variable_to_dtype_map()
    listed = dict(tf.train.list_variables(prefix))
    assert listed.keys() == dtypes.keys()
    return {name: {"dtype": dtypes[name].name, "shape": listed[name], "data": data(np.asarray(reader.get_tensor(name)))} for name in dtypes}


print(json.dumps([read(prefix) for prefix in sys.argv[1:]]))
