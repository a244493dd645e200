// The list of uploads with their states and actions.

import { get, query, remove } from './api.js';
import { act, ask, badge, button, download, fill, h, link, menu, note, say, select, text } from './dom.js';
import { begun, cancel, downloads, processStored, retry } from './jobs.js';
import { live, onChange } from './live.js';
import { count, dots, explain, isActive, num, outcome, stage, stateOf, time, waiting } from './words.js';

const PAGE = 50;
const MOST = 1000; // the server gives no more at once
const STATES = [['', 'All states'], ['active', 'Waiting or working'], ['completed', 'Done'], ['fix', 'Done, with rows to fix'], ['stored', 'Stored, not processed'], ['failed', 'Failed'], ['cancelled', 'Cancelled']];

/** The newest job on a file, as the live status knows it. */
const jobOf = ({ last_job: job }) => (job && live.job?.job_id === job.job_id ? { ...job, ...live.job } : job);

function matches(file, state, words) {
	const job = jobOf(file);
	if (words && !file.filename.toLowerCase().includes(words)) return false;
	switch (state) {
		case 'active': return isActive(job);
		case 'fix': return job?.status === 'completed' && job.counts?.invalid > 0;
		case 'stored': return !job;
		case 'failed': return job?.status === 'failed' || job?.status === 'timeout';
		case '': return true;
		default: return job?.status === state;
	}
}

function atWork(job) {
	const { rows_done: done, rows_total: total } = job.progress || {};
	const silent = Math.floor((Date.now() - live.changedAt) / 1000);
	return dots(stage(job), total ? `${num(done)} of ${count(total, 'row')}` : done > 0 && count(done, 'row'), live.rate >= 1 && `${num(Math.round(live.rate))} rows/s`,
		silent > 10 && live.online ? `no news for ${silent} s; still trying` : 'you can close this page');
}

