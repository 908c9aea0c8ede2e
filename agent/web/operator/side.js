// What stands beside the picture, one part at a time: a list of tabs.

import { el } from '/shared/dom.js';

/** `<al-side>`: tells `select`. */
class Side extends HTMLElement {
  selected = null;
  #list = el('div', { role: 'tablist', 'aria-label': 'Beside the picture' });
  #tabs = new Map();

  connectedCallback() {
    if (this.#list.isConnected) return;
    this.prepend(this.#list);
    this.#list.addEventListener('keydown', event => this.#walk(event));
  }

  /** Adds a part; the first is selected. */
  add(name, label, ...children) {
    const mark = el('span', { className: 'mark' });
    const tab = el('button', { type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': `part-${name}` }, label, mark);
    tab.onclick = () => this.select(name);
    const part = el('div', { role: 'tabpanel', id: `part-${name}`, 'aria-labelledby': `tab-${name}`, className: 'part' }, ...children);
    this.#tabs.set(name, { tab, part, mark });
    this.#list.append(tab);
    this.append(part);
    if (this.#tabs.size === 1) this.select(name);
    else this.select(this.selected);
  }

  select(name) {
    this.selected = name;
    for (const [known, { tab, part }] of this.#tabs) {
      tab.setAttribute('aria-selected', String(known === name));
      tab.tabIndex = known === name ? 0 : -1;
      part.hidden = known !== name;
    }
    this.dispatchEvent(new Event('select'));
  }

  /** Says beside a part's name what is to be seen there. */
  mark(name, text) {
    this.#tabs.get(name).mark.textContent = text;
  }

  #walk(event) {
    const names = [...this.#tabs.keys()];
    const at = names.indexOf(this.selected);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    this.select(names[(to + names.length) % names.length]);
    this.#tabs.get(this.selected).tab.focus();
    event.preventDefault();
  }
}
customElements.define('al-side', Side);
