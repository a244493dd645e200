// The list of uploads with their states and actions.

import { get, query } from './api.js';
import { act, badge, button, download, failure, fill, focus, h, link, menu, say, searchBox, select, small, text } from './dom.js';
import { begun, cancel, deleteFile, downloads, hasReport, processStored, retry } from './jobs.js';
import { live, onChange } from './live.js';
import { count, dots, isActive, num, outcome, stage, stateOf, time, waiting } from './words.js';

const PAGE = 50;
const MOST = 1000; // the server gives no more at once
const STATES = [['', 'All states'], ['pending,processing', 'Waiting or working'], ['completed', 'Done'], ['to-fix', 'Done, rows to fix'], ['not-processed', 'Not processed'], ['failed,timeout', 'Failed'], ['cancelled', 'Cancelled']];

/** The newest job on a file, as the live status knows it. */
const jobOf = ({ last_job: job }) => (job && live.job?.job_id === job.job_id ? { ...job, ...live.job } : job);

function atWork(job) {
	const { rows_done: done, rows_total: total } = job.progress || {};
	const silent = Math.floor((Date.now() - live.changedAt) / 1000);
	return dots(stage(job), total ? `${num(done)} of ${count(total, 'row')}` : done > 0 && count(done, 'row'), live.rate >= 1 && `${num(Math.round(live.rate))} rows/s`,
		silent > 10 && live.online ? `no news for ${silent} s; still trying` : 'you can close this page');
}

/** Rows stay where they are and change in place. */
export function uploadsView({ user }) {
	const filter = { q: '', status: '', all: '' };
	const rows = new Map(); // id → {file, element, update}
	let wanted = PAGE;
	let turn = 0;

	const sift = (change) => { Object.assign(filter, change); wanted = PAGE; reload(true); };
	const search = searchBox('Search by file name', (q) => sift({ q }));
	const state = select(STATES, '', (status) => sift({ status }), { label: 'State' });
	const whose = user.role === 'admin' && select([['', 'Mine'], ['1', 'Everybody’s']], '', (all) => sift({ all }), { label: 'Whose uploads' });
	const body = h('tbody');
	const head = (label, cls) => h('th', { scope: 'col', class: cls }, label);
	const list = h('table.uploads', { hidden: true }, h('caption.vh', 'Uploads, newest first'), h('thead', h('tr', head('File'), head('Rows', 'num'), head('Added'), head('State'), head(h('span.vh', 'Actions')))), body);
	const foot = h('div.grid.foot', h('p.empty', 'Loading…'));
	const title = h('h2', { id: 'uploads-title' }, 'Your uploads');
	const element = h('section', { 'aria-labelledby': title.id }, h('div.head', title, h('div.tools', search, whose, state)), list, foot);

	async function reload(spoken) {
		turn += 1;
		const mine = turn;
		const files = [];
		let cursor = '';
		try {
			do {
				const answer = await get(`/api/files${query({ ...filter, limit: Math.min(MOST, wanted - files.length), cursor })}`);
				files.push(...answer.files);
				cursor = answer.next_cursor;
			} while (cursor && files.length < wanted);
		} catch (problem) {
			if (mine === turn) fill(foot, failure(problem, reload));
			return;
		}
		if (mine === turn) show(files, cursor, spoken);
	}

	function show(files, further, spoken) {
		for (const id of [...rows.keys()]) if (!files.some((file) => file.id === id)) rows.delete(id);
		const shown = files.map((file) => {
			const row = rows.get(file.id) || makeRow(file);
			row.file = file;
			rows.set(file.id, row);
			row.update();
			return row.element;
		});
		// Only what differs is moved, so that focus and open menus stay.
		for (const child of [...body.children]) if (!shown.includes(child)) child.remove();
		shown.forEach((child, i) => { if (body.children[i] !== child) body.insertBefore(child, body.children[i] || null); });
		list.hidden = !files.length;
		fill(foot, !files.length && h('p.empty', filter.q || filter.status ? 'No upload is like that.' : filter.all ? 'Nobody has uploaded anything yet.' : 'No uploads yet. Drop a file above, or choose one.'),
			further && button('Show older', () => { wanted = files.length + PAGE; reload(); }));
		if (spoken === true) say(count(files.length, 'upload') + (further ? ' and more' : ''));
		const row = rows.get(begun.id);
		if (!row) return;
		begun.id = null;
		row.element.querySelector('a').focus();
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
		let drawn = {};
		let said = '';
		const words = h('span.words');
		const bar = h('progress', { max: '100', label: `Progress of ${file.filename}` });
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
			const looks = JSON.stringify(shown);
			const can = `${job?.job_id} ${job?.status}`;
			if (looks !== drawn.looks) fill(stateCell, badge(shown), words, working && bar);
			if (can !== drawn.can) fill(actions, rowActions(row.file, job)); // else an open menu stays
			drawn = { looks, can };
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
		const near = (event) => event.target.closest('td')?.querySelector('.menu button') || event.target;
		const doing = (work) => (event) => act(near(event), async () => { await work(); await reload(); });
		const does = (label, work) => small(label, file.filename, doing(work));
		const first = isActive(job) ? does('Cancel', () => cancel(job))
			: hasReport(job) ? link('Report', `#/job/${job.job_id}`, { kind: 'button small', label: `Report ${file.filename}` })
				: mine && (job ? does('Try again', () => retry(job)) : does('Process', () => processStored(file)));
		return [first, menu(`More for ${file.filename}`, () => [
			link('View rows', `#/file/${file.id}`),
			job && downloads(jobOf(rows.get(file.id).file)).slice(0, 2).map(([label, path]) => download(label, path)),
			download('The file as uploaded', `/api/files/${file.id}/original`),
			mine && job && !isActive(job) && button('Process again', doing(() => processStored(file))),
			!isActive(job) && button('Delete…', (event) => deleteFile(near(event), file, async () => { await reload(); focus(title); }), { kind: 'risky' }),
		], { kind: 'small' })];
	}

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
	/** A file has been added: whatever was filtered, it is to be seen. */
	const added = () => { search.value = ''; state.value = ''; Object.assign(filter, { q: '', status: '' }); reload(); };
	return { element, added, close: () => { off(); clearInterval(timer); } };
}
