// The customer's panel, live: what the hand does over it becomes commands, and shows at once.

import '/shared/screen.js';

/** Pressure of a hand that cannot be measured. */
const UNMEASURED = 0.6;
/** Steps of the arrow keys, in panel pixels. */
const STEP = 8;
const LEAP = 64;

class Panel extends HTMLElement {
  screen = document.createElement('al-screen');
  tools = null;
  /** What the hand does here: it `draws`, `touches`, or `rests` where there is nothing that it may. */
  hand = 'draws';
  #control = null;
  #send = null;
  #stroke = null;
  #strokes = Date.now() % 1_000_000_000;
  #due = null;
  #scale = 1;
  #fit = true;
  #caret = null;

  connectedCallback() {
    if (this.screen.isConnected) return;
    const { screen } = this;
    screen.tabIndex = 0;
    screen.setAttribute('role', 'application');
    screen.setAttribute('aria-label', "Customer's panel, live");
    screen.setAttribute('aria-describedby', 'panel-help');
    this.append(screen);
    screen.addEventListener('size', () => this.layout());
    new ResizeObserver(() => this.layout()).observe(this.parentElement);
    screen.addEventListener('contextmenu', event => event.preventDefault());
    screen.addEventListener('pointerdown', event => this.#down(event));
    screen.addEventListener('pointermove', event => this.#move(event));
    screen.addEventListener('pointerup', event => this.#up(event));
    screen.addEventListener('pointercancel', event => this.#up(event));
    screen.addEventListener('pointerleave', event => this.#leave(event));
    screen.addEventListener('keydown', event => this.#key(event));
  }

  connect(send, tools, control) {
    this.#send = send;
    this.#control = control;
    this.tools = tools;
    const change = () => { this.screen.dataset.tool = this.hand === 'rests' ? 'none' : tools.tool; };
    tools.addEventListener('change', change);
    tools.addEventListener('undo', () => this.undo());
    tools.addEventListener('clear', () => this.clear());
    change();
  }

  get scale() {
    return this.#scale;
  }

  /** Fits the panel into the space, or shows each of its pixels as one. */
  set fit(fit) {
    this.#fit = fit;
    this.layout();
  }

  layout() {
    const { screen } = this;
    if (!screen.width) return;
    const style = getComputedStyle(this);
    const edge = 2 * (parseFloat(style.paddingLeft) + parseFloat(style.marginLeft));
    const space = this.parentElement.getBoundingClientRect();
    const fitting = Math.min((space.width - edge) / screen.width, (space.height - edge) / screen.height);
    // A picture that nearly fills the space at its true size is sharper there.
    const fitted = fitting > 1 && fitting < 1.1 ? 1 : Math.max(0.1, Math.min(fitting, 2));
    this.#scale = this.#fit ? fitted : 1;
    screen.style.width = `${screen.width * this.#scale}px`;
    screen.style.height = `${screen.height * this.#scale}px`;
    this.dispatchEvent(new Event('scale'));
  }

  undo() {
    this.screen.ink.undo();
    this.screen.refresh();
    this.#ask({ do: 'undo' });
  }

  clear() {
    this.wipe();
    this.#ask({ do: 'clear' });
  }

  /** Takes the ink away here: the device has done so already. */
  wipe() {
    this.#stroke = null;
    this.screen.ink.clear();
    this.screen.ink.pointerGone();
    this.screen.refresh();
  }

  async #ask(command) {
    const answer = await this.#send(command);
    if (answer.event !== 'error') {
      const did = command.do === 'stroke' && command.done ? 'stroke' : this.hand === 'touches' && command.phase === 'down' ? 'press' : null;
      if (did) this.dispatchEvent(new CustomEvent('did', { detail: did }));
      return;
    }
    // What the device did not take must not stand here.
    if (command.do === 'stroke') {
      this.screen.ink.undo(command.id);
      this.screen.refresh();
    }
    this.dispatchEvent(new CustomEvent('refused', { detail: answer }));
  }

  get #isReady() {
    return this.screen.width > 0 && this.hand !== 'rests';
  }

  #down(event) {
    if (!this.#isReady) return;
    this.screen.focus({ preventScroll: true });
    event.preventDefault();
    this.screen.setPointerCapture(event.pointerId);
    if (this.tools.tool === 'pen') this.#begin(this.#point(event));
    else this.#pointAt(event, 'down');
  }

  #move(event) {
    if (!this.#isReady) return;
    if (this.#stroke) this.#draw((event.getCoalescedEvents?.() ?? [event]).map(each => this.#point(each)));
    else if (this.tools.tool === 'pointer') this.#pointAt(event, event.buttons ? 'move' : 'hover');
  }

  #up(event) {
    if (this.hand === 'rests') return;
    if (this.#stroke) this.#finish();
    else if (this.tools.tool === 'pointer') this.#pointAt(event, 'up');
  }

  #leave() {
    if (this.hand === 'rests' || this.#stroke || this.tools.tool !== 'pointer') return;
    const [x, y] = this.#caret ?? [0, 0];
    this.#later({ do: 'pointer', x, y, phase: 'leave', buttons: 0 });
    this.screen.ink.pointerGone();
    this.screen.refresh();
  }

  #point(event) {
    const pressure = event.pointerType === 'pen' ? event.pressure : UNMEASURED;
    return [...this.screen.locate(event), Math.round(pressure * 1000) / 1000];
  }

  // Pointer.

  #pointAt(event, phase) {
    const [x, y] = this.screen.locate(event);
    // The browser's bits are left 1, right 2, middle 4, as ours.
    this.#pointTo(x, y, phase, event.buttons & 7);
  }

  #pointTo(x, y, phase, buttons) {
    this.#caret = [x, y];
    this.screen.ink.pointAt(x, y, this.tools.color, performance.now());
    this.screen.refresh();
    const command = { do: 'pointer', x, y, phase, buttons };
    if (phase === 'hover' || phase === 'move') this.#later(command);
    else {
      this.#flush();
      this.#ask(command);
    }
  }

  // Pen.

  #begin(point) {
    this.#strokes += 1;
    this.#stroke = { id: this.#strokes, color: this.tools.color, width: this.tools.width, fresh: [] };
    this.#draw([point]);
  }

  #draw(points) {
    const stroke = this.#stroke;
    const { id, color, width } = stroke;
    stroke.fresh.push(...points);
    this.screen.ink.stroke({ id, color, width, points });
    this.screen.refresh();
    this.#later(null);
  }

