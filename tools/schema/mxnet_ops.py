"""Writes packages/mxnet/src/schema/{ops,aliases}.ts from the operator registry of the real MXNet 1.9.1.

python tools/schema/mxnet_ops.py

The registry tells attributes with their defaults, and argument names. Which inputs an operator takes under which attributes, and how many outputs it has, the
registry does not tell: the script composes every operator under every combination of the attributes that matter and reads the answer from the symbol's JSON.
"""

import ast
import ctypes
import itertools
import json
import os
import pathlib
import re
import sys

import mxnet as mx
from mxnet.base import _LIB, SymbolHandle, c_str, c_str_array, check_call, mx_uint, py_str

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "packages" / "mxnet" / "src" / "schema"

# What no exported model for inference carries: gradients, optimiser steps, samplers of graphs, image files, and the machinery of the runtime itself.
SKIPPED = re.compile(
    r"backward|_update(_phase\d)?$|_update$|^_cv|^_contrib_dgl|^_contrib_edge_id|^_npi_insert|^_npi_(choice|gamma|gumbel|logistic|normal|normal_n|uniform|uniform_n|ediff1d|unique|multinomial)$|^_sg_|^_image_random"
    r"|^(_CachedOp|_CachedOpThreadSafe|_CrossDeviceCopy|_CustomFunction|_NDArray|_Native|_NoGradient|Custom|_set_value|_copyto|_onehot_encode|_imdecode"
    r"|reset_arrays|multi_lars|fill_element_0index|_contrib_calibrate_entropy|_contrib_quantized_concat)$"
)

# What MXNet cannot be asked about without subgraphs, or what depends on the length of an attribute. Checked against symbols it wrote (codec tests).
BY_HAND = {
    "_foreach": dict(inputs=[{"each": "num_args", "names": ["arg{i}"], "less": 1}], outputs=[{"each": "num_outputs", "names": ["output{i}"]}]),
    "_while_loop": dict(inputs=[{"each": "num_args", "names": ["arg{i}"], "less": 2}], outputs=[{"each": "num_outputs", "names": ["output{i}"]}]),
    "_cond": dict(inputs=[{"each": "num_args", "names": ["arg{i}"], "less": 3}], outputs=[{"each": "num_outputs", "names": ["output{i}"]}]),
}
SPLITS = {"_split_v2", "_npi_hsplit", "_npi_dsplit"}  # sections, or as many as indices

# Attributes of operators whose registration documents those of another.
DOCUMENTED_WRONG = {
    "_npi_concatenate": {"num_args": {"kind": "int", "required": True}, "axis": {"kind": "int", "nullable": True, "default": 0}},
}

# Values without which an operator refuses to be composed.
NEEDED = {
    "Pooling": {"kernel": "(2, 2)"},
    "Pooling_v1": {"kernel": "(2, 2)"},
    "_contrib_quantized_pooling": {"kernel": "(2, 2)"},
    "_contrib_quantized_rnn": {"mode": "lstm"},
    "_linspace": {"num": "3", "stop": "1"},
    "_npi_logspace": {"num": "3"},
}


def registry(name):
    """Canonical name, [(argument, type)], and the attribute that counts variadic inputs ('' if none)."""
    handle = ctypes.c_void_p()
    check_call(_LIB.NNGetOpHandle(c_str(name), ctypes.byref(handle)))
    real, description, counter, returns = (ctypes.c_char_p() for _ in range(4))
    size = mx_uint()
    names, types, texts = (ctypes.POINTER(ctypes.c_char_p)() for _ in range(3))
    out = [real, description, size, names, types, texts, counter, returns]
    check_call(_LIB.MXSymbolGetAtomicSymbolInfo(handle, *(ctypes.byref(x) for x in out)))
    return py_str(real.value), [(py_str(names[i]), py_str(types[i])) for i in range(size.value)], py_str(counter.value)


def compose(op, attrs):
    """(input names, auxiliary names, number of outputs, names of the visible outputs) of an operator over fresh variables."""
    handle, symbol = ctypes.c_void_p(), SymbolHandle()
    check_call(_LIB.NNGetOpHandle(c_str(op), ctypes.byref(handle)))
    check_call(_LIB.MXSymbolCreateAtomicSymbol(handle, mx_uint(len(attrs)), c_str_array(list(attrs)), c_str_array(list(attrs.values())), ctypes.byref(symbol)))
    check_call(_LIB.MXSymbolCompose(symbol, c_str("n"), mx_uint(0), None, None))
    symbol = mx.sym.Symbol(symbol)
    graph = json.loads(symbol.tojson(remove_amp_cast=False))
    inputs = [graph["nodes"][entry[0]]["name"] for entry in graph["nodes"][-1]["inputs"]]
    strip = lambda names: tuple(n[2:] if n.startswith("n_") else n for n in names)
    rows = graph["node_row_ptr"]
    return strip(inputs), strip(symbol.list_auxiliary_states()), rows[-1] - rows[-2], strip(symbol.list_outputs())


