// Helpers around the DOM: elements made from data (never from HTML text), icons, live regions, dialogs, menus.

const PROPERTIES = new Set(['value', 'checked', 'indeterminate', 'htmlFor']);

/** An element: h('p.hint', {id: 'x', onclick: fn}, 'text', otherElement, [more]). Null and false children are left out. */
export function h(tag, ...rest) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(' ');
  const first = rest[0];
  if (first && typeof first === 'object' && !(first instanceof Node) && !Array.isArray(first)) {
    rest.shift();
    for (const [key, value] of Object.entries(first)) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
      else if (PROPERTIES.has(key)) element[key] = value;
      else element.setAttribute(key, value === true ? '' : String(value));
    }
  }
  element.append(...nodes(rest));
  return element;
}

const nodes = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

/** Replaces what is inside an element. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/** Writes a text only when it changed, so that nothing flickers and no selection is lost. */
export function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

/** Sets or removes an attribute, only when that changes something. */
export function attr(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? '' : value);
}

// Drawn on a 20 × 20 grid, as lines.
const PATHS = {
  done: 'M4 10.5l4 4 8-9', cross: 'M5 5l10 10M15 5L5 15', wait: 'M10 3a7 7 0 100 14 7 7 0 000-14zM10 6v4l3 2',
  work: 'M10 3a7 7 0 107 7', stored: 'M4 4h12v12H4zM4 8.5h12M9 8.5V16', ban: 'M10 3a7 7 0 100 14 7 7 0 000-14zM5.2 5.2l9.6 9.6',
  warn: 'M10 3.5l7.5 13h-15zM10 8v4M10 14.2v.3', file: 'M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M7.5 10.5h5M7.5 13.5h5',
  up: 'M10 13V4M6 7.5L10 3.5l4 4M3.5 13v3.5h13V13', down: 'M10 3.5V12M6 8.5l4 4 4-4M3.5 13v3.5h13V13',
  dots: 'M4.5 10h.01M10 10h.01M15.5 10h.01', open: 'M5 7.5l5 5 5-5', back: 'M16 10H4.5M9 5l-5 5 5 5', undo: 'M7 4L3.5 7.5 7 11M4 7.5h7.5a4.5 4.5 0 010 9H8',
};

/** A line icon; it says nothing to screen readers, so a word always stands beside it. */
export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  const path = document.createElementNS(space, 'path');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `icon icon-${name}`);
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

export const button = (label, onclick, more = {}) => {
  const { kind = '', ico, ...props } = more;
  return h('button', { type: 'button', class: kind, onclick, ...props }, ico && icon(ico), label);
};

export const link = (label, href, more = {}) => {
  const { ico, ...props } = more;
  return h('a', { href, ...props }, ico && icon(ico), label);
};

/** A state: icon, word and colour, never colour alone. */
export const badge = ({ tone, ico, word }) => h(`span.badge.${tone}`, icon(ico), word);

/** A message that stands beside the thing it speaks of. */
export const note = (tone, ...children) =>
  h(`div.note.${tone}`, { tabindex: '-1' }, icon({ bad: 'cross', warn: 'warn', ok: 'done', info: 'stored' }[tone]), h('div', ...children));

/** Says something to screen readers: politely, or at once. */
export function say(words, urgent = false) {
  const region = document.getElementById(urgent ? 'assertive' : 'polite');
  region.textContent = '';
  setTimeout(() => { region.textContent = words; }, 60);
}

let serial = 0;
export const newId = (stem) => `${stem}-${++serial}`;

/** A labelled field. `hint` is tied to it by aria-describedby. */
export function field(label, control, hint) {
  control.id ||= newId('field');
  const about = hint && h('p.hint', { id: `${control.id}-hint` }, hint);
  if (about) control.setAttribute('aria-describedby', about.id);
  return h('div.field', h('label', { for: control.id }, label), about, control);
}

