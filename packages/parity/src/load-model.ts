import {
  DroverError,
  runsFormat,
  type Graph,
  type LoadedModel,
  type OpenedModel,
  type Report,
  type Runtime,
  type Signature,
  type Tensor,
} from '@drover/core';
import { referenceModel } from '@drover/core/format';
import { parityDiagnostics } from './diagnostics.js';

/**
 * A model in a runtime. Where the runtime is not installed, refuses the model, fails or ends while
 * it runs, the reference evaluator takes its place, and the report is told.
 */
export class RunningModel {
  readonly #opened: OpenedModel;
  readonly #graph: Graph;
  readonly #runtime: Runtime | undefined;
  readonly #report: Report;
  #model: LoadedModel;
  #name: string;

  private constructor(
    opened: OpenedModel,
    graph: Graph,
    runtime: Runtime | undefined,
    report: Report,
    loaded: { model: LoadedModel; name: string },
  ) {
    [this.#opened, this.#graph] = [opened, graph];
    [this.#runtime, this.#report] = [runtime, report];
    [this.#model, this.#name] = [loaded.model, loaded.name];
  }

  /**
   * Loads a model, whose graph was read, into the first runtime that runs its format. Throws what
   * loading does and is no runtime's failure.
   */
  static async load(
    opened: OpenedModel,
    graph: Graph,
    runtimes: readonly Runtime[],
    report: Report,
  ): Promise<RunningModel> {
    const runtime = runtimes.find((each) => runsFormat(each, opened.format.id));
    let loaded: { model: LoadedModel; name: string };
    try {
      loaded = runtime
        ? { model: await runtime.load(opened, report), name: runtime.id }
        : inReference(graph, opened);
    } catch (error) {
      tellFailure(error, opened, report);
      loaded = inReference(graph, opened);
    }
    return new RunningModel(opened, graph, runtime, report, loaded);
  }

  /** Name of what runs it now. */
  get runtime(): string {
    return this.#name;
  }

  get inputs(): readonly Signature[] {
    return this.#model.inputs;
  }

  get outputs(): readonly Signature[] {
    return this.#model.outputs;
  }

  /** Whether the reference evaluator runs it. */
  get isReference(): boolean {
    return this.#name === 'reference';
  }

  /** Runs the model in its runtime, loaded again when it has ended. Throws what it does. */
  async run(inputs: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
    try {
      return await this.#model.run(inputs);
    } catch (error) {
      if (hasEnded(error) && this.#runtime) {
        await this.#model.dispose();
        this.#model = await this.#runtime.load(this.#opened, this.#report);
      }
      throw error;
    }
  }

  /** Puts the reference evaluator in the runtime's place because of what it threw. */
  async replace(error: unknown): Promise<void> {
    tellFailure(error, this.#opened, this.#report);
    await this.#model.dispose();
    ({ model: this.#model, name: this.#name } = inReference(this.#graph, this.#opened));
  }

  /** Frees what the runtime holds. */
  dispose(): Promise<void> {
    return this.#model.dispose();
  }
}

const inReference = (graph: Graph, { source }: OpenedModel) => ({
  model: referenceModel(graph, source.name),
  name: 'reference',
});

/** Whether an error is a runtime's own: of the adapters' codes. */
export function isRuntimeFailure(error: unknown): error is DroverError {
  return error instanceof DroverError && error.diagnostics[0]!.code.startsWith('runtimes/');
}

const hasEnded = (error: unknown) =>
  isRuntimeFailure(error) && /crashed|timed-out/.test(error.diagnostics[0]!.code);

/** Tells the report that the reference evaluator runs a model; throws what is no runtime's. */
function tellFailure(error: unknown, { source }: OpenedModel, report: Report): void {
  if (!isRuntimeFailure(error)) throw error;
  const { code, message, help } = error.diagnostics[0]!;
  const isAbsent = code === 'runtimes/not-installed';
  report.add(
    parityDiagnostics.diagnostic(isAbsent ? 'runtime-absent' : 'runtime-failed', {
      message: `The reference evaluator ran ${source.name}. ${message}`,
      help,
      origin: { file: source.name },
    }),
  );
}
