// Elements from data (never from HTML text), live regions, forms, dialogs, menus, tables.

import { get, query } from './api.js';
import { cell, explain, num } from './words.js';

export const on = addEventListener;
export const emit = (name) => dispatchEvent(new Event(name));
const nodes = (children) => children.flat(Infinity).filter(Boolean);

// An element: h('p.hint', {id: 'x', onclick: fn}, 'text', element, [more]); `label` is for screen readers.
export function h(tag, ...rest) {
	const [name, ...classes] = tag.split('.');
	const element = document.createElement(name);
	if (classes.length) element.className = classes.join(' ');
	const first = rest[0];
	if (first?.constructor === Object) {
		for (const [key, value] of Object.entries(rest.shift())) {
			if (key.startsWith('on') && value) element.addEventListener(key.slice(2), value);
			else if (key === 'value' && value !== undefined) element.value = value;
			else attr(element, key === 'label' ? 'aria-label' : key, value);
		}
	}
	element.append(...nodes(rest));
	return element;
}

const nameOf = (element) => element.getAttribute('aria-label') || element.labels?.[0]?.textContent || element.textContent;

export function fill(element, ...children) {
	element.replaceChildren(...nodes(children));
	return element;
}

// Also to a heading or a message.
export function focus(element, how) {
	if (element && element.tabIndex < 0) element.tabIndex = -1;
	element?.focus(how);
}

// When what has the focus goes, the nearest of its name takes it, else the first in its row, else a heading.
let kept = null;
on('focusin', ({ target }) => {
	const around = [];
	for (let at = target.parentElement; at; at = at.parentElement) around.push(at);
	kept = { target, name: nameOf(target), around };
});
const isLost = () => document.activeElement === document.body;
// But a click beside it is meant.
on('focusout', () => queueMicrotask(() => { if (isLost() && kept?.target.checkVisibility()) kept = null; }));
new MutationObserver(() => {
	if (!kept || !isLost() || kept.target.checkVisibility()) return;
	const seen = (elements) => [...elements].filter((one) => one.checkVisibility());
	for (const at of seen(kept.around)) {
		const same = seen(at.querySelectorAll(kept.target.tagName)).find((one) => nameOf(one) === kept.name);
		const next = same || seen(at.querySelectorAll(at.tagName === 'TR' ? 'a,button' : 'h1,h2'))[0];
		if (next) { focus(next); return; }
	}
}).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['hidden'] });

// A selection in unchanged text stays.
export function text(element, value) {
	if (element.textContent !== value) element.textContent = value;
}

export function attr(element, name, value) {
	if ((value ?? false) === false) element.removeAttribute(name);
	else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? '' : value);
}

// Can be reached and heard, unlike what is `disabled`.
export const still = (control, so = true) => attr(control, 'aria-disabled', so && 'true');

export function svg(tag, attributes, ...children) {
	const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
	for (const entry of Object.entries(attributes)) element.setAttribute(...entry);
	element.append(...nodes(children));
	return element;
}

// On a 20 × 20 grid.
const PATHS = {
	done: 'M4 10.5l4 4 8-9', cross: 'M5 5l10 10M15 5L5 15', wait: 'M10 3a7 7 0 100 14 7 7 0 000-14zM10 6v4l3 2',
	work: 'M10 3a7 7 0 107 7', stored: 'M4 4h12v12H4zM4 8.5h12M9 8.5V16', ban: 'M10 3a7 7 0 100 14 7 7 0 000-14zM5.2 5.2l9.6 9.6',
	warn: 'M10 3.5l7.5 13h-15zM10 8v4M10 14.2v.3', file: 'M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M7.5 10.5h5M7.5 13.5h5',
	up: 'M10 13V4M6 7.5L10 3.5l4 4M3.5 13v3.5h13V13', down: 'M10 3.5V12M6 8.5l4 4 4-4M3.5 13v3.5h13V13',
	dots: 'M4.5 10h.01M10 10h.01M15.5 10h.01', open: 'M5 7.5l5 5 5-5', back: 'M16 10H4.5M9 5l-5 5 5 5',
};

export const icon = (name) => svg('svg', { viewBox: '0 0 20 20', 'aria-hidden': 'true', class: `icon icon-${name}` }, svg('path', { d: PATHS[name] }));

export const button = (label, onclick, { kind = null, ico, ...more } = {}) => h('button', { type: 'button', class: kind, onclick, ...more }, ico && icon(ico), label);
// In a row; `of` is its thing, for screen readers.
export const small = (label, of, onclick) => button(label, onclick, { kind: 'small', label: `${label.replace('…', '')} ${of}` });
export const link = (label, href, { kind = null, ico, ...more } = {}) => h('a', { href, class: kind, ...more }, ico && icon(ico), label);
export const download = (label, href, more = {}) => link(label, href, { download: true, ...more });

