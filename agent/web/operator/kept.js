// What a page keeps of its session over a reload, in the tab alone and until another session begins.

const KEY = 'kept';

export class Kept {
  #session = null;
  #values = {};

  /** Begins with `session`: what was kept of it comes back, what was kept of another goes. */
  begin(session) {
    let known = null;
    try {
      known = JSON.parse(sessionStorage.getItem(KEY));
    } catch {
      // Nothing that this page has written.
    }
    this.#session = session;
    this.#values = known?.session === session ? known.values ?? {} : {};
    this.#write();
  }

  get(name) {
    return this.#values[name] ?? null;
  }

  set(name, value) {
    this.#values[name] = value;
    this.#write();
  }

  #write() {
    sessionStorage.setItem(KEY, JSON.stringify({ session: this.#session, values: this.#values }));
  }
}
