// A session as the operator sees it: header, panel with its tools, device card and log; and its end.

import { clock, el, icon, timeOfDay } from '/shared/dom.js';
import './panel.js';
import './tools.js';
import { ASK, CONSENT, LATENCY, MODES, PATHS, REFUSED, SHARPEN, STANDS, modeName, offerModes } from './words.js';

/** `<al-who>`: the device in two lines. */
class Who extends HTMLElement {
  text = null;

  device({ model, serial }) {
    this.text = `${model}, ${serial}`;
    this.replaceChildren(el('b', { textContent: model, title: model }), el('span', { textContent: serial, title: serial }));
  }
}
customElements.define('al-who', Who);

/** `<al-modes>`: what the operator may do, and may ask for. */
class Modes extends HTMLElement {
  ask = null;
  #states = new Map();
  #timer = 0;

  connectedCallback() {
    if (this.firstChild) return;
    for (const mode of MODES) this.append(this.#button(mode));
    this.reset();
  }

  #button(mode) {
    const keys = mode.key ? ` (Ctrl+Alt+${mode.key})` : '';
    const button = el('button', { type: 'button', 'data-mode': mode.id, title: `${mode.does}${keys}` }, `${mode.name} `, el('small'));
    button.onclick = () => {
      if (button.ariaDisabled !== 'true') this.ask(mode.id);
    };
    return button;
  }

  reset() {
    this.#states.clear();
    this.offered([]);
  }

  /** Which modes there are beside the built-in ones. */
  offered(modes) {
    offerModes(modes);
    const known = new Set(MODES.map(({ id }) => id));
    for (const button of [...this.children]) if (!known.has(button.dataset.mode)) button.remove();
    for (const mode of MODES) if (!this.querySelector(`[data-mode="${CSS.escape(mode.id)}"]`)) this.append(this.#button(mode));
    this.#states = new Map(MODES.map(({ id }) => [id, this.#states.get(id) ?? { state: 'ask' }]));
    this.#show();
  }

  /** A mode's key with Ctrl and Alt; answers whether it is one. */
  press(key) {
    const mode = MODES.find(known => known.key && known.key === key);
    if (mode) this.querySelector(`[data-mode="${mode.id}"]`).click();
    return Boolean(mode);
  }

  mode({ mode, state, reason, expires_in_s }) {
    if (!this.#states.has(mode)) return;
    const until = expires_in_s === undefined ? null : performance.now() + expires_in_s * 1000;
    if (state === 'active') this.#nothingElseIsActive(mode);
    this.#states.set(mode, { state, reason, until });
    this.#show();
  }

  #nothingElseIsActive(mode) {
    for (const [other, { state }] of this.#states) {
      if (other !== mode && (state === 'active' || state === 'paused')) this.#states.set(other, { state: 'ask' });
    }
  }

  #show() {
    clearTimeout(this.#timer);
    for (const button of this.children) {
      const { state, reason, until } = this.#states.get(button.dataset.mode);
      const left = until ? Math.max(0, Math.ceil((until - performance.now()) / 1000)) : null;
      const word = state === 'refused' ? REFUSED[reason] ?? 'refused' : state === 'asked' ? CONSENT.asked(left) : CONSENT[state];
      button.dataset.state = state;
      button.lastElementChild.textContent = word;
      button.setAttribute('aria-pressed', String(state === 'active' || state === 'paused'));
      button.setAttribute('aria-disabled', String(reason === 'policy' || state === 'asked'));
      if (state === 'asked') this.#timer = setTimeout(() => this.#show(), 500);
    }
  }
}
customElements.define('al-modes', Modes);

/** `<al-path>`: which way the packets take, and how well. */
class Path extends HTMLElement {
  #kind = el('b');
  #figures = el('span');

