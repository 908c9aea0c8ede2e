// The picture of a panel with the ink above it, at any scale.

import { Ink } from './ink.js';

/** The ink's canvas has twice the panel's resolution: pens are finer than pixels. */
const INK_SCALE = 2;
/** Parts that are framed at most. */
const MAX_MARKS = 64;

/** `<al-screen>`: tells `size` once it knows the panel's. */
export class Screen extends HTMLElement {
  ink = new Ink();
  width = 0;
  height = 0;
  #pixels = document.createElement('canvas');
  #over = document.createElement('canvas');
  #picture = null;
  #vectors = null;
  #marks = document.createElement('div');
  /** Parts over which nothing is drawn. */
  #clear = [];
  #isDue = false;
  #wake = 0;

  connectedCallback() {
    if (this.#pixels.isConnected) return;
    this.#over.className = 'ink';
    this.#marks.className = 'marks';
    this.append(this.#pixels, this.#over, this.#marks);
  }

  /** Sets the panel's size, in its pixels. */
  resize(width, height) {
    if (width === this.width && height === this.height) return;
    [this.width, this.height] = [width, height];
    [this.#pixels.width, this.#pixels.height] = [width, height];
    [this.#over.width, this.#over.height] = [width * INK_SCALE, height * INK_SCALE];
    this.#picture = this.#pixels.getContext('2d', { alpha: false, desynchronized: true });
    this.#vectors = this.#over.getContext('2d');
    this.#vectors.setTransform(INK_SCALE, 0, 0, INK_SCALE, 0, 0);
    this.dispatchEvent(new Event('size'));
    this.refresh();
  }

  /** Paints a batch; resolves with its number once it is on the screen. */
  paint(batch) {
    const view = new DataView(batch);
    if (view.getUint8(0) !== 2) throw new Error('pixels of an unknown version');
    const number = view.getUint32(4, true);
    this.resize(view.getUint16(8, true), view.getUint16(10, true));
    const rect = at => [0, 2, 4, 6].map(field => view.getUint16(at + field, true));
    let at = 12;
    this.#clear = Array.from({ length: view.getUint8(1) }, (_, n) => rect(at + 8 * n));
    at += 8 * this.#clear.length;
    // With the same frame as the pixels: what is asked there is never written over.
    this.refresh();
    for (let left = view.getUint16(2, true); left > 0; left--) {
      const [x, y, width, height] = rect(at);
      const bytes = width * height * 4;
      const pixels = new Uint8ClampedArray(batch, at + 8, bytes);
      this.#picture.putImageData(new ImageData(pixels, width, height), x, y);
      at += 8 + bytes;
    }
    return new Promise(resolve => {
      requestAnimationFrame(() => {
        // A task after the frame: by then it is drawn.
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(number);
        port2.postMessage(null);
      });
    });
  }

  /** Frames the parts that are only nearly right: `[x, y, width, height]` each. */
  mark(rects) {
    const frame = ([x, y, width, height]) => {
      const mark = document.createElement('i');
      const part = (length, whole) => `${(100 * length) / (whole || 1)}%`;
      Object.assign(mark.style, {
        left: part(x, this.width), top: part(y, this.height), width: part(width, this.width), height: part(height, this.height),
      });
      return mark;
    };
    this.#marks.replaceChildren(...rects.slice(0, MAX_MARKS).map(frame));
  }

  /** Draws the ink with the next frame. */
  refresh() {
    if (this.#isDue || !this.#vectors) return;
    this.#isDue = true;
    requestAnimationFrame(now => {
      this.#isDue = false;
      clearTimeout(this.#wake);
      const next = this.ink.draw(this.#vectors, this.width, this.height, now);
      for (const part of this.#clear) this.#vectors.clearRect(...part);
      if (next !== null) this.#wake = setTimeout(() => this.refresh(), next);
    });
  }

  /** Where on the panel an event of a pointer is: within it, in sixteenths of a pixel. */
  locate(event) {
    const box = this.getBoundingClientRect();
    return this.clamp(((event.clientX - box.x) * this.width) / box.width, ((event.clientY - box.y) * this.height) / box.height);
  }

  /** The nearest position on the panel, in sixteenths of a pixel. */
  clamp(x, y) {
    const within = (value, size) => Math.round(Math.min(Math.max(value, 0), size - 1 / 16) * 16) / 16;
    return [within(x, this.width), within(y, this.height)];
  }
}
customElements.define('al-screen', Screen);
