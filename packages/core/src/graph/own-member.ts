/** A member that an object has itself, and not by its prototype; undefined when it has none. */
export function ownMember(object: object, name: string): unknown {
  // eslint-disable-next-line drover/no-open-lookup -- what the prototype has is ruled out
  return Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined;
}
