// For administrators: the users, the queue with everybody's active jobs, the server's health, figures and templates, who did what.

import { get, known, learn, patch, post, put, query, remove } from './api.js';
import { nameInput } from './account.js';
import { act, acts, ask, askForm, badge, button, download, field, fill, h, input, link, load, loaded, loading, note, panel, right, roomy, sample, say, select, small, svg, table, view, wrong } from './dom.js';
import { cancel } from './jobs.js';
import { onChange } from './live.js';
import { about, count, duration, held, num, stage, stateOf, time } from './words.js';

// ---- Users

const ROLES = [['member', 'Member'], ['admin', 'Administrator']];

export function usersView({ user }) {
	const place = loading();
	const draw = () => load(place, async () => {
		const { users } = await get('/api/users?limit=1000');
		fill(place, table('Users', ['Name', 'Role', sample('E-mail'), 'Added', 'State', acts], users.map((u) => [
			h('strong', u.username), ROLES.find(([role]) => role === u.role)?.[1], u.email || '–', time(u.created_at),
			badge(u.disabled ? { tone: 'calm', ico: 'ban', word: 'Disabled' } : { tone: 'ok', ico: 'done', word: 'Active' }),
			[small('Change', u.username, () => changeUser(u, user, draw)), u.id !== user.id && small('Delete…', u.username, (event) => deleteUser(event.target, u, user, users, draw))],
		])));
	});
	draw();
	return view('Users', button('Add a user', () => addUser(draw), { kind: 'primary' }), place);
}

const passwordFor = (required) => input('text', { autocapitalize: 'none', spellcheck: 'false', required });
const OWN = 'they choose their own when they next sign in';

async function changeUser(u, me, draw) {
	const self = u.id === me.id;
	const role = select(ROLES, u.role);
	const email = input('email', { value: u.email || '' });
	const password = passwordFor(false);
	const state = select([['', 'May sign in'], ['disabled', 'Disabled: signed out at once, files stay']], u.disabled ? 'disabled' : '');
	const done = await askForm(`Change ${u.username}`, {
		fields: [field('Role', role), field('E-mail', email), field('New password', password, `Empty: it stays. Else ${self ? 'your other sessions end' : `${u.username} is signed out everywhere, and ${OWN}`}.`), !self && field('State', state)], yes: 'Save',
		submit: () => patch(`/api/users/${u.id}`, {
			...(role.value !== u.role && { role: role.value }), ...(!self && Boolean(state.value) !== u.disabled && { disabled: Boolean(state.value) }),
			...(password.value && { password: password.value, must_change: !self }), email: email.value.trim(),
		}),
	});
	if (done) { say(`${u.username} is changed`); await draw(); }
}

async function addUser(draw) {
	const name = nameInput();
	const email = input('email');
	const password = passwordFor(true);
	const role = select(ROLES, 'member');
	const made = await askForm('Add a user', {
		fields: [field('Name', name), field('E-mail (optional)', email), field('First password', password, `At least 10 characters. Tell it to them; ${OWN}.`), field('Role', role)], yes: 'Add the user',
		submit: () => post('/api/users', { username: name.value.trim(), password: password.value, email: email.value.trim() || null, role: role.value, must_change: true }),
	});
	if (made) { say(`${made.user.username} is added`); await draw(); }
}

async function deleteUser(near, u, me, users, draw) {
	const path = `/api/users/${u.id}`;
	if (!await ask(`Delete ${u.username}?`, 'Their sessions and tokens end. This cannot be undone.', `Delete ${u.username}`, { no: 'Keep' })) return;
	await act(near, async () => {
		try { await remove(path); } catch (problem) {
			if (problem.code !== 'has-uploads') throw problem;
			const heir = select(users.filter((one) => one.id !== u.id).map((one) => [String(one.id), one.username]), String(me.id));
			const done = await askForm(`${u.username} has uploads`, { fields: field('Hand them over to', heir), yes: `Hand over and delete ${u.username}`, submit: () => remove(`${path}${query({ transfer_to: heir.value })}`) });
			if (!done) return;
		}
		say(`${u.username} is deleted`);
		await draw();
	});
}

// ---- Queue

function every(seconds, work) {
	let timer = 0;
	let open = true;
	const turn = async () => {
		clearTimeout(timer);
		await work();
		if (open) timer = setTimeout(turn, 1000 * seconds);
	};
	turn();
	return { again: turn, close: () => { open = false; clearTimeout(timer); } };
}

