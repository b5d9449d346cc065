// Prints `N passed, N failed` from a jest JSON report. Fails where anything failed, where nothing
// passed, and where jest did not finish.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
// A file that does not load has no failed test in it, and counts as one.
const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
if (failed > 0 || report.numPassedTests === 0 || !report.success) process.exitCode = 1;
console.log(`${report.numPassedTests} passed, ${failed} failed`);
