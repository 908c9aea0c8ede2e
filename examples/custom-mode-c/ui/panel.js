// One button for each part of the printer. A part is a number, which is all that the mode understands.
const PARTS = ['Label tray', 'Cutter', 'Ribbon'];

customElements.define('example-label-helper', class extends HTMLElement {
  connect(host) {
    const shown = document.createElement('p');
    PARTS.forEach((name, n) => {
      const button = Object.assign(document.createElement('button'), { textContent: `Show: ${name}` });
      button.onclick = () => host.send(n);
      this.append(button, ' ');
    });
    host.on(n => { shown.textContent = n < 0 ? 'The customer does not allow drawing now.' : `Shown: ${PARTS[n]}`; });
    this.append(shown);
  }
});
