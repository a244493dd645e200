// The report on a job.

import { get, post, titlesOf } from './api.js';
import { act, badge, button, confirmed, download, fill, growing, h, icon, link, load, loading, menu, note, right, roomy, sample, say, table, text } from './dom.js';
import { back } from './file.js';
import { cancel, downloads, hasReport, retry } from './jobs.js';
import { live, onChange } from './live.js';
import { cell, clock, count, duration, howWord, isActive, isCollision, num, outcome, ruleWord, stage, stateOf, time, waiting } from './words.js';

const PAGE = 20;

export function reportView(_, id) {
	const element = loading('Report');
	const path = `/api/jobs/${id}`;
	let shown = null; // the job as it stands on the page
	const draw = () => load(element, async () => {
		const { job } = await get(path);
		document.title = `${job.filename} – Sheetline`;
		const report = hasReport(job) && await get(`${path}/report`);
		fill(element, heading(job, report), report ? found(job, report, titlesOf(job.template), draw) : underWay(job), history(job));
		shown = job;
	}, 'Report');
	const off = onChange(() => {
		if (!shown || live.job?.job_id !== shown.job_id) return;
		if (live.job.status !== shown.status) { shown = live.job; draw(); return; }
		if (!isActive(live.job)) return;
		text(element.querySelector('.status'), activeWords(live.job));
		if (live.job.progress?.percent) element.querySelector('progress').value = live.job.progress.percent;
	});
	draw();
	return { title: 'Report', element, close: off };
}

const activeWords = (job) => (job.status === 'processing' ? stage(job) : waiting(live.job?.job_id === job.job_id && live.queue));

function heading(job, report) {
	const seconds = report ? report.stats.seconds : job.finished && job.started && (Date.parse(job.finished) - Date.parse(job.started)) / 1000;
	const parts = [job.finished && ['finished ', time(job.finished)], seconds && `took ${duration(seconds)}`, `job ${job.job_id}`, job.template && `checked as ${job.template}`].filter(Boolean);
	return [back(), h('div.head', h('h1.name', job.filename), badge(stateOf(job))), h('p.lead', parts.map((part, i) => [i > 0 && ', ', part]))];
}

/** A job without a report: at work, or ended without a result. */
function underWay(job) {
	const file = !job.file_deleted && link('The file', `#/file/${job.file_upload_id}`, { kind: 'button' });
	const go = (label, work, kind) => button(label, (event) => act(event.target, work), { kind });
	if (isActive(job)) return [h('progress', { max: '100', label: `Progress of ${job.filename}` }), h('p.status', activeWords(job)), h('div.actions', go('Cancel', () => cancel(job)), file)];
	return [outcome(job) && h('p', outcome(job)), h('div.actions', file && go(job.status === 'cancelled' ? 'Process it after all' : 'Try again', async () => { await retry(job); location.hash = '#/'; }, 'primary'), file)];
}

function found(job, report, title, redraw) {
	const problems = list('Rows to fix', 'What needs fixing', report.errors.filter((e) => !isCollision(e)), report, title);
	const collisions = list('Rows that are there already', 'Not stored again', report.errors.filter(isCollision), report, title);
	return [
		summary(job, report), job.status === 'failed' && note('bad', `${outcome(job)} Add the file again and choose the columns there.`), takeAway(job, redraw),
		h('div.split', problems ? problems.rules : note('ok', 'Nothing to fix.'), completeness(report, title)), problems?.rows,
		collisions && [collisions.several && collisions.rules, collisions.rows], contents(report, title), changes(job), mapping(report, title),
	];
}

