import type { Form, Layer, Parts, Role } from './layer.js';

/** Two layers seen as one kind, of the same parts in the same shapes. */
export interface Fit<T, S> {
  readonly target: Form<T>;
  readonly source: Form<S>;
}

/** What a target may have that its source lacks: a second bias of a recurrence is zero then. */
const optional: ReadonlySet<Role> = new Set(['recurrent bias']);

/**
 * Why the parts of a source are not those of a target: in words, of the first that differs;
 * undefined where they fit.
 */
function misfit(target: Parts, source: Parts): string | undefined {
  for (const [role, { shape }] of target) {
    const other = source.get(role)?.shape;
    if (other ? other.join() !== shape.join() : !optional.has(role))
      return other
        ? `its ${role} is [${other.join(', ')}] where [${shape.join(', ')}] is wanted`
        : `it has no ${role}`;
  }
  for (const role of source.keys()) if (!target.has(role)) return `its ${role} has no place`;
  return undefined;
}

/** Every way in which a source fits a target, the usual one first. */
export function fits<T, S>(target: Layer<T>, source: Layer<S>): readonly Fit<T, S>[] {
  const { isReverse } = target;
  if (isReverse !== undefined && source.isReverse !== undefined && isReverse !== source.isReverse)
    return [];
  return target.forms.flatMap((to) =>
    source.forms
      .filter((from) => from.kind === to.kind && misfit(to.parts, from.parts) === undefined)
      .map((from) => ({ target: to, source: from })),
  );
}

/**
 * What a layer can be, as texts: two layers fit where they have one in common. A part that may be
 * absent is left out.
 */
export function signatures<P>({ forms }: Layer<P>): ReadonlySet<string> {
  const texts = forms.map(({ kind, parts }) => {
    const shapes = [...parts]
      .filter(([role]) => !optional.has(role))
      .map(([role, { shape }]) => `${role} ${shape.join()}`);
    return `${kind}: ${shapes.toSorted().join('; ')}`;
  });
  return new Set(texts);
}

const kindsOf = <P>({ forms }: Layer<P>) =>
  [...new Set(forms.map(({ kind }) => kind))].join(' or ');

/** Why two layers of one name do not fit, in the words of the ways that come nearest. */
export function misfitOf<T, S>(target: Layer<T>, source: Layer<S>): string {
  const reasons = target.forms.flatMap((to) =>
    source.forms.flatMap((from) =>
      to.kind === from.kind ? (misfit(to.parts, from.parts) ?? []) : [],
    ),
  );
  return reasons[0] ?? `one is a ${kindsOf(target)}, the other a ${kindsOf(source)}`;
}
