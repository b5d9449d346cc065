import type { Diagnostic } from './diagnostic.js';
import { Report } from './report.js';

const finding = (changes: Partial<Diagnostic> = {}): Diagnostic => ({
  code: 'core/limit',
  severity: 'warning',
  message: 'Too much.',
  help: 'Less.',
  origin: { file: 'a.onnx', node: 'n' },
  ...changes,
});

describe('Report', () => {
  it('keeps the same finding at the same place once, and all others', () => {
    const report = new Report();
    const different = [
      finding(),
      finding({ code: 'core/range' }),
      finding({ message: 'Too little.' }),
      finding({ origin: { file: 'b.onnx', node: 'n' } }),
      finding({ origin: { file: 'a.onnx', node: 'm' } }),
      finding({ origin: { file: 'a.onnx' } }),
    ];
    for (const each of [...different, ...different]) report.add(each);
    expect(report.diagnostics).toEqual(different);
  });

  it('looks at a finding once, however many there are before it', () => {
    const report = new Report();
    const count = 2_000;
    let looks = 0;
    for (let i = 0; i < count; i++) {
      const given = finding({ origin: { file: 'a.onnx', node: `n${i}` } });
      const counted = new Proxy(given, {
        get: (target, key) => {
          looks++;
          return target[key as keyof Diagnostic];
        },
      });
      report.add(counted);
    }
    expect(report.diagnostics).toHaveLength(count);
    expect(looks).toBeLessThanOrEqual(5 * count);
  });
});
