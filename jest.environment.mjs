import { TestEnvironment } from 'jest-environment-node';

const shared = ['ArrayBuffer', 'SharedArrayBuffer', 'DataView'].concat(
  Object.getOwnPropertyNames(globalThis).filter((name) =>
    /^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$/.test(name),
  ),
);

/**
 * Node's environment with the outer realm's typed arrays: native add-ons compare constructors by
 * identity and refuse those of jest's own context.
 */
export default class OuterRealmArrays extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of shared) this.global[name] = globalThis[name];
  }
}
