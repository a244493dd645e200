// Adding a file: drop or choose it, look at it first, send it.

import { fieldsOf, get, known, newKey, post, remove, send } from './api.js';
import { attr, button, download, failure, field, fill, focus, h, icon, menu, note, say, select, text } from './dom.js';
import { begun, hasReport, TEMPLATE, templateSelect } from './jobs.js';
import { live, poke } from './live.js';
import { heading, previewPanel } from './preview.js';
import { ago, bytes, count, explain, isActive, outcome } from './words.js';

const ACCEPT = '.xlsx,.xlsm,.xlsb,.xls,.ods,.csv,.tsv,.txt';
const READING = ['sheet', 'header_row', 'delimiter', 'encoding']; // how the file is read
const HOW = ['template', 'date_order']; // how it is processed

// What is chosen and under way. It outlives the view.
const nothing = { file: null, key: null, note: null, preview: null, options: {}, looking: null };
const pick = { ...nothing, sending: null };
let paint = () => {};
let uploaded = () => {}; // tells the list that something new is there

export const isSending = () => Boolean(pick.sending);
export const hasFile = () => Boolean(pick.file);
export const sendingTitle = () => (pick.sending ? `${pick.sending.label} · ${pick.file.name}` : '');

// ---- Choosing

/** Drops count anywhere: a miss must not leave the page. */
export function acceptDrops(ready) {
	const files = (event) => [...(event.dataTransfer?.types || [])].includes('Files');
	addEventListener('dragover', (event) => {
		if (!files(event)) return;
		event.preventDefault();
		event.dataTransfer.dropEffect = ready() ? 'copy' : 'none';
		document.body.classList.toggle('dragging', ready());
	});
	addEventListener('dragleave', (event) => { if (!event.relatedTarget) document.body.classList.remove('dragging'); });
	addEventListener('drop', (event) => {
		if (!files(event)) return;
		event.preventDefault();
		document.body.classList.remove('dragging');
		if (!ready()) return;
		const folder = [...event.dataTransfer.items].some((item) => item.kind === 'file' && item.webkitGetAsEntry?.()?.isDirectory);
		const dropped = [...event.dataTransfer.files];
		if (location.hash.replace(/^#\/?/, '')) location.hash = '#/';
		choose(dropped, folder);
	});
}

async function choose(files, folder) {
	const [file] = files;
	const most = known.uploadBytesMax;
	if (pick.sending) return tell('A file is being sent. Wait for it or cancel it first.');
	if (folder) return tell('That is a folder. Drop the file itself.');
	if (files.length > 1) return tell(`Add one file at a time. You dropped ${files.length}.`);
	if (!file) return null;
	if (file.size > most) return tell(explain({ code: 'too-large', body: { limit: most } }, { size: file.size }));
	if (file.size === 0) return tell('The file is empty.');
	try { await file.slice(0, 1).arrayBuffer(); } catch { return tell(explain({ code: 'file-gone' })); }
	forget();
	Object.assign(pick, { file, key: newKey() });
	paint('chosen');
	say(`${file.name} is chosen`);
	return look();
}

/** A message below the zone; `acts`: [label, work]. */
function tell(words, acts = [], tone = 'bad') {
	pick.note = { words, acts, tone };
	say(words, tone === 'bad');
	paint('note');
}

function forget() {
	pick.looking?.abort();
	Object.assign(pick, nothing, { options: {} });
}

/** With other options it is another request. */
function change(options) {
	if ('header_row' in options) pick.options.mapping = {};
	Object.assign(pick.options, options);
	pick.key = newKey();
	look();
}

const fields = (names) => {
	const { mapping, ...options } = pick.options;
	const chosen = Object.fromEntries(names.map((name) => [name, options[name]]));
	return mapping && names.includes('template') ? { ...chosen, mapping: JSON.stringify(mapping) } : chosen;
};

/** Asks the server what it sees in the file; stores nothing. */
async function look() {
	pick.looking?.abort();
	const abort = new AbortController();
	pick.looking = abort;
	pick.preview = { state: 'looking', result: pick.preview?.result };
	paint();
	try {
		const result = await send('/api/files/preview', pick.file, fields([...READING, ...HOW]), { signal: abort.signal });
		if (pick.looking === abort) pick.preview = { state: 'seen', result };
	} catch (problem) {
		if (pick.looking !== abort) return;
		pick.preview = { state: 'failed', problem, result: pick.preview.result };
		say(explain(problem, { file: true, size: pick.file.size }), true);
	}
	paint();
}

// ---- Sending

async function start(kind) {
	if (!pick.file || pick.sending) return;
	pick.note = null;
	if (kind === 'and-process' && isActive(live.job)) { busy({ code: 'job-in-progress', body: { job: { ...live.job, ...live.queue } } }); return; }
	pick.looking?.abort();
	pick.looking = null;
	if (pick.preview?.state === 'looking') pick.preview = null;
	const { file, key } = pick;
	const sending = { kind, abort: new AbortController(), sent: 0, total: file.size, received: false, cancel: false, label: '0 %' };
	pick.sending = sending;
	paint('sending');
	try {
		await get('/api/auth/session'); // who has to sign in again does so first
		const answer = await send(`/api/files/upload-${kind}`, file, fields(kind === 'and-process' ? [...READING, ...HOW, 'on_duplicate'] : READING), {
			key: `${key}-${kind}`, // stored and then processed is two requests
			signal: sending.abort.signal,
			onProgress: (sent, total) => progress(sending, sent, total),
			onSent: () => { sending.received = true; sending.label = 'Received'; say('Received. Reading the file…'); paint(); },
		});
		pick.sending = null;
		if (sending.cancel) { await takeBack(answer); return; }
		forget();
		paint();
		show(answer);
	} catch (problem) {
		pick.sending = null;
		if (problem.name === 'AbortError') { say('Cancelled'); paint('chosen'); return; }
		if (problem.code === 'job-in-progress') { poke(); busy(problem); return; }
		pick.key = ['offline', 'busy'].includes(problem.code) ? key : newKey(); // the answer may have been lost
		const percent = Math.floor((100 * sending.sent) / sending.total);
		const broken = problem.code === 'offline' && percent > 0 && !sending.received;
		tell(broken ? `The connection broke at ${percent} %. Your file is still chosen.` : explain(problem, { file: true, size: file.size, percent }), [
			['offline', 'slow-upload', 'busy', 'internal'].includes(problem.code) && ['Try again', () => start(kind)],
			problem.code === 'cross-origin' && ['Reload the page', () => location.reload()],
		]);
	}
}

function show(answer) {
	begun.id = answer.file_upload_id;
	if (answer.job_id) poke(); else say(`Stored, ${count(answer.rows, 'row')}`);
	uploaded();
	if (answer.duplicate_of) get(`/api/files/${answer.duplicate_of}`).then(({ file }) => {
		const job = file.last_job;
		const to = hasReport(job) ? `#/job/${job.job_id}` : `#/file/${file.id}`;
		tell(`You added this same file before: ${ago(file.uploaded_at)}, ${(job && outcome(job)) || 'not processed'}.`, [['Show that one', () => { location.hash = to; }]], 'info');
	}, () => {}); // it may be gone
}

function progress(sending, sent, total) {
	const before = Math.floor((4 * sending.sent) / sending.total);
	Object.assign(sending, { sent, total, label: `${Math.floor((100 * sent) / total)} %` });
	const quarter = Math.floor((4 * sent) / total);
	if (quarter > before && quarter < 4) say(`Sending, ${quarter * 25} percent`);
	paint();
}

/** Cancelled after the last byte had gone: it is taken back on the server. */
async function takeBack(answer) {
	try {
		if (answer.job_id) await post(`/api/jobs/${answer.job_id}/cancel`);
		await remove(`/api/files/${answer.file_upload_id}`);
	} catch { /* it has ended by itself, or ends in a moment; the list shows how */ }
	say('Cancelled');
	pick.key = newKey();
	poke();
	uploaded();
	paint('chosen');
}

const busy = (problem) => tell(explain(problem), [['Show it', () => document.querySelector('.active a')?.focus()]]);

// ---- The view

const sampleOf = (name, label) => download(label, `/api/templates/${name}/sample.xlsx`, { ico: 'down' });

export function addView({ onUploaded }) {
	uploaded = onUploaded;
	const input = h('input.vh', { type: 'file', accept: ACCEPT, tabindex: '-1', label: 'File to add', onchange: () => { choose([...input.files]); input.value = ''; } });
	const open = () => input.click();
	const chooser = button('Choose file', open, { ico: 'file' });
	const message = h('div');
	const chosen = h('div');
	const element = h('section', { 'aria-labelledby': 'add-title' },
		h('div.head', h('h1', { id: 'add-title' }, 'Add a file'), known.templates.length > 1 ? menu('', () => known.templates.map((one) => sampleOf(one.name, one.title)), { visible: ['Get a template', icon('open')], kind: 'plain' }) : sampleOf(TEMPLATE, 'Get the template (.xlsx)')),
		h('div.zone', icon('up'), h('p', 'Drop an Excel or CSV file here, or ', input, chooser),
			h('p.hint', `xlsx, xls, xlsb, ods, csv or tsv, up to ${bytes(known.uploadBytesMax)}. Nothing is stored until you press a button.`)),
		message, chosen);

	let drawn = null; // which panel stands in `chosen`, so that progress does not rebuild it
	let update = () => {};
	paint = (to) => {
		chooser.className = pick.file ? '' : 'primary';
		const panel = pick.sending || (pick.file && (pick.preview || pick.file));
		if (panel !== drawn || to === 'chosen') {
			drawn = panel;
			update = () => {};
			if (pick.sending) update = sendingPanel(chosen);
			else if (pick.file) chosenPanel(chosen, open);
			else fill(chosen);
		}
		update();
		fill(message, pick.note && note(pick.note.tone, h('p', pick.note.words), h('div.actions', pick.note.acts.filter(Boolean).map(([label, work]) => button(label, work)))));
		if (to) focus(to === 'note' ? message.firstChild : chosen.querySelector('h2'));
	};
	paint();
	return { element, close: () => { paint = () => {}; uploaded = () => {}; } };
}

function clear() {
	forget();
	paint();
	document.querySelector('.zone button').focus();
	say('Nothing is chosen');
}

function chosenPanel(place, open) {
	const { file, preview } = pick;
	const seen = preview?.result;
	const { template = TEMPLATE } = pick.options;
	const choice = field('Check the rows against', templateSelect(template, (name) => change({ template: name, mapping: undefined })));
	const several = known.templates.length > 1; // else the choice is one for experts
	fill(place, h('section.panel', { label: 'The chosen file' },
		h('div.head', heading(file), h('div.actions', button('Choose another', open, { kind: 'small' }), button('Remove', clear, { kind: 'small', label: `Remove ${file.name}` }))),
		preview?.state === 'looking' && h('p.hint', icon('work'), ' Looking into the file…'),
		preview?.state === 'failed' && failure(preview.problem, preview.problem.code === 'offline' && look, { file: true, size: file.size }),
		several && choice,
		seen && previewPanel({ seen, stale: preview.state !== 'seen', file, options: pick.options, change, fields: fieldsOf(template) }),
		optionsPanel(!several && choice),
		h('div.actions.main',
			button('Upload & Process Now', () => start('and-process'), { kind: 'primary', ico: 'up' }),
			button('Upload as JSON', () => start('json')),
			h('p.hint', '“Upload as JSON” stores the rows only; you can process them later.'))));
}

function optionsPanel(choice) {
	const { options } = pick;
	return h('details', { open: options.open, ontoggle: (event) => { options.open = event.target.open; } }, h('summary', 'Options for processing'), h('div.row', choice,
		field('A row that is already in the list', select([['', 'Leave the list as it is'], ['update', 'Update the list with what the file has']], options.on_duplicate, (value) => { options.on_duplicate = value; pick.key = newKey(); }))));
}

function sendingPanel(place) {
	const { sending, file } = pick;
	const words = h('p.status');
	const bar = h('progress', { max: '100', label: `Sending ${file.name}` });
	const stop = button('Cancel', () => {
		if (sending.received) { sending.cancel = true; paint(); } else sending.abort.abort();
	});
	fill(place, h('section.panel', { label: 'Sending' }, h('h2.name', file.name), bar, h('div.head', words, stop)));
	return () => {
		attr(stop, 'aria-disabled', sending.cancel);
		if (sending.received) bar.removeAttribute('value'); else bar.value = (100 * sending.sent) / sending.total;
		text(words, sending.cancel ? 'Cancelling…' : sending.received ? 'Received. Reading the file…' : `Sending ${file.name} · ${sending.label} · ${bytes(sending.sent)} of ${bytes(sending.total)}`);
	};
}
