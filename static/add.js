// Adding a file, or processing one that is here: choose it, look at it first, send it.

import { fieldsOf, get, known, newKey, post, remove, send } from './api.js';
import { attr, button, download, failure, field, fill, focus, h, icon, link, menu, note, say, select, text } from './dom.js';
import { begun, hasReport, live, poke, TEMPLATE, templateSelect } from './jobs.js';
import { heading, previewPanel, undecided } from './preview.js';
import { ago, bytes, count, explain, isActive, outcome } from './words.js';

const ACCEPT = '.xlsx,.xlsm,.xlsb,.xls,.ods,.csv,.tsv,.txt';
const READING = ['sheet', 'header_row', 'delimiter', 'encoding']; // how the file is read
const HOW = ['template', 'date_order', 'mapping', 'on_duplicate']; // how it is processed
const PASSING = ['offline', 'slow-upload', 'busy', 'internal']; // what may go better in a moment

// What is chosen and under way; it outlives the view. `file` is this computer's, or a stored one: that has an id.
const nothing = { file: null, key: null, note: null, preview: null, options: {}, looking: null, looked: null };
const pick = { ...nothing, sending: null };
let draw = () => {}; // what the view shows of it
function paint(to) {
	draw(to);
	dispatchEvent(new Event('sending')); // for the title
}
let uploaded = () => {}; // tells the list that something new is there

export const isSending = () => Boolean(pick.sending);
export const chosenName = () => pick.file?.name;
export const sendingTitle = () => (pick.sending ? `${pick.sending.received ? 'Received' : `${pick.sending.percent} %`} · ${pick.file.name}` : '');

// ---- Choosing

