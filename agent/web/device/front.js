// The front panel of the device that the agent draws: its screen can be touched, its keys pressed and held.

import { el, icon } from '/shared/dom.js';
import { Link } from '/shared/link.js';
import '/shared/screen.js';
import './keypad.js';

const WORDS = {
  caption: 'This page stands in for the hardware: touch the screen, press the keys. Holding # for 5 seconds ends a session.',
  refused: 'This address was used before, or is too old. The agent prints a fresh one where it was started, once no window shows this page.',
  lost: 'The agent on this machine does not answer any more.',
  over: 'The device is off: its program has finished.',
  on: 'On',
  session: 'Remote assistance',
  off: 'Off',
};
const STEP = 8;
const LEAP = 64;

const part = name => document.querySelector(name);
const [screen, keypad, glass, lamp, caption] = ['al-screen', 'al-keypad', '#glass', '#lamp', '#caption'].map(part);
const link = new Link();

part('#maker').prepend(icon('mark'));
caption.textContent = WORDS.caption;

function light(state, word) {
  lamp.dataset.state = state;
  lamp.textContent = word;
}

/** How things stand, in a word, for whoever drives this page by script. */
function stand(word) {
  document.body.dataset.stands = word;
}

function off(sentence) {
  keypad.release();
  glass.dataset.state = caption.dataset.state = 'off';
  caption.textContent = sentence;
  light('off', WORDS.off);
}

// The screen under a finger.

let finger = null;
let due = null;

function touch(phase, [x, y]) {
  link.send({ do: 'touch', x, y, phase });
}

screen.addEventListener('pointerdown', event => {
  if (event.button !== 0 || !screen.width) return;
  screen.setPointerCapture(event.pointerId);
  finger = event.pointerId;
  due = null;
  touch('down', screen.locate(event));
});
screen.addEventListener('pointermove', event => {
  if (event.pointerId !== finger) return;
  const isWaiting = due !== null;
  due = screen.locate(event);
  if (!isWaiting) requestAnimationFrame(() => {
    if (due && finger !== null) touch('move', due);
    due = null;
  });
});
for (const name of ['pointerup', 'pointercancel']) {
  screen.addEventListener(name, event => {
    if (event.pointerId !== finger) return;
    finger = null;
    touch('up', screen.locate(event));
  });
}
screen.addEventListener('contextmenu', event => event.preventDefault());

// The same by keyboard: a finger that the arrows move.

const mark = el('div', { className: 'finger', hidden: true });
screen.append(mark);
let place = null;

function move(right, down) {
  const [x, y] = place ?? [screen.width / 2, screen.height / 2];
  place = screen.clamp(x + right, y + down);
  mark.hidden = false;
  mark.style.left = `${(place[0] / screen.width) * 100}%`;
  mark.style.top = `${(place[1] / screen.height) * 100}%`;
}

screen.addEventListener('keydown', event => {
  const step = event.shiftKey ? LEAP : STEP;
  const arrow = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
  if (arrow) move(...arrow);
  else if ((event.key === ' ' || event.key === 'Enter') && !event.repeat) {
    move(0, 0);
    touch('tap', place);
  } else return;
  event.preventDefault();
});
screen.addEventListener('blur', () => { mark.hidden = true; });

// As large as the window allows, its true size at most.

function layout() {
  if (!screen.width) return;
  const beside = innerWidth > 1100 ? 250 + 26 : 0;
  const across = (innerWidth - 40 - 54 - 26 - beside) / screen.width;
  const along = beside ? (innerHeight - 40 - 110 - 26 - 40) / screen.height : 1;
  const scale = Math.max(0.3, Math.min(1, across, along));
  screen.style.width = `${screen.width * scale}px`;
  screen.style.height = `${screen.height * scale}px`;
}
addEventListener('resize', layout);
screen.addEventListener('size', layout);

// The agent.

keypad.addEventListener('key', ({ detail }) => link.send({ do: 'key', ...detail }));

link
  .on('open', () => {
    screen.ink.clear();
    screen.refresh();
    glass.dataset.state = caption.dataset.state = '';
    caption.textContent = WORDS.caption;
    light('on', WORDS.on);
  })
  .on('ready', ({ serial, panel }) => {
    part('#model').textContent = serial;
    if (panel) screen.resize(panel.width, panel.height);
  })
  .on('connected', () => {
    stand('connected');
    light('busy', WORDS.session);
  })
  .on('error', ({ code }) => stand(code))
  .on('annotation', message => {
    screen.ink.apply(message, performance.now());
    screen.refresh();
  })
  .on('mode', ({ state }) => {
    if (state !== 'ended') return;
    screen.ink.clear();
    screen.ink.pointerGone();
    screen.refresh();
  })
  .on('ended', () => {
    stand('ended');
    screen.ink.clear();
    screen.ink.pointerGone();
    screen.refresh();
    light('on', WORDS.on);
  })
  .on('batch', async batch => link.painted(await screen.paint(batch)))
  .on('refused', () => off(WORDS.refused))
  .on('lost', () => off(WORDS.lost))
  .on('over', () => off(WORDS.over));

link.open();
