import { defineDiagnostics } from '@drover/core/format';

const sandbox =
  'Do not load it in Python. If you trust whoever made it, load it in a sandbox with torch and save model.state_dict() alone.';

/** Findings of the PyTorch format. */
export const pytorchDiagnostics = defineDiagnostics('pytorch', {
  unsafe: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'A pickle names or calls something that runs code, or may run it, when Python loads the file. All of the file is refused; nothing of it was run.',
    help: sandbox,
  },
  pickle: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'A pickle is damaged, or is none: an unknown opcode, an argument that leaves the file, an operand or a memo entry that is missing or of the wrong kind, bytes behind its end.',
    help: 'Check that the file is complete (a partial download or a Git LFS pointer is a common cause).',
  },
  container: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'An archive is none as torch.save, torch.jit.save or torch.export.save write it: a record is missing, compressed, or there more than once.',
    help: 'Write the file again with torch.save. An archive that was packed again by hand is not read.',
  },
  tensor: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'A tensor leaves its storage, or its size, strides, offset or storage contradict one another.',
    help: 'The file is damaged or was made by hand: load it in a sandbox with torch and save the state_dict again.',
  },
  generation: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A file was written by a version of PyTorch, or in a form, that is not read.',
    help: 'Load the file with a version of torch that still reads it, and save the state_dict again.',
  },
  'no-elements': {
    failure: 'note',
    severity: 'warning',
    summary:
      'A tensor has no elements in the file (a meta tensor), or elements of a type that has no form here. It is named in the structure and left out of the tensors.',
    help: 'Materialise the tensor, or convert it to another type, before saving.',
  },
  opaque: {
    failure: 'note',
    severity: 'info',
    summary:
      'A checkpoint holds an object of a class. It is named and never built; tensors in its state are read.',
    help: 'Nothing to do. What the object is to its program is not carried over.',
  },
  'as-data': {
    failure: 'note',
    severity: 'info',
    summary:
      'A checkpoint holds objects of classes that torch.load(weights_only=True) does not build. They are written as what they hold: a module as its state dict, any other object as a dict, a list or a text.',
    help: 'Nothing to do, unless a program needs the object itself: build it again from what is written.',
  },
  'left-out': {
    failure: 'note',
    severity: 'warning',
    summary:
      'A checkpoint holds objects of which a file that torch.load(weights_only=True) opens has no form. They are left out; in a list None stands in their place.',
    help: 'Keep the original file if you need them.',
  },
  metadata: {
    failure: 'note',
    severity: 'info',
    summary: 'A checkpoint has texts beside its tensors, for which a PyTorch file has no place.',
    help: 'Keep the original file if you need them.',
  },
  'text-key': {
    failure: 'note',
    severity: 'info',
    summary:
      'A dict of a checkpoint has keys that are neither texts nor numbers, booleans or None, such as tuples. They are read as texts, as Python prints them, and written so.',
    help: 'Nothing to do for tensors. A program that looks for such keys has to make them again.',
  },
  renamed: {
    failure: 'note',
    severity: 'info',
    summary:
      'Two places of a checkpoint give one name, such as the key "a.b" and the key "b" below "a". The later one has a number appended.',
    help: 'Rename one of the keys if the name matters.',
  },
});
