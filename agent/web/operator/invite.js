// The code to read out: none yet, open with its time running down, or dead.

import { clock, el, icon } from '/shared/dom.js';
import { INVITE } from './words.js';

/** Seconds from which on the time left is pressing. */
const SOON = 60;

class Invite extends HTMLElement {
  /** Sends a command; resolves with its answer. */
  ask = null;
  #parts = null;
  #until = 0;
  #life = 1;
  #state = 'none';
  #timer = 0;

  connectedCallback() {
    if (this.#parts) return;
    const groups = [0, 1, 2].map(() => el('span', { textContent: '0000' }));
    const parts = this.#parts = {
      groups,
      steps: [
        el('li', {}, el('b', { textContent: 'Get a code' }), 'It is for one customer and works once.'),
        el('li', {}, el('b', { textContent: 'Read it out' }), 'The customer opens Remote Assistance on the panel and types it.'),
        el('li', {}, el('b', { textContent: 'Look alongside' }), 'The panel shows here as soon as the code is proved.'),
      ],
      digits: el('div', { className: 'digits', role: 'img', 'aria-label': 'No code yet' }, ...groups),
      left: el('span'),
      bar: el('progress', { max: 1, value: 0, 'aria-label': 'Time left' }),
      says: el('p', { className: 'says', role: 'status' }),
      ticket: el('input', { id: 'ticket', maxLength: 64, autocomplete: 'off', placeholder: 'such as INC-20417' }),
      life: el('select', { id: 'life' }, ...[2, 10, 30, 60].map(minutes => el('option', { value: minutes * 60, textContent: `${minutes} minutes`, selected: minutes === 10 }))),
      get: el('button', { type: 'button', id: 'get-code', className: 'primary', textContent: 'Get a code' }),
      copy: el('button', { type: 'button', id: 'copy-code' }, icon('copy'), 'Copy'),
    };
    parts.time = el('div', { className: 'time' }, icon('clock'), parts.bar, parts.left);
    parts.get.onclick = () => this.#get();
    parts.copy.onclick = () => this.#copy();
    this.append(
      el('div', { className: 'invite' },
        el('div', { className: 'steps' }, el('h1', { textContent: 'Help a customer' }), el('ol', {}, ...parts.steps)),
        el('div', { className: 'code' },
          el('h2', { textContent: 'Code to read out' }),
          parts.digits, parts.time, parts.says,
          el('div', { className: 'row' }, parts.get, parts.copy),
          el('div', { className: 'wish' },
            el('label', {}, 'Support ticket, optional', parts.ticket),
            el('label', {}, 'Valid for', parts.life)))));
    this.reset();
  }

  get ticket() {
    return this.#parts.ticket.value.trim();
  }

  reset() {
    this.#stand('none');
    this.ready(false);
  }

  /** Whether codes can be had at all. */
  ready(isReady) {
    this.#parts.get.disabled = !isReady;
    if (this.#state === 'none') this.#say('', isReady ? 'Nobody is being waited for.' : INVITE.waitingForRelay);
  }

  /** A code exists. */
  code({ code, expires_in_s }) {
    this.#parts.groups.forEach((group, n) => { group.textContent = code.slice(n * 4, n * 4 + 4); });
    const spoken = [0, 4, 8].map(n => [...code.slice(n, n + 4)].join(' ')).join(', ');
    this.#parts.digits.setAttribute('aria-label', `Code ${spoken}`);
    // The clock of this page runs on while it sleeps; the agent's word comes again after a reload.
    this.#until = performance.now() + expires_in_s * 1000;
    this.#life = Math.max(expires_in_s, Number(this.#parts.life.value));
    this.#stand('open');
    this.#say('', INVITE.waiting);
    this.#tick();
  }

  /** Whether the trouble was about the code; it is told here then. */
  problem({ code, tries_left }) {
    if (code === 'code-wrong') this.#say('warn', INVITE.wrong(tries_left));
    else if (code === 'code-burnt' || code === 'code-not-proved') this.#die(INVITE.burnt);
    else if (code === 'code-expired') this.#die(INVITE.expired);
    else return false;
    return true;
  }

  #die(sentence) {
    this.#stand('dead');
    this.#say('bad', sentence);
  }

  #stand(state) {
    this.#state = state;
    const { digits, time, get, copy, steps, groups } = this.#parts;
    digits.dataset.state = state;
    copy.hidden = state !== 'open';
    time.hidden = state !== 'open';
    get.textContent = state === 'none' ? 'Get a code' : 'New code';
    get.classList.toggle('primary', state !== 'open');
    steps.forEach((step, n) => step.classList.toggle('now', n === (state === 'open' ? 1 : 0)));
    if (state === 'none') {
      for (const group of groups) group.textContent = '0000';
      digits.setAttribute('aria-label', 'No code yet');
    }
    clearTimeout(this.#timer);
  }

  #say(state, sentence) {
    this.#parts.says.dataset.state = state;
    this.#parts.says.replaceChildren(icon(state ? 'alert' : 'link'), sentence);
  }

  #tick() {
    const left = (this.#until - performance.now()) / 1000;
    if (left <= 0) return this.#die(INVITE.expired);
    this.#parts.left.textContent = `${clock(left)} left`;
    this.#parts.bar.value = Math.min(1, left / this.#life);
    this.#parts.time.dataset.state = left <= SOON ? 'soon' : '';
    this.#timer = setTimeout(() => this.#tick(), 250);
  }

  async #get() {
    this.#parts.get.disabled = true;
    const command = { do: 'code', ttl_s: Number(this.#parts.life.value) };
    if (this.ticket) command.ticket = this.ticket;
    await this.ask(command);
    this.#parts.get.disabled = false;
  }

  async #copy() {
    await navigator.clipboard.writeText(this.#parts.groups.map(group => group.textContent).join(' '));
    this.#parts.copy.replaceChildren(icon('check'), INVITE.copied);
    setTimeout(() => this.#parts.copy.replaceChildren(icon('copy'), 'Copy'), 1500);
  }
}
customElements.define('al-invite', Invite);
