// The report on a job.

import { processStored } from './add.js';
import { fieldsOf, get, post, titlesOf } from './api.js';
import { attr, badge, button, confirmed, doing, download, fill, growing, h, icon, link, load, loading, menu, note, right, roomy, sample, say, table, text } from './dom.js';
import { back } from './file.js';
import { cancel, downloads, hasReport, live, onChange, retry } from './jobs.js';
import { cell, clock, count, duration, howWord, isActive, isCollision, num, outcome, ruleOf, stage, stateOf, time, waiting } from './words.js';

const PAGE = 20;

export function reportView(_, id) {
	const element = loading('Report');
	const path = `/api/jobs/${id}`;
	let shown = null; // the job as it stands on the page
	const draw = () => load(element, async () => {
		const { job } = await get(path);
		document.title = `${job.filename} – Sheetline`;
		const [report, changed] = await Promise.all([hasReport(job) && get(`${path}/report`), job.status === 'completed' && !job.undone && get(`${path}/changes?limit=1`)]);
		fill(element, heading(job, report), report ? found(job, report, titlesOf(fieldsOf(job.template)), changed.total, draw) : underWay(job), history(job));
		shown = job;
	}, 'Report');
	const off = onChange(() => {
		if (!shown || live.job?.job_id !== shown.job_id) return;
		if (live.job.status !== shown.status) { shown = live.job; draw(); return; }
		if (!isActive(live.job)) return;
		text(element.querySelector('.status'), activeWords(live.job));
		attr(element.querySelector('progress'), 'value', live.job.progress?.percent || null);
	});
	draw();
	return { title: 'Report', element, close: off };
}

const activeWords = (job) => (job.status === 'processing' ? stage(job) : waiting(live.job?.job_id === job.job_id && live.queue));

function heading(job, report) {
	const seconds = report ? report.stats.seconds : (Date.parse(job.finished) - Date.parse(job.started)) / 1000;
	return [back(), h('div.head', h('h1', job.filename), badge(stateOf(job))),
		h('p.lead', job.finished && ['finished ', time(job.finished), seconds && `, took ${duration(seconds)}`, ', '], `job ${job.job_id}, checked as ${job.template}`)];
}

function underWay(job) {
	const file = !job.file_deleted && link('The file', `#/file/${job.file_upload_id}`, { kind: 'button' });
	if (isActive(job)) return [h('progress', { max: '100', label: `Progress of ${job.filename}` }), h('p.status', activeWords(job)), h('div.actions', doing('Cancel', () => cancel(job)), file)];
	return [outcome(job) && h('p', outcome(job)), h('div.actions', file && doing(job.status === 'cancelled' ? 'Process' : 'Try again', async () => { await retry(job); location.hash = '#/'; }, { kind: 'primary' }), file)];
}

const again = (job, label) => !job.file_deleted && doing(label, () => processStored({ id: job.file_upload_id, filename: job.filename, last_job: job }, true));

// Dates that were left out because nothing tells which of day and month comes first.
function unread({ dates = [] }, job, title) {
	const open = dates.filter((d) => d.example && !d.chosen);
	return open.length > 0 && note('warn', h('p', `${count(open.reduce((sum, d) => sum + d.ambiguous, 0), 'date')} in ${open.map((d) => `“${title(d.field)}”`).join(' and ')} can be read in two ways, such as ${open[0].example.value} in ${open[0].example.cell}. Choose which is meant.`), h('p', again(job, 'Choose and process again')));
}

function found(job, report, title, changed, redraw) {
	const problems = list('Rows to fix', 'What needs fixing', report.errors.filter((e) => !isCollision(e)), report, title);
	const collisions = list('Rows that are there already', 'Not stored again', report.errors.filter(isCollision), report, title);
	return [
		summary(job, report), job.status === 'failed' && note('bad', h('p', outcome(job)), h('p', again(job, 'Choose the columns'))), unread(report, job, title), takeAway(job, redraw),
		h('div.split', problems ? problems.rules : note('ok', 'Nothing to fix.'), completeness(report, title)), problems?.rows,
		collisions && [collisions.several && collisions.rules, collisions.rows], contents(report, title), changes(job, changed), mapping(report, title),
	];
}

function summary(job, report) {
	const told = job.counts || report.stats;
	const c = { ...told, updated: told.updated - (told.unchanged || 0) };
	const parts = [['valid', 'ok', 'stored new'], ['updated', 'info', 'updated'], ['unchanged', 'calm', 'unchanged'], ['duplicates', 'calm', 'already there, skipped'], ['invalid', 'warn', 'to fix']].filter(([key]) => c[key] > 0);
	return h('div.grid', report.repairs && h('p', 'These were the rows to fix of ', link(report.repairs.filename, `#/job/${report.repairs.job_id}`), '.'), job.undone && note('info', h('p', `Taken out of the list again by ${job.undone_by}, `, time(job.undone), '.')),
		c.rows > 0 && h('p.sum', `${count(c.rows, 'row')} in the file`, parts.length > 0 && ': ', parts.map(([key, tone, words], i) => [i > 0 && ' · ', h(`span.key.${tone}`, `${num(c[key])} ${words}`)])));
}