export function queueView() {
	const place = loading();
	let drawn = '';
	const draw = () => load(place, async () => {
		const answer = await get('/api/admin/queue');
		const key = JSON.stringify(answer);
		// An unchanged list is not touched, so that a button about to be pressed stays where it is.
		if (key === drawn || place.querySelector('[aria-disabled]')) return;
		drawn = key;
		fill(place, pauseNote(answer.paused, turn), queueTable(answer.jobs, turn));
	});
	const turning = every(3, draw);
	const turn = turning.again;
	const off = onChange(turn);
	return { ...view('Queue', null, h('p.lead', 'Everybody’s files in work, in the order in which they came.'), place), close: () => { turning.close(); off(); } };
}

function queueTable(jobs, turn) {
	const stop = async (near, job) => {
		if (await ask(`Cancel ${job.filename}?`, 'Nothing of it is stored. Its owner can process it again.', `Cancel ${job.filename}`, { no: 'Let it go on' })) await act(near, () => cancel(job), 'Cancelled');
		turn();
	};
	return table('Queue', [right('Place'), 'File', 'User', roomy('State'), 'Added', acts], jobs.map((job) => [
		job.queue_position || 'now', job.filename, job.username, [badge(stateOf(job)), ' ', job.status === 'processing' ? stage(job) : about(job.estimated_wait_seconds)], time(job.queued),
		small('Cancel', job.filename, (event) => stop(event.target, job)),
	]), { none: 'Nothing is waiting.' });
}

function pauseNote(paused, turn) {
	const pause = async () => {
		const reason = input('text', { required: true, maxlength: '200' });
		const done = await askForm('Pause the queue', {
			body: 'The job in work goes on; no other begins until you resume. Files can still be added.', yes: 'Pause the queue',
			fields: field('Why', reason, 'Everybody who waits sees it.'), submit: () => post('/api/admin/queue/pause', { reason: reason.value.trim() }),
		});
		if (done) { say('The queue is paused'); turn(); }
	};
	if (!paused) return h('div.actions', button('Pause the queue…', pause, { kind: 'small' }));
	const resume = (event) => act(event.target, async () => { await post('/api/admin/queue/resume'); }, 'The queue goes on').then(turn);
	return note('warn', h('p', `The queue is ${held(paused)} `, h('span.hint', 'Since ', time(paused.since), '.')), h('div.actions', button('Resume', resume, { kind: 'small' })));
}

// ---- Server

const HEALTH = { ok: 'All is well', 'disk-full': 'The disk is full', 'database-not-writable': 'The database can’t be written', 'database-not-readable': 'The database can’t be read', 'worker-gone': 'The worker is gone' };

export function serverView() {
	const health = loading();
	const figures = h('div');
	const turning = every(10, async () => {
		await load(health, async () => {
			let found;
			try { found = await get('/api/health'); } catch (problem) { found = problem.body; if (!found?.status || !found.queue) throw problem; }
			drawHealth(health, found);
		});
		await load(figures, async () => drawFigures(figures, await get('/api/admin/figures')));
	});
	return { ...view('Server', null, health, figures, loaded(templateSection), h('p.hint', 'Counters for a monitor are at ', link('/metrics', '/metrics'), '.')), close: turning.close };
}

function drawHealth(place, { status, version, uptime_seconds: uptime, scheduler_running: scheduler, queue }) {
	const facts = [
		['State', badge(status === 'ok' ? { tone: 'ok', ico: 'done', word: HEALTH.ok } : { tone: 'bad', ico: 'cross', word: HEALTH[status] || status })], ['Version', version], ['Running for', duration(uptime)],
		['Scheduler', scheduler ? 'running' : 'not running'], ['Jobs', `${num(queue.processing)} in work, ${num(queue.pending)} waiting${queue.paused ? '; paused' : ''}`],
	];
	fill(place, panel('Health', h('dl.facts', facts.map(([name, value]) => h('div', h('dt', name), h('dd', value))))));
}

