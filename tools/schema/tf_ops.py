"""Writes packages/graphdef/src/schema/ops.ts from TensorFlow's own operator registry.

python tools/schema/tf_ops.py

The operators: all that TF.js executes (read from packages/tfjs/src/schema/ops.ts) and those that graphs for inference hold before a converter replaces them.
"""

import pathlib
import re
import sys

import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry

PACKAGES = pathlib.Path(__file__).resolve().parents[2] / "packages"

FURTHER = """
Assert AssignVariableOp AssignAddVariableOp Assign Variable VariableV2 VarHandleOp VarIsInitializedOp ReadVariableOp ResourceGather ResourceGatherNd RestoreV2 SaveV2
MergeV2Checkpoints ShardedFilename StringJoin PartitionedCall StatefulPartitionedCall SymbolicGradient If While Case StatelessCase For _Arg _Retval _If _While
PreventGradient CheckNumerics PlaceholderV2 Placeholder Bitcast GuaranteeConst IdentityN Size DebugIdentity DebugIdentityV2
BatchMatMulV3 Betainc BitwiseOr BitwiseXor Invert LeftShift RightShift LogicalXor Rint Roll SpaceToDepth SpaceToBatch BatchToSpace Xlogy Xlog1py Xdivy Cross CumulativeLogsumexp
Digamma Lgamma Erfc Erfinv Ndtri Igamma Igammac Polygamma Zeta BesselI0e BesselI1e Softsign ReluN Gelu Angle Conj MulNoNan TruncateDiv TruncateMod NextAfter ApproximateEqual
Conv Conv2DBackpropInputV2 Conv3DBackpropInputV2 DepthwiseConv2dNativeBackpropInput MaxPoolV2 FractionalAvgPool FractionalMaxPool L2Loss InTopK InTopKV2 Dilation2D
BatchNormWithGlobalNormalization InstanceNorm _MklLayerNorm _FusedBatchNormEx _MklFusedInstanceNorm _FusedDepthwiseConv2dNative _FusedConv3D FusedPadConv2D FusedResizeAndPadConv2D
MatrixDiag MatrixDiagV2 MatrixDiagV3 MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3 MatrixSetDiag MatrixSetDiagV2 MatrixSetDiagV3 MatrixInverse MatrixSolve MatrixDeterminant
MatrixTriangularSolve Cholesky Qr Svd SelfAdjointEigV2 Diag DiagPart Trace SparseMatMul SparseTensorDenseMatMul SparseTensorDenseAdd
TensorScatterAdd TensorScatterSub TensorScatterMax TensorScatterMin ScatterNdNonAliasingAdd GatherV2 ParallelDynamicStitch DynamicStitch DynamicPartition InvertPermutation ReverseSequence
SegmentSum SegmentMean SegmentMax SegmentMin SegmentProd UnsortedSegmentSum UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd SparseSegmentSqrtN Bucketize Histogram HistogramFixedWidth
ParallelConcat TopK Unstage UniqueWithCounts UniqueWithCountsV2 NthElement ConcatOffset BroadcastGradientArgs Empty EditDistance ExtractImagePatches ExtractVolumePatches Quantile
QuantizeV2 QuantizeAndDequantize QuantizeAndDequantizeV2 QuantizeAndDequantizeV3 QuantizeAndDequantizeV4 Dequantize FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVarsPerChannel
QuantizedConv2D QuantizedMatMul Requantize RequantizationRange
ResizeArea ResizeBicubic ScaleAndTranslate ImageProjectiveTransformV2 AdjustContrastv2 AdjustHue AdjustSaturation RGBToHSV HSVToRGB NonMaxSuppression CombinedNonMaxSuppression
NonMaxSuppressionWithOverlaps ExtractGlimpse DrawBoundingBoxes DecodeJpeg DecodePng DecodeImage DecodeBmp DecodeGif DecodeWav EncodePng EncodeJpeg AudioSpectrogram Mfcc
FFT2D IFFT2D FFT3D IFFT3D RFFT2D IRFFT2D RFFT3D IRFFT3D
LSTMBlockCell BlockLSTM BlockLSTMV2 GRUBlockCell CudnnRNN CudnnRNNV2 CudnnRNNV3 CTCGreedyDecoder CTCBeamSearchDecoder
AsString StringFormat StringLength StringLower StringUpper StringStrip StringSplitV2 StringToHashBucket StringToHashBucketStrong StringToNumber Substr RegexReplace RegexFullMatch StaticRegexFullMatch
UnicodeDecodeWithOffsets UnicodeTranscode DecodeRaw DecodeBase64 EncodeBase64 ReduceJoin UnsortedSegmentJoin ParseExample ParseExampleV2 ParseSingleExample SdcaFprint
InitializeTableFromTextFile InitializeTableFromTextFileV2 LookupTableExport LookupTableExportV2 MutableHashTable MutableHashTableV2 LookupTableInsertV2 AnonymousHashTable
TensorArrayConcatV3 TensorArrayGradV3 TensorArrayUnpack TensorListPushBackBatch TensorListElementShape TensorListConcatLists Stack StackV2 StackPushV2 StackPopV2 Queue
RefEnter RefExit RefMerge RefNextIteration RefSwitch RefIdentity ControlTrigger Abort
RandomUniformInt RandomGamma RandomPoissonV2 RandomShuffle StatelessRandomUniform StatelessRandomUniformV2 StatelessRandomNormal StatelessRandomNormalV2 StatelessRandomGetKeyCounter
StatelessRandomGetKeyCounterAlg StatelessRandomGetAlg StatelessTruncatedNormalV2 StatelessMultinomial RngReadAndSkip
RaggedTensorToSparse RaggedTensorFromVariant RaggedTensorToVariant RaggedBincount RaggedCountSparseOutput DenseCountSparseOutput SparseReorder SparseConcat SparseSlice SparseReduceSum
SparseTensorToDense SparseCross SparseFillEmptyRowsGrad DeepCopy ReadFile WriteFile MatchingFiles PyFunc EagerPyFunc PyFuncStateless
""".split()