  connectedCallback() {
    if (this.firstChild) return;
    this.append(icon('link'), el('div', {}, this.#kind, this.#figures));
    this.reset();
  }

  reset() {
    this.dataset.state = '';
    this.#kind.textContent = 'no figures yet';
    this.#figures.textContent = '';
  }

  path({ kind, rtt_ms, kbps_in, kbps_out }) {
    this.title = PATHS[kind] ?? kind;
    this.#kind.textContent = `${kind} · ${Math.round(rtt_ms)} ms`;
    this.#figures.textContent = `${kbps_in} in · ${kbps_out} out kbps`;
  }

  link({ state, silent_ms }) {
    this.dataset.state = state;
    if (state === 'lost') this.#figures.textContent = 'connection lost, trying again';
    if (state === 'missing') this.#figures.textContent = `silent for ${Math.round(silent_ms / 1000)} s`;
  }
}
customElements.define('al-path', Path);

/** `<al-session>`: tools, panel, card and log. */
class Session extends HTMLElement {
  #tools = document.createElement('al-tools');
  #countdown = 0;
  #panel = document.createElement('al-panel');
  #parts = null;
  #send = null;
  #modes = new Map();
  #rates = [];
  #began = 0;
  #facts = {};
  #painted = null;
  #soft = [];

  connectedCallback() {
    if (this.#parts) return;
    const parts = this.#parts = {
      stands: el('p', { role: 'status' }),
      stale: el('p', { className: 'stale', role: 'alert', hidden: true }),
      figures: el('span', { className: 'figures' }),
      fit: el('button', { type: 'button', textContent: 'Fit', 'aria-pressed': 'true', title: 'As large as the window allows' }),
      exact: el('button', { type: 'button', textContent: '1:1', 'aria-pressed': 'false', title: 'Each pixel of the panel as one' }),
      sharpen: el('button', { type: 'button', className: 'sharpen', textContent: SHARPEN.name, title: SHARPEN.does, hidden: true }),
      device: el('dl'),
      link: el('dl'),
      log: el('ol', { role: 'log', 'aria-label': 'Session log' }),
      spark: spark(),
    };
    parts.fit.onclick = () => this.#zoom(true);
    parts.exact.onclick = () => this.#zoom(false);
    parts.sharpen.onclick = () => this.#sharpen();
    this.append(
      this.#tools,
      el('div', { className: 'stage' },
        el('div', { className: 'frame' }, this.#panel),
        el('div', { className: 'below' }, parts.stands, parts.figures, parts.sharpen,
          el('div', { className: 'zoom', role: 'group', 'aria-label': 'Size of the picture' }, parts.fit, parts.exact)),
        el('p', { id: 'panel-help', className: 'quiet', textContent: 'Arrow keys move the pointer, with Shift farther. Space presses, or begins and ends a line of the pen. P and D choose pointer and pen.' })),
      el('aside', { className: 'side', 'aria-label': 'About this session' },
        el('section', {}, el('h2', { textContent: 'Device' }), parts.device),
        el('section', {}, el('h2', { textContent: 'Connection' }), parts.link, parts.spark.svg),
        el('section', { className: 'log' }, el('h2', { textContent: 'Session log' }), parts.log),
        el('section', {}, keys())));
    this.#panel.append(parts.stale);
    this.#panel.addEventListener('scale', () => this.#measure());
    this.#panel.addEventListener('refused', ({ detail }) => this.log(Date.now(), `Not done: ${detail.message}`, 'warn'));
    setInterval(() => this.#lasts(), 1000);
  }

  connect(link, send) {
    this.#send = send;
    this.#panel.connect(send, this.#tools);
  }

  reset() {
    this.#panel.wipe();
    this.#rates = [];
    this.#parts.log.replaceChildren();
    this.#parts.link.replaceChildren();
    this.#facts = {};
    this.#painted = null;
    this.panel({ exact: true });
    this.#modes.clear();
    this.#stand();
    this.link({ state: 'ok' });
  }

  focusPanel() {
    this.#panel.screen.focus({ preventScroll: true });
  }

  device({ t, session, model, serial, panel }, ticket) {
    this.#began = t;
    this.#panel.screen.resize(panel.width, panel.height);
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

  mode({ mode, state }) {
    if (state === 'refused' || state === 'ended') this.#modes.delete(mode);
    else this.#modes.set(mode, state);
    // A question stands before what is on; what is on does not last beside another.
    if (state === 'active') {
      for (const [other, known] of this.#modes) if (other !== mode && known !== 'asked') this.#modes.delete(other);
    }
    if (state === 'ended' && this.#modes.size === 0) this.#panel.wipe();
    this.#stand();
  }

  #stand() {
    const word = ['asked', 'paused', 'active'].find(state => [...this.#modes.values()].includes(state)) ?? 'none';
    const mode = [...this.#modes].find(([, state]) => state === word)?.[0];
    const [head, rest] = STANDS[word](modeName(mode), MODES.find(({ id }) => id === mode)?.does ?? '');
    this.#panel.dataset.state = word;
    this.#parts.stands.replaceChildren(el('b', { textContent: head }), rest ? ` ${rest}` : '');
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
    const isMissing = state === 'missing';
    const isStale = state !== 'ok';
    this.#panel.toggleAttribute('data-stale', isStale);
    this.#parts.stale.hidden = !isStale;
    clearInterval(this.#countdown);
    if (state === 'lost') this.#countDown(Date.now() + ends_in_ms);
    if (isMissing) this.#parts.stale.textContent = `Nothing heard from the device for ${Math.round(silent_ms / 1000)} s: this picture is old`;
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
    this.#parts.log.append(el('li', { className: level }, el('time', { textContent: timeOfDay(t) }), el('span', { textContent: text })));
    while (this.#parts.log.children.length > 200) this.#parts.log.firstChild.remove();
    this.#parts.log.lastChild.scrollIntoView({ block: 'nearest' });
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

/** `<al-ended>`: that it is over, and why. */
class Ended extends HTMLElement {
  again = null;
  #action = el('div', { className: 'row' });

  told(sentence, facts) {
    if (facts.Lasted !== null) facts.Lasted = clock(facts.Lasted / 1000);
    const list = el('dl');
    fill(list, facts);
    const again = el('button', { type: 'button', className: 'primary', textContent: 'Help another customer' });
    again.onclick = () => this.again();
    this.#action.replaceChildren(again);
    const title = el('h1', { textContent: 'Session ended', tabIndex: -1 });
    this.replaceChildren(el('div', { className: 'ended', role: 'status' }, icon('end'), title, el('p', { textContent: sentence }), list, this.#action));
    title.focus();
  }

  /** The agent goes as well: there is no next customer. */
  over() {
    this.#action.replaceChildren();
  }
}
customElements.define('al-ended', Ended);

function fill(list, facts) {
  const rows = Object.entries(facts).filter(([, value]) => value !== null);
  list.replaceChildren(...rows.flatMap(([name, value]) => [el('dt', { textContent: name }), el('dd', { textContent: value })]));
}

function keys() {
  const rows = [
    ['P, D', 'pointer, pen'], ['1 to 5', 'colour'], ['Arrows, Space', 'point or draw'], ['Ctrl+Z', 'undo'], ['Delete', 'clear all'],
    ['Ctrl+Alt+1 to 3', 'ask for a mode'], ['Ctrl+Alt+Q', 'end'],
  ];
  const list = el('dl', {}, ...rows.flatMap(([key, does]) => [el('dt', {}, el('kbd', { textContent: key })), el('dd', { textContent: does })]));
  return el('details', { className: 'keys', 'aria-label': 'Keys' }, el('summary', { textContent: 'Keys' }), list);
}

/** A small curve of what came in lately. */
function spark() {
  const make = (tag, attributes) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const area = make('polygon', { points: '' });
  const line = make('polyline', { points: '' });
  const svg = make('svg', { class: 'spark', viewBox: '0 0 100 40', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  svg.append(area, line);
  const draw = rates => {
    if (rates.length < 2) return;
    const top = Math.max(64, ...rates);
    const points = rates.map((rate, n) => `${((n / (rates.length - 1)) * 100).toFixed(1)},${(38 - (rate / top) * 34).toFixed(1)}`);
    line.setAttribute('points', points.join(' '));
    area.setAttribute('points', `0,40 ${points.join(' ')} 100,40`);
  };
  return { svg, draw };
}
