/** Metadata of a file, parted by what it says. */
export interface PartedMetadata {
  readonly metadata: ReadonlyMap<string, string>;
  /** The further names of tensors, by the name of the tensor. */
  readonly aliases: ReadonlyMap<string, readonly string[]>;
}

/**
 * The further names of tied tensors among the metadata. A file holds a tensor under one name; as
 * `safetensors.torch.save_model` does it, each other name is a key of the metadata, whose text is
 * the name that holds the bytes. So an entry is one when its key is no tensor and its text is one.
 */
export function partMetadata(
  texts: ReadonlyMap<string, string>,
  isTensor: (name: string) => boolean,
): PartedMetadata {
  const metadata = new Map<string, string>();
  const aliases = new Map<string, string[]>();
  for (const [key, text] of texts) {
    if (isTensor(key) || !isTensor(text)) metadata.set(key, text);
    else aliases.set(text, [...(aliases.get(text) ?? []), key]);
  }
  return { metadata, aliases };
}