def attribute(text):
    """{kind, nullable?, required?, default?, values?} of a type as dmlc::Parameter prints it."""
    kind = re.sub(r", ?(optional|required).*$", "", text)
    if kind == "":  # an optional of a type that has no name
        default = text.partition("default=")[2]
        return {"kind": "any", "nullable": True, "default": None} if default == "None" else {"kind": "string", "default": default}
    out = {}
    nullable = kind.endswith("or None") or kind == "Shape or None" or re.match(r"\{.*\bNone\b", kind)
    if kind.startswith("{"):
        values = [v.strip().strip("'") for v in kind[1:-1].split(",")]
        out = {"kind": "enum", "values": [v for v in values if v != "None"]}
    else:
        base = kind.replace(" or None", "")
        table = {"int": "int", "int (non-negative)": "int", "long": "int", "long (non-negative)": "int", "ptr": "int", "boolean": "bool", "string": "string"}
        table |= {"float": "float", "double": "float", "real_t": "float", "Shape(tuple)": "tuple", "Shape": "tuple"}
        out = {"kind": "tuple" if base.startswith("tuple of") else table[base]}
    if nullable:
        out["nullable"] = True
    if "required" in text.split(kind)[-1]:
        out["required"] = True
        return out
    if "default=" not in text:
        return out
    default = text.partition("default=")[2]
    if out["kind"] in ("string", "enum") and default.startswith("'"):
        default = default[1:-1]
        out["default"] = None if default == "None" and nullable else default
        return out
    value = ast.literal_eval(default)
    if isinstance(value, str):
        value = ast.literal_eval(value) if value else value
    if out["kind"] == "bool" and value is not None:
        value = bool(value)
    out["default"] = list(value) if isinstance(value, tuple) else value
    return out


def candidates(schema):
    """Values worth trying, as {text: typed value}; for numbers that may be absent only the difference between absent and given."""
    nothing = {"None": None} if schema.get("nullable") else {}
    if schema["kind"] == "enum":
        return {v: v for v in schema["values"]} | nothing
    if schema["kind"] == "bool":
        return {"True": True, "False": False}
    if schema["kind"] in ("int", "float") and nothing:
        return {"1": "given"} | nothing
    return {}


def filler(schema):
    return {"enum": lambda: schema["values"][0], "int": lambda: "2", "float": lambda: "0.5", "bool": lambda: "False", "tuple": lambda: "(2, 2)"}.get(schema["kind"], lambda: "x")()


def conditions(slot, seen):
    """{attribute: [values]} such that the slot is there exactly when every attribute has one of its values."""
    there = [values for values, names in seen if slot in names]
    when = {}
    for key in seen[0][0]:
        every = list(dict.fromkeys(values[key] for values, _ in seen))
        some = [v for v in every if any(values[key] == v for values in there)]
        if len(some) < len(every):
            when[key] = some
    for values, names in seen:
        assert (slot in names) == all(values[key] in some for key, some in when.items()), (slot, when)
    return when


def slots(seen):
    """One list of conditional names in order, from what was seen under each combination of attributes."""
    order = []
    for _, names in sorted(seen, key=lambda pair: -len(pair[1])):
        at = 0
        for name in names:
            if name in order:
                at = order.index(name) + 1
            else:
                order.insert(at, name)
                at += 1
    for _, names in seen:
        assert [n for n in order if n in names] == list(names), (order, names)
    return [{"name": n, "when": when} if (when := conditions(n, seen)) else n for n in order]


def variadic(names_of, key):
    """[{each: key, names: [template]}] if the names grow with the attribute, else None."""
    if key is None:
        return None
    two, three = names_of("2"), names_of("3")
    if len(three) <= len(two):
        return None
    template = lambda names: [re.sub(r"\d+$", "{i}", n) for n in names]
    assert len(set(template(three))) == 1 and len(three) == 3, three
    return [{"each": key, "names": [template(three)[0]]}]


