// The hard keys: what is pressed goes down, and what is let go goes up, whatever presses it.

import { el } from '/shared/dom.js';

const KEYS = [
  ['1'], ['2', 'ABC'], ['3', 'DEF'], ['4', 'GHI'], ['5', 'JKL'], ['6', 'MNO'], ['7', 'PQRS'], ['8', 'TUV'], ['9', 'WXYZ'], ['*'], ['0'], ['#'],
  null, ['Reset'], ['Clear'], ['Stop'], ['Start'],
];
const SPOKEN = { '*': 'star', '#': 'number sign' };

/** `<al-keypad>`: tells `key` with `{ key, down }`. */
class Keypad extends HTMLElement {
  #buttons = new Map();
  #down = new Set();

  connectedCallback() {
    if (this.firstChild) return;
    for (const entry of KEYS) {
      if (!entry) {
        this.append(el('hr', { className: 'rule' }));
        continue;
      }
      const [key, letters] = entry;
      const button = el('button', { type: 'button', 'data-key': key, 'aria-label': SPOKEN[key] ?? key }, el('b', { textContent: key }));
      if (letters) button.append(el('small', { textContent: letters }));
      this.#wire(button, key);
      this.#buttons.set(key, button);
      this.append(button);
    }
    // The keyboard's own digits, wherever the focus is.
    addEventListener('keydown', event => this.#keyboard(event, true));
    addEventListener('keyup', event => this.#keyboard(event, false));
    // No key stays down that nobody holds.
    for (const name of ['blur', 'pagehide']) addEventListener(name, () => this.release());
    document.addEventListener('visibilitychange', () => document.hidden && this.release());
  }

  /** Lets go of everything. */
  release() {
    for (const key of [...this.#down]) this.#set(key, false);
  }

  #wire(button, key) {
    button.addEventListener('pointerdown', event => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.#set(key, true);
    });
    for (const name of ['pointerup', 'pointercancel', 'lostpointercapture', 'blur']) button.addEventListener(name, () => this.#set(key, false));
    button.addEventListener('contextmenu', event => event.preventDefault());
  }

  #keyboard(event, down) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const focused = event.target.closest?.('[data-key]')?.dataset.key;
    const presses = event.key === ' ' || event.key === 'Enter';
    const key = presses ? focused : event.key;
    if (!this.#buttons.has(key)) return;
    event.preventDefault();
    if (!event.repeat) this.#set(key, down);
  }

  #set(key, down) {
    if (this.#down.has(key) === down) return;
    if (down) this.#down.add(key);
    else this.#down.delete(key);
    this.#buttons.get(key).toggleAttribute('data-down', down);
    this.dispatchEvent(new CustomEvent('key', { detail: { key, down } }));
  }
}
customElements.define('al-keypad', Keypad);
