'use strict';

/** The examples run, and so does every example of `docs/node.md` that is a whole program. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { copyFileSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const readline = require('node:readline');
const { HERE, Server, folder, newNode, run } = require('./support.js');

const server = Server.shared();
const ROOT = process.env.LOGFLUX_TEST_ROOT;

for (const name of ['express', 'fastify', 'nest']) {
  test(`${name}: requests are logged, and the last lines before SIGTERM ends it`, async () => {
    const node = newNode();
    const file = join(folder(), `${name}.js`);
    copyFileSync(join(ROOT, 'bindings/node/examples', `${name}.js`), file);
    const child = spawn(process.execPath, [file], { env: server.environment(node, { PORT: '0' }), stdio: ['ignore', 'pipe', 'inherit'], cwd: HERE });
    const [line] = await once(readline.createInterface({ input: child.stdout }), 'line');
    const url = `http://localhost:${line.split(' ').at(-1)}`;
    const headers = { authorization: 'Bearer hunter2', connection: 'close' };
    assert.deepEqual(await (await fetch(`${url}/orders/17`, { headers })).json(), { order: '17' });
    assert.equal((await fetch(`${url}/broken`, { headers })).status, 500);
    child.kill('SIGTERM');
    await once(child, 'close');
    const messages = await server.messages(node);
    const events = messages.filter((message) => message.startsWith('{')).map((message) => JSON.parse(message));
    assert.ok(events.some(({ message, fields }) => message === 'order was read' && fields.order === '17'), messages.join('\n'));
    assert.ok(events.some(({ exception }) => exception?.startsWith('Error: on purpose\n')), messages.join('\n'));
    assert.ok(messages.includes('shut down'), messages.join('\n'));
    assert.ok(!messages.some((message) => message.includes('hunter2')));
    if (name === 'express') assert.ok(events.every(({ fields }) => /^[0-9a-f-]{36}$/.test(fields.request)));
  });
}

test('every program of the documents', async () => {
  const text = readFileSync(join(ROOT, 'docs/node.md'), 'utf8') + readFileSync(join(ROOT, 'bindings/node/README.md'), 'utf8');
  const programs = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code);
  assert.ok(programs.length > 5);
  await Promise.all(
    programs.map(async (program) => {
      const node = newNode();
      const code = program
        .replaceAll('https://c12345.ingest.us.logflux.io', server.url)
        .replaceAll('lf_your_api_key', server.key);
      const esm = /^import /m.test(code);
      const name = esm ? 'program.mjs' : 'program.cjs';
      const whole = esm ? code : `(async () => {\n${code}\n})();`;
      const done = await run(whole, { name, env: server.environment(node, { LOGFLUX_SECRET_PROD: 'of production' }) });
      assert.deepEqual([done.code, done.stderr], [0, ''], `${program}\n${done.stderr}`);
    }),
  );
});
