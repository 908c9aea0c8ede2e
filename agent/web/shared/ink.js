// What is drawn over the panel: vectors in panel coordinates, the same on the console and on the device.

const POINTER_STAYS = 2500;
const POINTER_FADES = 700;
/** Radius of the pointer's dot, in panel pixels. */
const DOT = 8;

/** Strokes and pointer; knows how to draw itself. */
export class Ink {
  #strokes = [];
  #pointer = null;

  get isEmpty() {
    return this.#strokes.length === 0;
  }

  /** Begins a stroke or adds to it. */
  stroke({ id, color, width, points }) {
    let stroke = this.#strokes.find(known => known.id === id);
    if (!stroke) this.#strokes.push(stroke = { id, color, width, points: [] });
    stroke.points.push(...points);
  }

  undo(id = this.#strokes.at(-1)?.id) {
    this.#strokes = this.#strokes.filter(stroke => stroke.id !== id);
  }

  clear() {
    this.#strokes = [];
  }

  pointAt(x, y, color, now) {
    this.#pointer = { x, y, color, now };
  }

  pointerGone() {
    this.#pointer = null;
  }

  /** Applies an `annotation` event of the device. */
  apply({ op, id, color, width, points }, now) {
    if (op === 'stroke') this.stroke({ id, color, width, points });
    else if (op === 'undo') this.undo(id);
    else if (op === 'clear') this.clear();
    else if (op === 'pointer') this.pointAt(points[0][0], points[0][1], color, now);
    else if (op === 'pointer-gone') this.pointerGone();
  }

  /** Draws everything; answers in how many milliseconds it looks different by itself, or null. */
  draw(context, width, height, now) {
    context.clearRect(0, 0, width, height);
    context.lineCap = context.lineJoin = 'round';
    for (const stroke of this.#strokes) {
      // A light edge first, so that a stroke stands out from a picture of its own colour.
      trace(context, stroke, 1.5, 'rgb(255 255 255 / .7)');
      trace(context, stroke, 0, stroke.color);
    }
    return this.#drawPointer(context, now);
  }

  #drawPointer(context, now) {
    if (!this.#pointer) return null;
    const { x, y, color, now: moved } = this.#pointer;
    const fading = now - moved - POINTER_STAYS;
    if (fading >= POINTER_FADES) {
      this.#pointer = null;
      return null;
    }
    context.globalAlpha = Math.min(1, 1 - fading / POINTER_FADES);
    const halo = context.createRadialGradient(x, y, DOT, x, y, DOT * 3.2);
    halo.addColorStop(0, color + '73');
    halo.addColorStop(1, color + '00');
    disc(context, x, y, DOT * 3.2, halo);
    disc(context, x, y, DOT + 2.5, 'rgb(255 255 255 / .95)');
    disc(context, x, y, DOT, color);
    context.globalAlpha = 1;
    return fading < 0 ? -fading : 0;
  }
}

function trace(context, { points, width }, edge, color) {
  context.strokeStyle = context.fillStyle = color;
  const breadth = pressure => Math.max(1, width * pressure) + edge * 2;
  if (points.length === 1) return disc(context, points[0][0], points[0][1], breadth(points[0][2]) / 2, color);
  let [fromX, fromY] = points[0];
  for (let n = 1; n < points.length; n++) {
    const [x, y, pressure] = points[n];
    const isLast = n === points.length - 1;
    // Curves through the middles, so that a quick hand draws no corners.
    const toX = isLast ? x : (x + points[n + 1][0]) / 2;
    const toY = isLast ? y : (y + points[n + 1][1]) / 2;
    context.lineWidth = breadth((pressure + points[n - 1][2]) / 2);
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.quadraticCurveTo(x, y, toX, toY);
    context.stroke();
    [fromX, fromY] = [toX, toY];
  }
}

function disc(context, x, y, radius, fill) {
  context.fillStyle = fill;
  context.beginPath();
  context.arc(x, y, radius, 0, Math.PI * 2);
  context.fill();
}
