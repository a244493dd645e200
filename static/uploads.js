// The list of uploads with their states and actions.

import { chooseAnother, processStored } from './add.js';
import { get, keepSought, query, sought } from './api.js';
import { act, acts, attr, badge, button, download, every, failure, fill, focus, h, link, menu, on, progressBar, panel, say, searchBox, select, small, table, text } from './dom.js';
import { begun, cancel, deleteFile, downloads, hasReport, isLive, jobOf, live, retry, teller, wordsOf } from './jobs.js';
import { count, isActive, isUnreadable, num, stateOf, time } from './words.js';

const PAGE = 50;
const MOST = 1000; // at once
const STATES = [['', 'All states'], ['pending,processing', 'Waiting or working'], ['completed', 'Done'], ['to-fix', 'Done, rows to fix'], ['not-processed', 'Not processed'], ['failed,timeout', 'Failed'], ['cancelled', 'Cancelled']];

let wanted = PAGE;

// Rows stay where they are and change in place.
export function uploadsView({ user, signal }) {
	const filter = sought({ q: '', status: '', all: '' });
	const rows = new Map(); // id → {file, element, update}
	let turn = 0;

	const sift = (change) => { Object.assign(filter, change); state.value = filter.status; keepSought(filter); wanted = PAGE; rows.clear(); reload(true); };
	const unsift = () => { search.value = ''; sift({ q: '', status: '' }); };
	const search = searchBox('Search by file name', filter.q, (q) => sift({ q }));
	const state = select(STATES, filter.status, (status) => sift({ status }), { label: 'State' });
	const whose = user.role === 'admin' && select([['', 'Mine'], ['1', 'Everybody’s']], filter.all, (all) => sift({ all }), { label: 'Whose uploads' });
	const list = table('Uploads, newest first', ['File', { label: 'Rows', cls: 'num' }, 'Added', 'State', acts], [], { cls: 'uploads cards' });
	const body = list.querySelector('tbody');
	list.hidden = true;
	const foot = h('div.grid.foot', h('p.empty', 'Loading…'));
	const title = h('h2', { id: 'uploads-title' });
	const element = h('section', { 'aria-labelledby': title.id }, h('div.head', title, h('div.tools', search, whose, state)), list, foot);

	const welcome = () => panel('Your office can start', h('ol.row', [
		['Add a colleague', 'Under Users.'],
		['Try a file', download('Take the sample', '/api/templates/companies/sample.xlsx'), ' and drop it above.'],
		['Set up a backup', 'Every night on the server: ', h('code', 'sheetline backup DEST')],
	].map(([title, ...words]) => h('li', h('strong', title), h('p', words)))));

	async function reload(spoken) {
		text(title, filter.all ? 'Everybody’s uploads' : 'Your uploads');
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
		const before = new Map(rows);
		rows.clear();
		const shown = files.map((file) => {
			const row = before.get(file.id) || makeRow(file);
			row.file = file;
			rows.set(file.id, row);
			row.update();
			return row.element;
		});
		// Only what differs is moved: focus and menus stay.
		for (const child of [...body.children]) if (!shown.includes(child)) child.remove();
		shown.forEach((child, i) => { if (body.children[i] !== child) body.insertBefore(child, body.children[i] || null); });
		list.hidden = !files.length;
		const sifted = filter.q || filter.status;
		fill(foot, !files.length && (sifted ? [h('p.empty', 'No upload fits this search.'), button('Show all uploads', unsift)] : user.role === 'admin' ? welcome() : h('p.empty', 'No uploads yet. Drop a file above, or choose one.')),
			further && button('Show older', async () => { wanted = files.length + PAGE; await reload(true); body.rows[files.length]?.querySelector('a').focus(); }));
		if (spoken === true) say(count(files.length, 'upload') + (further ? ' and more' : ''));
		land();
	}

	// To what was begun or left. A filter that hides what was begun goes.
	function land() {
		const { id, left } = begun;
		const row = document.getElementById(id);
		begun.id = null;
		if (row) row.querySelector('a').focus();
		else if (id && !left && filter.status) { begun.id = id; sift({ status: '' }); }
	}

	function makeRow(file) {
		const [rowsCell, stateCell, actions, words] = ['td.num', 'td.state', 'td.acts', 'span.words'].map((tag) => h(tag));
		const bar = progressBar(`Progress of ${file.filename}`);
		const element = h('tr', { id: file.id }, h('td.file', link(file.filename, `#/file/${file.id}`), filter.all && h('span.hint', ` ${file.uploaded_by}`)), rowsCell, h('td.when', time(file.uploaded_at)), stateCell, actions);
		let drawn = '';
		const tell = teller();
		const row = { file, element };
		row.update = () => {
			const job = jobOf(row.file.last_job);
			const working = job?.status === 'processing';
			const shown = stateOf(job);
			const key = JSON.stringify([shown, job?.job_id, row.file.rows]);
			if (key !== drawn) { // else an open menu stays
				fill(rowsCell, typeof row.file.rows === 'number' && num(row.file.rows));
				attr(rowsCell, 'data-unit', row.file.rows === 1 ? ' row' : ' rows');
				fill(stateCell, badge(shown), words, working && bar);
				fill(actions, rowActions(row.file, job));
			}
			drawn = key;
			const active = Boolean(isLive(job) && isActive(job));
			element.classList.toggle('active', active);
			if (active) for (const one of [element, ...body.rows]) one.classList.toggle('tall', one === element); // until the next
			attr(bar, 'value', job?.progress?.percent || null);
			text(words, job ? wordsOf(job) : 'not processed');
			if (isLive(job)) tell(job);
		};
		return row;
	}

	function rowActions(file, job) {
		const mine = file.uploaded_by === user.username;
		const near = (event) => event.target.closest('td')?.querySelector('.menu button') || event.target;
		const doing = (work) => (event) => act(near(event), async () => { await work(); await reload(); });
		const does = (label, work) => small(label, file.filename, doing(work));
		const to = (label, { job_id: id }) => link(label, `#/job/${id}`, { kind: 'button small', label: `${label} ${file.filename}` });
		const first = isActive(job) ? !job.cancel_requested && does('Cancel', () => cancel(job))
			: hasReport(job) || isUnreadable(job) ? to(job.status === 'completed' ? 'Report' : 'Why?', job)
				: mine && (job && job.status !== 'cancelled' ? does('Try again', () => retry(job)) : does('Process', () => processStored(file)));
		return [first, menu(`More for ${file.filename}`, () => [
			job?.status === 'failed' && mine && button('Choose another', chooseAnother),
			link('View rows', `#/file/${file.id}`),
			job && downloads(jobOf(rows.get(file.id).file.last_job)).slice(0, 2).map(([label, path]) => download(label, path)),
			download('The file as uploaded', `/api/files/${file.id}/original`),
			mine && job && !isActive(job) && button('Process again…', doing(() => processStored(file, true))),
			!isActive(job) && button('Delete…', (event) => deleteFile(near(event), file, async () => { await reload(); focus(title); }), { kind: 'danger' }),
		], { kind: 'small' })];
	}

	const refresh = () => { for (const row of rows.values()) if (row.file.last_job?.job_id === live.job?.job_id) row.update(); };
	on('job', refresh, { signal });
	on('news', reload, { signal });
	every(1, refresh, signal); // "no news for 14 s" counts by itself
	reload();
	// A fresh file is to be seen, whatever was filtered.
	const added = (fresh) => {
		if (signal.aborted) return;
		if (fresh && !rows.has(fresh.id)) { // the news may have been first
			unsift();
			const row = makeRow({ ...fresh, uploaded_by: user.username, uploaded_at: new Date().toISOString() });
			rows.set(fresh.id, row);
			row.update();
			body.prepend(row.element);
			list.hidden = false;
			fill(foot);
			land();
		}
		reload();
	};
	signal.onabort = () => { Object.assign(begun, { id: document.activeElement.closest('tr')?.id, left: true }); };
	return { element, added };
}
