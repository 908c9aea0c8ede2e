// The card of a change: what would be another, how it stands in words, and what can be done now.

import { clock, el, icon } from '/shared/dom.js';
import { CHANGE } from './settings-words.js';

/** `<al-change>`: tells `apply`, `discard`, `keep`, `close`, `drop` with a path, and `reveal` with a path. */
class Change extends HTMLElement {
  #title = el('h3');
  #list = el('ul');
  #says = el('p', { className: 'says', role: 'status' });
  #text = el('span');
  #left = el('span', { className: 'left' });
  #actions = el('div', { className: 'row' });
  #until = null;
  #timer = 0;

  connectedCallback() {
    if (this.firstChild) return;
    this.setAttribute('role', 'region');
    this.setAttribute('aria-label', CHANGE.title(2));
    this.append(el('header', {}, this.#title, this.#left), this.#list, this.#says, this.#actions);
    this.hidden = true;
  }

  /**
   * Shows a change: its `differences`, its `state` and a `sentence` about it, `notes` by path, the `actions` there are,
   * and the seconds it has `left`, if it has not for ever.
   */
  show({ title, differences, state, sentence, notes = {}, more = null, actions, until = null }) {
    this.hidden = false;
    this.dataset.state = state;
    this.#title.textContent = title;
    const isDraft = actions.some(({ does }) => does === 'apply');
    this.#list.replaceChildren(...differences.map(one => this.#difference(one, notes[one.path], isDraft)));
    this.#list.hidden = differences.length === 0;
    const mark = { confirmed: 'check', draft: 'pen', sent: 'clock', asked: 'clock', applied: 'clock' }[state] ?? 'alert';
    if (this.#text.textContent !== sentence || this.#says.dataset.state !== state) {
      this.#says.dataset.state = state;
      this.#text.textContent = sentence;
      this.#says.replaceChildren(icon(mark), this.#text);
    }
    if (more) this.#says.append(el('span', { className: 'more', textContent: ` ${more}` }));
    this.#act(actions);
    this.#until = until;
    this.#tick();
  }

  hide() {
    this.hidden = true;
    this.#until = null;
    clearTimeout(this.#timer);
  }

  /** The buttons stay the same ones where they can: one of them may have the focus. */
  #act(actions) {
    const key = JSON.stringify(actions.map(({ does, label }) => [does, label]));
    if (this.#actions.dataset.key === key) {
      actions.forEach(({ disabled = false }, n) => { this.#actions.children[n].disabled = disabled; });
      return;
    }
    const had = this.#actions.contains(document.activeElement);
    this.#actions.dataset.key = key;
    this.#actions.replaceChildren(...actions.map(({ does, label, primary = false, disabled = false }) => {
      const button = el('button', { type: 'button', 'data-does': does, className: primary ? 'primary' : '', textContent: label, disabled });
      button.onclick = () => this.dispatchEvent(new CustomEvent(does));
      return button;
    }));
    if (had) this.#actions.querySelector('button:not(:disabled)')?.focus();
  }

  #difference({ path, name, before, after }, note, isDraft) {
    const [last, ...above] = name.split(' › ').reverse();
    const go = el('button', { type: 'button', className: 'go', title: name }, ...(above.length ? [el('small', { textContent: above.reverse().join(' › ') })] : []), last);
    go.onclick = () => this.dispatchEvent(new CustomEvent('reveal', { detail: path }));
    const drop = el('button', { type: 'button', className: 'drop', 'aria-label': CHANGE.drop(name), title: CHANGE.drop(name) }, icon('cross'));
    drop.onclick = () => this.dispatchEvent(new CustomEvent('drop', { detail: path }));
    const values = el('p', { className: 'values' },
      el('span', { className: 'quiet', textContent: `${CHANGE.was} ` }), el('del', { textContent: before }),
      el('span', { 'aria-hidden': 'true', textContent: ' → ' }),
      el('span', { className: 'quiet', textContent: ` ${CHANGE.becomes} ` }), el('ins', { textContent: after }));
    return el('li', { 'data-path': path }, go, values, ...(note ? [el('p', { className: 'note', textContent: note })] : []), ...(isDraft ? [drop] : []));
  }

  #tick() {
    clearTimeout(this.#timer);
    if (this.#until === null) {
      this.#left.textContent = '';
      return;
    }
    const left = (this.#until - performance.now()) / 1000;
    this.#left.textContent = clock(left);
    if (left > 0) this.#timer = setTimeout(() => this.#tick(), 250);
  }
}
customElements.define('al-change', Change);