export const badge = ({ tone, ico, word }) => h(`span.badge.${tone}`, icon(ico), word);

export const note = (tone, ...children) =>
	h(`div.note.${tone}`, icon({ bad: 'cross', warn: 'warn', ok: 'done', info: 'stored' }[tone]), h('div', ...children));

export function say(words, urgent = false) {
	const region = document.getElementById(urgent ? 'assertive' : 'polite');
	region.textContent = '';
	setTimeout(() => { region.textContent = words; }, 60);
	setTimeout(() => { if (region.textContent === words) region.textContent = ''; }, 10000); // else read again at the page's end
}

export const progressBar = (label) => h('progress', { max: '100', label });

let serial = 0;
const newId = (stem) => `${stem}-${++serial}`;

const failed = (problem) => { const words = explain(problem); say(words, true); return words; };

// A failure stands in the row's state, else beside the button.
export async function act(near, work, done) {
	const place = near.closest('tr')?.querySelector('.state') || near.closest('td,.actions,section') || near.parentElement;
	place.querySelector('.beside')?.remove();
	still(near);
	try { await work(); if (done) say(done); } catch (problem) { place.append(h('span.beside', icon('cross'), failed(problem))); }
	still(near, false);
}

// Without an answer it is asked again by itself when the server is back.
export function failure(problem, again, at) {
	const element = note('bad', h('p', explain(problem, at)), again && h('p', button('Try again', again)));
	if (again && problem.code === 'offline') {
		const over = new AbortController();
		on('back', () => { over.abort(); if (element.isConnected) again(); }, over);
		emit('unanswered');
	}
	return element;
}

export const doing = (label, work, more) => button(label, (event) => act(event.target, work), more);

// For `load`; a view has its heading from the start.
export const loading = (title) => h('div', title && h('h1', title), h('p.empty', 'Loading…'));
export async function load(place, work, title) {
	try {
		await work(place);
		emit('drawn'); // for the window's title
	} catch (problem) {
		if (problem.name !== 'AbortError') fill(place, title && h('h1', title), failure(problem, problem.code !== 'not-found' && (() => load(place, work, title))));
	}
}
export function loaded(work, title) {
	const place = loading(title);
	load(place, work, title);
	return place;
}

// A list that grows by pages; `draw` shows all.
export function growing(place, path, parts, name, draw) {
	const seen = [];
	place.list = seen;
	const old = () => place.list !== seen || !place.isConnected;
	const more = async (cursor) => {
		const { [name]: some, next_cursor: next } = await get(`${path}${query({ ...parts, cursor })}`);
		if (old()) return;
		seen.push(...some);
		fill(place, draw(seen), next && h('div.grid.foot', doing('Show more', () => more(next))));
	};
	// Old rows are no answer.
	const slow = 'q' in parts && setTimeout(() => {
		if (old()) return;
		place.ariaBusy = true;
		fill(place, h('p.empty', 'Searching…'));
		say('Searching…');
	}, 400);
	load(place, () => more().catch((problem) => { if (!old()) throw problem; })).then(() => { clearTimeout(slow); if (!old()) place.ariaBusy = null; });
	return place;
}

// Now and again, until the view has gone.
export function every(seconds, work, signal) {
	work();
	const timer = setInterval(work, 1000 * seconds);
	signal.addEventListener('abort', () => clearInterval(timer));
}

export const view = (title, tools, ...below) => ({ element: h('div', h('div.head', h('h1', title), tools && h('div.tools', tools)), below) });
export const panel = (title, ...children) => h('section.panel', h('h2', title), children);

export function field(label, control, hint) {
	control.id ||= newId('field');
	const about = hint && h('p.hint', { id: newId('hint') }, hint);
	if (about) attr(control, 'aria-describedby', about.id);
	return h('div.field', h('label', { for: control.id }, label), about, control);
}

export const select = (choices, chosen, onchange, more) => h('select', { ...more, onchange: (event) => onchange?.(event.target.value) }, choices.map(([value, label]) => h('option', { value, selected: value === (chosen ?? '') }, label)));
export const input = (type = 'text', more = {}) => h('input', { type, autocomplete: 'off', ...more });

export function searchBox(label, value, ask) {
	let typing = 0;
	return input('search', { label, value, placeholder: 'Search…', oninput: ({ target: box }) => { clearTimeout(typing); typing = setTimeout(() => ask(box.value.trim()), 250); } });
}

// For `submit` of a form.
export const wrong = (sentence, control) => Object.assign(new Error(sentence), { code: 'wrong', detail: sentence, input: control });

