import { openUrl } from './url-source.js';

const content = Uint8Array.from({ length: 300_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
const failing = (code: string, message: RegExp) =>
  expect.objectContaining({
    diagnostics: [expect.objectContaining({ code, message: expect.stringMatching(message) })],
  });

/** A server of one file as fetch, which notes what it is asked for. */
function server(answer: (start: number, end: number, url: URL) => Response) {
  const asked: string[] = [];
  const fetch = async (url: unknown, init?: { readonly headers?: unknown }) => {
    const { range } = init!.headers as { readonly range: string };
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(range)!;
    asked.push(`${start}-${end}`);
    return answer(Number(start), Number(end), url as URL);
  };
  return { asked, options: { fetch: fetch as typeof globalThis.fetch } };
}

const partOf = (start: number, end: number, etag?: string) =>
  new Response(content.slice(start, end + 1), {
    status: 206,
    headers: {
      'content-range': `bytes ${start}-${end}/${content.length}`,
      ...(etag !== undefined && { etag }),
    },
  });

const url = 'https://example.org/a%20folder/model.bin?download=true';

test('ranges are fetched when they are asked for; small ones with what is around them, once', async () => {
  const { asked, options } = server((start, end) => partOf(start, end));
  const source = await openUrl(url, options);
  expect([source.name, source.size]).toEqual([
    'https://example.org/a%20folder/model.bin',
    content.length,
  ]);
  for (const [offset, length] of [
    [0, 8],
    [8, 100],
    [65_530, 20],
    [70_000, 4],
    [299_999, 1],
  ] as const)
    expect(await source.read({ offset, length })).toEqual(content.slice(offset, offset + length));
  expect(await source.read()).toEqual(content);
  expect(await source.read({ offset: content.length, length: 0 })).toEqual(new Uint8Array(0));
  expect(asked).toEqual([
    '0-0',
    '0-65535',
    '65530-65549',
    '65536-131071',
    '262144-299999',
    '0-299999',
  ]);
  await expect(source.read({ offset: 299_999, length: 2 })).rejects.toEqual(
    failing('core/range', /outside/),
  );
});

test('files beside it are of its folder', async () => {
  const urls: string[] = [];
  const { options } = server((start, end, at) => {
    urls.push(at.href);
    return partOf(start, end);
  });
  const source = await openUrl(url, options);
  await source.sibling('shards/a #1?.bin');
  expect(urls[1]).toBe('https://example.org/a%20folder/shards/a%20%231%3F.bin');
  for (const path of ['../other.bin', '/etc/passwd', 'https://example.com/x'])
    await expect(async () => source.sibling(path)).rejects.toEqual(failing('core/path', /folder/));
  expect(await source.siblings()).toEqual([]);
});

test('an empty file has no range that could be fetched', async () => {
  const { options } = server(() => new Response(null, { status: 416 }));
  const source = await openUrl(url, options);
  expect([source.size, (await source.read()).length]).toEqual([0, 0]);
});

test.each<readonly [string, string, RegExp, () => Response]>([
  ['no file', 'core/missing-file', /no file/, () => new Response(null, { status: 404 })],
  ['a refusal', 'core/not-fetched', /answers 403/, () => new Response(null, { status: 403 })],
  ['no ranges', 'core/not-fetched', /no ranges/, () => new Response(content)],
  [
    'no size',
    'core/not-fetched',
    /how large/,
    () => new Response(content.slice(0, 1), { status: 206 }),
  ],
])('%s is an error when it is opened', async (_, code, message, answer) => {
  await expect(openUrl(url, server(answer).options)).rejects.toEqual(failing(code, message));
});

test('a connection that fails, and a file that is another by now, are errors', async () => {
  const broken = async () => {
    throw new TypeError('fetch failed');
  };
  await expect(openUrl(url, { fetch: broken })).rejects.toEqual(
    failing('core/not-fetched', /fetch failed/),
  );
  let version = 1;
  const { options } = server((start, end) => partOf(start, end, `"${version}"`));
  const source = await openUrl(url, options);
  expect((await source.read({ offset: 0, length: 4 })).length).toBe(4);
  version = 2;
  await expect(source.read({ offset: 0, length: 100_000 })).rejects.toEqual(
    failing('core/not-fetched', /changed/),
  );
  const short = server((start) => partOf(start, start));
  const cut = await openUrl(url, short.options);
  await expect(cut.read({ offset: 0, length: 4 })).rejects.toEqual(
    failing('core/not-fetched', /1 came/),
  );
});
