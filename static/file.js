// Rows as they lie there: one uploaded file with its first rows, and the office's clean list.

import { processStored } from './add.js';
import { call, fieldsOf, get, keepSought, known, query, sought, titlesOf } from './api.js';
import { badge, button, doing, download, fill, growing, h, link, load, loaded, loading, sample, say, searchBox, select, table, view } from './dom.js';
import { deleteFile, TEMPLATE } from './jobs.js';
import { bytes, cell, count, dots, isActive, num, outcome, stateOf, time } from './words.js';

const SHOWN_ROWS = 100;

export const back = () => h('p.back', link('Uploads', '#/', { ico: 'back' }));

export function fileView({ user }, id) {
	const path = `/api/files/${id}`;
	const abort = new AbortController();
	const element = loaded(async (place) => {
		const { file } = await get(path);
		document.title = `${file.filename} – Sheetline`;
		const job = file.last_job;
		const main = job?.status === 'completed';
		const rows = loading();
		const rowsOf = (sheet) => load(rows, () => firstRows(rows, file, `${path}/json${query({ format: 'ndjson', limit: SHOWN_ROWS + 1, sheet })}`, abort.signal));
		const named = (file.sheets || []).filter((sheet) => sheet.name);
		fill(place, back(),
			h('div.head', h('h1', file.filename), badge(stateOf(job))),
			h('p.lead', dots(typeof file.rows === 'number' && count(file.rows, 'row'), bytes(file.size), file.format, file.encoding, `added by ${file.uploaded_by}`), ' · ', time(file.uploaded_at)),
			job && h('p', outcome(job)),
			h('div.actions',
				main && link('Report', `#/job/${job.job_id}`, { kind: 'button primary' }),
				!isActive(job) && file.uploaded_by === user.username && doing(job ? 'Process again…' : 'Process', () => processStored(file, job), { kind: main ? null : 'primary' }),
				file.status === 'stored' && [download('JSON', `${path}/json`, { kind: 'button', ico: 'down' }), download('JSON, a row a line', `${path}/json?format=ndjson`, { kind: 'button' })],
				download('The file as uploaded', `${path}/original`, { kind: 'button' }),
				!isActive(job) && button('Delete…', (event) => deleteFile(event.target, file, () => { location.hash = '#/'; }))),
			h('div.head', h('h2', 'Rows'), named.length > 1 && h('div.tools', select(named.map((sheet) => [sheet.name, sheet.name]), '', rowsOf, { label: 'Sheet' }))), rows,
			h('p.hint', 'SHA-256 ', h('code', file.sha256)));
		if (file.status === 'stored') await rowsOf(); else fill(rows, h('p.empty', 'Its rows have not been read. Processing does that.'));
	}, 'Upload');
	return { title: 'Upload', element, close: () => abort.abort() };
}

async function firstRows(place, file, path, signal) {
	const lines = (await (await call('GET', path, { signal })).text()).split('\n').filter(Boolean);
	const rows = lines.slice(0, SHOWN_ROWS).map((line) => JSON.parse(line));
	const columns = [...new Set(rows.flatMap(Object.keys))];
	fill(place, table(`Rows of ${file.filename}`, columns, rows.map((row) => columns.map((c) => cell(row[c]))), { cls: 'data', none: 'This sheet has no rows.' }),
		lines.length > SHOWN_ROWS && h('p.hint', `The first ${num(SHOWN_ROWS)} rows. All of them are in the JSON.`));
}

// ---- The clean list: the records of all completed jobs, with their source

export function recordsView() {
	const place = loading();
	const wanted = sought({ template: TEMPLATE, q: '' });
	const list = (change) => {
		const { template, q } = Object.assign(wanted, change);
		if (change) keepSought(wanted);
		growing(place, '/api/records', { ...wanted, limit: 100 }, 'records', (records) => {
			if (q || records.length > 100) say(records.length ? count(records.length, 'record') : 'Nothing found');
			const fields = [...new Set(records.flatMap((record) => Object.keys(record.data)))];
			return table('Records', [...fields.map((name) => sample(titlesOf(fieldsOf(template))(name))), 'From', 'Added by'], records.map((record) => [
				...fields.map((name) => value(record.data[name])), [record.job_id ? link(record.file, `#/job/${record.job_id}`) : record.file, h('span.hint', ` row ${num(record.row)}`)], record.uploader,
			]), { cls: 'data', none: q ? `Nothing in the list has “${q}”.` : 'The list is empty. It fills with the good rows of every file that is processed.' });
		});
	};
	list();
	const which = known.templates.length > 1 && select(known.templates.map((one) => [one.name, one.title]), wanted.template, (template) => list({ template }), { label: 'Template' });
	return { ...view('Records', [which, searchBox('Search the list', wanted.q, (q) => list({ q }))], place), wide: true };
}

// Links of the list open in a new tab, only where they are plain web addresses.
function value(content) {
	if (typeof content !== 'string' || !/^https?:\/\/\S+$/i.test(content)) return cell(content);
	return link(content.replace(/^https?:\/\/(www\.)?/i, ''), content, { target: '_blank', rel: 'noopener noreferrer' });
}
