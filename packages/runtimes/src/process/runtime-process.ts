import type { ChildProcess } from 'node:child_process';
import { runtimeDiagnostics, type Finding } from '@drover/core';
import type { Subject } from '../adapter.js';
import { messageOf } from '../engine.js';
import type { ProcessOptions } from '../process-options.js';

interface Request<Answer> {
  /** As `while it ran the model`. */
  readonly occasion: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The process of a runtime: answers requests in their order. When it ends, whatever the reason,
 * what waits and whatever is asked later fails with that reason. An idle one does not keep this
 * process alive. It has to end by itself when its standard input does: this process is then gone.
 */
export class RuntimeProcess<Answer> {
  readonly #child: ChildProcess;
  readonly #subject: Subject;
  readonly #limit: number;
  /** Resolves when the process is gone; at once where it never was. */
  readonly #gone: Promise<void>;
  readonly #waiting: Request<Answer>[] = [];
  #talk = '';
  #timer: NodeJS.Timeout | undefined;
  #ended: unknown;

  constructor(child: ChildProcess, subject: Subject, { answerLimit = 600 }: ProcessOptions = {}) {
    this.#child = child;
    this.#subject = subject;
    this.#limit = answerLimit;
    this.#gone = new Promise((resolve) => {
      if (child.pid === undefined) resolve();
      else child.once('exit', () => resolve());
    });
    child.on('error', (error) =>
      this.#fail(
        runtimeDiagnostics.error(
          'not-installed',
          this.#finding(`does not start: ${messageOf(error)}`),
        ),
      ),
    );
    child.on('close', (code, signal) => {
      const how = signal === null ? `with the exit code ${code}` : `by the signal ${signal}`;
      this.#fail(
        runtimeDiagnostics.error(
          'crashed',
          this.#finding(`ended ${how} ${this.#occasion()}.${this.#lastWords()}`),
        ),
      );
    });
    // The close event tells.
    child.stdin?.on('error', () => {});
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#talk = (this.#talk + chunk.toString()).slice(-4000);
    });
    for (const stream of [child.stdin, child.stdout, child.stderr])
      (stream as { unref?: () => void } | null)?.unref?.();
    child.channel?.unref();
    child.unref();
  }

  /** Whether it can be asked. */
  get isAlive(): boolean {
    return this.#ended === undefined;
  }

  /**
   * Sends a request and waits for its answer; `occasion` is what a message says of the time, as
   * `while it ran the model`. A request that cannot be sent ends the process.
   */
  async ask(occasion: string, send: () => Promise<void> | void): Promise<Answer> {
    if (!this.isAlive) throw this.#ended;
    const answer = new Promise<Answer>((resolve, reject) =>
      this.#waiting.push({ occasion, resolve, reject }),
    );
    this.#child.ref();
    this.showLife();
    // Both at once: a process that ends answers before all is sent.
    (async () => send())().catch((error: unknown) => this.#fail(error));
    return answer;
  }

  /** Takes the answer to the first request that waits. */
  take(answer: Answer): void {
    this.#waiting.shift()?.resolve(answer);
    this.showLife();
  }

  /** Begins to count the time without an answer anew. */
  showLife(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.length === 0) return void this.#child.unref();
    this.#timer = setTimeout(
      () =>
        this.#fail(
          runtimeDiagnostics.error(
            'timed-out',
            this.#finding(
              `gave no answer within ${this.#limit} s ${this.#occasion()}, and was ended.${this.#lastWords()}`,
            ),
          ),
        ),
      1000 * this.#limit,
    );
  }

  /** Ends the process, and waits until it is gone. */
  async end(): Promise<void> {
    this.#fail(
      runtimeDiagnostics.error('failed', this.#finding('is gone: the model was disposed of.')),
    );
    this.#child.ref();
    await this.#gone;
  }

  #fail(error: unknown): void {
    this.#ended ??= error;
    this.#child.kill('SIGKILL');
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
    this.showLife();
  }

  #occasion(): string {
    return this.#waiting[0]?.occasion ?? 'while it was idle';
  }

  /** The last lines that it wrote to standard error, without those of a stack. */
  #lastWords(): string {
    const lines = this.#talk
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !/^(at |\d+: 0x|-----)/.test(line));
    return lines.length > 0 ? ` Its last words: ${lines.slice(-3).join(' ')}` : '';
  }

  #finding(what: string): Finding {
    return {
      message: `${this.#subject.title} ${what}`,
      origin: { file: this.#subject.file },
    };
  }
}