/** A table in a box of its own that scrolls sideways. `columns`: [{label, num, cls}]; `rows`: arrays of cells or made <tr>. */
export function table(caption, columns, rows, { cls = '', hideCaption = false } = {}) {
  const head = columns.map((c) => h('th', { scope: 'col', class: c.num ? 'num' : c.cls }, c.label));
  const body = h('tbody', rows.map((row) => (row instanceof Node ? row : h('tr', row.map((cell, i) =>
    cell instanceof HTMLTableCellElement ? cell : h('td', { class: columns[i].num ? 'num' : columns[i].cls }, cell))))));
  return h('div.scroll', { tabindex: '0', role: 'group', 'aria-label': caption },
    h('table', { class: cls }, h('caption', { class: hideCaption ? 'vh' : null }, caption), h('thead', h('tr', head)), body));
}

/** A dialog that names what it will do; resolves to true or false. Escape and the first button mean no. */
export function ask({ title, body, yes, no = 'Keep it', danger = true }) {
  return new Promise((resolve) => {
    const id = newId('ask');
    const dialog = h('dialog', { 'aria-labelledby': id },
      h('form', { method: 'dialog' }, h('h2', { id }, title), body && h('p', body),
        h('div.actions', h('button', { value: 'no', autofocus: true }, no), h('button', { value: 'yes', class: danger ? 'danger' : 'primary' }, yes))));
    dialog.addEventListener('close', () => { dialog.remove(); resolve(dialog.returnValue === 'yes'); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A dialog around a form; `submit` may throw a sentence (Error) that is shown in it. Resolves to submit's result, or null. */
export function formDialog({ title, fields, yes, submit }) {
  return new Promise((resolve) => {
    const id = newId('form');
    const message = h('div');
    const go = h('button.primary', { type: 'submit' }, yes);
    let result = null;
    const dialog = h('dialog', { 'aria-labelledby': id }, h('form', {
      novalidate: true,
      onsubmit: async (event) => {
        event.preventDefault();
        if (go.getAttribute('aria-disabled')) return;
        attr(go, 'aria-disabled', 'true');
        try { result = await submit(); dialog.close(); } catch (error) { show(message, note('bad', error.message)); }
        attr(go, 'aria-disabled', null);
      },
    }, h('h2', { id }, title), fields, message, h('div.actions', button('Cancel', () => dialog.close()), go)));
    dialog.addEventListener('close', () => { dialog.remove(); resolve(result); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Puts a message into its place and the focus on it. */
export function show(place, message) {
  fill(place, message);
  message.focus?.();
}

/** A button that opens a short list of actions. Escape, a click elsewhere or leaving it closes it. */
export function menu(label, items, { visible, cls = '' } = {}) {
  const list = h('div.menu-list', { hidden: true });
  const opener = h('button', { type: 'button', class: cls, 'aria-expanded': 'false', 'aria-label': visible ? null : label }, visible || icon('dots'));
  const root = h('div.menu', opener, list);
  const close = (back) => {
    list.hidden = true;
    opener.setAttribute('aria-expanded', 'false');
    document.removeEventListener('pointerdown', away);
    if (back) opener.focus();
  };
  const away = (event) => { if (!root.contains(event.target)) close(false); };
  opener.addEventListener('click', () => {
    if (!list.hidden) return close(false);
    fill(list, typeof items === 'function' ? items() : items);
    list.hidden = false;
    opener.setAttribute('aria-expanded', 'true');
    document.addEventListener('pointerdown', away);
  });
  root.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !list.hidden) { event.stopPropagation(); close(true); }
    if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && !list.hidden) {
      const stops = [...list.querySelectorAll('a,button,input')];
      const step = event.key === 'ArrowDown' ? 1 : -1;
      event.preventDefault();
      stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length]?.focus();
    }
  });
  root.addEventListener('focusout', (event) => { if (event.relatedTarget && !root.contains(event.relatedTarget)) close(false); });
  list.addEventListener('click', (event) => { if (event.target.closest('a,button')) close(false); });
  return root;
}

/** Copies without the clipboard API, which plain http does not have. */
export function copy(value) {
  const area = h('textarea', { class: 'vh', value });
  (document.querySelector('dialog[open]') || document.body).append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}
