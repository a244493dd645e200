// What came of an upload: its rows, the report on a job, the clean list.

import { processStored } from './add.js';
import { call, fieldsOf, get, keepSought, known, post, query, sought, titlesOf } from './api.js';
import { attr, badge, button, confirmed, doing, download, fill, folded, growing, h, icon, link, load, loading, menu, note, on, sample, say, searchBox, select, table, view } from './dom.js';
import { deleteFile, downloads, follow, hasRecords, hasReport, retry, teller, TEMPLATE, templateSelect } from './jobs.js';
import { bytes, cell, count, curly, dots, doneWord, duration, howWord, isActive, isCollision, isUnreadable, moment, num, outcome, ruleOf, stateOf, time } from './words.js';

const PAGE = 20;
const SHOWN_ROWS = 100;

// To the list that one came from.
const back = (from) => h('p.back', link(from ? 'Records' : 'Uploads', from ? `#/records${left.of}` : '#/', { ico: 'back' }));

export function fileView({ user, signal, from }, id) {
	const path = `/api/files/${id}`;
	const element = loading('Upload');
	const tell = teller();
	const draw = () => load(element, async (place) => {
		const { file } = await get(path);
		const job = file.last_job;
		const main = job?.status === 'completed';
		const rows = loading();
		const rowsOf = (sheet) => load(rows, () => firstRows(rows, file, `${path}/json${query({ format: 'ndjson', limit: SHOWN_ROWS + 1, sheet })}`, signal));
		const named = (file.sheets || []).filter((sheet) => sheet.name);
		fill(place, back(from),
			h('div.head', h('h1', file.filename), badge(stateOf(job))),
			h('p.lead', dots(typeof file.rows === 'number' && count(file.rows, 'row'), bytes(file.size), file.format, file.encoding, `added by ${file.uploaded_by}`), ' · ', time(file.uploaded_at)),
			job && (isActive(job) ? follow(job, tell, draw) : h('p', outcome(job))),
			h('div.actions',
				main && link('Report', `#/job/${job.job_id}`, { kind: 'button primary' }),
				!isActive(job) && file.uploaded_by === user.username && doing(job ? 'Process again…' : 'Process', () => processStored(file, job), { kind: main ? null : 'primary' }),
				file.status === 'stored' && [download('JSON', `${path}/json`, { kind: 'button', ico: 'down' }), download('JSON, a row a line', `${path}/json?format=ndjson`, { kind: 'button' })],
				download('The file as uploaded', `${path}/original`, { kind: 'button' }),
				!isActive(job) && button('Delete…', (event) => deleteFile(event.target, file, () => { location.hash = '#/'; }))),
			h('div.head', h('h2', 'Rows'), named.length > 1 && h('div.tools', select(named.map((sheet) => [sheet.name, sheet.name]), named.find((sheet) => !sheet.hidden && sheet.rows)?.name, rowsOf, { label: 'Sheet' }))), rows,
			h('p.hint', 'SHA-256 ', h('code', file.sha256)));
		if (file.status === 'stored') await rowsOf(); else fill(rows, h('p.empty', isActive(job) ? 'Its rows are shown here once the file is done.' : 'Its rows have not been read. Processing does that.'));
		if (job) tell(job);
	}, 'Upload');
	draw();
	return { element };
}

async function firstRows(place, file, path, signal) {
	const lines = (await (await call('GET', path, { signal })).text()).split('\n').filter(Boolean);
	const rows = lines.slice(0, SHOWN_ROWS).map((line) => JSON.parse(line));
	const columns = [...new Set(rows.flatMap(Object.keys))];
	fill(place, table(`Rows of ${file.filename}`, columns, rows.map((row) => columns.map((c) => row[c])), { cls: 'data', none: 'This sheet has no rows.' }),
		lines.length > SHOWN_ROWS && h('p.hint', `The first ${num(SHOWN_ROWS)} rows. All are in the JSON.`));
}

