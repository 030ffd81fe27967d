// RxJS: webSocket() as its documentation shows it, with ws as WebSocketCtor, and retry({ delay }) for errors.
'use strict';

const { merge, repeat, retry, timeout } = require('rxjs');
const { webSocket } = require('rxjs/webSocket');
const WebSocket = require('ws');
const readline = require('node:readline');

const [row, url, settingsText, variant = ''] = process.argv.slice(2);
const settings = JSON.parse(settingsText);
const delay = settings.FIRST_DELAY * 1000;

const tell = (facts) => process.stdout.write(JSON.stringify(facts) + '\n');

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

let stream = messages().pipe(retry({ delay }));
if (variant === 'repeat') stream = stream.pipe(repeat({ delay }));

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
