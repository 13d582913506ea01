// @ts-check
// Reference: bytes in, bytes out. What it costs to pass the callers' connections on without looking into them.
import { connect, createServer } from 'node:net';

const target = { host: '127.0.0.1', port: Number(process.env.SPEECH_PORT), noDelay: true };

const server = createServer({ noDelay: true }, (caller) => {
  const speech = connect(target);
  caller.pipe(speech);
  speech.pipe(caller);
  caller.on('error', () => speech.destroy());
  speech.on('error', () => caller.destroy());
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () =>
  console.log(JSON.stringify({ port: Reflect.get(server.address() ?? {}, 'port') })),
);

process.on('SIGTERM', () => process.exit());