export function reportView({ signal, from }, id) {
	const element = loading('Report');
	const path = `/api/jobs/${id}`;
	const tell = teller();
	let shown, done;
	const draw = (words) => load(element, async () => {
		const { job } = await get(path);
		shown = job;
		done = words || done;
		const [report, changed] = await Promise.all([hasReport(job) && get(`${path}/report`), job.status === 'completed' && !job.undone && get(`${path}/changes?limit=1`)]);
		fill(element, back(from), heading(job), done && note('ok', done), report ? found(job, report, titlesOf(fieldsOf(job.template)), changed.total, draw) : underWay(job, tell, draw), report && h('p.hint', 'Report ', h('code', report.hash)));
		tell(job);
	}, 'Report');
	draw();
	on('news', async () => {
		const fresh = shown && !isActive(shown) && await get(path).catch(() => null);
		if (fresh && JSON.stringify(fresh.job) !== JSON.stringify(shown)) draw();
	}, { signal });
	return { element };
}

function heading(job) {
	const seconds = (Date.parse(job.finished) - Date.parse(job.started)) / 1000;
	return [h('div.head', h('h1', job.filename), badge(stateOf(job))),
		h('p.lead', job.finished && ['finished ', time(job.finished), seconds >= 0 && `, took ${duration(seconds)}`, ', '], `job ${job.job_id}, checked ${job.template === 'auto' ? 'without a template' : `as ${titlesOf(known.templates)(job.template)}`}`)];
}

const fileOf = (job, more) => !job.file_deleted && link('The file', `#/file/${job.file_upload_id}`, more);

function underWay(job, tell, draw) {
	const file = fileOf(job, { kind: 'button' });
	if (isActive(job)) return follow(job, tell, draw, file);
	return [outcome(job) && h('p', outcome(job)), h('div.actions', file && (isUnreadable(job) ? link('Choose another', '#/', { kind: 'button primary' }) : doing(job.status === 'cancelled' ? 'Process' : 'Try again', async () => { await retry(job); location.hash = '#/'; }, { kind: 'primary' })), file), history(job)];
}

const again = (job, label) => !job.file_deleted && doing(label, () => processStored({ id: job.file_upload_id, filename: job.filename, last_job: job }, true));

// Nothing tells which of day and month comes first.
function unread({ dates = [] }, job, title) {
	const open = dates.filter((d) => d.example && !d.chosen);
	return open.length && note('warn', h('p', `${count(open.reduce((sum, d) => sum + d.ambiguous, 0), 'date')} in ${open.map((d) => `“${title(d.field)}”`).join(' and ')} can be read in two ways, such as ${open[0].example.value} in ${open[0].example.cell}. Choose which is meant.`), h('p', again(job, 'Choose and process again')));
}

function found(job, report, title, changed, redraw) {
	const problems = list(['Rows to fix', 'What needs fixing', 'problem', 'What is wrong'], (e) => !isCollision(e), report, title);
	const collisions = list(['Repeated rows', 'What is repeated', 'repeat', 'What it repeats'], isCollision, report, title);
	return [
		summary(job, report), job.status === 'failed' && note('bad', h('p', outcome(job)), h('p', again(job, 'Choose the columns'))), unread(report, job, title), takeAway(job, redraw),
		h('div.split', problems ? problems.rules : note('ok', 'Nothing to fix.'), completeness(report, title)), problems?.rows,
		collisions && [collisions.rules, collisions.rows], contents(report, title), changes(job, changed), mapping(report, title), history(job),
	];
}

function summary(job, report) {
	const { rows, valid, updated, unchanged = 0, duplicates, invalid } = report.stats;
	const parts = [[valid, 'ok', 'stored new'], [updated - unchanged, 'info', 'updated'], [unchanged, 'calm', 'unchanged'], [duplicates, 'calm', 'already there, skipped'], [invalid, 'warn', 'to fix']].filter(([n]) => n > 0);
	return h('div.grid', report.repairs && h('p', 'These were the rows to fix of ', link(report.repairs.filename, `#/job/${report.repairs.job_id}`), '.'), job.undone && note('info', h('p', `Taken back by ${job.undone_by}, `, time(job.undone), '.')),
		rows && h('p.sum', `${count(rows, 'row')} in the file`, parts.length && ': ', parts.map(([n, tone, words], i) => [i > 0 && ' · ', h(`span.key.${tone}`, `${num(n)} ${words}`)])));
}