  #finish() {
    const { id, color, width, fresh } = this.#stroke;
    this.#stroke = null;
    this.#ask({ do: 'stroke', id, color, width, points: fresh, done: true });
  }

  // At most one command a frame: the newest pointer, or the points since the last.

  #later(command) {
    const isWaiting = this.#due !== null;
    this.#due = { command };
    if (!isWaiting) requestAnimationFrame(() => this.#flush());
  }

  #flush() {
    const due = this.#due;
    this.#due = null;
    if (due?.command) this.#ask(due.command);
    if (this.#stroke?.fresh.length) {
      const { id, color, width } = this.#stroke;
      this.#ask({ do: 'stroke', id, color, width, points: this.#stroke.fresh.splice(0), done: false });
    }
  }

  // Keyboard: arrows move, space draws or presses.

  #key(event) {
    if (!this.#isReady) return;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (arrow) this.#step(arrow, event.shiftKey ? LEAP : STEP);
    else if (event.key === ' ' || event.key === 'Enter') this.#press(event.repeat);
    else if (event.key === 'Escape' && this.#stroke) this.#finish();
    else if (this.hand === 'touches' ? !this.#character(event) : !this.tools.press(event)) return;
    event.preventDefault();
  }

  /** A character of the operator's keyboard goes to the panel. */
  #character(event) {
    const isCharacter = event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey;
    return isCharacter && this.#control.press(event.key);
  }

  #step([right, down], distance) {
    const [x, y] = this.#caret ?? [this.screen.width / 2, this.screen.height / 2];
    const [toX, toY] = this.screen.clamp(x + right * distance, y + down * distance);
    this.#caret = [toX, toY];
    if (this.#stroke) this.#draw([[toX, toY, UNMEASURED]]);
    else this.#pointTo(toX, toY, 'hover', 0);
  }

  #press(isRepeat) {
    if (isRepeat) return;
    const [x, y] = this.#caret ?? this.screen.clamp(this.screen.width / 2, this.screen.height / 2);
    if (this.#stroke) this.#finish();
    else if (this.tools.tool === 'pen') this.#begin([x, y, UNMEASURED]);
    else {
      this.#pointTo(x, y, 'down', 1);
      this.#pointTo(x, y, 'up', 0);
    }
  }
}
customElements.define('al-panel', Panel);
