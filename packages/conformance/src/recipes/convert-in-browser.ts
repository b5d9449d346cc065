import { convert, memorySource, MemorySink } from '@drover/core';
import { onnx } from '@drover/onnx';
import { tfjs } from '@drover/tfjs';

/** From `<input type="file">`: the files of the TensorFlow.js model, by name. */
export async function toTfjs(file: File): Promise<ReadonlyMap<string, Uint8Array>> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const sink = new MemorySink();
  await convert({
    from: onnx,
    source: memorySource(file.name, new Map([[file.name, bytes]])),
    to: tfjs,
    sink,
  });
  return sink.files;
}