def ts(value):
    if isinstance(value, dict):
        key = lambda k: k if re.fullmatch(r"[A-Za-z_$][\w$]*", k) else f"'{k}'"
        return "{ " + ", ".join(f"{key(k)}: {ts(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(ts, value)) + "]"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def argument(arg):
    out = {"name": arg.name}
    if arg.type:
        out["type"] = types_pb2.DataType.Name(arg.type)
    for field, name in (("type_attr", "typeAttr"), ("number_attr", "numberAttr"), ("type_list_attr", "typeListAttr")):
        if getattr(arg, field):
            out[name] = getattr(arg, field)
    return out


def shape(proto):
    return {"dims": None if proto.unknown_rank else [d.size for d in proto.dim]}


def scalar(kind, value):
    return {"s": lambda: value.decode(), "type": lambda: types_pb2.DataType.Name(value), "shape": lambda: shape(value)}.get(kind, lambda: value)()


def default(value):
    kind = value.WhichOneof("value")
    if kind == "list":
        filled = [field.name for field, _ in value.list.ListFields()]
        of = filled[0] if filled else "none"
        return {"kind": "list", "of": of, "values": [scalar(of, v) for v in getattr(value.list, of)] if filled else []}
    if kind == "func":
        return {"kind": "func", "value": {"name": value.func.name}}
    if kind == "tensor":
        return None
    return {"kind": kind, "value": scalar(kind, getattr(value, kind))}


def attribute(attr):
    out = {"type": attr.type}
    if attr.HasField("default_value"):
        out["default"] = default(attr.default_value)
    if attr.HasField("allowed_values"):
        allowed = attr.allowed_values.list
        out["allowed"] = [v.decode() for v in allowed.s] or [types_pb2.DataType.Name(t) for t in allowed.type]
    if attr.has_minimum:
        out["minimum"] = attr.minimum
    return out


def operator(definition):
    out = {"inputs": [argument(a) for a in definition.input_arg], "outputs": [argument(a) for a in definition.output_arg]}
    out["attrs"] = {a.name: {k: v for k, v in attribute(a).items() if v is not None} for a in definition.attr}
    if definition.is_stateful:
        out["stateful"] = True
    return out


def main():
    listed = re.findall(r"^  (\w+): \{", (PACKAGES / "tfjs/src/schema/ops.ts").read_text(), re.M)
    found = {name: op_def_registry.get(name) for name in sorted({*listed, *FURTHER})}
    rows = "\n".join(f"  {name}: {ts(operator(d))}," for name, d in found.items() if d)
    (PACKAGES / "graphdef/src/schema/ops.ts").write_text(
        f"""// Generated by tools/schema/tf_ops.py from the operator registry of TensorFlow {tf.__version__}. Do not edit.
import type {{ RegisteredOp }} from './registered-op.js';

/** Operators of TensorFlow, by name. */
// prettier-ignore
export const ops = {{
{rows}
}} as const satisfies Readonly<Record<string, RegisteredOp>>;
"""
    )
    print(f"{sum(d is not None for d in found.values())} operators; unknown to this TensorFlow:", *[n for n, d in found.items() if d is None], file=sys.stderr)


main()
