// The one WebSocket to the agent: commands out, events in, pixels in.

const PROTOCOL = 'alongside.1';
const TRIES = 6;

/**
 * Tells, as DOM events: `open`, every event of the agent under its own name (with the message as `detail`), `batch`
 * (an ArrayBuffer of pixels), `refused` (this address was used before), `over` (the agent has said everything) and
 * `lost` (it does not answer any more).
 */
export class Link extends EventTarget {
  #socket = null;
  #answers = [];
  #count = 0;
  #tries = 0;
  #ticket = location.hash.slice(1);

  open() {
    if (this.#ticket) history.replaceState(null, '', location.pathname);
    this.#connect();
  }

  /** Sends a command; resolves with its `ok` or `error`, or with an `error` of our own when the link is gone. */
  send(command) {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      return Promise.resolve({ event: 'error', code: 'interrupted', message: 'the agent does not answer' });
    }
    // Without an id, an `error` could not be told from news. A stroke's id is its own.
    this.#socket.send(JSON.stringify({ id: ++this.#count, ...command }));
    return new Promise(resolve => this.#answers.push(resolve));
  }

  /** Says that a batch is on the screen. */
  painted(number) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ painted: number }));
  }

  on(name, listener) {
    this.addEventListener(name, event => listener(event.detail));
    return this;
  }

  #connect() {
    const session = sessionStorage.getItem('session');
    const proof = this.#ticket ? `ticket.${this.#ticket}` : `session.${session}`;
    if (!this.#ticket && !session) return this.#tell('refused');
    const socket = new WebSocket(`ws://${location.host}/ws`, [PROTOCOL, proof]);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      this.#tries = 0;
      this.#ticket = '';
      this.#tell('open');
    };
    socket.onmessage = ({ data }) => (typeof data === 'string' ? this.#hear(JSON.parse(data)) : this.#tell('batch', data));
    socket.onclose = ({ wasClean }) => {
      const gone = { event: 'error', code: 'interrupted', message: 'the link to the agent broke' };
      for (const answer of this.#answers.splice(0)) answer(gone);
      if (wasOpen && wasClean) return this.#tell('over');
      // A used ticket: the page may have been reloaded before, and then it has the session's secret.
      if (!wasOpen && this.#ticket) {
        this.#ticket = '';
        return session ? this.#connect() : this.#tell('refused');
      }
      this.#tries += 1;
      if (this.#tries > TRIES) return this.#tell('lost');
      setTimeout(() => this.#connect(), 300 * this.#tries);
    };
  }

  #hear(message) {
    if (message.page) return sessionStorage.setItem('session', message.page.session);
    // Every command is answered once, in order.
    const isAnswer = message.event === 'ok' || (message.event === 'error' && 'id' in message);
    if (isAnswer) this.#answers.shift()?.(message);
    else this.#tell(message.event, message);
  }

  #tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
