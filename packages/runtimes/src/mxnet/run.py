"""Runs one MXNet model for Drover: run.py FOLDER SYMBOL [PARAMS]. Says what it declares, then answers each request.

Both sides speak JSON, one document a line. A request is {"inputs": [{"name", "dtype", "shape", "file"}], "output": PREFIX}: files hold the
elements, little-endian, C order. The answer is {"outputs": [{"name", "dtype", "shape", "file"}]} or {"error": TEXT}. When standard input ends,
whoever asks is gone: the process ends, and FOLDER with it.
"""

import json
import os
import queue
import shutil
import sys
import threading

# The library prints, too: what it says goes where errors go.
answers = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)
requests = queue.Queue()


def say(document):
    answers.write(json.dumps(document) + '\n')
    answers.flush()


def listen(folder):
    for line in sys.stdin:
        requests.put(line)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


threading.Thread(target=listen, args=sys.argv[1:2], daemon=True).start()

try:
    import numpy as np

    if not hasattr(np, 'bool'):
        np.bool = bool  # MXNet 1.9.1 asks for the name that NumPy 1.24 removed.
    import mxnet as mx
except Exception as error:
    say({'error': str(error), 'absent': True})
    sys.exit(1)

# Operators whose label input exists for training only: the forward pass of inference does not read it.
LABELLED = {'SoftmaxOutput', 'LinearRegressionOutput', 'LogisticRegressionOutput', 'MAERegressionOutput', 'SVMOutput', 'softmax_cross_entropy'}


def labels_of(symbol):
    nodes = json.loads(symbol.tojson())['nodes']
    return {nodes[node['inputs'][1][0]]['name'] for node in nodes if node['op'] in LABELLED and nodes[node['inputs'][1][0]]['op'] == 'null'}


def load_params(file):
    # Files are loaded under the shapes alone that they were saved under, whatever the symbol's are.
    try:
        with mx.util.np_shape(False):
            return mx.nd.load(file)
    except mx.base.MXNetError as error:
        if 'np shape semantics' not in str(error):
            raise
    with mx.util.np_shape(True):
        return mx.nd.load(file)


def main(symbol_file, params_file=None):
    with open(symbol_file, encoding='utf-8') as text:
        attributes = json.load(text).get('attrs', {})
    # Under numpy's shapes a scalar has no dimensions and a dimension may be 0; otherwise both mean unknown.
    mx.util.set_np_shape(bool(attributes.get('is_np_shape', ['int', 0])[1]))
    symbol = mx.sym.load(symbol_file)
    # A file of no parameters is a list for MXNet.
    stored = (load_params(params_file) if params_file else {}) or {}
    if not isinstance(stored, dict):
        raise ValueError('the parameters have no names')
    # Gluon's save_parameters writes names without arg: and aux:.
    arguments, states = set(symbol.list_arguments()), set(symbol.list_auxiliary_states())
    bare = {key.split(':', 1)[-1]: value for key, value in stored.items()}
    arg = {key: value for key, value in bare.items() if key in arguments}
    aux = {key: value for key, value in bare.items() if key in states}
    labels = labels_of(symbol)
    free = [name for name in symbol.list_arguments() if name not in arg]
    missing = sorted(states - set(aux))
    if missing:
        raise ValueError('the parameters lack ' + ', '.join(missing))
    say({'inputs': [name for name in free if name not in labels], 'outputs': symbol.list_outputs()})

    while True:
        line = requests.get()
        try:
            say(answer(symbol, arg, aux, free, labels, json.loads(line)))
        except Exception as error:  # the caller gets every failure as its own
            say({'error': str(error).split('\nStack trace')[0]})


def answer(symbol, arg, aux, free, labels, request):
    feed = {}
    precisions = {np.dtype(value.dtype) for value in arg.values() if np.dtype(value.dtype).kind == 'f'}
    for one in request['inputs']:
        values = np.fromfile(one['file'], dtype=one['dtype']).reshape(one['shape'])
        if values.dtype.kind == 'f' and len(precisions) == 1:
            values = values.astype(*precisions)
        feed[one['name']] = mx.nd.array(values, dtype=values.dtype)
    known = {name: value.shape for name, value in {**arg, **feed}.items()}
    shapes = dict(zip(symbol.list_arguments(), symbol.infer_shape_partial(**known)[0]))
    zeros = {name: mx.nd.zeros(shapes[name] or (1,)) for name in free if name in labels and name not in feed}
    executor = symbol.bind(mx.cpu(), {**arg, **feed, **zeros}, aux_states=aux, grad_req='null')
    outputs = []
    for i, (name, value) in enumerate(zip(symbol.list_outputs(), executor.forward(is_train=False))):
        values = np.ascontiguousarray(value.asnumpy())
        file = os.path.join(request['output'], '%d.out' % i)
        values.tofile(file)
        outputs.append({'name': name, 'dtype': str(values.dtype), 'shape': list(value.shape), 'file': file})
    return {'outputs': outputs}


try:
    main(*sys.argv[2:])
except Exception as error:
    say({'error': str(error).split('\nStack trace')[0]})
    sys.exit(1)
