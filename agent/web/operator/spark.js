// A small curve of what came in lately.

/** Answers the picture, and what draws it anew. */
export function spark() {
  const make = (tag, attributes) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const area = make('polygon', { points: '' });
  const line = make('polyline', { points: '' });
  const svg = make('svg', { class: 'spark', viewBox: '0 0 100 40', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  svg.append(area, line);
  const draw = rates => {
    if (rates.length < 2) return;
    const top = Math.max(64, ...rates);
    const points = rates.map((rate, n) => `${((n / (rates.length - 1)) * 100).toFixed(1)},${(38 - (rate / top) * 34).toFixed(1)}`);
    line.setAttribute('points', points.join(' '));
    area.setAttribute('points', `0,40 ${points.join(' ')} 100,40`);
  };
  return { svg, draw };
}
