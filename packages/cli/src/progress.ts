/**
 * Shows a step of a command while it runs, on standard error and on a terminal only. `tell` adds
 * how far it is.
 */
export async function step<T>(
  title: string,
  work: (tell: (text: string) => void) => Promise<T>,
): Promise<T> {
  if (!process.stderr.isTTY) return work(() => {});
  const { Listr, ListrLogger, ProcessOutput } = await import('listr2');
  let result: { readonly value: T } | undefined;
  const tasks = new Listr(
    [
      {
        title,
        task: async (_, task) => {
          result = { value: await work((text) => void (task.output = text)) };
        },
      },
    ],
    {
      // The command tidies up by itself when it is interrupted.
      registerSignalListeners: false,
      renderer: 'default',
      rendererOptions: {
        clearOutput: true,
        logger: new ListrLogger({
          processOutput: new ProcessOutput(process.stderr, process.stderr),
        }),
      },
    },
  );
  await tasks.run();
  return result!.value;
}