function summary(job, report) {
	const told = job.counts || report.stats;
	const c = { ...told, updated: told.updated - (told.unchanged || 0) };
	const parts = [['valid', 'ok', 'stored new'], ['updated', 'info', 'updated'], ['unchanged', 'calm', 'unchanged'], ['duplicates', 'calm', 'already there, skipped'], ['invalid', 'warn', 'to fix']].filter(([key]) => c[key] > 0);
	const bar = h('div.parts', { 'aria-hidden': 'true' }, parts.map(([key, tone]) => {
		const part = h(`span.${tone}`);
		part.style.flexGrow = c[key];
		return part;
	}));
	return h('div.grid', report.repairs && h('p', 'These were the rows to fix of ', link(report.repairs.filename, `#/job/${report.repairs.job_id}`), '.'), job.undone && note('info', h('p', `Taken out of the list again by ${job.undone_by}, `, time(job.undone), '.')),
		c.rows > 0 && h('p.sum', `${count(c.rows, 'row')} in the file`, parts.length > 0 && ': ', parts.map(([key, tone, words], i) => [i > 0 && ' · ', h(`span.key.${tone}`, `${num(c[key])} ${words}`)])), parts.length > 0 && bar);
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

function groupsOf(errors, title) {
	const groups = new Map();
	for (const error of errors) {
		const key = `${error.type} ${error.field}`;
		if (!groups.has(key)) groups.set(key, { hits: [], label: `${error.field ? `${title(error.field)}: ` : ''}${ruleWord(error.type)}` });
		const group = groups.get(key);
		group.hits.push(error);
	}
	for (const group of groups.values()) if (new Set(group.hits.map((error) => error.message)).size === 1) group.label = group.hits[0].message.replace(/\.$/, '');
	return [...groups.values()].sort((a, b) => b.hits.length - a.hits.length);
}

function list(heading_, rulesHeading, errors, report, title) {
	if (!errors.length) return null;
	const groups = groupsOf(errors, title);
	let chosen = null;
	let shown = PAGE;
	const rows = h('section');
	const buttons = groups.map((group) => h('button.rule', { type: 'button', 'aria-pressed': 'false', onclick: () => choose(chosen === group ? null : group) }, h('span', group.label), h('span.num', num(group.hits.length))));
	function choose(group) {
		chosen = group;
		shown = PAGE;
		groups.forEach((one, i) => buttons[i].setAttribute('aria-pressed', String(one === chosen)));
		draw();
		say(`${count((chosen?.hits || errors).length, 'problem')}${chosen ? `: ${chosen.label}` : ''}`);
	}
	function draw() {
		const hits = chosen?.hits || errors;
		const part = hits.slice(0, shown);
		fill(rows, h('div.head', h('h2', heading_), h('div.tools', chosen && button('Show all', () => choose(null), { kind: 'small' }),
			h('span.hint', `${num(part.length)} of ${count(hits.length, 'problem')}`), hits.length > shown && button('Show the others', () => { shown = hits.length; draw(); }, { kind: 'small' }))),
		table(heading_, [right('Row'), 'Cell', 'Column', sample('In your file'), roomy('What is wrong')], part.map((e) => [num(e.row), e.cell || e.column || '–', e.field ? title(e.field) : '–', cell(e.value), e.message])),
		report.errors.length < report.errors_total && h('p.hint', `The first ${num(report.errors.length)} of ${num(report.errors_total)} problems are listed and counted here; the marked copy has all of them.`));
	}
	draw();
	return { several: groups.length > 1, rows: errors[0].row && rows, rules: h('section', h('h2', rulesHeading), h('div.rules', { role: 'group', label: rulesHeading }, buttons)) };
}

function completeness({ columns, stats, errors, errors_total: total }, title) {
	if (!stats.rows) return null;
	const share = (c) => Math.min(1, c.filled / stats.rows);
	const meter = (c) => {
		const inner = h('span');
		inner.style.width = `${100 * share(c)}%`;
		return h('span.filled', h('span.meter', { 'aria-hidden': 'true' }, inner), `${Math.floor(100 * share(c))} %`);
	};
	return h('section', h('h2', 'How full the columns are'),
		table('How full the columns are', ['Column', 'Filled', right(errors.length < total ? 'Problems listed' : 'Problems')], columns.map((c) => [title(c.name), meter(c), num(errors.filter((e) => e.field === c.name).length)])));
}

function contents({ columns, stats }, title) {
	const known = (n, estimated) => (estimated ? `about ${num(n)}` : num(n));
	const range = (c) => (c.min === null || c.min === undefined ? '–' : `${cell(c.min)} – ${cell(c.max)}`);
	const top = (c) => (c.top || []).slice(0, 3).map((t) => `${cell(t.value)} (${num(t.count)})`).join(', ') || '–';
	return stats.rows > 0 && h('details', h('summary', 'What is in the columns'), table('What is in the columns', ['Column', 'Kind', right('Different'), sample('Smallest – largest'), roomy('Most frequent')],
		columns.map((c) => [title(c.name), c.type, known(c.distinct, c.distinct_estimated), range(c), top(c)])));
}

function changes(job) {
	if (job.status !== 'completed') return null;
	const place = loading();
	const show = (event) => event.target.open && !place.list && growing(place, `/api/jobs/${job.job_id}/changes`, { limit: 100 }, 'changes', (all) =>
		table('Changed values', ['Cell', sample('In your file'), sample('Stored'), 'Rule'], all.map((c) => [c.cell, cell(c.original), cell(c.stored), c.rule]), { none: 'No value was changed.' }));
	return h('details', { ontoggle: show }, h('summary', 'Values that were changed on the way in'), place);
}

const mapping = (report, title) => report.mapping?.length > 0 && h('details', h('summary', 'How the columns were understood'), table('Columns', ['Column in your file', 'Field', 'How'],
	report.mapping.map((m) => [m.column, m.field ? title(m.field) : '–', howWord(m.how)])));

const history = (job) => job.events?.length > 0 && h('details.noprint', h('summary', 'What the job went through'), h('ol.events', job.events.map((e) =>
	h('li', time(e.at, clock), ` ${e.to}`, e.attempt > 1 && ` (attempt ${e.attempt})`, e.detail && `: ${e.detail}`))));
