// The header's two facts: which device, and which way to it.

import { el, icon } from '/shared/dom.js';
import { PATHS } from './words.js';

/** `<al-who>`: the device in two lines. */
class Who extends HTMLElement {
  text = null;

  device({ model, serial }) {
    this.text = `${model}, ${serial}`;
    this.replaceChildren(el('b', { textContent: model, title: model }), el('span', { textContent: serial, title: serial }));
  }
}
customElements.define('al-who', Who);

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
