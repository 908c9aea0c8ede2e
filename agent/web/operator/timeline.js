// What happened in this session, in order, with its time.

import { el, timeOfDay } from '/shared/dom.js';

/** Lines that are kept at most; the oldest go first. */
const MOST = 500;

/** `<al-timeline>`: lines, and counts that grow as long as nothing else happens. */
class Timeline extends HTMLElement {
  #list = el('ol', { role: 'log', 'aria-label': 'Timeline' });
  #lines = [];
  #kept = null;

  connectedCallback() {
    if (!this.firstChild) this.append(this.#list);
  }

  /** Begins anew, or with the lines that were kept of this very session. */
  begin(kept = null) {
    this.#kept = kept;
    this.#lines = kept?.get('timeline') ?? [];
    this.#list.replaceChildren(...this.#lines.map(line => this.#item(line)));
  }

  /** Adds a line; one that is told again, as after a reload, is there already. */
  note(t, text, level = '') {
    if (this.#lines.some(line => line.t === t && line.text === text)) return;
    this.#add({ t, text, level });
  }

  /** Counts something that happens often: its name, what one of it is called, and what many are. */
  count(t, [name, one, many]) {
    const last = this.#lines.at(-1);
    if (!last?.counts) {
      this.#add({ t, counts: { [name]: [1, one, many] }, text: '', level: '' });
      return;
    }
    const [count] = last.counts[name] ?? [0];
    last.counts[name] = [count + 1, one, many];
    this.#list.lastChild.lastChild.textContent = textOf(last);
    this.#keep();
  }

  /** The lines as they stand, for a page that lasts longer. */
  copy() {
    return this.#list.cloneNode(true);
  }

  #add(line) {
    // What comes late stands where it belongs.
    const after = this.#lines.findLastIndex(({ t }) => t <= line.t) + 1;
    const isLast = after === this.#lines.length;
    this.#list.insertBefore(this.#item(line), this.#list.children[after] ?? null);
    this.#lines.splice(after, 0, line);
    while (this.#lines.length > MOST) {
      this.#lines.shift();
      this.#list.firstChild.remove();
    }
    if (isLast) this.scrollTop = this.scrollHeight;
    this.#keep();
  }

  #item(line) {
    return el('li', { className: line.level }, el('time', { textContent: timeOfDay(line.t) }), el('span', { textContent: textOf(line) }));
  }

  #keep() {
    this.#kept?.set('timeline', this.#lines);
  }
}
customElements.define('al-timeline', Timeline);

function textOf({ text, counts }) {
  if (!counts) return text;
  return Object.values(counts).map(([count, one, many]) => `${count} ${count === 1 ? one : many}`).join(', ');
}
