import { runDemo } from './demo-run.mjs';

test('the demo of the README converts: nothing is wrong, and a refusal gives its reason', async () => {
  const rows = await runDemo();
  const told = rows.map(({ title, to, verdict, reason }) => [
    title,
    to,
    reason ? 'refused' : verdict,
  ]);
  expect(told.filter(([, , verdict]) => verdict !== 'agree')).toEqual([
    ['Keras MobileNetV2', 'mxnet', 'refused'],
    ['Keras U-Net', 'mxnet', 'refused'],
  ]);
  expect(told.length).toBeGreaterThan(20);
}, 300_000);
