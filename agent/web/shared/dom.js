// Building elements without ever parsing text as markup.

/** An element: properties by name, attributes where the name has a dash or is `role`, children behind. */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.includes('-') || name === 'role') element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

const ICONS = {
  mark: 'M6 20 10.5 4M13.5 20 18 4',
  pointer: 'M5 3.5 18.5 11l-6 1.7L9.6 18.500z',
  pen: 'M4 20l1-4.500L16.5 4a2 2 0 0 1 3 0l.500.500a2 2 0 0 1 0 3L8.5 19zM14.5 6l3.5 3.5',
  undo: 'M8.5 5 4 9.5 8.5 14M4 9.500h10a5.5 5.5 0 0 1 0 11h-3',
  clear: 'M4.5 7h15M9.5 7V4.500h5V7M6.5 7l1 13h9l1-13M10 11v5.500M14 11v5.5',
  cross: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M5 12.5 10 17.5 19.5 7',
  alert: 'M12 4 2.8 20h18.400zM12 10v4.500M12 17.300v.200',
  end: 'M12 3.500v8M7 6.200a8 8 0 1 0 10 0',
  link: 'M4.5 15.500v3M9.5 12.500v6M14.5 9v9.500M19.5 5.500v13',
  clock: 'M12 4a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M12 8v5l3 2',
  device: 'M4 5h16v11H4zM9 20h6M12 16v4',
};

/** A line drawing that says nothing to a screen reader. */
export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** Minutes and seconds, `9:05`. */
export function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Time of day, `14:02:11`. */
export const timeOfDay = t => new Date(t).toLocaleTimeString('en-GB');