function takeAway(job, redraw) {
	const offered = downloads(job);
	const undo = (event) => confirmed(event.target, [`Undo the import of ${job.filename}?`, 'What it added to the list is taken out again, and what it updated is put back. The file stays.', 'Undo this import', 'Leave it'], async () => {
		const { message } = await post(`/api/jobs/${job.job_id}/undo`);
		await redraw();
		say(message);
		document.querySelector('.lead').after(note('ok', message));
	});
	return h('div.actions.noprint',
		offered.slice(0, 2).map(([label, path], i) => download(label, path, { kind: i ? 'button' : 'button primary', ico: 'down' })),
		menu('More', () => [
			offered.slice(2).map(([label, path]) => download(label, path)),
			!job.file_deleted && link('The file', `#/file/${job.file_upload_id}`), button('Print', () => print()),
		], { visible: ['More', icon('open')] }),
		job.status === 'completed' && !job.undone && button('Undo this import…', undo, { ico: 'undo' }));
}

// ---- Problems: by rule, and row by row

function list(heading_, rulesHeading, errors, report, title) {
	if (!errors.length) return null;
	const groups = [...Map.groupBy(errors, (e) => `${e.type} ${e.field}`).values()].sort((a, b) => b.length - a.length)
		.map((hits) => ({ hits, label: ruleOf(hits, hits[0].field ? title(hits[0].field) : '') }));
	let chosen = null;
	let shown = PAGE;
	const rows = h('section');
	const buttons = groups.map((group) => h('button.rule', { type: 'button', 'aria-pressed': 'false', onclick: () => choose(chosen === group ? null : group) }, h('span', group.label), h('span.num', num(group.hits.length))));
	function choose(group) {
		chosen = group;
		shown = PAGE;
		groups.forEach((one, i) => attr(buttons[i], 'aria-pressed', String(one === chosen)));
		draw();
		say(`${count((chosen?.hits || errors).length, 'problem')}${chosen ? `: ${chosen.label}` : ''}`);
	}
	function draw() {
		const hits = chosen?.hits || errors;
		const part = hits.slice(0, shown);
		fill(rows, h('div.head', h('h2', heading_), h('div.tools', chosen && button('Show all', () => choose(null), { kind: 'small' }),
			h('span.hint', `${num(part.length)} of ${count(hits.length, 'problem')}`), hits.length > shown && button('Show the others', () => { shown = hits.length; draw(); }, { kind: 'small others' }))),
		table(heading_, [right('Row'), 'Cell', 'Column', sample('In your file'), roomy('What is wrong')], part.map((e) => [num(e.row), e.cell || e.column || '–', e.field ? title(e.field) : '–', cell(e.value), e.message])),
		report.errors.length < report.errors_total && h('p.hint', `The first ${num(report.errors.length)} of ${num(report.errors_total)} problems are listed and counted here; the marked copy has all of them.`));
	}
	draw();
	return { several: groups.length > 1, rows: errors[0].row && rows, rules: h('section', h('h2', rulesHeading), h('div.rules', { role: 'group', label: rulesHeading }, buttons)) };
}

const folded = (title, columns, rows) => h('details', h('summary', title), table(title, columns, rows));

function completeness({ columns, stats, errors, errors_total: total }, title) {
	if (!stats.rows) return null;
	const meter = (c) => h('span.filled', h('meter', { value: c.filled, max: stats.rows, 'aria-hidden': 'true' }), `${Math.floor(Math.min(100, (100 * c.filled) / stats.rows))} %`);
	return h('section', h('h2', 'How full the columns are'),
		table('How full the columns are', ['Column', 'Filled', right(errors.length < total ? 'Problems listed' : 'Problems')], columns.map((c) => [title(c.name), meter(c), num(errors.filter((e) => e.field === c.name && !isCollision(e)).length)])));
}

function contents({ columns, stats }, title) {
	const range = (c) => ((c.min ?? null) === null ? '–' : `${cell(c.min)} – ${cell(c.max)}`);
	const top = (c) => (c.top || []).slice(0, 3).map((t) => `${cell(t.value)} (${num(t.count)})`).join(', ') || '–';
	return stats.rows > 0 && folded('What is in the columns', ['Column', 'Kind', right('Different'), sample('Smallest – largest'), roomy('Most frequent')],
		columns.map((c) => [title(c.name), c.type, `${c.distinct_estimated ? 'about ' : ''}${num(c.distinct)}`, range(c), top(c)]));
}

function changes(job, total) {
	if (!total) return total === 0 && h('p', 'No value was changed on the way in.');
	const place = loading();
	const show = (event) => event.target.open && !place.list && growing(place, `/api/jobs/${job.job_id}/changes`, { limit: 100 }, 'changes', (all) =>
		table('Changed values', ['Cell', sample('In your file'), sample('Stored'), 'Rule'], all.map((c) => [c.cell, cell(c.original), cell(c.stored), c.rule])));
	return h('details', { ontoggle: show }, h('summary', `${count(total, 'value')} ${total === 1 ? 'was' : 'were'} changed on the way in`), place);
}

const mapping = (report, title) => report.mapping?.length > 0 && folded('How the columns were understood', ['Column in your file', 'Field', 'How'],
	report.mapping.map((m) => [m.column, m.field ? title(m.field) : '–', howWord(m.how)]));

const history = (job) => job.events?.length > 0 && h('details.noprint', h('summary', 'What the job went through'), h('ol.events', job.events.map((e) =>
	h('li', time(e.at, clock), ` ${e.to}`, e.attempt > 1 && ` (attempt ${e.attempt})`, e.detail && `: ${e.detail}`))));

// On paper there is nothing to press: all rows are there.
addEventListener('beforeprint', () => { for (const others of document.querySelectorAll('.others')) others.click(); });
