// Every sentence about settings, in one place.

export const SETTINGS = {
  off: "Settings are read and changed in Engineer. The customer allows it on the panel with the system administrator's ID, and is shown every change before it is made.",
  offAsked: 'The customer is being asked for Engineer. Settings show here as soon as it is on.',
  ask: 'Ask for Engineer',
  reading: 'Reading what the device can be set to…',
  none: 'This device has no settings to show.',
  unreadable: words => `The device cannot tell its settings: ${words}.`,
  again: 'Read again',
  undo: 'Undo last change',
  search: 'Find a setting',
  found: (shown, all) => (all === 0 ? 'No setting is called that.' : all > shown ? `${shown} of ${all} settings; type more to narrow it down.` : `${all} ${all === 1 ? 'setting' : 'settings'}`),
  read: (count, time) => `${count} ${count === 1 ? 'setting' : 'settings'}, as of ${time}`,
  meanwhile: list => `Changed on the device meanwhile: ${list}.`,
  asleep: 'Sleep: the owner’s policy allows this, so nobody at the panel is asked. A record and a last-session line stay on the device.',
  surface: { none: 'Service surface: this device has none. There is no picture in sleep, only the settings.' },
  surfaceShort: { none: 'Sleep: this device has no service surface' },
};

/** A value as people read it. */
export const VALUE = {
  absent: 'not set',
  secret: 'set, not shown',
  secretNew: 'new, not shown',
  on: 'on',
  off: 'off',
  empty: 'empty text',
};

export const ROW = {
  revert: was => `Back to ${was}`,
  secretSet: 'set; type to replace it',
  secretAbsent: 'not set; type to set it',
  takeOut: 'Take it out',
  whole: 'a whole number',
  number: 'a number',
  between: (min, max) => `${min} to ${max}`,
  least: min => `at least ${min}`,
  most: max => `at most ${max}`,
  secret: 'can be written and never read',
};

/** What is wrong with a value, in the device's own words. */
export const FAULT = {
  required: 'has to be there',
  whole: 'must be a whole number',
  number: 'must be a number',
  below: min => `must be at least ${min}`,
  above: max => `must be at most ${max}`,
  short: min => `must have at least ${min} characters`,
  long: max => `must have at most ${max} characters`,
};

const many = count => `${count} ${count === 1 ? 'change' : 'changes'}`;

export const CHANGE = {
  title: many,
  otherTitle: 'A change of another window',
  undoTitle: 'Undo of the last change',
  apply: count => `Ask to apply ${many(count)}`,
  applyAsleep: count => `Apply ${many(count)}`,
  discard: 'Discard',
  keep: 'Keep mine on top',
  close: 'Close',
  drop: name => `Drop the change of ${name}`,
  was: 'was',
  becomes: 'becomes',
  undoUnknown: 'The device takes back what was changed last; the customer sees the list on the panel.',
};

/** How a change stands, in a sentence. `by` a word of the device where there is one. */
export const STATE = {
  draft: () => 'Nothing is changed yet. The customer sees this list on the panel and decides.',
  draftAsleep: () => 'Nothing is changed yet. The owner’s policy allows changes in sleep: nobody is asked.',
  faulty: () => 'Something in it cannot be: see the marked rows.',
  sent: () => 'The device looks at it.',
  asked: () => 'The customer is asked on the panel. Silence counts as a no.',
  applied: () => 'Allowed, and made. The device takes it back by itself unless this program can confirm it.',
  appliedAsleep: () => 'Made, as the owner’s policy allows. The device takes it back by itself unless this program can confirm it.',
  confirmed: () => 'Confirmed: it stays.',
  conflict: () => 'Not made: something was changed on the device since it was read.',
  stuck: words => `Taking it back fails${words ? `: ${words}` : ''}. The device tries again by itself.`,
  over: () => 'Engineer ended. Whatever was not confirmed, the device takes back by itself.',
};

export const REFUSED = {
  customer: () => 'The customer does not allow it. Nothing was changed.',
  timeout: () => 'Nobody at the panel answered in time, so it is a no. Nothing was changed.',
  withdrawn: () => 'Engineer ended before there was an answer. Nothing was changed.',
  busy: () => 'Another change or question is under way. Nothing was changed; try again when it is over.',
  unchanged: () => 'Everything is so already, or there is nothing to undo. Nothing was changed.',
  invalid: () => 'The device does not take it: see the marked rows. The customer was not asked, and nothing was changed.',
  failed: words => `The device could not do it${words ? `: ${words}` : ''}. Nothing was changed.`,
  'not-allowed': () => 'Engineer is not on any more. Nothing was changed.',
};

export const ROLLED_BACK = {
  failed: words => `It failed half way${words ? `: ${words}` : ''}. The device took it back; everything is as before.`,
  conflict: () => 'Somebody changed something in the same moment. The device took it back; everything else is as before.',
  unconfirmed: () => 'Nobody confirmed it in time, so the device took it back. Everything is as before.',
  withdrawn: () => 'It was not confirmed when Engineer ended, so the device took it back. Everything is as before.',
  restarted: () => 'The device’s program restarted before it was confirmed, and took it back. Everything is as before.',
};

export const CONFLICT = {
  yours: (was, now, wanted) => `was ${was} when you read it, is ${now} now, you want ${wanted}`,
  other: (was, now) => `was ${was}, is ${now} now`,
  hidden: 'What changed is not shown, such as a password.',
  way: 'Keep your changes and put them on top of what is there now, or discard them.',
};
