// RxJS: webSocket() as its documentation shows it, with ws as WebSocketCtor; retry({ delay }) dials again after an
// error and repeat({ delay }) after a completion, with delays that grow, as their documentation says they may.
'use strict';

const { merge, repeat, retry, timeout, timer } = require('rxjs');
const { webSocket } = require('rxjs/webSocket');
const WebSocket = require('ws');
const readline = require('node:readline');

const [row, url, settingsText, variant = ''] = process.argv.slice(2);
const settings = JSON.parse(settingsText);

const tell = (facts) => process.stdout.write(JSON.stringify(facts) + '\n');

const grown = (count) => timer(Math.min(settings.FIRST_DELAY * 2 ** (count - 1), settings.LARGEST_DELAY) * 1000);

function busy(seconds) {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end);
}

const subject = webSocket({ url, WebSocketCtor: WebSocket });

function messages() {
  if (row === 'subscriptions') {
    const streams = settings.SUBSCRIPTIONS.map((each) =>
      subject.multiplex(
        () => each,
        () => ({ ...each, method: 'UNSUBSCRIBE' }),
        () => true,
      ),
    );
    return merge(...streams);
  }
  return row === 'silent' ? subject.pipe(timeout({ each: settings.IDLE * 1000 })) : subject;
}

let received = 0;
let told = 0;

function next() {
  received += 1;
  if (row === 'exception' && received === 3) {
    throw new Error("the consumer's own error");
  }
  if (row === 'burst') busy(settings.BURST_PAUSE);
  if (row === 'slow') busy(settings.SLOW_PAUSE);
}

let stream = messages().pipe(retry({ delay: (error, count) => grown(count) }));
if (variant !== 'retry') stream = stream.pipe(repeat({ delay: grown }));

const subscription = stream.subscribe({
  next,
  error: (error) => tell({ error: String((error && error.message) || error) }),
  complete: () => tell({ completed: true }),
});

const counting = setInterval(() => {
  if (received !== told) {
    told = received;
    tell({ received });
  }
}, 100);

const input = readline.createInterface({ input: process.stdin });
let stopped = false;
input.on('line', () => {
  if (!stopped) {
    stopped = true;
    subscription.unsubscribe();
    tell({ stopped: true });
  }
});
input.on('close', () => {
  clearInterval(counting);
  process.exit(0);
});
