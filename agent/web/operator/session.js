// A session as the operator sees it: the panel with its tools, and beside it what there is to know and to set.

import { clock, el } from '/shared/dom.js';
import { fill } from './facts.js';
import './control.js';
import './panel.js';
import { SETTINGS } from './settings-words.js';
import './settings.js';
import './side.js';
import { spark } from './spark.js';
import './timeline.js';
import './tools.js';
import { ASK, COUNTED, LATENCY, LEFT, MODES, SHARPEN, SIDE, STANDS, modeName } from './words.js';

/** `<al-session>`: tools, panel, and beside it facts, settings and timeline. */
class Session extends HTMLElement {
  #tools = document.createElement('al-tools');
  #countdown = 0;
  #panel = document.createElement('al-panel');
  #control = document.createElement('al-control');
  #side = document.createElement('al-side');
  settings = document.createElement('al-settings');
  timeline = document.createElement('al-timeline');
  ladder = null;
  #parts = null;
  #send = null;
  #surface = null;
  #rates = [];
  #began = 0;
  #facts = {};
  #painted = null;
  #linkState = 'ok';
  #soft = [];

  connectedCallback() {
    if (this.#parts) return;
    const parts = this.#parts = {
      stands: el('p', { role: 'status' }),
      left: el('span', { className: 'left', role: 'timer', 'aria-live': 'off' }),
      stale: el('p', { className: 'stale', role: 'alert', hidden: true }),
      figures: el('span', { className: 'figures' }),
      fit: el('button', { type: 'button', textContent: 'Fit', 'aria-pressed': 'true', title: 'As large as the window allows' }),
      exact: el('button', { type: 'button', textContent: '1:1', 'aria-pressed': 'false', title: 'Each pixel of the panel as one' }),
      sharpen: el('button', { type: 'button', className: 'sharpen', textContent: SHARPEN.name, title: SHARPEN.does, hidden: true }),
      device: el('dl'),
      link: el('dl'),
      spark: spark(),
    };
    parts.fit.onclick = () => this.#zoom(true);
    parts.exact.onclick = () => this.#zoom(false);
    parts.sharpen.onclick = () => this.#sharpen();
    this.append(
      this.#tools,
      el('div', { className: 'stage' },
        el('div', { className: 'frame' }, this.#panel),
        this.#control,
        el('div', { className: 'below' }, parts.stands, parts.left, parts.figures, parts.sharpen,
          el('div', { className: 'zoom', role: 'group', 'aria-label': 'Size of the picture' }, parts.fit, parts.exact)),
        el('p', { id: 'panel-help', className: 'quiet', textContent: 'Arrow keys move the pointer, with Shift farther. Space presses, or begins and ends a line of the pen. P and D choose pointer and pen. In Control, characters go to the device.' })),
      el('aside', { className: 'side', 'aria-label': 'About this session' }, this.#side));
    this.#side.add('session', SIDE.session,
      el('section', {}, el('h2', { textContent: 'Device' }), parts.device),
      el('section', {}, el('h2', { textContent: 'Connection' }), parts.link, parts.spark.svg),
      el('section', {}, keys()));
    this.#side.add('settings', SIDE.settings, this.settings);
    this.#side.add('timeline', SIDE.timeline, this.timeline);
    this.#side.addEventListener('select', () => { this.dataset.side = this.#side.selected; });
    this.dataset.side = this.#side.selected;
    this.#panel.append(parts.stale);
    this.#panel.addEventListener('scale', () => this.#measure());
    for (const hand of [this.#panel, this.#control]) {
      hand.addEventListener('refused', ({ detail }) => this.log(Date.now(), `Not done: ${detail.message}`, 'warn'));
      hand.addEventListener('did', ({ detail }) => this.timeline.count(Date.now(), COUNTED[detail]));
    }
    this.settings.addEventListener('note', ({ detail: { t, text, level } }) => this.log(t, text, level));
    setInterval(() => this.#lasts(), 1000);
    setInterval(() => this.#leaves(), 500);
  }

  /** `send` resolves with the answer to a command; `ask` asks for a mode. */
  connect(send, ask) {
    this.#send = send;
    this.#panel.connect(send, this.#tools, this.#control);
    this.#control.connect(send);
    this.settings.connect(send, ask);
  }

  reset() {
    this.#panel.wipe();
    this.#rates = [];
    this.timeline.begin();
    this.#control.hidden = true;
    this.settings.reset();
    this.#side.select('session');
    this.#surface = null;
    this.#parts.link.replaceChildren();
    this.#facts = {};
    this.#painted = null;
    this.panel({ exact: true });
    this.stand();
    this.link({ state: 'ok' });
  }

  focusPanel() {
    this.#panel.screen.focus({ preventScroll: true });
  }

  device({ t, session, model, serial, panel }, ticket) {
    this.#began = t;
    this.#panel.screen.resize(panel.width, panel.height);
    this.#control.kind = panel.kind;
    fill(this.#parts.device, {
      Model: model,
      Serial: serial,
      Panel: `${panel.kind}, ${panel.width} × ${panel.height}`,
      Ticket: ticket || null,
      Session: session.slice(0, 8),
      'Connected for': '0:00',
    });
    this.#lasts();
  }

  /** How a mode stands, as the ladder has it. */
  mode(message) {
    const { mode, state } = message;
    const isControl = this.ladder.of('operator-control').isOn;
    const hand = isControl ? 'touches' : this.ladder.of('engineer-config').isOn ? 'rests' : 'draws';
    this.#panel.hand = hand;
    this.#tools.hand = hand;
    this.#control.hidden = !isControl;
    if (!isControl) this.#control.release();
    if (state === 'ended' && this.ladder.foremost === null) this.#panel.wipe();
    if (mode === 'engineer-config') {
      if (state === 'active' && !this.settings.isOn) this.#side.select('settings');
      if (state === 'ended') this.surface(null);
    }
    this.settings.mode(message);
    this.#side.mark('settings', this.settings.isOn ? 'on' : '');
    this.stand();
  }

  /** What there is to see in sleep; null when it is over. */
  surface(message) {
    this.#surface = message;
    if (message) this.settings.surface(message);
    this.#stale();
  }

  /** Says what holds. */
  stand() {
    const mode = this.ladder?.foremost ?? null;
    const { state, isOn } = this.ladder?.of(mode) ?? {};
    const word = mode === null ? 'none' : state === 'asked' ? (isOn ? 'askedAgain' : 'asked') : state === 'paused' ? 'paused' : 'active';
    const { does = '', consent = '' } = MODES.find(({ id }) => id === mode) ?? {};
    const [head, rest] = STANDS[word](modeName(mode), word === 'asked' ? consent : does);
    this.#panel.dataset.state = { askedAgain: 'asked' }[word] ?? word;
    this.#panel.dataset.mode = mode ?? '';
    this.#parts.stands.replaceChildren(el('b', { textContent: head }), rest ? ` ${rest}` : '');
    this.#leaves();
  }

  /** Time to answer, or until the customer is asked again. */
  #leaves() {
    if (this.hidden || !this.ladder) return;
    const { state, until, due, isMore } = this.ladder.of(this.ladder.foremost);
    const left = at => clock((at - Date.now()) / 1000);
    this.#parts.left.textContent = state === 'asked' && until !== null ? LEFT.answer(left(until), isMore) : due !== null ? LEFT.again(left(due)) : '';
    this.#parts.left.dataset.state = state === 'asked' ? 'soon' : '';
  }

  path({ kind, rtt_ms, kbps_in, kbps_out, closed = [] }) {
    const open = Object.entries(this.#facts).filter(([fact]) => !fact.startsWith('Not '));
    const why = closed.map(({ kind, message, ask }) => [`Not ${kind}`, `${message}${ASK[ask] ?? ''}`]);
    this.#facts = { ...Object.fromEntries(open), Path: kind, 'Round trip': `${rtt_ms} ms`, Received: `${kbps_in} kbps`, Sent: `${kbps_out} kbps`, ...Object.fromEntries(why) };
    fill(this.#parts.link, this.#facts);
    this.#rates = [...this.#rates, kbps_in].slice(-60);
    this.#parts.spark.draw(this.#rates);
  }

  /** The way of a picture, piece by piece; painting is measured here. */
  latency({ capture_ms, encode_ms, network_ms, decode_ms }) {
    const ways = { capture: capture_ms, encode: encode_ms, network: network_ms, decode: decode_ms, paint: this.#painted };
    for (const [way, ms] of Object.entries(ways)) {
      if (ms !== null) this.#facts[LATENCY[way]] = `${ms.toFixed(1)} ms`;
    }
    fill(this.#parts.link, this.#facts);
  }

  link({ state, silent_ms, ends_in_ms = 0 }) {
    this.#linkState = state;
    clearInterval(this.#countdown);
    if (state === 'lost') this.#countDown(Date.now() + ends_in_ms);
    if (state === 'missing') this.#parts.stale.textContent = `Nothing heard from the device for ${Math.round(silent_ms / 1000)} s: this picture is old`;
    this.#stale();
  }

  /** Says why the picture is none of now, if it is not. */
  #stale() {
    const isOk = this.#linkState === 'ok';
    const isHidden = isOk && this.#surface !== null;
    this.#panel.toggleAttribute('data-stale', !isOk || isHidden);
    this.#parts.stale.hidden = isOk && !isHidden;
    if (isHidden) this.#parts.stale.textContent = SETTINGS.surfaceShort[this.#surface.surface] ?? SETTINGS.asleep;
  }

  /** Says until when a lost connection is tried again. */
  #countDown(ends) {
    const tell = () => {
      const left = Math.max(0, Math.round((ends - Date.now()) / 1000));
      this.#parts.stale.textContent = `Connection lost, trying again: the session ends in ${Math.floor(left / 60)} min ${left % 60} s unless it comes back. This picture is old`;
      if (left === 0) clearInterval(this.#countdown);
    };
    tell();
    this.#countdown = setInterval(tell, 1000);
  }

  panel({ exact, soft = [] }) {
    this.#panel.dataset.exact = exact;
    this.#soft = soft;
    this.#parts.sharpen.hidden = soft.length === 0;
    this.#panel.screen.mark(soft);
    this.#measure();
  }

  async paint(batch) {
    const begin = performance.now();
    const number = await this.#panel.screen.paint(batch);
    this.#painted = performance.now() - begin;
    return number;
  }

  /** Asks for everything that is only nearly right. */
  #sharpen() {
    const edges = this.#soft.map(([x, y, width, height]) => [x, y, x + width, y + height]);
    const [x, y] = [0, 1].map(side => Math.min(...edges.map(edge => edge[side])));
    const [right, bottom] = [2, 3].map(side => Math.max(...edges.map(edge => edge[side])));
    this.#send({ do: 'exact', x, y, width: right - x, height: bottom - y });
  }

  log(t, text, level = '') {
    this.timeline.note(t, text, level);
  }

  #zoom(fit) {
    this.#parts.fit.setAttribute('aria-pressed', String(fit));
    this.#parts.exact.setAttribute('aria-pressed', String(!fit));
    this.#panel.fit = fit;
  }

  #measure() {
    const { width, height } = this.#panel.screen;
    const exact = { true: ', exact', false: ', sharpening' }[this.#panel.dataset.exact] ?? '';
    this.#parts.figures.textContent = `${width} × ${height} at ${Math.round(this.#panel.scale * 100)} %${exact}`;
  }

  #lasts() {
    const last = this.#parts.device.lastElementChild;
    if (last && !this.hidden) last.textContent = clock((Date.now() - this.#began) / 1000);
  }
}
customElements.define('al-session', Session);

function keys() {
  const rows = [
    ['P, D', 'pointer, pen'], ['1 to 5', 'colour'], ['Arrows, Space', 'point or draw'], ['Ctrl+Z', 'undo'], ['Delete', 'clear all'],
    ['Ctrl+Alt+1 to 3', 'ask for a mode'], ['/', 'find a setting'], ['Ctrl+Alt+Q', 'end'],
  ];
  const list = el('dl', {}, ...rows.flatMap(([key, does]) => [el('dt', {}, el('kbd', { textContent: key })), el('dd', { textContent: does })]));
  return el('details', { className: 'keys', 'aria-label': 'Keys' }, el('summary', { textContent: 'Keys' }), list);
}
