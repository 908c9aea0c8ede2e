// What the device's settings are, and what the operator wants them to be: no page in it.

import { FAULT, VALUE } from './settings-words.js';

/** A value as people read it; `undefined` is not set, `null` a secret that is. */
export function words(setting, value) {
  if (value === undefined) return VALUE.absent;
  if (value === null || setting?.is_secret) return VALUE.secret;
  if (typeof value === 'boolean') return value ? VALUE.on : VALUE.off;
  if (value === '') return VALUE.empty;
  return setting?.unit ? `${value} ${setting.unit}` : String(value);
}

export class Draft {
  title = '';
  version = null;
  settings = new Map();
  groups = new Map();
  #values = new Map();
  /** Path to what is wanted; `undefined` takes it out. */
  #wants = new Map();

  /** Takes in what settings there are. */
  know({ title, groups, settings }) {
    this.title = title ?? '';
    this.groups = new Map(groups.map(group => [group.path, group]));
    this.settings = new Map(settings.map(setting => [setting.path, setting]));
  }

  /** Takes in what they are set to; answers what is another than before. */
  read(version, values) {
    const isFirst = this.version === null;
    const before = this.#values;
    this.version = version;
    this.#values = new Map(Object.entries(values));
    for (const [path, value] of this.#wants) if (this.#is(path, value)) this.#wants.delete(path);
    if (isFirst) return [];
    const other = path => before.get(path) !== this.#values.get(path);
    return [...this.settings.keys()].filter(other).map(path => ({ path, before: before.get(path), after: this.#values.get(path) }));
  }

  value(path) {
    return this.#values.get(path);
  }

  /** What a row shows: what is wanted, or what is. */
  shown(path) {
    return this.#wants.has(path) ? this.#wants.get(path) : this.#values.get(path);
  }

  isChanged(path) {
    return this.#wants.has(path);
  }

  /** The settings that would change. */
  get changed() {
    return [...this.#wants.keys()];
  }

  get count() {
    return this.#wants.size;
  }

  /** What is wanted of a setting; `undefined` takes it out. */
  want(path, value) {
    if (this.#is(path, value)) this.#wants.delete(path);
    else this.#wants.set(path, value);
  }

  drop(path) {
    this.#wants.delete(path);
  }

  discard() {
    this.#wants.clear();
  }

  /** What was wanted is so now. */
  settle() {
    for (const [path, value] of this.#wants) {
      if (value === undefined) this.#values.delete(path);
      else this.#values.set(path, this.settings.get(path)?.is_secret ? null : value);
    }
    this.#wants.clear();
  }

  forget() {
    this.version = null;
    this.#values.clear();
    this.#wants.clear();
    this.settings.clear();
    this.groups.clear();
  }

  /** What would change, in the order of the device's menus. */
  differences() {
    return [...this.settings.values()].filter(({ path }) => this.#wants.has(path)).map(setting => {
      const value = this.#wants.get(setting.path);
      const after = setting.is_secret && value !== undefined ? VALUE.secretNew : words(setting, value);
      return { path: setting.path, name: this.name(setting.path), before: words(setting, this.#values.get(setting.path)), after };
    });
  }

  /** The changes as the device is asked for them. */
  changes() {
    return [...this.#wants].map(([path, value]) => ({ path, value: value ?? null, if_version: this.version }));
  }

  /** What people call a setting, with the groups it is in. */
  name(path) {
    return [...this.trail(path), this.settings.get(path)?.title ?? path.split('.').at(-1)].join(' › ');
  }

  /** What people call the groups above a path. */
  trail(path) {
    const names = path.split('.');
    return names.slice(0, -1).map((name, n) => this.groups.get(names.slice(0, n + 1).join('.'))?.title ?? name);
  }

  /** What is wrong with what is wanted of a setting, or null. A device's pattern is the device's to match. */
  fault(path) {
    const setting = this.settings.get(path);
    if (!setting || !this.#wants.has(path)) return null;
    const value = this.#wants.get(path);
    const { type, min, max } = setting;
    if (value === undefined) return setting.is_required ? FAULT.required : null;
    if (type === 'integer' || type === 'number') {
      if (typeof value !== 'number' || !Number.isFinite(value)) return type === 'integer' ? FAULT.whole : FAULT.number;
      if (type === 'integer' && !Number.isInteger(value)) return FAULT.whole;
      if (min !== undefined && value < min) return FAULT.below(min);
      if (max !== undefined && value > max) return FAULT.above(max);
    }
    if (type === 'string') {
      const length = [...value].length;
      if (min !== undefined && length < min) return FAULT.short(min);
      if (max !== undefined && length > max) return FAULT.long(max);
    }
    return null;
  }

  #is(path, value) {
    // What a secret is, nobody knows here: one that is typed is always a change.
    if (this.settings.get(path)?.is_secret && value !== undefined) return false;
    return this.#values.get(path) === value;
  }
}
