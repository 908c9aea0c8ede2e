// The operator's hand in control, beyond the pointer: the panel's keys, pressed and held, and text.

import { el } from '/shared/dom.js';
import { CONTROL } from './words.js';

/** The keys of each kind of panel: what is sent, and what stands on it. The stop key is the customer's. */
const KEYS = {
  mfd: [...'1234567890*'].map(key => [key, key]).concat(['Start', 'Stop', 'Clear', 'Reset'].map(key => [key, key])),
  x11: [
    ['Return', 'Enter'], ['Escape', 'Esc'], ['Tab', 'Tab'], ['BackSpace', 'Backspace'], ['Delete', 'Delete'],
    ['Left', '←'], ['Up', '↑'], ['Down', '↓'], ['Right', '→'], ['Home', 'Home'], ['End', 'End'], ['Prior', 'Page up'], ['Next', 'Page down'],
  ],
};
/** Most bytes of one text. */
const MOST_TEXT = 256;

/** `<al-control>`: tells `did` with what was done, `key` or `text`, and `refused` with the answer. */
class Control extends HTMLElement {
  #send = null;
  #down = new Set();
  #keys = el('div', { className: 'keys', role: 'group', 'aria-label': CONTROL.keys });
  #text = el('input', { type: 'text', 'aria-label': CONTROL.text, placeholder: CONTROL.text, autocomplete: 'off', spellcheck: false });
  #kind = null;

  connectedCallback() {
    if (this.firstChild) return;
    const form = el('form', {}, this.#text, el('button', { type: 'submit', textContent: CONTROL.type }));
    form.onsubmit = event => {
      event.preventDefault();
      this.#type();
    };
    this.append(this.#keys, form);
    // No key stays down that nobody holds.
    for (const name of ['blur', 'pagehide']) addEventListener(name, () => this.release());
    document.addEventListener('visibilitychange', () => document.hidden && this.release());
  }

  connect(send) {
    this.#send = send;
  }

  /** Shows the keys of this kind of panel. */
  set kind(kind) {
    if (kind === this.#kind) return;
    this.#kind = kind;
    this.#keys.replaceChildren(...(KEYS[kind] ?? []).map(([key, label]) => this.#button(key, label)));
  }

  /** Types a character of the operator's own keyboard, where the panel has such a key; answers whether it has. */
  press(character) {
    if (this.#kind === 'mfd') {
      if (!KEYS.mfd.some(([key]) => key === character)) return false;
      this.#set(character, true);
      this.#set(character, false);
      return true;
    }
    if ([...character].length !== 1) return false;
    this.#do({ do: 'text', text: character }, 'text');
    return true;
  }

  release() {
    for (const key of [...this.#down]) this.#set(key, false);
  }

  #button(key, label) {
    const button = el('button', { type: 'button', 'data-key': key, textContent: label });
    if (label !== key) button.ariaLabel = key;
    button.addEventListener('pointerdown', event => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.#set(key, true);
    });
    for (const name of ['pointerup', 'pointercancel', 'lostpointercapture', 'blur']) button.addEventListener(name, () => this.#set(key, false));
    const presses = event => event.key === ' ' || event.key === 'Enter';
    button.addEventListener('keydown', event => {
      if (!presses(event)) return;
      event.preventDefault();
      if (!event.repeat) this.#set(key, true);
    });
    button.addEventListener('keyup', event => {
      if (presses(event)) this.#set(key, false);
    });
    button.addEventListener('contextmenu', event => event.preventDefault());
    return button;
  }

  #set(key, down) {
    if (this.#down.has(key) === down) return;
    if (down) this.#down.add(key);
    else this.#down.delete(key);
    this.#keys.querySelector(`[data-key="${CSS.escape(key)}"]`)?.toggleAttribute('data-down', down);
    this.#do({ do: 'key', key, down }, down ? 'key' : null);
  }

  #type() {
    const text = this.#text.value;
    if (!text) return;
    const isTooLong = new TextEncoder().encode(text).length > MOST_TEXT;
    this.#text.setCustomValidity(isTooLong ? CONTROL.tooLong(MOST_TEXT) : '');
    if (isTooLong) {
      this.#text.reportValidity();
      return;
    }
    this.#text.value = '';
    this.#do({ do: 'text', text }, 'text');
  }

  async #do(command, what) {
    const answer = await this.#send(command);
    if (answer.event === 'error') this.dispatchEvent(new CustomEvent('refused', { detail: answer }));
    else if (what) this.dispatchEvent(new CustomEvent('did', { detail: what }));
  }
}
customElements.define('al-control', Control);