/** Jobs that ended in each hour as columns, how long they had waited as a line. */
function drawFigures(place, { hours, day }) {
	const [width, height, left, bottom] = [720, 180, 36, 20];
	const most = Math.max(4, ...hours.map((hour) => hour.completed + hour.other));
	const longest = Math.max(1, ...hours.map((hour) => hour.wait_seconds || 0));
	const step = (width - 2 * left) / hours.length;
	const x = (i) => left + i * step;
	const y = (share) => 10 + (height - bottom - 10) * (1 - share);
	const bar = (i, from, n, kind) => n > 0 && svg('rect', { class: kind, x: x(i) + 2, width: step - 4, y: y((from + n) / most), height: y(from / most) - y((from + n) / most) });
	const words = (at, up, value, anchor = 'middle') => svg('text', { x: at, y: up, 'text-anchor': anchor }, value);
	const label = `${count(day.completed, 'job')} done and ${num(day.other)} failed or cancelled in the last 24 hours; the longest wait was ${duration(longest)}`;
	const line = hours.map((hour, i) => hour.wait_seconds !== null && `${x(i) + step / 2},${y(hour.wait_seconds / longest)}`).filter(Boolean);
	fill(place, panel('The last 24 hours',
		h('div.scroll', { tabindex: '0', role: 'group', 'aria-label': 'Chart' }, svg('svg', { class: 'chart', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label },
			[0, 1].map((share) => [svg('line', { class: 'line', x1: left, x2: width - left, y1: y(share), y2: y(share) }), words(left - 6, y(share) + 4, num(most * share), 'end'), words(width - left + 6, y(share) + 4, `${num(Math.round(longest * share))} s`, 'start')]),
			hours.map((hour, i) => [bar(i, 0, hour.completed, 'done'), bar(i, hour.completed, hour.other, 'not'), i % 4 === 3 && words(x(i) + step / 2, height - 4, new Date(hour.from).toTimeString().slice(0, 5))]),
			line.length > 1 && svg('polyline', { class: 'wait', points: line.join(' ') }))),
		h('p.hint', h('span.key.ok', `${num(day.completed)} done`), ' · ', h('span.key.warn', `${num(day.other)} failed or cancelled`), ' · ', h('span.key.info', `waiting time, ${duration(day.wait_seconds)} on average`), ` · ${num(day.rows)} rows`)));
}

/** A template is a Table Schema in a JSON file; made in an editor, uploaded here. */
async function templateSection(place) {
	await learn();
	const draw = () => templateSection(place);
	const drop = async (near, { name, title }) => {
		if (await ask(`Delete the template ${title}?`, 'Reports that were made with it stay as they are.', `Delete ${title}`, { no: 'Keep it' })) await act(near, async () => { await remove(`/api/templates/${name}`); await draw(); }, `${title} is deleted`);
	};
	fill(place, panel('Templates', h('p.hint', 'What files are checked against: a Table Schema in a JSON file. An upload of the same name makes a new version; what was checked before keeps its own.'),
		table('Templates', ['Template', right('Version'), right('Fields'), acts], known.templates.map((one) => [
			one.title, num(one.version), num(one.schema.fields.length),
			[download('JSON', `data:application/json,${encodeURIComponent(JSON.stringify(one.schema, null, 2))}`, { kind: 'button small', download: `${one.name}.json`, 'aria-label': `JSON of ${one.title}` }), !one.built_in && small('Delete…', one.title, (event) => drop(event.target, one))],
		])),
		h('div.actions', button('Upload a template', () => uploadTemplate(draw)))));
}

async function uploadTemplate(draw) {
	const name = input('text', { required: true, maxlength: '64', pattern: '[A-Za-z0-9_-]+' });
	const file = input('file', { accept: '.json', onchange: () => { name.value ||= file.files[0]?.name.replace(/\.json$/i, '').replace(/[^\w-]+/g, '-') || ''; } });
	const done = await askForm('Upload a template', {
		fields: [field('JSON file', file), field('Name', name, 'Letters, digits, - and _.')], yes: 'Upload',
		submit: async () => {
			let schema;
			try { schema = JSON.parse(await file.files[0].text()); } catch { throw wrong('Choose a file that holds JSON.', file); }
			return put(`/api/templates/${encodeURIComponent(name.value.trim())}`, schema);
		},
	});
	if (done) { say('The template is stored'); await draw(); }
}

export function auditView() {
	const place = loading();
	const more = h('div.foot');
	const seen = [];
	const draw = (cursor) => load(place, async () => {
		const { entries, next_cursor: next } = await get(`/api/admin/audit${query({ limit: 100, cursor })}`);
		seen.push(...entries);
		fill(place, table('Who did what', ['When', 'Who', 'What', 'To whom or what', 'From'], seen.map((e) => [time(e.at), e.who, e.action.replace(/-/g, ' '), e.target || '–', e.address || 'the server itself'])));
		fill(more, next && button('Show older', () => draw(next)));
	});
	draw();
	return view('Audit', null, h('p.lead', 'Sign-ins, changes of users, deletions and undone imports, newest first.'), place, more);
}
