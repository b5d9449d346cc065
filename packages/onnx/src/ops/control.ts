import { gap, ops, type Graph, type Region, type Value, type ValueType, type WriteRules } from '@drover/core';
import { graph, int, ints } from '../export/attribute.js';
import type { GraphWriter } from '../export/graph-writer.js';
import { always, versions, type ReadRules, type ToCore } from '../import/rule.js';
import { axisOf } from './movement.js';

const region = (body: Graph): Region => body.region();

const readIf: ToCore = (node) => {
  const condition = node.input(0);
  const branches = { then: node.body('then_branch', []), else: node.body('else_branch', []) };
  return node.graph.add(ops.If, { condition }, {}, { ...node.options, regions: { then: region(branches.then), else: region(branches.else) } }).outputs;
};

/** Whether a value is a constant true, which says nothing as a condition. */
const isTrue = (value: Value | undefined): boolean => value?.constant?.peek()?.data[0] === 1;

const readLoop: ToCore = (node) => {
  const [maxTrips, given] = [node.optional(0), node.optional(1)];
  const condition = isTrue(given) ? undefined : given;
  const carried = node.inputs(2);
  const parameters: ValueType[] = [{ dtype: 'int64', shape: [] }, { dtype: 'bool', shape: [] }, ...carried.map(({ type }) => type)];
  const body = node.body('body', parameters);
  return node.graph.add(ops.Loop, { maxTrips, condition, carried }, { carried: carried.length }, { ...node.options, regions: { body: region(body) } }).outputs;
};

const readScan: ToCore = (node) => {
  const inputs = node.inputs();
  const scanned = node.int('num_scan_inputs');
  const states = inputs.length - scanned;
  const inputAxes = (node.ints('scan_input_axes') ?? new Array<number>(scanned).fill(0)).map((axis, i) => axisOf(node, axis, inputs[states + i]?.rank));
  const inputReverse = (node.ints('scan_input_directions') ?? new Array<number>(scanned).fill(0)).map((direction) => direction === 1);
  const slices = inputs.slice(states).map(({ dtype, shape }, i) => ({ dtype, shape: shape?.filter((_, axis) => axis !== inputAxes[i]) }));
  const body = node.body('body', [...inputs.slice(0, states).map(({ type }) => type), ...slices]);
  const stacked = body.outputs.length - states;
  const outputAxes = (node.ints('scan_output_axes') ?? new Array<number>(stacked).fill(0)).map((axis, i) => {
    const rank = body.outputs[states + i]?.value.rank;
    return axisOf(node, axis, rank === undefined ? undefined : rank + 1);
  });
  const outputReverse = (node.ints('scan_output_directions') ?? new Array<number>(stacked).fill(0)).map((direction) => direction === 1);
  return node.graph.add(ops.Scan, { inputs }, { states, inputAxes, inputReverse, outputAxes, outputReverse }, { ...node.options, regions: { body: region(body) } }).outputs;
};

const toCore = {
  If: always(readIf),
  Loop: always(readLoop),
  Scan: versions(
    [
      8,
      (node) => {
        throw node.unsupported('version 8 runs over a batch');
      },
    ],
    [9, readScan],
  ),
} satisfies ReadRules;

const fromCore = {
  Foreign: (node) => gap(node.attrs.reason),
  If: (node, writer) => {
    const { then, else: otherwise } = node.regions;
    writer.node('If', node.inputs, { then_branch: graph(writer.regionProto(then!)), else_branch: graph(writer.regionProto(otherwise!)) }, node.outputs);
  },
  Loop: (node, writer) => {
    const { maxTrips, condition, carried } = node.operands;
    writer.node('Loop', [maxTrips, condition, ...carried], { body: graph(writer.regionProto(node.regions['body']!)) }, node.outputs);
  },
  Scan: (node, writer) => {
    const { states, inputAxes, inputReverse, outputAxes, outputReverse } = node.attrs;
    const attributes = {
      body: graph(writer.regionProto(node.regions['body']!)),
      num_scan_inputs: int(node.inputs.length - states),
      scan_input_axes: ints(inputAxes),
      scan_input_directions: ints(inputReverse.map(Number)),
      scan_output_axes: ints(outputAxes),
      scan_output_directions: ints(outputReverse.map(Number)),
    };
    writer.node('Scan', node.inputs, attributes, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Control flow, both directions. */
export const control = { toCore, fromCore };
