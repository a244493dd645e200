// Adding a file, or processing one that is here: choose, look, send.

import { choicesOf, fieldsOf, get, known, newKey, post, remove, send, titlesOf } from './api.js';
import { attr, button, download, emit, failure, field, fill, focus, h, icon, input, link, menu, progressBar, note, sample, say, select, still, table, text } from './dom.js';
import { begin, begun, hasReport, live, poke, TEMPLATE, templateSelect } from './jobs.js';
import { ago, bytes, cell, count, curly, date, dots, explain, howWord, isActive, num, outcome } from './words.js';

const ACCEPT = '.xlsx,.xlsm,.xlsb,.xls,.ods,.csv,.tsv,.txt';
const READING = ['sheet', 'header_row', 'delimiter', 'encoding'];
const HOW = ['template', 'date_order', 'mapping', 'on_duplicate']; // it is processed
const PASSING = ['offline', 'slow-upload', 'busy', 'internal']; // may go better in a moment

// What is chosen; it outlives the view. A stored `file` has an id.
const nothing = { file: null, key: null, note: null, preview: null, options: {}, folds: {}, asked: [], looking: null, looked: null };
const pick = { ...nothing, sending: null };
let draw = () => {}; // shows it
function paint(to) {
	draw(to);
	emit('drawn');
}
let uploaded = () => {}; // tells the list

const template = () => pick.options.template || TEMPLATE;
export const chosenName = () => pick.file?.name;
export const sendingTitle = () => (pick.sending ? `${pick.sending.received ? 'Received' : `${pick.sending.percent} %`} · ${pick.file.name}` : '');

export const chooseAnother = () => document.querySelector('.zone input').click();