/** Rows stay where they are and change in place. */
export function uploadsView({ user }) {
	const filter = { state: '', words: '', all: '' };
	const rows = new Map(); // id → {file, element, update}
	let order = [];
	let limit = PAGE;
	let further = false;
	let turn = 0;

	const search = h('input', { type: 'search', 'aria-label': 'Search by file name', placeholder: 'Search…', oninput: () => { filter.words = search.value.trim().toLowerCase(); sift(true); } });
	const state = select(STATES, '', (value) => { filter.state = value; sift(true); }, { 'aria-label': 'State' });
	const whose = user.role === 'admin' && select([['', 'Mine'], ['1', 'Everybody’s']], '', (value) => { filter.all = value; rows.clear(); order = []; fill(body); reload(); }, { 'aria-label': 'Whose uploads' });
	const body = h('tbody');
	const head = (label, cls) => h('th', { scope: 'col', class: cls }, label);
	const list = h('table.uploads', { hidden: true }, h('caption.vh', 'Uploads, newest first'), h('thead', h('tr', head('File'), head('Rows', 'num'), head('Added'), head('State'), head(h('span.vh', 'Actions')))), body);
	const foot = h('div.grid.foot', h('p.empty', 'Loading…'));
	const element = h('section', { 'aria-labelledby': 'uploads-title' },
		h('div.head', h('h2', { id: 'uploads-title', tabindex: '-1' }, 'Your uploads'), h('div.tools', search, whose, state)), list, foot);

	async function reload() {
		turn += 1;
		const mine = turn;
		try {
			const answer = await get(`/api/files${query({ limit, all: filter.all })}`);
			if (mine !== turn) return;
			order = answer.files.map((file) => file.id);
			further = answer.next_cursor && limit < MOST;
			for (const file of answer.files) {
				const row = rows.get(file.id) || makeRow(file);
				row.file = file;
				rows.set(file.id, row);
				row.update();
			}
			for (const id of [...rows.keys()]) if (!order.includes(id)) rows.delete(id);
			sift();
		} catch (problem) {
			if (mine === turn) fill(foot, note('bad', h('p', explain(problem)), h('p', button('Try again', reload, { kind: 'small' }))));
		}
	}

	function sift(spoken = false) {
		const seen = order.map((id) => rows.get(id)).filter((row) => matches(row.file, filter.state, filter.words));
		const wanted = seen.map((row) => row.element);
		// Only what differs is moved, so that focus and open menus stay.
		for (const child of [...body.children]) if (!wanted.includes(child)) child.remove();
		wanted.forEach((child, i) => { if (body.children[i] !== child) body.insertBefore(child, body.children[i] || null); });
		list.hidden = !seen.length;
		const empty = !order.length ? (filter.all ? 'Nobody has uploaded anything yet.' : 'No uploads yet. Drop a file above, or choose one.')
			: !seen.length && (further ? `None of the newest ${num(order.length)} uploads.` : 'No upload is like that.');
		fill(foot, empty && h('p.empty', empty), further && button('Show older', () => { limit = Math.min(MOST, 2 * limit); reload(); }));
		if (spoken) say(count(seen.length, 'upload'));
		const row = rows.get(begun.id);
		if (!row) return;
		begun.id = null;
		if (row.element.isConnected) row.element.querySelector('a').focus();
	}

	function makeRow(file) {
		const rowsCell = h('td.num');
		const stateCell = h('td.state');
		const actions = h('td.acts');
		const whoseFile = h('span.hint');
		const row = {
			file,
			element: h('tr', h('td.file', link(file.filename, `#/file/${file.id}`), whoseFile), rowsCell, h('td.when', time(file.uploaded_at)), stateCell, actions),
		};
		let drawn = '';
		let said = '';
		const words = h('span.words');
		const bar = h('progress', { max: '100', 'aria-label': `Progress of ${file.filename}` });
		/** Says each change once; of the percents only every quarter. */
		const announce = (what, urgent) => { if (said !== what && (said || isActive(row.file.last_job))) say(`${row.file.filename}: ${what}`, urgent); said = what; };
		row.update = () => {
			const job = jobOf(row.file);
			const here = job && live.job?.job_id === job.job_id;
			const working = job?.status === 'processing';
			const shown = stateOf(job);
			row.element.classList.toggle('active', Boolean(here && isActive(job)));
			text(rowsCell, typeof row.file.rows === 'number' ? num(row.file.rows) : '');
			text(whoseFile, filter.all ? ` ${row.file.uploaded_by}` : '');
			const key = JSON.stringify([job?.job_id, job?.status, shown, job?.counts]);
			if (key !== drawn) {
				drawn = key;
				fill(stateCell, badge(shown), words, working && bar);
				fill(actions, rowActions(row.file, job));
			}
			if (working && job.progress?.percent) bar.value = job.progress.percent; else bar.removeAttribute('value');
			if (!job) text(words, 'not processed');
			else if (!isActive(job)) {
				text(words, outcome(job));
				if (here) announce(dots(shown.word, outcome(job)), shown.tone === 'bad');
			} else if (!here) text(words, working ? stage(job) : '');
			else if (working) {
				text(words, atWork(job));
				const quarter = Math.floor((job.progress?.percent || 0) / 25) * 25;
				announce(quarter ? `${shown.word}, ${quarter} percent` : shown.word);
			} else {
				const where = waiting(live.queue);
				text(words, dots(where, job.started && 'the server was restarted, so it starts from the beginning'));
				announce(dots('Waiting', where.split(' · about')[0]));
			}
		};
		return row;
	}

	function rowActions(file, job) {
		const mine = file.uploaded_by === user.username;
		const doing = (work, done) => (event) => act(event.target.closest('td')?.querySelector('.menu button') || event.target, async () => { await work(); await reload(); }, done);
		const small = (label, work) => button(label, doing(work), { kind: 'small', 'aria-label': `${label}: ${file.filename}` });
		const first = isActive(job) ? small('Cancel', () => cancel(job))
			: job?.status === 'completed' || job?.error?.code === 'missing-columns' ? link('Report', `#/job/${job.job_id}`, { kind: 'button small', 'aria-label': `Report: ${file.filename}` })
				: mine && (job ? small('Try again', () => retry(job)) : small('Process', () => processStored(file.id)));
		return [first, menu(`More for ${file.filename}`, () => [
			link('View rows', `#/file/${file.id}`),
			job && downloads(job).slice(0, 2).map(([label, path]) => download(label, path)),
			download('The file as uploaded', `/api/files/${file.id}/original`),
			mine && job && !isActive(job) && button('Process again', doing(() => processStored(file.id))),
			!isActive(job) && button('Delete…', async (event) => {
				const go = doing(() => remove(`/api/files/${file.id}`), `${file.filename} is deleted`);
				if (!await askDelete(file)) return;
				await go(event);
				if (!actionsOf(file)) document.getElementById('uploads-title')?.focus();
			}, { kind: 'risky' }),
		], { kind: 'small' })];
	}
	const actionsOf = (file) => rows.get(file.id)?.element.isConnected;

	let before = null;
	const refresh = () => { for (const row of rows.values()) if (row.file.last_job?.job_id === live.job?.job_id) row.update(); };
	const off = onChange(() => {
		const now = `${live.job?.job_id} ${live.job?.status}`;
		refresh();
		if (before !== null && now !== before) reload();
		before = now;
	});
	const timer = setInterval(refresh, 1000); // "no news for 14 s" counts by itself
	reload();
	return { element, reload, close: () => { off(); clearInterval(timer); } };
}

export const askDelete = (file) => ask(`Delete ${file.filename}?`, 'The file and its stored rows are removed for good. Records made from it stay in the list.', `Delete ${file.filename}`, { no: 'Keep it' });
