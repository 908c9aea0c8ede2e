// The mode switcher: what the operator may do and may ask for, and in a word whose consent that takes.

import { clock, el } from '/shared/dom.js';
import { CONSENT, MODES, REFUSED, offerModes } from './words.js';

/** `<al-modes>`: one button for each mode. */
class Modes extends HTMLElement {
  ask = null;
  ladder = null;
  #isAsleep = false;
  #timer = 0;

  connectedCallback() {
    if (this.firstChild) return;
    for (const mode of MODES) this.append(this.#button(mode));
  }

  #button(mode) {
    const keys = mode.key ? ` (Ctrl+Alt+${mode.key})` : '';
    const button = el('button', { type: 'button', 'data-mode': mode.id, title: [mode.does, mode.consent, mode.besides].filter(Boolean).join(' ') + keys }, `${mode.name} `, el('small'));
    button.onclick = () => {
      const { isOn, state } = this.ladder?.of(mode.id) ?? {};
      // What is on, or being asked for, would only be refused as busy, or begin again.
      if (button.ariaDisabled !== 'true' && !isOn && state !== 'asked') this.ask(mode.id);
    };
    return button;
  }

  reset() {
    this.#isAsleep = false;
    this.offered([]);
  }

  /** Which modes there are beside the built-in ones. */
  offered(modes) {
    offerModes(modes);
    const known = new Set(MODES.map(({ id }) => id));
    for (const button of [...this.children]) if (!known.has(button.dataset.mode)) button.remove();
    for (const mode of MODES) if (!this.querySelector(`[data-mode="${CSS.escape(mode.id)}"]`)) this.append(this.#button(mode));
    this.show();
  }

  /** A mode's key with Ctrl and Alt; answers whether it is one. */
  press(key) {
    const mode = MODES.find(known => known.key && known.key === key);
    if (mode) this.querySelector(`[data-mode="${mode.id}"]`).click();
    return Boolean(mode);
  }

  /** The owner's policy is the word now: nobody at the panel was asked. */
  set asleep(isAsleep) {
    this.#isAsleep = isAsleep;
    this.show();
  }

  show() {
    clearTimeout(this.#timer);
    if (!this.ladder) return;
    let isCounting = false;
    for (const button of this.children) {
      const { id, asks } = MODES.find(mode => mode.id === button.dataset.mode);
      const { state, reason, until, isOn, isMore } = this.ladder.of(id);
      const left = until === null ? null : clock((until - Date.now()) / 1000);
      const word = state === 'refused' ? REFUSED[reason] ?? 'refused'
        : state === 'asked' ? (isOn ? CONSENT.askedAgain(left) : CONSENT.asked(left, isMore))
        : state === 'active' && this.#isAsleep ? CONSENT.policy
        : state === 'ask' || state === 'ended' ? asks
        : CONSENT[state];
      button.dataset.state = state === 'active' && this.#isAsleep ? 'policy' : state;
      button.lastElementChild.textContent = word;
      button.setAttribute('aria-pressed', String(isOn));
      button.setAttribute('aria-disabled', String((state === 'refused' && reason === 'policy') || state === 'asked'));
      isCounting ||= state === 'asked';
    }
    if (isCounting) this.#timer = setTimeout(() => this.show(), 500);
  }
}
customElements.define('al-modes', Modes);