// Drops count anywhere: a miss must not leave the page.
export function acceptDrops(ready) {
	// Whether this is about files; then the browser must not open them.
	const take = (event, over) => {
		if (!event.dataTransfer?.types.includes('Files')) return false;
		event.preventDefault();
		document.body.classList.toggle('dragging', over && ready());
		return true;
	};
	addEventListener('dragover', (event) => { if (take(event, true)) event.dataTransfer.dropEffect = ready() ? 'copy' : 'none'; });
	addEventListener('dragleave', (event) => { if (!event.relatedTarget) document.body.classList.remove('dragging'); });
	addEventListener('drop', (event) => {
		if (!take(event, false) || !ready()) return;
		const { files, items } = event.dataTransfer;
		const folder = [...items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
		const dropped = [...files];
		goHome();
		choose(dropped, folder);
	});
}

const goHome = () => { if (/^#\/\w/.test(location.hash)) location.hash = '#/'; };

async function choose(files, folder) {
	const [file] = files;
	const most = known.uploadBytesMax;
	if (pick.sending) return tell('A file is being sent. Wait for it or cancel it first.');
	if (folder) return tell('That is a folder. Drop the file itself.');
	if (files.length > 1) return tell(`Add one file at a time. You dropped ${files.length}.`);
	if (!file) return null;
	const refuse = (words) => tell(`${file.name}: ${words}${pick.file ? ` ${pick.file.name} is still chosen.` : ''}`);
	if (file.size > most) return refuse(explain({ code: 'too-large', body: { limit: most } }, { size: file.size }));
	if (file.size === 0) return refuse('The file is empty.');
	try { await file.slice(0, 1).arrayBuffer(); } catch { return refuse(explain({ code: 'file-gone' })); }
	forget();
	Object.assign(pick, { file, key: newKey() });
	paint('chosen');
	say(`${file.name} is chosen`);
	return look();
}

// Processes a file that is here: at once where nothing has to be chosen, unless `asking`.
export async function processStored({ id, filename: name, size, last_job: again }, asking) {
	if (pick.sending) return;
	forget();
	pick.file = { id, name, size, again };
	goHome();
	await look();
	if (pick.file?.id !== id) return;
	if (pick.preview.state === 'seen' && !isUndecided() && !asking && known.templates.length < 2) await start('process'); else paint('chosen');
}

// A message below the zone; `acts`: [label, work].
function tell(words, acts = []) {
	pick.note = note('bad', h('p', words), h('div.actions', acts.map((one) => one && button(...one))));
	say(words, true);
	paint('note');
}

function forget() {
	pick.looking?.abort();
	Object.assign(pick, nothing, { options: {} });
}

// With other options it is another request.
function change(options) {
	if (READING.some((name) => name in options)) delete pick.options.mapping; // the columns may be others
	Object.assign(pick.options, options);
	pick.key = newKey();
	look();
}

const chosen = (names) => Object.fromEntries(names.map((name) => [name, pick.options[name]]).filter(([, value]) => value));

const look = () => { pick.looked = lookInto(); return pick.looked; };

async function lookInto() {
	pick.looking?.abort();
	const abort = new AbortController();
	const { file } = pick;
	const first = !pick.preview;
	pick.looking = abort;
	pick.preview = { state: 'looking', result: pick.preview?.result };
	paint();
	try {
		const options = { signal: abort.signal };
		const result = await (file.id ? post(`/api/files/${file.id}/preview`, chosen(['sheet', ...HOW]), options) : send('/api/files/preview', file, chosen([...READING, ...HOW]), options));
		if (pick.looking === abort) pick.preview = { state: 'seen', result };
	} catch (problem) {
		if (pick.looking !== abort) return;
		pick.preview = { state: 'failed', problem, result: pick.preview.result };
		say(explain(problem, { file: file.name, size: file.size }), true);
	}
	paint(first && pick.preview?.state === 'failed' && 'failed');
}

// Whether the file is known to be of no use as it is, or to need a choice first.
const isUndecided = () => pick.preview?.state === 'seen' && undecided(pick.preview.result).length > 0;
const isRefused = () => pick.preview?.state === 'failed' && !PASSING.includes(pick.preview.problem.code);

// ---- Sending

async function start(kind) {
	if (pick.preview?.pressed) return;
	while (pick.preview?.state === 'looking') {
		pick.preview = { ...pick.preview, pressed: true };
		paint();
		await pick.looked;
	}
	if (!pick.file || pick.sending || isRefused()) return;
	pick.note = null;
	const processing = kind !== 'json';
	const { file, key } = pick;
	const busy = (problem) => tell(explain(problem), [['Show it', () => document.querySelector('.active a')?.focus()]]);
	if (processing && isActive(live.job)) { busy({ code: 'job-in-progress', body: { job: { ...live.job, ...live.queue } } }); return; }
	if (processing && isUndecided()) {
		say('Something has to be chosen first', true);
		document.querySelector('.undecided').focus();
		return;
	}
	const sending = { kind, abort: new AbortController(), sent: 0, total: file.size || 1, received: Boolean(file.id), cancel: false, percent: 0 };
	pick.sending = sending;
	paint('sending');
	try {
		await get('/api/auth/session'); // who has to sign in again does so first
		const answer = file.id ? await post(`/api/files/${file.id}/process`, chosen(['sheet', ...HOW])) : await send(`/api/files/upload-${kind}`, file, chosen(processing ? [...READING, ...HOW] : READING), {
			key: `${key}-${kind}`, // stored and then processed is two requests
			signal: sending.abort.signal,
			onProgress: (sent, total) => progress(sending, sent, total),
			onSent: () => { sending.received = true; say('Received. Reading the file…'); paint(); },
		});
		pick.sending = null;
		if (sending.cancel) { await takeBack(answer, file); return; }
		forget();
		paint();
		begun.id = answer.file_upload_id;
		if (answer.job_id) poke(); else say(`Stored, ${count(answer.rows, 'row')}`);
		uploaded(!file.id);
	} catch (problem) {
		pick.sending = null;
		if (problem.name === 'AbortError') { say('Cancelled'); paint('chosen'); return; }
		if (problem.code === 'job-in-progress') { poke(); busy(problem); return; }
		pick.key = ['offline', 'busy'].includes(problem.code) ? key : newKey(); // the answer may have been lost
		const { percent } = sending;
		const broken = problem.code === 'offline' && percent > 0 && !sending.received;
		tell(broken ? `The connection broke at ${percent} %. ${file.name} is still chosen.` : explain(problem, { file: file.name, size: file.size, percent }), [
			PASSING.includes(problem.code) && ['Try again', () => start(kind)],
			problem.code === 'cross-origin' && ['Reload the page', () => location.reload()],
		]);
	}
}

function progress(sending, sent, total) {
	const percent = Math.floor((100 * sent) / total);
	const quarter = percent - (percent % 25);
	if (quarter > sending.percent && quarter < 100) say(`Sending, ${quarter} percent`);
	Object.assign(sending, { sent, total, percent });
	paint();
}

// Cancelled after the last byte had gone: it is taken back on the server.
async function takeBack(answer, file) {
	try {
		if (answer.job_id) await post(`/api/jobs/${answer.job_id}/cancel`);
		if (!file.id) await remove(`/api/files/${answer.file_upload_id}`);
	} catch { /* it has ended by itself, or ends in a moment; the list shows how */ }
	say('Cancelled');
	pick.key = newKey();
	poke();
	uploaded();
	paint('chosen');
}

// ---- The view

const sampleOf = (name, label) => download(label, `/api/templates/${name}/sample.xlsx`, { ico: 'down' });

export function addView({ onUploaded }) {
	uploaded = onUploaded;
	const input = h('input.vh', { type: 'file', accept: ACCEPT, tabindex: '-1', label: 'File to add', onchange: () => { choose([...input.files]); input.value = ''; } });
	const open = () => input.click();
	const chooser = button('Choose file', open, { ico: 'file' });
	const message = h('div');
	const place = h('div');
	const element = h('section', { 'aria-labelledby': 'add-title' },
		h('div.head', h('h1', { id: 'add-title' }, 'Add a file'), known.templates.length > 1 ? menu('', () => known.templates.map((one) => sampleOf(one.name, one.title)), { visible: ['Get a template', icon('open')], kind: 'plain' }) : sampleOf(TEMPLATE, 'Get the template (.xlsx)')),
		h('div.zone', icon('up'), h('p', 'Drop an Excel or CSV file here, or ', input, chooser),
			h('p.hint', `xlsx, xls, xlsb, ods, csv or tsv, up to ${bytes(known.uploadBytesMax)}. Nothing is stored until you press a button.`)),
		message, place);

	let drawn = null; // which panel stands in `place`, so that progress does not rebuild it
	let update = () => {};
	draw = (to) => {
		chooser.className = pick.file ? '' : 'primary';
		const panel = pick.sending || (pick.file && (pick.preview || pick.file));
		if (panel !== drawn || to === 'chosen') {
			drawn = panel;
			update = () => {};
			if (pick.sending) update = sendingPanel(place);
			else if (pick.file) chosenPanel(place, open);
			else fill(place);
		}
		update();
		if (pick.note !== message.firstChild) fill(message, pick.note);
		if (to) focus(to === 'note' ? pick.note : place.querySelector(to === 'failed' ? '.note' : 'h2'));
	};
	draw();
	return { element, close: () => { draw = () => {}; uploaded = () => {}; } };
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
	const failed = preview?.state === 'failed';
	const same = !failed && seen?.same_file;
	const { template = TEMPLATE } = pick.options;
	const reason = failed && failure(preview.problem, preview.problem.code === 'offline' && look, { file: file.name, size: file.size });
	if (reason) reason.id = 'look-failed';
	const go = (label, kind, more) => button(label, () => start(kind), more);
	const process = file.again || same?.last_job ? 'Process again' : file.id ? 'Process now' : 'Upload & Process Now';
	fill(place, h('section.panel', { label: 'The chosen file' },
		h('div.head', heading(file, seen, pick.options), h('div.actions', button('Choose another', open, { kind: 'small' }), button('Remove', clear, { kind: 'small', label: `Remove ${file.name}` }))),
		preview?.state === 'looking' && h('p.hint', icon('work'), ` Looking into the file…${preview.pressed ? ' It goes on right after.' : ''}`),
		reason,
		same && sameFile(same),
		seen && previewPanel({ seen, failed: reason?.id, busy: preview.state === 'looking', file, options: pick.options, change, fields: fieldsOf(template) }),
		!isRefused() && [optionsPanel(template), h('div.actions.main',
			go(process, file.id ? 'process' : 'and-process', { kind: 'primary', ico: 'up', 'aria-disabled': isUndecided() && 'true' }),
			!file.id && [go('Upload as JSON', 'json'), h('p.hint', '“Upload as JSON” stores the rows only; you can process them later.')])]));
}

// Said before anything is sent, so that nobody adds a list twice.
function sameFile({ id, uploaded_at: at, last_job: job }) {
	return note('info', h('p', `You added this same file before: ${ago(at)}, ${(job && outcome(job)) || 'not processed'}.`),
		h('p', hasReport(job) ? link('Show that report', `#/job/${job.job_id}`) : link('Show that one', `#/file/${id}`)));
}

function optionsPanel(template) {
	const { options } = pick;
	options.open ??= known.templates.length > 1; // else they are for experts
	return h('details', { open: options.open, ontoggle: (event) => { options.open = event.target.open; } }, h('summary', 'Options for processing'), h('div.row',
		field('Check the rows against', templateSelect(template, (name) => change({ template: name, mapping: undefined }))),
		field('A row that is already in the list', select([['', 'Leave the list as it is'], ['update', 'Update the list with what the file has']], options.on_duplicate, (value) => { options.on_duplicate = value; pick.key = newKey(); }))));
}

function sendingPanel(place) {
	const { sending, file } = pick;
	const words = h('p.status');
	const bar = h('progress', { max: '100', label: `Sending ${file.name}` });
	const stop = button('Cancel', () => {
		if (sending.received) { sending.cancel = true; paint(); } else sending.abort.abort();
	});
	fill(place, h('section.panel', { label: 'Sending' }, h('h2', file.name), bar, h('div.head', words, stop)));
	return () => {
		attr(stop, 'aria-disabled', sending.cancel && 'true');
		attr(bar, 'value', sending.received ? null : sending.percent);
		text(words, sending.cancel ? 'Cancelling…' : file.id ? 'Adding it to the queue…' : sending.received ? 'Received. Reading the file…' : `Sending ${file.name} · ${sending.percent} % · ${bytes(sending.sent)} of ${bytes(sending.total)}`);
	};
}
