import { defineDiagnostics } from './diagnostic.js';

/** Findings that every format shares. */
export const coreDiagnostics = defineDiagnostics('core', {
  'not-convertible': {
    failure: 'unsupported',
    severity: 'error',
    summary: 'An operator of the source, or a form of it, has no faithful form in the target.',
    help: 'Replace the operator in the source model, or convert to a format that has it (`drover inspect` lists them).',
  },
  'foreign-op': {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'An operator of the source, or a form of it, has no canonical form here, so it can only be written back to its own format.',
    help: 'Remove or replace the operator in the source model, or export the model in another way; it can still be inspected.',
  },
  'dtype-narrowed': {
    failure: 'note',
    severity: 'info',
    summary:
      'A tensor is stored in a narrower type because the target has no wider one; the range was proved or is guarded.',
    help: 'Nothing to do when the values stay in the range of the narrower type.',
  },
  'dtype-unproved': {
    failure: 'note',
    severity: 'warning',
    summary:
      'A tensor is stored in a narrower type and nothing in the model proves that its values fit.',
    help: 'Feed only values within the range of the narrower type.',
  },
  'attribute-ignored': {
    failure: 'note',
    severity: 'warning',
    summary:
      'A node sets an attribute that its operator does not have, or that changes nothing here. It is left out.',
    help: 'Check that the attribute has no meaning for inference.',
  },
  'invalid-graph': {
    failure: 'malformed',
    severity: 'error',
    summary:
      'The graph breaks a rule of the representation: a cycle, a dangling value, a wrong operand.',
    help: 'The source model is damaged or its exporter wrote an invalid graph.',
  },
  'invalid-shape': {
    failure: 'malformed',
    severity: 'error',
    summary: 'Shapes or types of operands do not fit the operator.',
    help: 'The source model is damaged, or its declared shapes are wrong.',
  },
  'invalid-text': {
    failure: 'malformed',
    severity: 'error',
    summary: 'A graph in text form cannot be parsed.',
    help: 'See the place named in the message.',
  },
  limit: {
    failure: 'limit',
    severity: 'error',
    summary: 'A bound that protects from hostile input was reached.',
    help: 'Raise the limit that the message names if you trust the file.',
  },
  duplicate: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'Two things in a file have one name that only one of them can have, so that it is not certain which one counts.',
    help: 'The file is damaged, or its exporter is at fault. Export the model again.',
  },
  'wrong-declaration': {
    failure: 'note',
    severity: 'warning',
    summary:
      'A file declares something that contradicts the rest of it, where the runtime of its format goes by the rest: a size, a type, a text.',
    help: 'Check that the file is the one that you mean: it was changed, or its exporter is at fault.',
  },
  'signature-type': {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'An input or output of a model is no tensor of plain elements (a sequence, a map, an optional, a resource), or an input has no declared type.',
    help: 'Export the model with tensors as inputs and outputs.',
  },
  'not-writable': {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A tensor has a type or a shape that files of the target cannot hold.',
    help: 'Cast the tensor to float32 or int32, which every format has, or give a scalar the shape [1].',
  },
  untied: {
    failure: 'note',
    severity: 'warning',
    summary:
      'A tensor has several names, as weights that are tied have, and files of the target cannot say that they are one: it is stored under each of them.',
    help: 'Tie the weights in the framework after loading, if they are trained further.',
  },
  'texts-left': {
    failure: 'note',
    severity: 'info',
    summary: 'A checkpoint keeps texts beside its tensors, and files of the target have no place.',
    help: 'Nothing to do unless you need them: safetensors keeps them.',
  },
  nesting: {
    failure: 'note',
    severity: 'info',
    summary:
      'A checkpoint nests its tensors, which a file of names and tensors does not tell. Their names are kept.',
    help: 'Nothing is lost but the nesting.',
  },
  'values-left': {
    failure: 'note',
    severity: 'warning',
    summary:
      'A checkpoint holds values or objects beside its tensors (a step count, hyperparameters), which the format written has no place for.',
    help: 'Keep the source if training is to go on from it.',
  },
  json: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'A file is not JSON, or something in it is missing or has another type than the format says.',
    help: 'Check that the file is complete and is the one that the exporter wrote.',
  },
  range: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'Bytes were asked for beyond the end of a file: it is truncated, or its sizes are wrong.',
    help: 'Check that the file is complete (a partial download or a Git LFS pointer is a common cause).',
  },
  'content-size': {
    failure: 'malformed',
    severity: 'error',
    summary: 'Content is longer or shorter than was known before it was read, decoded or computed.',
    help: 'The file is damaged, or it changed while it was being read: fetch or write it again.',
  },
  path: {
    failure: 'malformed',
    severity: 'error',
    summary: 'A file names another one outside its own folder, or by a path that is not portable.',
    help: 'Weights must lie in the folder of the model. Move them there and name them by a relative path.',
  },
  'missing-file': {
    failure: 'io',
    severity: 'error',
    summary: 'A file that the model needs is not there.',
    help: 'Put the file beside the model, or name it with --params.',
  },
  'not-fetched': {
    failure: 'io',
    severity: 'error',
    summary: 'A file behind a URL cannot be read by ranges.',
    help: 'Check the address and the connection, or download the file and open that.',
  },
  'not-evaluable': {
    failure: 'unsupported',
    severity: 'error',
    summary: 'The reference evaluator cannot compute an operator or a shape.',
    help: 'Run the model in its own runtime.',
  },
  option: {
    failure: 'usage',
    severity: 'error',
    summary: 'An option is none of the format, or its value is none that the option takes.',
    help: 'See the options of the format in `drover convert --help`.',
  },
  incapable: {
    failure: 'usage',
    severity: 'error',
    summary: 'A format can be read or written, but not in the way that was asked for.',
    help: 'Choose another format; `drover convert --help` says what each can do.',
  },
  'no-entry': {
    failure: 'usage',
    severity: 'error',
    summary: 'A model has no graph of the name that was asked for.',
    help: 'Name one of its entries with --entry; `drover inspect` lists them.',
  },
  'entries-left': {
    failure: 'note',
    severity: 'warning',
    summary: 'A model holds several graphs, and the format that is written holds one.',
    help: 'Name the one to write with --entry, and convert the others by themselves.',
  },
  'missing-input': {
    failure: 'usage',
    severity: 'error',
    summary: 'A model declares an input that was not given.',
    help: 'Give every input by the name that the model declares (`drover inspect` lists them).',
  },
  'unknown-input': {
    failure: 'usage',
    severity: 'error',
    summary: 'An input was given that the model does not declare.',
    help: 'Give every input by the name that the model declares (`drover inspect` lists them).',
  },
  'input-type': {
    failure: 'usage',
    severity: 'error',
    summary: 'The values of an input do not fit the element type that the model declares.',
    help: 'Cast the array to the declared type before saving it.',
  },
  'input-shape': {
    failure: 'usage',
    severity: 'error',
    summary: 'The shape of an input does not fit the one that the model declares.',
    help: 'Give an array of the declared shape (`drover inspect` shows it).',
  },
  'unknown-format': {
    failure: 'malformed',
    severity: 'error',
    summary: 'The content of a file is of no known model format.',
    help: 'Name the format with --from, or check the file.',
  },
});
