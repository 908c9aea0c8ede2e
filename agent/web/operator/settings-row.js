// One setting: its name, an input of the right kind, and what is wrong with it.

import { el, icon } from '/shared/dom.js';
import { words } from './settings-draft.js';
import { ROW, VALUE } from './settings-words.js';

let rows = 0;

/** `<al-setting>`: tells `want` with `{ path, value }`; `undefined` takes it out. */
class Setting extends HTMLElement {
  #setting = null;
  #draft = null;
  #input = null;
  #parts = null;

  /** Shows a setting; `trail` says the groups it is in, where it stands alone. */
  build(setting, draft, trail = null) {
    this.#setting = setting;
    this.#draft = draft;
    this.dataset.path = setting.path;
    const id = `setting-${++rows}`;
    const title = setting.title ?? setting.path.split('.').at(-1);
    const notes = hints(setting);
    this.#input = this.#make(id, `${id}-hint ${id}-fault`);
    const revert = el('button', { type: 'button', className: 'revert' }, icon('undo'));
    revert.onclick = () => this.#want('revert');
    const takeOut = setting.is_secret && !setting.is_required
      ? el('button', { type: 'button', className: 'take-out', textContent: ROW.takeOut })
      : null;
    if (takeOut) takeOut.onclick = () => this.#want('take-out');
    this.#parts = {
      revert,
      takeOut,
      fault: el('p', { id: `${id}-fault`, className: 'fault', role: 'alert' }),
      hint: el('p', { id: `${id}-hint`, className: 'hint', textContent: notes }),
    };
    const label = el('label', { htmlFor: id }, ...(trail ? [el('small', { textContent: trail })] : []), title);
    this.append(
      label,
      el(setting.is_secret ? 'form' : 'div', { className: 'field', onsubmit: event => event.preventDefault() }, ...(setting.is_secret ? [whose()] : []), this.#input,
        ...(setting.unit ? [el('span', { className: 'unit', textContent: setting.unit })] : []), revert),
      ...(takeOut ? [takeOut] : []),
      this.#parts.hint, this.#parts.fault);
    return this;
  }

  /** Shows how things stand. `fault` is what the device says is wrong, `locked` whether a change is under way. */
  show({ fault = null, locked = false, other = false }) {
    const { path } = this.#setting;
    const isChanged = this.#draft.isChanged(path);
    const wrong = this.#draft.fault(path) ?? fault;
    const was = words(this.#setting, this.#draft.value(path));
    this.dataset.state = wrong ? 'faulty' : other ? 'other' : isChanged ? 'changed' : '';
    this.#parts.fault.textContent = wrong ?? '';
    this.#parts.revert.hidden = !isChanged;
    this.#parts.revert.title = this.#parts.revert.ariaLabel = ROW.revert(was);
    if (this.#parts.takeOut) this.#parts.takeOut.hidden = this.#draft.shown(path) === undefined;
    this.#input.setAttribute('aria-invalid', String(Boolean(wrong)));
    this.#input.disabled = this.#parts.revert.disabled = locked;
    if (this.#parts.takeOut) this.#parts.takeOut.disabled = locked;
    // Half of a number reads as another: "1.0" on the way to "1.05" is left as it is typed.
    const isTyped = document.activeElement === this.#input && (isChanged || Object.is(this.#typed(), this.#draft.value(path)));
    if (!isTyped) this.#fill();
  }

  #make(id, described) {
    const { type, choices, is_required: isRequired, is_secret: isSecret, min, max } = this.#setting;
    const common = { id, 'aria-describedby': described, onchange: () => this.#want() };
    if (choices || (type === 'boolean' && !isRequired)) {
      const options = choices ?? [true, false];
      const select = el('select', common,
        el('option', { value: '', textContent: VALUE.absent, disabled: Boolean(isRequired) }),
        ...options.map((value, n) => el('option', { value: String(n), textContent: words(null, value) })));
      return select;
    }
    if (type === 'boolean') return el('input', { ...common, type: 'checkbox' });
    const input = el('input', { ...common, autocomplete: 'off', spellcheck: false, oninput: () => this.#want() });
    if (isSecret) Object.assign(input, { type: 'password', autocomplete: 'new-password' });
    else if (type === 'integer' || type === 'number') {
      Object.assign(input, { type: 'number', step: type === 'integer' ? '1' : 'any', inputMode: type === 'integer' && !(min < 0) ? 'numeric' : 'text' });
      if (min !== undefined) input.min = min;
      if (max !== undefined) input.max = max;
    } else input.type = 'text';
    return input;
  }

  #options() {
    return this.#setting.choices ?? [true, false];
  }

  /** Puts the value that stands into the input. */
  #fill() {
    const { path, is_secret: isSecret } = this.#setting;
    const value = this.#draft.shown(path);
    const input = this.#input;
    if (input.tagName === 'SELECT') {
      const at = this.#options().indexOf(value);
      input.value = at < 0 ? '' : String(at);
    } else if (input.type === 'checkbox') {
      input.checked = value === true;
      input.indeterminate = value === undefined;
    } else if (isSecret) {
      // What was typed stays until it is dropped; what is there already never comes here.
      if (!this.#draft.isChanged(path)) input.value = '';
      input.placeholder = this.#draft.value(path) === undefined || value === undefined ? ROW.secretAbsent : ROW.secretSet;
    } else if (!input.validity.badInput || !this.#draft.isChanged(path)) {
      input.value = value === undefined || Number.isNaN(value) ? '' : String(value);
      input.placeholder = value === undefined ? VALUE.absent : '';
    }
  }

  #want(what = 'typed') {
    const { path } = this.#setting;
    // A secret that is emptied again was not typed.
    if (what === 'revert' || (what === 'typed' && this.#input.type === 'password' && this.#input.value === '')) this.#draft.drop(path);
    else this.#draft.want(path, what === 'take-out' ? undefined : this.#typed());
    if (what !== 'typed') this.#input.value = '';
    if (what === 'revert') this.#input.focus();
    this.dispatchEvent(new Event('want', { bubbles: true }));
  }

  #typed() {
    const { type, is_required: isRequired } = this.#setting;
    const input = this.#input;
    if (input.tagName === 'SELECT') return input.value === '' ? undefined : this.#options()[Number(input.value)];
    if (input.type === 'checkbox') return input.checked;
    if (input.validity.badInput) return NaN;
    if (type === 'integer' || type === 'number') return input.value === '' ? undefined : Number(input.value);
    // An empty text is none, where it need not be there.
    return input.value === '' && !isRequired ? undefined : input.value;
  }
}
customElements.define('al-setting', Setting);

/** Browsers want a password in a form that says whose it is, though nothing is ever submitted. */
const whose = () => el('input', { type: 'text', autocomplete: 'username', hidden: true, tabIndex: -1 });

/** What a person should know before typing; what a device's pattern wants, it says where it does not match. */
function hints({ description, type, min, max, choices, is_secret: isSecret }) {
  const isNumber = !choices && (type === 'integer' || type === 'number');
  const bounds = !isNumber ? null
    : min !== undefined && max !== undefined ? ROW.between(min, max)
    : min !== undefined ? ROW.least(min)
    : max !== undefined ? ROW.most(max)
    : type === 'integer' ? ROW.whole : ROW.number;
  return [description, bounds, isSecret ? ROW.secret : null].filter(Boolean).join(' · ');
}
