// A mode's own part of the console, in a frame of an origin of its own. It says and hears JSON, and reaches nothing here.

import { el } from '/shared/dom.js';

/** Longest message of a mode's part, in bytes of JSON; the agent takes no longer ones. */
const MAX_MESSAGE = 16 * 1024;

/** `<al-mode-panel>`: the part of the mode that is on, if it has one. */
class ModePanel extends HTMLElement {
  send = null;
  #cards = new Map();
  #shown = null;
  #frame = null;
  #port = null;

  constructor() {
    super();
    addEventListener('message', event => {
      // Whatever else speaks up is not the frame that was just made.
      if (!this.#frame || event.source !== this.#frame.contentWindow || event.data !== 'alongside-panel' || this.#port) return;
      const { port1, port2 } = new MessageChannel();
      this.#port = port1;
      port1.onmessage = ({ data }) => this.#said(data);
      this.#frame.contentWindow.postMessage(null, '*', [port2]);
    });
  }

  /** Which modes there are. */
  offered(modes) {
    this.#cards = new Map(modes.map(card => [card.mode, card]));
  }

  reset() {
    this.#cards.clear();
    this.#show(null);
  }

  /** How a mode stands. */
  mode({ mode, state }) {
    if (state === 'active') this.#show(this.#cards.get(mode)?.has_panel ? mode : null);
    else if (state === 'ended' && mode === this.#shown) this.#show(null);
  }

  /** What the mode says to its part. */
  hear(message) {
    this.#port?.postMessage(message);
  }

  #show(mode) {
    if (mode === this.#shown) return;
    this.#shown = mode;
    this.#port?.close();
    this.#port = this.#frame = null;
    this.hidden = mode === null;
    if (mode === null) {
      this.replaceChildren();
      return;
    }
    const { name } = this.#cards.get(mode);
    this.#frame = el('iframe', { title: name, src: `/mode/${encodeURIComponent(mode)}`, sandbox: 'allow-scripts', referrerPolicy: 'no-referrer' });
    this.replaceChildren(el('h2', { textContent: name }), this.#frame);
  }

  #said(message) {
    let json;
    try {
      json = JSON.stringify(message);
    } catch {
      return;
    }
    if (json !== undefined && json.length <= MAX_MESSAGE) this.send?.(JSON.parse(json));
  }
}
customElements.define('al-mode-panel', ModePanel);