function takeAway(job, redraw) {
	const offered = downloads(job);
	const undo = (event) => confirmed(event.target, [`Undo the import of ${job.filename}?`, 'What it added to the list is taken out again, and what it updated is put back. The file stays.', 'Undo this import', 'Leave it'], async () => {
		const { message } = await post(`/api/jobs/${job.job_id}/undo`);
		await redraw(message);
		say(message);
	});
	return h('div.actions',
		offered.slice(0, 2).map(([label, path], i) => download(label, path, { kind: i ? 'button' : 'button primary', ico: 'down' })),
		menu('More', () => [
			offered.slice(2).map(([label, path]) => download(label, path)),
			fileOf(job), button('Print', () => print()),
		], { visible: ['More', icon('open')] }),
		hasRecords(job) && button('Undo this import…', undo, { ico: 'back' }));
}

const kindOf = (e) => [e.type, e.field || e.fields, e.constraint].join(' ');
// Old reports have only those that they list.
const kinds = ({ problems, errors }) => problems || [...Map.groupBy(errors, kindOf).values()].map((hits) => ({ ...hits[0], count: hits.length }));
const total = (counted) => counted.reduce((sum, { count: n }) => sum + n, 0);

function list([heading_, rulesHeading, one, why], isMeant, report, title) {
	const listed = Map.groupBy(report.errors, kindOf);
	const titles = (e) => (e.fields || [e.field]).map(title).join(', ');
	const groups = kinds(report).filter(isMeant).map((kind) => {
		const key = kindOf(kind);
		const hits = listed.get(key) || [kind];
		return { key, hits, count: kind.count, label: curly(ruleOf(hits, titles(kind))) };
	});
	if (!groups.length) return null;
	const all = { hits: groups.flatMap((group) => group.hits).sort((a, b) => a.row - b.row), count: total(groups) };
	let chosen = groups.find((group) => group.key === sought({ rule: '' }).rule) || all;
	let shown = PAGE;
	const rows = h('section');
	const buttons = groups.map((group) => h('button.rule', { type: 'button', onclick: () => choose(chosen === group ? all : group) }, h('span', group.label), h('span.num', num(group.count))));
	function choose(group) {
		chosen = group;
		shown = PAGE;
		keepSought({ rule: chosen.key });
		draw();
		say(dots(count(chosen.count, one), chosen.label));
	}
	function draw() {
		const { hits, key, label } = chosen;
		const part = hits.slice(0, shown);
		groups.forEach((group, i) => attr(buttons[i], 'aria-pressed', String(group === chosen)));
		fill(rows, h('div.head', h('h2', heading_, h('span.hint', ` ${dots(`${num(part.length)} of ${count(chosen.count, one)}`, key && `only: ${label}`)}`)),
			h('div.tools', key && button('Show every rule', () => choose(all), { kind: 'small' }), hits.length > shown && button('Show the others', () => { shown = hits.length; draw(); }, { kind: 'small others' }))),
		table(heading_, ['Row', 'Cell', 'Column', sample('In your file'), sample(why)], part.map((e) => [e.row ?? '–', e.cells?.join(', ') || e.cell || e.column || '–', titles(e) || '–', cell(e.value), curly(e.message)])),
		report.errors.length < report.errors_total && h('p.hint', `The first ${num(report.errors.length)} of ${num(report.errors_total)} problems are listed here; the marked copy has all of them.`));
	}
	draw();
	return { rows: all.hits.at(-1).row && rows, rules: h('section', h('h2', rulesHeading), h('div.rules', { role: 'group', label: rulesHeading }, buttons)) };
}

function completeness(report, title) {
	const { columns, stats: { rows } } = report;
	if (!rows) return null;
	const meter = (c) => h('span.filled', h('meter', { value: c.filled, max: rows, 'aria-hidden': 'true' }), `${Math.floor(Math.min(100, (100 * c.filled) / rows))} %`);
	return h('section', h('h2', 'How full the columns are'),
		table('How full the columns are', ['Column', 'Filled', 'Problems'], columns.map((c) => [title(c.name), meter(c), total(kinds(report).filter((e) => e.field === c.name && !isCollision(e)))])));
}

const KINDS = { any: 'anything', string: 'text', integer: 'whole number', boolean: 'yes or no' };
function contents({ columns, stats }, title) {
	const top = (c) => (c.top || []).slice(0, 3).map((t) => `${cell(t.value)} (${num(t.count)})`).join(', ') || '–';
	return stats.rows > 0 && folded('What is in the columns', ['Column', 'Kind', 'Different', sample('Lowest'), sample('Highest'), sample('Most frequent')],
		columns.map((c) => [title(c.name), KINDS[c.type] || c.type, c.distinct_estimated ? `about ${num(c.distinct)}` : c.distinct, c.min ?? '–', c.max ?? '–', top(c)]));
}

