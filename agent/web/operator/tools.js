// What to draw with: tool, colour and width, each a group of radio buttons; undo and clear.

import { el, icon } from '/shared/dom.js';

const TOOLS = [
  { value: 'pointer', name: 'Pointer', key: 'p', icon: 'pointer' },
  { value: 'pen', name: 'Pen', key: 'd', icon: 'pen' },
];
const COLORS = [
  { value: '#e5342b', name: 'Red' },
  { value: '#f5a300', name: 'Amber' },
  { value: '#18a058', name: 'Green' },
  { value: '#1473e6', name: 'Blue' },
  { value: '#a12bd6', name: 'Violet' },
];
const WIDTHS = [
  { value: 3, name: 'Fine', dot: 5 },
  { value: 6, name: 'Medium', dot: 9 },
  { value: 12, name: 'Broad', dot: 15 },
];

/** `<al-tools>`: tells `change`, `undo` and `clear`. */
class Tools extends HTMLElement {
  tool = 'pointer';
  color = COLORS[0].value;
  width = 6;
  #groups = {};
  #hand = 'draws';

  connectedCallback() {
    if (this.firstChild) return;
    this.setAttribute('role', 'toolbar');
    this.setAttribute('aria-label', 'Drawing tools');
    this.setAttribute('aria-orientation', 'vertical');
    this.append(
      this.#group('tool', 'Tool', TOOLS, ({ icon: name }) => icon(name), ({ key }) => key.toUpperCase()),
      el('hr'),
      this.#group('color', 'Colour', COLORS, ({ value }) => this.#dot(22, value), (_, n) => String(n + 1)),
      el('hr'),
      this.#group('width', 'Width', WIDTHS, ({ dot }) => this.#dot(dot)),
      el('hr'),
      this.#action('undo', 'Undo', 'Ctrl+Z'),
      this.#action('clear', 'Clear all', 'Delete'));
    this.addEventListener('keydown', event => this.#walk(event));
    for (const name of ['tool', 'color', 'width']) this.#choose(name, this[name]);
  }

  /** What the hand does: where it does not draw, there is nothing to draw with. */
  set hand(hand) {
    if (hand === this.#hand) return;
    this.#hand = hand;
    for (const button of this.querySelectorAll('button')) button.disabled = hand !== 'draws';
    this.#choose('tool', hand === 'draws' ? this.tool : 'pointer');
  }

  /** A key that was pressed over the panel; answers whether it meant something here. */
  press(event) {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) return key === 'z' && this.#tell('undo');
    const tool = TOOLS.find(known => known.key === key);
    const color = COLORS[Number(key) - 1];
    if (tool) return this.#choose('tool', tool.value);
    if (color) return this.#choose('color', color.value);
    if (key === 'delete') return this.#tell('clear');
    return false;
  }

  #group(name, label, choices, face, key = () => null) {
    const buttons = choices.map((choice, n) => {
      const words = key(choice, n) ? `${choice.name} (${key(choice, n)})` : choice.name;
      const button = el('button', { type: 'button', role: 'radio', title: words, 'aria-label': choice.name, className: name === 'color' ? 'swatch' : '' }, face(choice));
      button.onclick = () => this.#choose(name, choice.value);
      return { button, value: choice.value };
    });
    this.#groups[name] = buttons;
    return el('div', { role: 'radiogroup', 'aria-label': label }, ...buttons.map(({ button }) => button));
  }

  #action(name, label, key) {
    const button = el('button', { type: 'button', id: name, title: `${label} (${key})`, 'aria-label': label }, icon(name));
    button.onclick = () => this.#tell(name);
    return button;
  }

  #dot(size, color) {
    const dot = el('i');
    Object.assign(dot.style, { width: `${size}px`, height: `${size}px` });
    if (color) dot.style.background = color;
    return dot;
  }

  #choose(name, value) {
    this[name] = value;
    for (const choice of this.#groups[name]) {
      choice.button.setAttribute('aria-checked', String(choice.value === value));
      choice.button.tabIndex = choice.value === value ? 0 : -1;
    }
    return this.#tell('change');
  }

  /** Arrow keys go round within a group of radio buttons and choose. */
  #walk(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const group = Object.values(this.#groups).find(buttons => buttons.some(({ button }) => button === event.target));
    if (!step || !group) return;
    const at = group.findIndex(({ button }) => button === event.target);
    const { button } = group[(at + step + group.length) % group.length];
    button.click();
    button.focus();
    event.preventDefault();
  }

  #tell(name) {
    this.dispatchEvent(new Event(name));
    return true;
  }
}
customElements.define('al-tools', Tools);
