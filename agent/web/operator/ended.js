// The end of a session: that it is over, and why.

import { clock, el, icon } from '/shared/dom.js';
import { fill } from './facts.js';
import { SIDE } from './words.js';

/** `<al-ended>`: that it is over, and why. */
class Ended extends HTMLElement {
  again = null;
  #action = el('div', { className: 'row' });

  told(sentence, facts, timeline) {
    if (facts.Lasted !== null) facts.Lasted = clock(facts.Lasted / 1000);
    const list = el('dl');
    fill(list, facts);
    const again = el('button', { type: 'button', className: 'primary', textContent: 'Help another customer' });
    again.onclick = () => this.again();
    this.#action.replaceChildren(again);
    const title = el('h1', { textContent: 'Session ended', tabIndex: -1 });
    this.replaceChildren(el('div', { className: 'ended', role: 'status' }, icon('end'), title, el('p', { textContent: sentence }), list, this.#action, el('details', { className: 'past' }, el('summary', { textContent: SIDE.timeline }), timeline)));
    title.focus();
  }

  /** The agent goes as well: there is no next customer. */
  over() {
    this.#action.replaceChildren();
  }
}
customElements.define('al-ended', Ended);
