// The operator's part of the checklist: the steps, each with a place on the panel, and which one is due.
const STEPS = [
  { text: 'Open the front door', x: 120, y: 540 },
  { text: 'Pull out the green lever', x: 300, y: 420 },
  { text: 'Close the front door', x: 120, y: 540 },
];

customElements.define('example-checklist', class extends HTMLElement {
  connect(host) {
    const list = document.createElement('ol');
    const items = STEPS.map(({ text }) => Object.assign(document.createElement('li'), { textContent: text }));
    list.append(...items);
    const begin = Object.assign(document.createElement('button'), { textContent: 'Begin' });
    const done = Object.assign(document.createElement('button'), { textContent: 'Done, next step', disabled: true });
    begin.onclick = () => host.send({ begin: STEPS });
    done.onclick = () => host.send({ done: true });
    host.on(({ at }) => {
      items.forEach((item, n) => {
        item.style.fontWeight = n === at ? 'bold' : '';
        item.style.textDecoration = n < at ? 'line-through' : '';
      });
      done.disabled = at >= STEPS.length;
    });
    this.append(list, begin, ' ', done);
  }
});
