// How the modes stand, and what an event of one means after those before it.

/** Time for which the customer's word holds, in milliseconds; then they are asked again. */
const HOLDS = 30 * 60 * 1000;

export class Ladder {
  #modes = new Map();
  #kept = null;

  /** Begins anew, or with what was kept of this very session. */
  begin(kept = null) {
    this.#kept = kept;
    this.#modes = new Map(Object.entries(kept?.get('modes') ?? {}));
  }

  /**
   * Takes in an event; answers how the mode stands: its `turn` is `asked`, `more-time`, `asked-again`, `allowed`, `on`,
   * `goes-on`, `paused`, `refused`, `off`, or `told` for what was known already.
   */
  step({ mode, state, reason = null, expires_in_s: seconds = null, t }) {
    const before = this.#modes.get(mode) ?? { state: 'ask', isOn: false, due: null, t: 0 };
    const until = seconds === null ? null : Date.now() + seconds * 1000;
    const now = { state, reason, until, t, isOn: before.isOn, due: before.due, isMore: false };
    const isTold = before.t === t && before.state === state;
    let turn = 'told';
    if (state === 'asked') {
      turn = before.state === 'asked' ? 'more-time' : before.isOn ? 'asked-again' : 'asked';
      now.isMore = before.isMore || turn === 'more-time';
    } else if (state === 'active') {
      turn = { asked: 'allowed', paused: 'goes-on', active: 'told' }[before.state] ?? 'on';
      now.isOn = true;
      if (turn === 'allowed') now.due = t + HOLDS;
      this.#othersEnd(mode);
    } else if (state === 'paused') {
      turn = 'paused';
      now.isOn = true;
    } else if (reason === 'busy' && (before.isOn || before.state === 'asked')) {
      // It stays as it was: only the wish to begin it again was not looked at.
      Object.assign(now, { ...before, t });
      turn = 'refused';
    } else {
      turn = state === 'refused' ? 'refused' : 'off';
      Object.assign(now, { isOn: false, due: null });
    }
    if (isTold) Object.assign(now, { isMore: before.isMore, isOn: before.isOn, due: before.due });
    this.#modes.set(mode, now);
    this.#kept?.set('modes', Object.fromEntries(this.#modes));
    return { ...now, turn: isTold ? 'told' : turn };
  }

  /** How a mode stands. */
  of(mode) {
    return this.#modes.get(mode) ?? { state: 'ask', reason: null, until: null, isOn: false, due: null };
  }

  /** The mode to speak of: a question before what is on. */
  get foremost() {
    const entries = [...this.#modes];
    const find = is => entries.find(([, known]) => is(known))?.[0];
    return find(known => known.state === 'asked') ?? find(known => known.state === 'paused') ?? find(known => known.isOn) ?? null;
  }

  /** What is on does not last beside another. */
  #othersEnd(mode) {
    for (const [other, known] of this.#modes) {
      if (other !== mode && known.isOn) this.#modes.set(other, { ...known, state: 'ask', isOn: false, due: null, until: null });
    }
  }
}
