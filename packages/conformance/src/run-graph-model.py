"""Runs graph models of TF.js in real TensorFlow.

Each line of standard input is a request: {"model": model.json, "inputs": in.npz, "outputs": out.npz}. The answer is a line: {} or {"error": text}.
Weights are read by tensorflowjs's own reader. Operators that only TF.js has kernels for (its fused ones) are written out.
"""
import json
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')

import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402
from google.protobuf import json_format  # noqa: E402
from tensorflow.core.framework import graph_pb2  # noqa: E402
from tensorflowjs.read_weights import read_weights  # noqa: E402

tf.disable_eager_execution()

PLAIN = {'_FusedConv2D': 'Conv2D', '_FusedMatMul': 'MatMul', 'FusedDepthwiseConv2dNative': 'DepthwiseConv2dNative'}
FUSED_ATTRS = ('fused_ops', 'num_args', 'epsilon', 'leakyrelu_alpha', 'num_host_args', 'TArgs')


def written_out(node, graph):
    """A fused node as the nodes that TensorFlow has: the product, the bias, the activation. The last one has the node's name."""
    steps = [op.decode() for op in node.attr['fused_ops'].list.s]
    alpha = node.attr['leakyrelu_alpha'].f
    inputs, bias = list(node.input)[:2], list(node.input)[2:]
    name = lambda i: node.name if i == len(steps) else f'{node.name}/part{i}'
    first = graph.node.add(name=name(0), op=PLAIN[node.op], input=inputs)
    for key, value in node.attr.items():
        if key not in FUSED_ATTRS:
            first.attr[key].CopyFrom(value)
    for i, op in enumerate(steps, 1):
        operands = [name(i - 1)] + ([bias.pop(0)] if op in ('BiasAdd', 'Prelu') else [])
        step = graph.node.add(name=name(i), op=op, input=operands)
        step.attr['T'].CopyFrom(node.attr['T'])
        if op == 'BiasAdd':
            step.attr['data_format'].CopyFrom(node.attr['data_format'])
        if op == 'LeakyRelu':
            step.attr['alpha'].f = alpha


def load(path):
    with open(path) as file:
        model = json.load(file)
    groups = read_weights(model['weightsManifest'], os.path.dirname(path))
    weights = {entry['name']: entry['data'] for group in groups for entry in group}
    stored = json_format.ParseDict(model['modelTopology'], graph_pb2.GraphDef())
    graph = graph_pb2.GraphDef()
    graph.library.CopyFrom(stored.library)
    graph.versions.producer = 1645
    for node in stored.node:
        if node.op in PLAIN:
            written_out(node, graph)
        else:
            graph.node.add().CopyFrom(node)
    for node in [*graph.node, *(node for function in graph.library.function for node in function.node_def)]:
        if node.op == 'Const' and node.name in weights:
            dtype = tf.as_dtype(node.attr['dtype'].type)
            array = np.asarray(weights[node.name]).astype(dtype.as_numpy_dtype)
            node.attr['value'].tensor.CopyFrom(tf.make_tensor_proto(array, dtype, array.shape))
    spread_taps(graph)
    return model, graph


def spread_taps(graph):
    """TensorFlow has no dilated depthwise convolution on a CPU: the same filters with zeros between their taps."""
    constants = {node.name: node for node in graph.node if node.op == 'Const'}
    for node in list(graph.node):
        dilations = list(node.attr['dilations'].list.i)[1:3]
        if node.op != 'DepthwiseConv2dNative' or max(dilations, default=1) == 1:
            continue
        filters = tf.make_ndarray(constants[node.input[1]].attr['value'].tensor)
        spread = np.zeros([(n - 1) * d + 1 for n, d in zip(filters.shape, dilations)] + list(filters.shape[2:]), filters.dtype)
        spread[:: dilations[0], :: dilations[1]] = filters
        graph.node.add(name=node.name + '/spread', op='Const').attr['value'].tensor.CopyFrom(tf.make_tensor_proto(spread))
        graph.node[-1].attr['dtype'].type = tf.as_dtype(spread.dtype).as_datatype_enum
        node.input[1] = node.name + '/spread'
        node.attr['dilations'].list.i[:] = [1, 1, 1, 1]


def run(request):
    model, definition = load(request['model'])
    signature = model['signature']
    arrays = dict(np.load(request['inputs']))
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name='')
        feeds = {}
        for entry in signature['inputs'].values():
            tensor = graph.get_tensor_by_name(entry['name'] if ':' in entry['name'] else entry['name'] + ':0')
            given = arrays[entry['name'].split(':')[0]]
            cast = given.astype(tensor.dtype.as_numpy_dtype)
            assert np.array_equal(cast, given), f'{entry["name"]} cannot be {tensor.dtype}'
            feeds[tensor] = cast
        names = [entry['name'] for entry in signature['outputs'].values()]
        with tf.Session() as session:
            results = session.run([name if ':' in name else name + ':0' for name in names], feeds)
    np.savez(request['outputs'], **{name: result for name, result in zip(names, results)})


for line in sys.stdin:
    try:
        run(json.loads(line))
        answer = {}
    except Exception as error:  # whatever TensorFlow says is the answer
        answer = {'error': f'{type(error).__name__}: {error}'[:2000]}
    print(json.dumps(answer), flush=True)
