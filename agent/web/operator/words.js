// Every sentence of the console, in one place.

const WITH_ID = 'The customer presses Allow and types the system administrator’s ID on the panel.';
const STAYS = 'The ID never leaves the device.';

/** Each mode with what it lets the operator do, whose consent it takes, and that in a word. */
export const MODES = [
  { id: 'user-guide', name: 'Guide', key: '1', does: 'You may see the panel and draw on it.', asks: 'with the code', consent: 'The customer agreed to it by typing the code.' },
  { id: 'operator-control', name: 'Control', key: '2', does: 'You may use the panel as if you stood in front of it.', asks: 'ask first, with ID', consent: WITH_ID, besides: STAYS },
  { id: 'engineer-config', name: 'Engineer', key: '3', does: 'You may read and change settings.', asks: 'ask first, with ID', consent: WITH_ID, besides: `${STAYS} Where the owner’s policy names you, nobody at the panel is asked.` },
];

const BUILT_IN = MODES.length;

/** Whose word a mode takes that was added to the device: in a word, and in a sentence. */
const ASKS = {
  code: ['with the code', 'The customer agreed to it by typing the code.'],
  customer: ['ask first', 'The customer is asked on the panel.'],
  administrator: ['ask first, with ID', `${WITH_ID} ${STAYS}`],
  policy: ['by policy', 'The owner’s policy allows it; nobody at the panel is asked.'],
};

/** Which modes there are beside the built-in ones. */
export const offerModes = modes => {
  MODES.length = BUILT_IN;
  const own = new Set(MODES.map(({ id }) => id));
  for (const { mode, name, asks: whose } of modes) {
    const [asks, consent] = ASKS[whose] ?? ASKS.customer;
    if (!own.has(mode)) MODES.push({ id: mode, name, key: '', does: `${name} is a mode that was added to this device.`, asks, consent });
  }
};

export const modeName = id => MODES.find(mode => mode.id === id)?.name ?? id;

/** What stands beside a mode's name. */
export const CONSENT = {
  active: 'on',
  policy: 'on, by policy',
  paused: 'paused by the customer',
  asked: (left, isMore) => (left === null ? 'waiting' : `waiting ${left}${isMore ? ', more time' : ''}`),
  askedAgain: left => (left === null ? 'asked again' : `asked again ${left}`),
};

export const REFUSED = {
  customer: 'customer said no',
  timeout: 'no answer',
  'no-admin-id': 'no administrator ID',
  locked: 'ID locked',
  policy: 'not on this device',
  busy: 'still asking',
  interrupted: 'connection lost',
  versions: 'versions differ',
};

export const REFUSED_SENTENCE = {
  customer: mode => `The customer does not allow ${mode}.`,
  timeout: mode => `Nobody at the panel answered, so ${mode} stays off.`,
  'no-admin-id': mode => `${mode} needs the system administrator's ID, and this device has none to check against.`,
  locked: mode => `Too many wrong administrator's IDs were entered, so ${mode} stays off. The device takes none for a while.`,
  policy: mode => `${mode} is not available on this device: it does not have it, or its owner does not allow it.`,
  busy: () => 'The customer is still being asked something else. Ask again when that is over.',
  interrupted: mode => `The connection was lost before there was an answer, so ${mode} stays off.`,
  versions: mode => `The device and this program have no version of ${mode} in common. Install the same one on both.`,
};

/** The line below the picture: what holds, and what that means. */
export const STANDS = {
  active: (name, does) => [`${name} is on.`, `${does} The customer can stop it at any time.`],
  paused: name => [`${name} is paused.`, 'The person at the panel is using it and always wins. It goes on 2 s after their last touch.'],
  asked: (name, consent) => [`The customer is being asked for ${name}.`, `${consent} Silence counts as a no.`],
  askedAgain: name => [`The customer is asked whether ${name} goes on.`, 'Your hand is off the panel until they answer. Silence counts as a no.'],
  none: () => ['Nothing is allowed right now.', 'You see the panel as long as the session lasts.'],
};

/** The countdown beside that line. */
export const LEFT = {
  answer: (left, isMore) => (isMore ? `more time: ${left}` : `time to answer: ${left}`),
  again: left => `asked again in ${left}`,
};

