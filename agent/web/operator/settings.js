// The settings page: reads, searches, drafts, proposes, and says how a proposal stands.

import { el, icon, timeOfDay } from '/shared/dom.js';
import './change-card.js';
import { Draft, words } from './settings-draft.js';
import './settings-tree.js';
import { CHANGE, CONFLICT, REFUSED, ROLLED_BACK, SETTINGS, STATE } from './settings-words.js';

const MODE = 'engineer-config';
/** States in which a change is under way, so that no other can be begun. */
const BUSY = ['sent', 'asked', 'applied'];

/** `<al-settings>`: tells `note` with a line for the timeline. */
class Settings extends HTMLElement {
  #draft = new Draft();
  #parts = null;
  #send = null;
  #ask = null;
  /** `off`, `asked`, `reading` or `ready`. */
  #stands = 'off';
  #isAsleep = false;
  #surface = null;
  #pieces = { title: '', groups: [], settings: [] };
  #values = {};
  /** What was proposed last, and how it stands; null for a draft. */
  #proposal = null;
  /** Whether the device has another version by now than was read. */
  #isOld = false;
  #faults = {};
  #others = new Map();

  connectedCallback() {
    if (this.#parts) return;
    const parts = this.#parts = {
      off: el('div', { className: 'off' }),
      search: el('input', { type: 'search', id: 'find-setting', placeholder: SETTINGS.search, 'aria-label': SETTINGS.search, autocomplete: 'off', spellcheck: false }),
      again: el('button', { type: 'button', className: 'again', textContent: SETTINGS.again }),
      undo: el('button', { type: 'button', className: 'undo' }, icon('undo'), SETTINGS.undo),
      sleep: el('p', { className: 'sleep', hidden: true }),
      note: el('p', { className: 'note', role: 'status' }),
      read: el('p', { className: 'read' }),
      tree: document.createElement('al-settings-tree'),
      card: document.createElement('al-change'),
    };
    parts.page = el('div', { className: 'page' }, parts.sleep,
      el('div', { className: 'bar' }, parts.search, el('div', { className: 'row' }, parts.again, parts.undo)), parts.read, parts.note, parts.tree);
    parts.search.oninput = () => parts.tree.find(parts.search.value);
    parts.again.onclick = () => this.#read();
    parts.undo.onclick = () => this.#undo();
    parts.tree.addEventListener('want', event => this.#wanted(event.target.dataset.path));
    const { card } = parts;
    card.addEventListener('apply', () => this.#apply());
    card.addEventListener('discard', () => this.#discard());
    card.addEventListener('keep', () => this.#keep());
    card.addEventListener('close', () => this.#close());
    card.addEventListener('drop', ({ detail }) => this.#drop(detail));
    card.addEventListener('reveal', ({ detail }) => this.#reveal(detail));
    this.addEventListener('keydown', event => {
      if (event.key !== '/' || event.ctrlKey || event.altKey || ['INPUT', 'SELECT'].includes(event.target.tagName)) return;
      parts.search.focus();
      event.preventDefault();
    });
    this.append(parts.off, parts.page, card);
    this.#show();
  }

  /** `send` resolves with the answer to a command; `ask` asks the customer for a mode. */
  connect(send, ask) {
    [this.#send, this.#ask] = [send, ask];
  }

  get isOn() {
    return this.#stands === 'reading' || this.#stands === 'ready';
  }

  reset() {
    this.#proposal = null;
    this.#leave('off');
  }

  /** How a mode stands. */
  mode({ mode, state, reason }) {
    // A second wish for what is on changes nothing.
    if (reason === 'busy' && this.isOn) return;
    if (mode !== MODE) {
      if (state === 'active' && this.isOn) this.#over();
      return;
    }
    if (state === 'active') {
      if (!this.isOn) this.#begin();
    } else if (state === 'asked') {
      // A question about going on leaves everything as it is.
      if (!this.isOn) this.#leave('asked');
    } else if (state !== 'paused') this.#over();
  }

  /** What there is to see in sleep. */
  surface({ surface }) {
    this.#isAsleep = true;
    this.#surface = surface;
    this.#show();
  }

  schema({ schema, more = false }) {
    if (!this.isOn) return;
    const pieces = this.#pieces;
    pieces.title ||= schema.title ?? '';
    pieces.groups.push(...schema.groups);
    pieces.settings.push(...schema.settings);
    if (more) return;
    this.#draft.know(pieces);
    this.#pieces = { title: '', groups: [], settings: [] };
    this.#read();
  }

  settings({ version, values, more = false, t }) {
    if (!this.isOn) return;
    Object.assign(this.#values, values);
    if (more) return;
    const others = this.#draft.read(version, this.#values);
    this.#values = {};
    this.#isOld = false;
    const isFirst = this.#stands === 'reading';
    this.#stands = 'ready';
    if (isFirst) this.#parts.tree.build(this.#draft);
    this.#parts.read.textContent = SETTINGS.read(this.#draft.settings.size, timeOfDay(t));
    this.#compare(others);
    this.#show();
  }

  unreadable({ code, message }) {
    if (code !== 'settings-unreadable' || !this.isOn) return;
    this.#parts.note.textContent = SETTINGS.unreadable(message);
  }

  /** How a change stands. */
  result({ state, reason = null, errors = {}, expires_in_s: seconds = null, t }) {
    if (!this.isOn) return;
    const { '': about = '', ...faults } = errors;
    this.#faults = faults;
    // One that this page has not proposed: it was reloaded, or another window did.
    const isKnown = this.#proposal && (BUSY.includes(this.#proposal.state) || state !== 'asked');
    if (!isKnown) this.#proposal = { state: 'sent', differences: [], isUndo: false, isOther: true };
    const before = this.#proposal.state;
    const until = seconds === null ? null : performance.now() + seconds * 1000;
    Object.assign(this.#proposal, { state, reason, about, until });
    this.#tell(before, t);
    if (state === 'confirmed' && !this.#proposal.isUndo && !this.#proposal.isOther) this.#draft.settle();
    if (['confirmed', 'rolled-back', 'conflict', 'stuck'].includes(state)) {
      this.#isOld = true;
      this.#read();
    }
    this.#show();
    const [first] = Object.keys(faults);
    if (first && this.#draft.settings.has(first)) this.#reveal(first);
  }

  // What the operator does.

  #wanted() {
    // What was said about the last change is not about this one.
    if (this.#proposal && !BUSY.includes(this.#proposal.state)) this.#proposal = null;
    this.#faults = {};
    this.#others.clear();
    this.#show();
  }

  #drop(path) {
    this.#draft.drop(path);
    this.#wanted();
  }

  #discard() {
    this.#draft.discard();
    this.#wanted();
  }

  /** The version is the newest by now: what is wanted goes on top of it. */
  #keep() {
    this.#wanted();
  }

  #close() {
    this.#proposal = null;
    this.#faults = {};
    this.#others.clear();
    this.#show();
    this.#parts.search.focus();
  }

  async #apply() {
    const changes = this.#draft.changes();
    this.#proposal = { state: 'sent', differences: this.#draft.differences(), isUndo: false };
    this.#faults = {};
    this.#note(`Proposed ${CHANGE.title(changes.length)}`);
    await this.#propose({ do: 'settings-apply', changes });
  }

  async #undo() {
    this.#proposal = { state: 'sent', differences: [], isUndo: true };
    this.#faults = {};
    this.#note('Proposed to undo the last change');
    await this.#propose({ do: 'settings-undo' });
  }

  async #propose(command) {
    const proposal = this.#proposal;
    this.#show();
    const answer = await this.#send(command);
    if (answer.event !== 'error' || this.#proposal !== proposal) return;
    Object.assign(proposal, { state: 'refused', reason: answer.code === 'not-allowed' ? 'not-allowed' : 'failed', about: answer.message });
    this.#show();
  }

  /** Goes to a setting in the tree. */
  #reveal(path) {
    this.#parts.search.value = '';
    this.#parts.tree.find('');
    this.#parts.tree.reveal(path);
  }

  // What becomes of it.

  async #begin() {
    this.#draft.forget();
    this.#stands = 'reading';
    this.#proposal = null;
    this.#parts.note.textContent = '';
    this.#show();
    const answer = await this.#send({ do: 'settings-schema' });
    if (answer.event === 'error') this.#parts.note.textContent = SETTINGS.unreadable(answer.message);
  }

  async #read() {
    this.#values = {};
    this.#parts.note.textContent = '';
    const answer = await this.#send(this.#draft.settings.size ? { do: 'settings-get', path: '' } : { do: 'settings-schema' });
    if (answer.event === 'error') this.#parts.note.textContent = SETTINGS.unreadable(answer.message);
  }

  #over() {
    if (this.#proposal && BUSY.includes(this.#proposal.state)) Object.assign(this.#proposal, { state: 'over', until: null });
    else if (!['over', 'confirmed'].includes(this.#proposal?.state)) this.#proposal = null;
    this.#leave('off');
  }

  /** What is not allowed any more is not kept either. */
  #leave(stands) {
    this.#stands = stands;
    this.#isAsleep = false;
    this.#isOld = false;
    this.#surface = null;
    this.#faults = {};
    this.#others.clear();
    this.#pieces = { title: '', groups: [], settings: [] };
    this.#values = {};
    this.#draft.forget();
    this.#parts.tree.clear();
    this.#parts.search.value = '';
    this.#show();
  }

  /** What is another than when it was read, beside what this operator changed. */
  #compare(others) {
    const own = new Set(this.#proposal?.differences.map(({ path }) => path));
    const isUndone = (this.#proposal?.isUndo || this.#proposal?.isOther) && this.#proposal.state === 'confirmed';
    const line = ({ path, before, after }) => {
      const setting = this.#draft.settings.get(path);
      return { path, name: this.#draft.name(path), before: words(setting, before), after: words(setting, after) };
    };
    const lines = others.map(line);
    if (isUndone) {
      if (lines.length) this.#proposal.differences = lines;
      return;
    }
    if (this.#proposal) this.#proposal.isCompared = true;
    const isConflict = this.#proposal?.state === 'conflict';
    const meanwhile = lines.filter(({ path }) => isConflict || !own.has(path));
    if (isConflict) this.#others = new Map(meanwhile.map(one => [one.path, one]));
    this.#parts.note.textContent = meanwhile.length && !isConflict ? SETTINGS.meanwhile(meanwhile.slice(0, 5).map(({ name, before, after }) => `${name}, ${before} → ${after}`).join('; ')) : '';
    if (meanwhile.length) this.#note(`Changed on the device meanwhile: ${meanwhile.map(({ name }) => name).join('; ')}`);
  }

  #tell(before, t) {
    const { state, reason, about, differences, isUndo } = this.#proposal;
    if (state === before) return;
    const list = differences.map(({ name, before, after }) => `${name}, ${before} → ${after}`).join('; ');
    const what = isUndo ? 'Undo' : 'Change';
    const lines = {
      asked: `${what}: the customer is asked`,
      applied: `${this.#isAsleep ? `${what} made` : `${what} allowed and made`}${list ? `: ${list}` : ''}`,
      confirmed: `${what} confirmed`,
      refused: `${what} refused: ${sentence(state, reason, about)}`,
      'rolled-back': `${what} rolled back: ${sentence(state, reason, about)}`,
      conflict: `${what}: conflict, nothing was changed`,
      stuck: `${what}: ${sentence(state, reason, about)}`,
    };
    this.#note(lines[state] ?? `${what}: ${state}`, ['refused', 'rolled-back', 'conflict', 'stuck'].includes(state) ? 'warn' : '', t);
  }

  #note(text, level = '', t = Date.now()) {
    this.dispatchEvent(new CustomEvent('note', { detail: { t, text, level } }));
  }

  // What is shown.

  #show() {
    const { off, page, sleep, undo, again, tree } = this.#parts;
    const isOn = this.isOn;
    off.hidden = isOn;
    page.hidden = !isOn;
    if (!isOn) this.#showOff();
    const isReady = this.#stands === 'ready';
    const isBusy = BUSY.includes(this.#proposal?.state);
    undo.disabled = !isReady || isBusy || this.#isOld;
    again.disabled = isBusy;
    this.#parts.search.disabled = !isReady;
    if (this.#stands === 'reading' && !this.#parts.note.textContent) this.#parts.read.textContent = SETTINGS.reading;
    sleep.hidden = !this.#isAsleep;
    sleep.textContent = this.#isAsleep ? `${SETTINGS.asleep} ${SETTINGS.surface[this.#surface] ?? ''}` : '';
    if (isReady) tree.show({ faults: this.#faults, others: new Set(this.#others.keys()), locked: isBusy });
    this.#showCard();
  }

  #showOff() {
    const isAsked = this.#stands === 'asked';
    const ask = el('button', { type: 'button', className: 'primary', textContent: SETTINGS.ask });
    ask.onclick = () => this.#ask(MODE);
    this.#parts.off.replaceChildren(el('p', { textContent: isAsked ? SETTINGS.offAsked : SETTINGS.off }), ...(isAsked ? [] : [ask]));
  }

  #showCard() {
    const { card } = this.#parts;
    const proposal = this.#proposal;
    if (!proposal) {
      if (this.#draft.count === 0) card.hide();
      else this.#showDraft();
      return;
    }
    const { state, reason, about, isUndo, isOther = false, until, differences } = proposal;
    const title = isUndo ? CHANGE.undoTitle : isOther ? CHANGE.otherTitle : CHANGE.title(differences.length);
    const actions = [];
    const canRetry = !isUndo && !isOther && this.isOn && this.#draft.count > 0;
    if (state === 'conflict' && canRetry) actions.push({ does: 'keep', label: CHANGE.keep, primary: true, disabled: this.#isOld }, { does: 'discard', label: CHANGE.discard });
    else if (['refused', 'rolled-back'].includes(state) && canRetry) {
      const isFaulty = Object.keys(this.#faults).length > 0;
      actions.push({ does: 'apply', label: this.#applyLabel(), disabled: isFaulty || this.#isOld, primary: true }, { does: 'discard', label: CHANGE.discard });
    } else if (!BUSY.includes(state)) actions.push({ does: 'close', label: CHANGE.close });
    const notes = { ...this.#faults };
    let more = isUndo && BUSY.includes(state) && differences.length === 0 ? CHANGE.undoUnknown : null;
    if (state === 'conflict' && proposal.isCompared) more = this.#conflict(notes, differences);
    const says = state === 'applied' && this.#isAsleep ? STATE.appliedAsleep() : sentence(state, reason, about);
    card.show({ title, differences, state, sentence: says, notes, more, actions, until });
  }

  #showDraft() {
    const differences = this.#draft.differences();
    const faults = Object.fromEntries(differences.map(({ path }) => [path, this.#draft.fault(path) ?? this.#faults[path]]).filter(([, fault]) => fault));
    const isFaulty = Object.keys(faults).length > 0;
    const says = isFaulty ? STATE.faulty() : this.#isAsleep ? STATE.draftAsleep() : STATE.draft();
    this.#parts.card.show({
      title: CHANGE.title(differences.length), differences, state: isFaulty ? 'faulty' : 'draft', sentence: says, notes: faults,
      actions: [{ does: 'apply', label: this.#applyLabel(), primary: true, disabled: isFaulty || this.#isOld }, { does: 'discard', label: CHANGE.discard }],
    });
  }

  #applyLabel() {
    return this.#isAsleep ? CHANGE.applyAsleep(this.#draft.count) : CHANGE.apply(this.#draft.count);
  }

  /** Says at each setting what changed meanwhile; answers what is to be said of the rest. */
  #conflict(notes, differences) {
    const wanted = new Map(differences.map(one => [one.path, one]));
    for (const [path, { before, after }] of this.#others) {
      if (wanted.has(path)) notes[path] = CONFLICT.yours(before, after, wanted.get(path).after);
    }
    const rest = [...this.#others.values()].filter(({ path }) => !wanted.has(path)).map(({ name, before, after }) => `${name} ${CONFLICT.other(before, after)}`);
    const hidden = this.#others.size === 0 ? [CONFLICT.hidden] : [];
    return [...rest.map(one => `${one}.`), ...hidden, this.#draft.count ? CONFLICT.way : ''].join(' ');
  }
}
customElements.define('al-settings', Settings);

/** How a change stands, in a sentence. */
function sentence(state, reason, about) {
  if (state === 'refused') return (REFUSED[reason] ?? REFUSED.failed)(about);
  if (state === 'rolled-back') return (ROLLED_BACK[reason] ?? ROLLED_BACK.failed)(about);
  return STATE[state]?.(about) ?? state;
}