// Drops count anywhere: a miss must not leave the page.
export function acceptDrops(ready) {
	// Files must not be opened.
	const take = (event, over) => {
		if (!event.dataTransfer?.types.includes('Files')) return false;
		event.preventDefault();
		document.body.classList.toggle('dragging', over && ready());
		return true;
	};
	ondragover = (event) => { if (take(event, true)) event.dataTransfer.dropEffect = ready() ? 'copy' : 'none'; };
	ondragleave = (event) => { if (!event.relatedTarget) document.body.classList.remove('dragging'); };
	ondrop = (event) => {
		if (!take(event, false) || !ready()) return;
		const { files, items } = event.dataTransfer;
		goHome();
		choose([...files], [...items].some((item) => item.webkitGetAsEntry?.()?.isDirectory));
	};
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

// Processes a stored file: at once where nothing is to choose, unless `asking`.
export async function processStored({ id, filename: name, size, last_job: again }, asking) {
	if (pick.sending) return;
	forget();
	pick.file = { id, name, size, again };
	goHome();
	await look();
	if (pick.file?.id !== id) return;
	if (pick.preview.state === 'seen' && !toChoose() && !asking && known.templates.length < 2) await start('process'); else paint('chosen');
}

// Below the zone; `acts`: [label, work].
function tell(words, acts = []) {
	pick.note = note('bad', h('p', words), h('div.actions', acts.map((one) => one && button(...one))));
	say(words, true);
	paint('note');
}

function forget() {
	pick.looking?.abort();
	begun.id = null;
	Object.assign(pick, nothing, { options: {}, folds: {} });
}

function change(options) {
	if (READING.some((name) => name in options)) delete pick.options.mapping; // the columns may be others
	Object.assign(pick.options, options);
	pick.key = newKey(); // it is another request
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
	if (pick.preview?.state === 'seen') sayPreview();
}

function sayPreview() {
	const parts = [...document.querySelectorAll('.panel :is(.known, .note p:first-child, .note label)')].filter(({ control }) => !control || control.value);
	const words = parts.map(({ textContent, control }) => textContent + (control ? `: ${control.selectedOptions[0].text}` : ''));
	say([...words, toChoose()].filter(Boolean).map((words) => words.replace(/\w$/, '$&.')).join(' '));
}

// What has to be chosen first.
function toChoose() {
	const { missing = [], dates = [] } = pick.preview?.state === 'seen' ? pick.preview.result : {};
	const called = titlesOf(fieldsOf(template()));
	const all = [...missing.map((name) => `the column of “${called(name)}”`), ...dates.filter((d) => !d.chosen && d.example).map((d) => `how the dates in “${called(d.field)}” are meant`)].join(' and ');
	return all !== '' && `To process it, choose ${all}.`;
}
const isRefused = () => pick.preview?.state === 'failed' && !PASSING.includes(pick.preview.problem.code);

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
	if (processing && toChoose()) {
		say(toChoose(), true);
		document.querySelector('.undecided').focus();
		return;
	}
	const sending = { kind, abort: new AbortController(), sent: 0, total: file.size || 1, received: Boolean(file.id), cancel: false, percent: 0 };
	const onBusy = (seconds) => {
		sending.busy = `The database is busy. Trying again in ${seconds} s.`;
		say(sending.busy);
		paint();
	};
	pick.sending = sending;
	paint('sending');
	try {
		await get('/api/auth/session'); // signed out? That first
		const answer = file.id ? await post(`/api/files/${file.id}/process`, chosen(['sheet', ...HOW]), { onBusy }) : await send(`/api/files/upload-${kind}`, file, chosen(processing ? [...READING, ...HOW] : READING), {
			key: `${key}-${kind}`, // stored, then processed: two requests
			signal: sending.abort.signal,
			onBusy,
			onProgress: (sent, total) => progress(sending, sent, total),
			onSent: () => { if (!sending.received) say('Received. Reading the file…'); Object.assign(sending, { received: true, busy: '' }); paint(); },
		});
		pick.sending = null;
		if (sending.cancel) { await takeBack(answer, file); return; }
		forget();
		paint();
		begin(answer);
		if (!answer.job_id) say(`Stored, ${count(answer.rows, 'row')}`);
		// Seen even where the list has no answer.
		const { job_id: id, file_upload_id: of } = answer;
		uploaded(!file.id && { id: of, filename: file.name, size: file.size, rows: answer.rows, last_job: id && { job_id: id, file_upload_id: of, filename: file.name, status: 'pending', fresh: 'received' } });
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

// Cancelled after the last byte.
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

const sampleOf = (name, label) => download(label, `/api/templates/${name}/sample.xlsx`, { ico: 'down' });

export function addView(onUploaded) {
	uploaded = onUploaded;
	const input = h('input.vh', { type: 'file', accept: ACCEPT, tabindex: '-1', label: 'File to add', onchange: () => { choose([...input.files]); input.value = ''; } });
	const chooser = button('Choose file', chooseAnother, { ico: 'file' });
	const message = h('div');
	const place = h('div');
	const element = h('section', { 'aria-labelledby': 'add-title' },
		h('div.head', h('h1', { id: 'add-title' }, 'Add a file'), known.templates.length > 1 ? menu('', () => known.templates.map((one) => sampleOf(one.name, one.title)), { visible: ['Get a template', icon('open')], kind: 'plain' }) : sampleOf(TEMPLATE, 'Get the template (.xlsx)')),
		h('div.zone', icon('up'), h('p', 'Drop an Excel or CSV file here, or ', input, chooser),
			h('p.hint', `xlsx, xls, xlsb, ods, csv or tsv, up to ${bytes(known.uploadBytesMax)}. Nothing is stored until you press a button.`)),
		message, place);

	let drawn = null; // progress does not rebuild the panel
	let update = () => {};
	draw = (to) => {
		chooser.className = pick.file ? '' : 'primary';
		const panel = pick.sending || (pick.file && (pick.preview || pick.file));
		if (panel !== drawn || to === 'chosen') {
			drawn = panel;
			update = () => {};
			if (pick.sending) update = sendingPanel(place);
			else if (pick.file) chosenPanel(place);
			else fill(place);
		}
		update();
		if (pick.note !== message.firstChild) fill(message, pick.note);
		if (to) focus(to === 'note' ? pick.note : place.querySelector(to === 'failed' ? '.note' : 'h2'));
	};
	draw();
	return element;
}

function clear() {
	forget();
	paint();
	document.querySelector('.zone button').focus();
	say('Nothing is chosen');
}

function chosenPanel(place) {
	const { file, preview } = pick;
	const seen = preview?.result;
	const failed = preview?.state === 'failed';
	const same = !failed && seen?.same_file;
	const first = toChoose();
	const reason = failed && failure(preview.problem, preview.problem.code === 'offline' && look, { file: file.name, size: file.size });
	if (reason) reason.id = 'look-failed';
	const open = !isRefused();
	const process = file.again || same?.last_job ? 'Process again' : file.id ? 'Process now' : 'Upload & Process Now';
	fill(place, h('section.panel', { label: 'The chosen file' },
		h('div.head', heading(file, seen), h('div.actions', button('Choose another', chooseAnother, { kind: 'small' }), button('Remove', clear, { kind: 'small', label: `Remove ${file.name}` }))),
		open && [h('div.actions',
			button(process, () => start(file.id ? 'process' : 'and-process'), { kind: 'primary', ico: 'up', 'aria-disabled': first && 'true', 'aria-describedby': first && 'to-choose' }),
			!file.id && button('Upload as JSON', () => start('json'))),
		h('p.hint.status', { id: 'to-choose' }, preview?.state === 'looking' ? ['Looking into the file…', preview.pressed && ' It goes on right after.'] : first || !file.id && '“Upload as JSON” stores the rows only; you can process them later.')],
		reason,
		same && sameFile(same),
		seen ? previewPanel(seen, reason?.id, fieldsOf(template())) : /headers/.test(reason?.textContent) && whichRows({}, reason.id),
		open && optionsPanel()));
}

function sameFile({ id, uploaded_at: at, last_job: job }) {
	return note('info', h('p', `You added this same file before: ${ago(at)}, ${(job && outcome(job)) || 'not processed'}`.replace(/\.?$/, '.')),
		h('p', hasReport(job) ? link('Show that report', `#/job/${job.job_id}`) : link('Show that one', `#/file/${id}`)));
}

function optionsPanel() {
	const { options } = pick;
	// With one template they are for experts.
	return fold('Options for processing', known.templates.length > 1, h('div.row',
		field('Check the rows against', templateSelect(template(), (name) => change({ template: name, mapping: undefined }))),
		field('A row that is already in the list', select([['', 'Leave the list as it is'], ['update', 'Update the list with what the file has']], options.on_duplicate, (value) => { options.on_duplicate = value; pick.key = newKey(); }))));
}

function sendingPanel(place) {
	const { sending, file } = pick;
	const words = h('p.status');
	const bar = progressBar(`Sending ${file.name}`);
	const stop = button('Cancel', () => {
		if (sending.received) { sending.cancel = true; paint(); } else sending.abort.abort();
	});
	fill(place, h('section.panel', { label: 'Sending' }, h('h2', file.name), bar, h('div.head', words, stop)));
	return () => {
		still(stop, sending.cancel);
		attr(bar, 'value', sending.received ? null : sending.percent);
		text(words, sending.cancel ? 'Cancelling…' : sending.busy || (file.id ? 'Adding it to the queue…' : sending.received ? 'Received. Reading the file…' : `Sending ${file.name} · ${sending.percent} % · ${bytes(sending.sent)} of ${bytes(sending.total)}`));
	};
}

const SEPARATORS = [['', 'Found by looking'], [';', 'Semicolon ;'], [',', 'Comma ,'], ['tab', 'Tab'], ['|', 'Bar |']];
const ENCODINGS = [['', 'Found by looking'], ['utf-8', 'UTF-8'], ...['Western windows-1252', 'Central Europe windows-1250', 'Cyrillic windows-1251', 'UTF-16 utf-16le', 'Western cp850', 'Central Europe cp852', 'Western macintosh'].map((words) => [words.split(' ').pop(), words])];
const ORDERS = { 'day-month': 'day first', 'month-day': 'month first' };

// `seen`: the last answer; `failed`: id of why there is no newer one.
function previewPanel(seen, failed, fields) {
	const { file, options } = pick;
	const { mapping = [], missing = [], rows = [], notices = [], dates = [], repairs } = seen;
	const named = titlesOf(fields);
	const example = ({ column }) => rows.map((row) => cell(row[column])).find((words) => words !== '–') || '–';
	const matched = mapping.filter((m) => m.field).length;
	const easy = repairs || (matched > 0 && mapping.every((m) => m.how === 'exact') && !missing.length);
	const chosen = options.mapping || {};
	// A field leaves the column that had it; without a column it is as it was found.
	const give = (column, name) => change({ mapping: { ...Object.fromEntries(Object.entries(chosen).filter(([, f]) => f === null || f !== name)), ...(column && { [column]: name }) } });
	// A needed field keeps its select: arrow keys go on.
	const needed = fields.filter((f) => f.constraints?.required).map((f) => f.name);
	const asked = [...new Set([...pick.asked, ...missing])].filter((name) => needed.includes(name)).sort();
	pick.asked = asked;
	const now = ({ column, field: name }) => (column in chosen ? chosen[column] : Object.values(chosen).includes(name) ? null : name);
	const columnOf = (name) => mapping.find((m) => now(m) === name)?.column;
	const choose = (m) => select([['', 'Keep as extra'], ['-', 'Leave it out'], ...choicesOf(fields)], m.field || (m.how === 'none' ? '' : '-'), (name) => give(m.column, name === '-' ? null : name || undefined), { label: `Field for ${m.column}` });
	const textual = !file.id && seen.encoding;
	const single = textual && mapping.length === 1; // a wrong separator leaves one column
	const ask = dates.filter((d) => d.example);
	const told = dates.filter((d) => ORDERS[d.order] && d.evidence.length > 0).map((d) => `Dates in “${named(d.field)}” are read ${ORDERS[d.order]}: ${d.evidence[0].cell} holds ${d.evidence[0].value}.`);
	const known = [...notices.map((n) => [n.cell && `${n.cell}: `, curly(n.message)]), ...told];
	return h('div.grid', { 'aria-busy': pick.preview.state === 'looking' && 'true' },
		repairs ? note('info', h('p', `These are the ${count(mainSheet(seen)?.rows, 'row')} to fix of ${repairs.filename}. Processing puts them back to where they belong.`))
			: whichRows(seen, failed),
		single && note('warn', h('p', 'Only one column was found. Is the separator right?')),
		textual && fold(dots('Reading details', `encoding ${seen.encoding}`, seen.delimiter && `separator ${seen.delimiter === '\t' ? 'Tab' : seen.delimiter}`), single, h('div.row',
			field('Separator', select(SEPARATORS, options.delimiter, (delimiter) => change({ delimiter }))),
			field('Encoding', select(ENCODINGS, options.encoding, (encoding) => change({ encoding })))), 'reading'),
		// Not what was seen under other choices.
		!failed && [
			mapping.length && fold(h('span.known', `${easy ? 'All' : `${num(matched)} of`} ${count(mapping.length, 'column')} recognised`), !easy,
				table('How the columns are understood', ['Column in your file', 'Field', 'How', sample('Example')],
					mapping.map((m) => [[h('span.hint', m.letter), ' ', m.column], fields.length > 0 ? choose(m) : m.field || '–', repairs && m.field ? 'as before' : howWord(m.how), example(m)])), 'columns'),
			asked.map((name) => note(columnOf(name) ? 'info' : 'warn', field(`Column of “${named(name)}” (needed)`, select([['', 'Choose a column'], ...mapping.filter((m) => now(m) === name || !needed.includes(now(m))).map((m) => [m.column, m.column])], columnOf(name), (column) => give(column, name), { class: !columnOf(name) && 'undecided' })))),
			ask.length && note(options.date_order ? 'info' : 'warn', field(`Dates in ${ask.map((d) => `“${named(d.field)}”`).join(' and ')}: ${ask[0].example.value} in ${ask[0].example.cell} is`,
				select([['', 'Choose which'], ...Object.entries(ORDERS).map(([order, words]) => [order, `${date(ask[0].example[order])} (${words})`])], options.date_order, (order) => change({ date_order: order }), { class: !options.date_order && 'undecided' }))),
			known.length && fold(`${count(known.length, 'thing')} to know`, false, h('ul', known.map((words) => h('li', words))), 'known'),
			rows.length && fold(rows.length === 1 ? 'The only row' : `First ${num(rows.length)} rows`, false, table('First rows', mapping.map((m) => m.column), rows.map((row) => mapping.map((m) => row[m.column])), { cls: 'data' }), 'rows'),
		]);
}

// Stays open or closed as it was left.
const fold = (title, open, body, name = title) => h('details', { open: pick.folds[name] ?? open, ontoggle: (event) => { pick.folds[name] = event.target.open; } }, h('summary', title), body);

const mainSheet = ({ sheets = [], sheet }) => sheets.find((s) => s.name === (pick.options.sheet || sheet)) || sheets[0];

function whichRows(seen, failed) {
	const { file, options } = pick;
	const { sheets = [] } = seen;
	const about = (s) => dots(s.rows ? count(s.rows, 'row') : 'empty', s.visibility !== 'visible' && 'hidden');
	const main = mainSheet(seen);
	const header = input('number', { class: 'short', min: '1', max: '1048576', value: String(options.header_row || seen.header_row || 1), onchange: () => change({ header_row: header.value }) });
	if (failed && options.header_row) { attr(header, 'aria-invalid', 'true'); attr(header, 'aria-describedby', failed); }
	return h('div.row',
		sheets.length > 1 && field('Sheet', select(sheets.map((s) => [s.name, `${s.name} (${about(s)})`]), main?.name, (sheet) => change({ sheet, header_row: '' }))),
		!file.id && field('Headers are in row', header));
}

const heading = ({ name, size }, seen) => h('h2', name, h('span.hint', ` ${dots(size > 0 && bytes(size), seen && count(mainSheet(seen)?.rows, 'row'))}`));