// Tells what went wrong, counts a throttle down, is sent once. `at`: code → control at fault.
export function form({ fields, yes, kind = 'primary', submit, cancel, after, at = {} }) {
	const message = h('div');
	const go = h('button', { type: 'submit', class: kind }, yes);
	function fail(problem) {
		const words = h('p', failed(problem));
		const control = problem.input || at[problem.code];
		fill(message, note('bad', words));
		control?.setAttribute('aria-invalid', 'true');
		focus(control || message.firstChild);
		if (problem.code !== 'too-many-attempts') return;
		still(go);
		const timer = setInterval(() => {
			problem.retryAfter -= 1;
			text(words, explain(problem));
			if (problem.retryAfter > 0) return;
			clearInterval(timer);
			still(go, false);
			if (message.contains(document.activeElement)) go.focus();
			fill(message);
			say('You can try again', true);
		}, 1000);
	}
	async function send(event) {
		event.preventDefault();
		if (go.getAttribute('aria-disabled')) return;
		for (const control of element.querySelectorAll('[aria-invalid]')) control.removeAttribute('aria-invalid');
		const empty = element.querySelector('[required]:invalid');
		if (empty) { fail(wrong(`Fill in “${empty.labels[0].textContent}”.`, empty)); return; }
		still(go);
		fill(message);
		say('', true);
		const problem = await submit().then(() => null, (what) => what);
		still(go, false);
		if (problem) fail(problem);
	}
	const element = h('form', { novalidate: true, onsubmit: send }, fields, message, h('div.actions', cancel, go), after);
	return element;
}

// In a dialog: what `submit` returns, or null; Escape and Back mean no. `firm`: can't be left.
export const askForm = (title, { body, submit, no = 'Cancel', firm = false, ...more }) => new Promise((resolve) => {
	let result = null;
	const id = newId('dialog');
	const dialog = h('dialog', { 'aria-labelledby': id, 'aria-describedby': body && `${id}-p` }, h('h2', { id }, title), body && h('p', { id: `${id}-p` }, body), form({
		...more, cancel: !firm && button(no, () => dialog.close()),
		submit: async () => { result = await submit(); dialog.close(); },
	}));
	const show = () => { dialog.showModal(); (dialog.querySelector('[type=password]') || dialog.querySelector('input,select,button')).focus(); };
	const back = () => new Promise((gone) => { on('popstate', gone, { once: true }); history.back(); });
	dialog.onclose = async () => {
		if (firm && !result) { show(); return; }
		dialog.remove();
		if (history.state === id) await back();
		resolve(result);
	};
	document.body.append(dialog);
	show();
	if (firm) return;
	history.pushState(id, '');
	on('popstate', () => dialog.close(), { once: true });
});

// Asked before what can't be taken back; the focus is on the harmless answer.
export async function confirmed(near, [title, body, yes, no = 'Keep it'], work, done) {
	if (await askForm(title, { body, yes, no, kind: 'danger', submit: () => true })) await act(near, work, done);
}

// A button with a list of actions.
export function menu(label, items, { visible, kind = null } = {}) {
	const opener = button(visible || icon('dots'), null, { kind, label: visible ? null : label });
	const list = h('div.menu-list', {
		popover: 'auto',
		onbeforetoggle: (event) => { if (event.newState === 'open') fill(list, items()); },
		onfocusout: ({ relatedTarget: to }) => { if (to && to !== opener && !list.contains(to)) list.hidePopover(); },
	});
	opener.popoverTargetElement = list;
	// First, so that a dialog gives the focus back to the opener.
	list.addEventListener('click', (event) => { if (event.target.closest('a,button')) { list.hidePopover(); opener.focus(); } }, true);
	return h('span.menu', opener, list);
}

// In a box that scrolls, cards where narrow; numbers stand right. `columns`: strings or {label, cls}; `none`: said without rows.
export function table(caption, columns, rows, { cls = 'cards', none } = {}) {
	if (!rows.length && none) return h('p.empty', none);
	const raw = cls === 'data'; // values as they are
	const isNumber = (value) => typeof value === 'number';
	const isAll = (values) => values.some(isNumber) && values.every((value) => isNumber(value) || cell(value) === '–');
	const of = columns.map((label, i) => (label.label ? label : { label, cls: isAll(rows.map((row) => row[i])) && 'num' }));
	const shown = (value) => (raw ? cell(value) : isNumber(value) ? num(value) : value);
	return h('div.scroll', { tabindex: '0', role: 'group', label: caption }, h('table', { class: cls }, h('caption.vh', caption),
		h('thead', h('tr', of.map(({ label, cls: c }) => h('th', { scope: 'col', class: c }, c === 'acts' ? h('span.vh', label) : label)))),
		h('tbody', rows.map((row) => h('tr', row.map((value, i) => h('td', { class: of[i].cls, 'data-of': !raw && of[i] !== acts && of[i].label }, shown(value))))))));
}
export const folded = (title, ...rest) => h('details', h('summary', title), table(title, ...rest));
export const sample = (label) => ({ label, cls: 'sample' });
export const acts = { label: 'Actions', cls: 'acts' };