function changes(job, total) {
	if (!total) return total === 0 && h('p', 'No value was changed on the way in.');
	const place = loading();
	const show = (event) => event.target.open && !place.list && growing(place, `/api/jobs/${job.job_id}/changes`, { limit: 100 }, 'changes', (all) =>
		table('Changed values', ['Cell', sample('In your file'), sample('Stored'), 'What was done'], all.map((c) => [c.cell, cell(c.original), cell(c.stored), doneWord(c.rule)])));
	return h('details', { ontoggle: show }, h('summary', `${count(total, 'value')} ${total === 1 ? 'was' : 'were'} changed on the way in`), place);
}

const mapping = (report, title) => report.mapping?.length && folded('How the columns were understood', ['Column in your file', 'Field', 'How'],
	report.mapping.map((m) => [m.column, m.field ? title(m.field) : '–', howWord(m.how)]));

const history = ({ events }) => folded('What the job went through', ['When', 'State', sample('Why')], events.map((e) => [time(e.at, moment), stateOf({ status: e.to }).word, e.detail || '–']));

// On paper are all rows.
onbeforeprint = () => { for (const others of document.querySelectorAll('.others')) others.click(); };

let left = {}; // where in the list of records one was

export function recordsView({ user, signal }) {
	const place = loading();
	const wanted = sought({ template: TEMPLATE, q: '' });
	let before = left.of === query(wanted) && left.row >= 0 && left;
	const rows = () => [...place.querySelectorAll('tr')];
	signal.onabort = () => {
		const row = document.activeElement.closest('tr');
		left = { of: query(wanted), limit: place.list.length, row: rows().indexOf(row), top: row?.closest('.scroll').scrollTop, y: scrollY };
	};
	function comeBack() {
		const at = before;
		before = null;
		const row = rows()[at?.row];
		if (!row) return;
		row.closest('.scroll').scrollTop = at.top;
		scrollTo(0, at.y);
		row.querySelector('[href^="#"]')?.focus({ preventScroll: true });
	}
	const from = (record) => [record.job_id && (user.role === 'admin' || record.uploader === user.username) ? link(record.file, `#/job/${record.job_id}`) : record.file, h('span.hint', ` row\u00a0${num(record.row)}`)];
	function draw(records, title = 'Records') {
		const names = [...new Set(records.flatMap((record) => Object.keys(record.data)))];
		const fields = fieldsOf(wanted.template);
		const years = fields.filter((f) => f.type === 'year').map((f) => f.name); // not grouped
		return table(title, [...names.map(titlesOf(fields)), 'From', 'Added by'],
			records.map((record) => [...names.map((name) => (years.includes(name) ? cell : value)(record.data[name])), from(record), record.uploader]),
			{ none: wanted.q ? `Nothing in the list has “${wanted.q}”.` : 'The list is empty. It fills with the good rows of every file that is processed.' });
	}
	const list = (change) => {
		const { template, q } = Object.assign(wanted, change);
		if (change) { keepSought(wanted); before = null; }
		growing(place, '/api/records', { ...wanted, limit: before?.limit || 100 }, 'records', (records) => {
			if (q || records.length > 100) say(records.length ? count(records.length, 'record') : 'Nothing found');
			queueMicrotask(comeBack);
			// Each file has its own columns.
			const parts = template === 'auto' && [...Map.groupBy(records, (record) => record.file + Object.keys(record.data)).values()];
			return parts.length ? parts.map((part) => h('section', h('h2', part[0].file), draw(part, part[0].file))) : draw(records);
		});
	};
	list();
	return { ...view('Records', [templateSelect(wanted.template, (template) => list({ template }), { label: 'Template' }), searchBox('Search the list', wanted.q, (q) => list({ q }))], place), wide: true };
}

// Plain web addresses open in a new tab.
function value(content) {
	if (typeof content === 'number') return content;
	if (!/^https?:\/\/\S+$/i.test(content)) return cell(content);
	return link(content.replace(/^https?:\/\/(www\.)?/i, ''), content, { target: '_blank', rel: 'noopener noreferrer' });
}
