// One uploaded file: what it is, what was done with it, its first rows.

import { call, get, query } from './api.js';
import { act, badge, button, download, fill, h, link, load, loaded, loading, select, table } from './dom.js';
import { deleteFile, processStored } from './jobs.js';
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
		const rows = loading();
		const rowsOf = (sheet) => load(rows, () => firstRows(rows, file, `${path}/json${query({ format: 'ndjson', limit: SHOWN_ROWS + 1, sheet })}`, abort.signal));
		const named = (file.sheets || []).filter((sheet) => sheet.name);
		fill(place, back(),
			h('div.head', h('h1.name', file.filename), badge(stateOf(job))),
			h('p.lead', dots(typeof file.rows === 'number' && count(file.rows, 'row'), bytes(file.size), file.format, file.encoding, `added by ${file.uploaded_by}`), ' · ', time(file.uploaded_at)),
			job && outcome(job) && h('p', outcome(job)),
			file.duplicate_of && h('p', 'The same file was added another time. ', link('Show it', `#/file/${file.duplicate_of}`)),
			h('div.actions',
				job?.status === 'completed' && link('Report', `#/job/${job.job_id}`, { kind: 'button primary' }),
				!isActive(job) && file.uploaded_by === user.username && button(job ? 'Process again' : 'Process', (event) => act(event.target, async () => { if (await processStored(file)) location.hash = '#/'; }), { kind: job?.status === 'completed' ? null : 'primary' }),
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
	const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
	fill(place, table(`Rows of ${file.filename}`, columns, rows.map((row) => columns.map((c) => cell(row[c]))), { cls: 'data', none: 'This sheet has no rows.' }),
		lines.length > SHOWN_ROWS && h('p.hint', `The first ${num(SHOWN_ROWS)} rows. All of them are in the JSON.`));
}
