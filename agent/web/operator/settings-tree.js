// The device's settings as a tree of its menus, or as the list of those that were searched for.

import { el } from '/shared/dom.js';
import './settings-row.js';
import { SETTINGS, CHANGE } from './settings-words.js';

/** Rows that a search shows at most. */
const MOST_FOUND = 60;

/** `<al-settings-tree>`: the rows tell `want`, which bubbles. */
class Tree extends HTMLElement {
  #draft = null;
  #rows = new Map();
  #marks = new Map();
  #found = el('div', { className: 'found', hidden: true });
  #menus = el('div', { className: 'menus' });
  #count = el('p', { className: 'count', role: 'status' });
  #shown = { faults: {}, others: new Set(), locked: false };

  connectedCallback() {
    if (!this.firstChild) this.append(this.#count, this.#menus, this.#found);
  }

  /** Shows what there is, from the start. */
  build(draft) {
    this.#draft = draft;
    this.#rows.clear();
    this.#marks.clear();
    this.#menus.replaceChildren(...this.#level(''));
    this.#menus.querySelector('details')?.setAttribute('open', '');
    this.find('');
  }

  clear() {
    this.#rows.clear();
    this.#marks.clear();
    this.#menus.replaceChildren();
    this.#found.replaceChildren();
    this.#count.textContent = '';
  }

  /** Shows what a text is in: a setting's name, its path, or what it is about. */
  find(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.#menus.hidden = words.length > 0;
    this.#found.hidden = words.length === 0;
    // Rows of the search are its own: one cannot stand in two places.
    for (const row of this.#found.children) this.#forget(row);
    if (words.length === 0) {
      this.#found.replaceChildren();
      this.#count.textContent = '';
      return;
    }
    const all = [...this.#draft.settings.values()].filter(setting => {
      const text = `${this.#draft.name(setting.path)} ${setting.path} ${setting.description ?? ''}`.toLowerCase();
      return words.every(word => text.includes(word));
    });
    this.#found.replaceChildren(...all.slice(0, MOST_FOUND).map(setting => this.#row(setting, this.#draft.trail(setting.path).join(' › '))));
    this.#count.textContent = SETTINGS.found(Math.min(all.length, MOST_FOUND), all.length);
  }

  /** Shows how the settings stand. */
  show({ faults = {}, others = new Set(), locked = false }) {
    this.#shown = { faults, others, locked };
    for (const rows of this.#rows.values()) for (const row of rows) this.#showRow(row);
    const changed = above(this.#draft.changed);
    const faulty = above(Object.keys(faults));
    for (const [group, mark] of this.#marks) {
      const count = changed.get(group) ?? 0;
      mark.textContent = count ? CHANGE.title(count) : '';
      mark.dataset.state = faulty.has(group) ? 'faulty' : 'changed';
    }
  }

  /** Brings a setting into sight and puts the focus into it. */
  reveal(path) {
    const names = path.split('.');
    for (let depth = 1; depth < names.length; depth++) {
      const group = this.#menus.querySelector(`details[data-group="${CSS.escape(names.slice(0, depth).join('.'))}"]`);
      if (group && !group.open) {
        group.open = true;
        this.#fill(group);
      }
    }
    const row = [...(this.#rows.get(path) ?? [])].find(row => row.checkVisibility());
    row?.scrollIntoView({ block: 'center' });
    row?.querySelector('input:not([hidden]), select')?.focus({ preventScroll: true });
  }

  /** The groups and settings that hang right below a path. */
  #level(above) {
    const isBelow = path => {
      const rest = above ? path.slice(above.length + 1) : path;
      return (!above || path.startsWith(`${above}.`)) && rest && !rest.includes('.');
    };
    const settings = [...this.#draft.settings.values()].filter(({ path }) => isBelow(path)).map(setting => this.#row(setting));
    const groups = [...this.#draft.groups.values()].filter(({ path }) => isBelow(path)).map(group => this.#group(group));
    return [...settings, ...groups];
  }

  /** A group, whose rows are made when it is opened first. */
  #group({ path, title, description }) {
    const mark = el('span', { className: 'mark' });
    this.#marks.set(path, mark);
    const group = el('details', { 'data-group': path }, el('summary', {}, el('span', { textContent: title ?? path.split('.').at(-1) }), mark));
    if (description) group.append(el('p', { className: 'hint', textContent: description }));
    group.addEventListener('toggle', () => this.#fill(group));
    return group;
  }

  #fill(group) {
    if (!group.open || group.dataset.filled) return;
    group.dataset.filled = 'yes';
    group.append(...this.#level(group.dataset.group));
    this.show(this.#shown);
  }

  #row(setting, trail = null) {
    const row = document.createElement('al-setting').build(setting, this.#draft, trail);
    if (!this.#rows.has(setting.path)) this.#rows.set(setting.path, new Set());
    this.#rows.get(setting.path).add(row);
    this.#showRow(row);
    return row;
  }

  #showRow(row) {
    const { path } = row.dataset;
    const { faults, others, locked } = this.#shown;
    row.show({ fault: faults[path] ?? null, other: others.has(path), locked });
  }

  #forget(row) {
    this.#rows.get(row.dataset.path)?.delete(row);
  }
}
customElements.define('al-settings-tree', Tree);

/** How many of these paths hang below each group. */
function above(paths) {
  const counts = new Map();
  for (const path of paths) {
    for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
      const group = path.slice(0, dot);
      counts.set(group, (counts.get(group) ?? 0) + 1);
    }
  }
  return counts;
}