def describe(op):
    _, arguments, counter = registry(op)
    attrs = {n: attribute(t) for n, t in arguments if t and not t.startswith(("NDArray", "Symbol", "ptr"))}
    attrs = DOCUMENTED_WRONG.get(op, attrs)
    if counter and counter not in attrs:
        attrs[counter] = {"kind": "int", "required": True}
    if op in BY_HAND:
        return BY_HAND[op] | {"attrs": attrs}
    base = {n: filler(a) for n, a in attrs.items() if a.get("required")} | NEEDED.get(op, {})
    reference = compose(op, base)
    typed = lambda name, text: candidates(attrs[name]).get(text, text)
    default = lambda name: base.get(name, str(attrs[name].get("default")))
    matter = {}
    for name, schema in attrs.items():
        for text in candidates(schema):
            try:
                if compose(op, base | {name: text}) != reference:
                    matter[name] = list(dict.fromkeys([default(name), *candidates(schema)]))
            except mx.MXNetError:
                pass
    seen = []
    for values in itertools.product(*matter.values()):
        chosen = dict(zip(matter, values))
        try:
            got = compose(op, base | chosen)
        except mx.MXNetError:
            continue
        seen.append(({k: typed(k, v) for k, v in chosen.items()}, got))
    many = counter or next((n for n in ("num_outputs", "num_arrays") if n in attrs), None)
    if op == "UpSampling":
        nearest, bilinear = {"sample_type": ["nearest"]}, {"sample_type": ["bilinear"]}
        return {
            "inputs": [{"each": "num_args", "names": ["arg{i}"], "when": nearest}, {"name": "data", "when": bilinear}, {"name": "weight", "when": bilinear}],
            "outputs": ["output"],
            "attrs": attrs,
        }
    inputs = variadic(lambda n: compose(op, base | {many: n})[0], many) or slots([(values, got[0]) for values, got in seen])
    if op in SPLITS:
        return {"inputs": inputs, "outputs": [{"each": "indices", "names": ["output{i}"]}], "attrs": attrs}
    outputs = variadic(lambda n: compose(op, base | {many: n})[3], many) or slots([(values, got[3]) for values, got in seen])
    aux = {a for _, got in seen for a in got[1]}
    hidden = slots([(values, tuple(f"hidden{i}" for i in range(got[2] - len(got[3])))) for values, got in seen])
    out = {"inputs": inputs, "aux": [n for n in reference[0] if n in aux], "outputs": outputs, "hidden": hidden, "attrs": attrs}
    return {k: v for k, v in out.items() if v != [] or k == "inputs"}


def survivor(op):
    """describe(op) in a child, because MXNet aborts the process on some operators."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            answer = describe(op)
        except Exception as error:  # reported by the parent
            answer = {"error": f"{type(error).__name__}: {error}"}
        with os.fdopen(write, "w") as pipe:
            json.dump(answer, pipe)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"error": "MXNet aborted"}


def typescript(value):
    """A value as a TypeScript literal under prettier's habits."""
    if isinstance(value, dict):
        key = lambda k: k if re.fullmatch(r"[A-Za-z_$][\w$]*", k) else repr(k)
        return "{ " + ", ".join(f"{key(k)}: {typescript(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(typescript, value)) + "]"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else repr(value)


def main():
    head = f"// Generated by tools/schema/mxnet_ops.py from the operator registry of MXNet {mx.__version__}. Do not edit.\n"
    aliases, ops, left_out = {}, {}, []
    for name in sorted(mx.operator.get_all_registered_operators()):
        real = registry(name)[0]
        if real != name:
            aliases[name] = real
        elif not SKIPPED.search(name):
            schema = survivor(name)
            if "error" in schema:
                left_out.append(f"{name}: {schema['error'].splitlines()[-1]}")
            else:
                ops[name] = schema
    aliases = {a: real for a, real in aliases.items() if real in ops or not SKIPPED.search(real)}
    rows = "\n".join(f"  {typescript({name: schema})[2:-2]}," for name, schema in ops.items())
    (SCHEMA / "ops.ts").write_text(
        f"{head}import type {{ OpSchema }} from './op-schema.js';\n\n"
        "/** Inputs, outputs and attributes of MXNet's operators, by canonical name. */\n"
        f"// prettier-ignore\nexport const ops = {{\n{rows}\n}} as const satisfies Readonly<Record<string, OpSchema>>;\n"
    )
    rows = "\n".join(f"  {typescript({a: real})[2:-2]}," for a, real in aliases.items())
    (SCHEMA / "aliases.ts").write_text(
        f"{head}/** Other names under which MXNet 1.9.1 knows an operator, with its canonical name. */\n// prettier-ignore\nexport const aliases = {{\n{rows}\n}} as const satisfies Readonly<Record<string, string>>;\n"
    )
    print(f"{len(ops)} operators, {len(aliases)} aliases", file=sys.stderr)
    print("\n".join(left_out), file=sys.stderr)


main()