/** What the timeline says of a mode. */
export const TURN = {
  asked: name => `Asked for ${name}`,
  'more-time': () => 'More time to answer: the customer is at it',
  'asked-again': name => `The customer is asked whether ${name} goes on`,
  allowed: name => `${name} allowed`,
  on: name => `${name} is on`,
  'goes-on': name => `${name} goes on`,
  paused: name => `${name} paused: the person at the panel is using it`,
  off: name => `${name} is off`,
};

export const CONTROL = {
  keys: 'Keys of the panel',
  text: 'Text to type on the panel',
  type: 'Type',
  tooLong: most => `at most ${most} bytes at once`,
  late: 'What you did took too long to arrive and was dropped. It is not done later.',
  refused: 'The device does not take your hand now; nothing was done.',
};

/** What the timeline counts: its name, one and many. */
export const COUNTED = {
  stroke: ['stroke', 'stroke drawn', 'strokes drawn'],
  press: ['press', 'press on the panel', 'presses on the panel'],
  key: ['key', 'key pressed', 'keys pressed'],
  text: ['text', 'text typed', 'texts typed'],
};

export const SIDE = { session: 'Session', settings: 'Settings', timeline: 'Timeline' };

/** What the timeline says of the connection. */
export const WAY = {
  kind: kind => `Path: ${PATHS[kind] ?? kind}`,
  missing: 'Nothing is heard from the device',
  lost: 'Connection lost; trying again',
  back: seconds => `The device is back after ${seconds} s`,
};

/** The pieces of a picture's way, on the card of the connection. */
export const LATENCY = { capture: 'Capture', encode: 'Encode', network: 'Network', decode: 'Decode', paint: 'Paint' };

export const SHARPEN = { name: 'Sharpen', does: 'Ask for the framed parts exactly, before anything else' };

export const PATHS = {
  direct: 'UDP between the two machines',
  'relay-quic': 'UDP through the relay',
  'relay-tls': 'TLS through the relay',
  'relay-proxy': 'TLS through the proxy and the relay',
  none: 'there is no way to the device now',
};

/** Whom to ask, after the sentence that says why a way is closed. */
export const ASK = {
  network: ' (whoever runs your network)',
  relay: ' (whoever runs the relay)',
  settings: ' (whoever set this program up)',
};

export const INVITE = {
  waitingForRelay: 'Connecting to the relay…',
  waiting: 'Waiting for the customer to type the code…',
  expired: 'Nobody typed this code in time. Get a new one.',
  burnt: 'This code is dead: it was typed wrong three times. Get a new one.',
  wrong: tries => `Somebody typed the code and got it wrong. ${tries === 1 ? '1 attempt is' : `${tries} attempts are`} left.`,
  copied: 'Copied',
};

export const ENDED = {
  exit: 'The customer ended it with EXIT.',
  'stop-key': 'The customer ended it by holding the stop key.',
  'operator-ended': 'You ended it.',
  idle: 'It ended by itself: nobody had done anything for 15 minutes.',
  'session-cap': 'It ended by itself: the longest time for one session was over.',
  'peer-lost': 'The device could not be reached any more.',
  'peer-closed': "The device's program was stopped.",
  'relay-closed': 'The relay closed the session.',
  'record-failed': 'The device could not write its record, so nothing more was allowed.',
  protocol: 'The device and this program did not understand each other.',
  'panel-failed': 'The panel of the device could not be read any more.',
  shutdown: 'The program was told to stop.',
  'code-not-proved': 'The code was not proved.',
};

export const PARTY = {
  customer: 'the customer', operator: 'you', policy: 'a rule', network: 'the network', relay: 'the relay', device: 'the device',
};

export const AGENT = {
  refused: 'This address was used before, or is too old. The agent prints a fresh one where it was started, once no window shows this page.',
  lost: 'The agent on this machine does not answer any more.',
  over: 'The agent on this machine has finished. You can close this page.',
};

export const IDLE = { says: 'Nobody has done anything for a while. The session ends by itself.', stay: 'I am still here' };

export const DISMISS = 'Dismiss';

export const CONFIRM = 'The customer gets the panel back, and your drawings are taken away. They can call you again with a new code.';
