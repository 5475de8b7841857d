/** Says what failed, and how many passed. */
export default async function* report(events) {
  let passed = 0;
  for await (const { type, data } of events) {
    const isTest = data?.details?.type !== 'suite';
    if (type === 'test:pass' && isTest && !data.name.endsWith('.test.js')) passed += 1;
    if (type === 'test:pass' && process.env.LOGFLUX_TEST_VERBOSE) yield `${data.name}: ${Math.round(data.details.duration_ms)} ms\n`;
    if (type === 'test:fail') {
      const { error } = data.details;
      yield `FAILED ${data.file ?? ''} ${data.name}\n${error?.cause?.stack ?? error?.stack ?? error}\n`;
    }
    if (type === 'test:stderr') yield data.message;
    if (type === 'test:diagnostic' && /^fail [1-9]/.test(data.message)) yield `${data.message}\n`;
  }
  yield `bindings/node: ${passed} tests passed\n`;
}
