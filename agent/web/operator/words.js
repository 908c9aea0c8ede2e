// Every sentence of the console, in one place.

export const MODES = [
  { id: 'user-guide', name: 'Guide', key: '1', does: 'You may see the panel and draw on it.' },
  { id: 'operator-control', name: 'Control', key: '2', does: 'You may use the panel as if you stood in front of it.' },
  { id: 'engineer-config', name: 'Engineer', key: '3', does: 'You may read and change settings.' },
];

const BUILT_IN = MODES.length;

/** Which modes there are beside the built-in ones. */
export const offerModes = modes => {
  MODES.length = BUILT_IN;
  const own = new Set(MODES.map(({ id }) => id));
  for (const { mode, name } of modes) if (!own.has(mode)) MODES.push({ id: mode, name, key: '', does: `${name} is a mode that was added to this device.` });
};

export const modeName = id => MODES.find(mode => mode.id === id)?.name ?? id;

/** What stands beside a mode's name. */
export const CONSENT = {
  ask: 'ask first',
  active: 'on',
  paused: 'paused',
  ended: 'ask first',
  asked: seconds => (seconds === null ? 'waiting' : `waiting ${seconds} s`),
};

export const REFUSED = {
  customer: 'customer said no',
  timeout: 'no answer',
  'no-admin-id': 'no administrator ID',
  locked: 'ID locked',
  policy: 'not available yet',
  busy: 'still asking',
  versions: 'versions differ',
};

export const REFUSED_SENTENCE = {
  customer: mode => `The customer does not allow ${mode}.`,
  timeout: mode => `Nobody at the panel answered, so ${mode} stays off.`,
  'no-admin-id': mode => `${mode} needs the system administrator's ID, and this device has none.`,
  locked: () => "Too many wrong administrator's IDs were entered. The device takes none for a while.",
  policy: mode => `${mode} is not available yet on this device.`,
  busy: () => 'The customer is still being asked something else.',
  versions: mode => `The device and this program have no version of ${mode} in common. Install the same one on both.`,
};

/** The line below the picture: what holds, and what that means. */
export const STANDS = {
  active: (name, does) => [`${name} is on.`, `${does} The customer can stop it at any time.`],
  paused: name => [`${name} is paused.`, 'The customer is using the panel.'],
  asked: name => [`The customer is being asked for ${name}.`, 'Silence counts as a no.'],
  none: () => ['Nothing is allowed right now.'],
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
  refused: 'This address was used before, or is too old. Ask the agent for a fresh one.',
  lost: 'The agent on this machine does not answer any more.',
  over: 'The agent on this machine has finished. You can close this page.',
};

export const DISMISS = 'Dismiss';

export const CONFIRM = 'The customer gets the panel back, and your drawings are taken away. They can call you again with a new code.';
