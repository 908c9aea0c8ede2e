// A list of facts: names and values.

import { el } from '/shared/dom.js';

/** Puts `facts` into a `dl`; what is null is left out. */
export function fill(list, facts) {
  const rows = Object.entries(facts).filter(([, value]) => value !== null);
  list.replaceChildren(...rows.flatMap(([name, value]) => [el('dt', { textContent: name }), el('dd', { textContent: value })]));
}
