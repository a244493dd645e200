// For administrators: the users, the queue with everybody's active jobs, the server's health and figures, who did what.

import { get, has, patch, post, query, remove } from './api.js';
import { nameInput } from './account.js';
import { act, acts, ask, askForm, badge, button, field, fill, h, input, load, loading, note, right, roomy, sample, say, select, svg, table } from './dom.js';
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
			[button('Change', () => changeUser(u, user, draw), { kind: 'small', 'aria-label': `Change ${u.username}` }), u.id !== user.id && button('Delete…', (event) => deleteUser(event.target, u, user, users, draw), { kind: 'small', 'aria-label': `Delete ${u.username}` })],
		])));
	});
	draw();
	return { title: 'Users', element: h('div', h('div.head', h('h1', { tabindex: '-1' }, 'Users'), h('div.tools', button('Add a user', () => addUser(draw), { kind: 'primary' }))), place) };
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
		fill(place, pauseNote(answer.paused, turn), answer.jobs.length ? queueTable(answer.jobs, turn) : h('p.empty', 'Nothing is waiting.'));
	});
	const turning = every(3, draw);
	const turn = turning.again;
	const off = onChange(turn);
	return { title: 'Queue', element: h('div', h('h1', { tabindex: '-1' }, 'Queue'), h('p.lead', 'Everybody’s files in work, in the order in which they came.'), place), close: () => { turning.close(); off(); } };
}

function queueTable(jobs, turn) {
	const stop = async (near, job) => {
		if (await ask(`Cancel ${job.filename}?`, 'Nothing of it is stored. Its owner can process it again.', `Cancel ${job.filename}`, { no: 'Let it go on' })) await act(near, () => cancel(job), 'Cancelled');
		turn();
	};
	return table('Queue', [right('Place'), 'File', 'User', roomy('State'), 'Added', acts], jobs.map((job) => [
		job.queue_position || 'now', job.filename, job.username, [badge(stateOf(job)), ' ', job.status === 'processing' ? stage(job) : about(job.estimated_wait_seconds)], time(job.queued),
		button('Cancel', (event) => stop(event.target, job), { kind: 'small', 'aria-label': `Cancel ${job.filename}` }),
	]));
}

function pauseNote(paused, turn) {
	if (!has('POST', '/api/admin/queue/pause')) return null;
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
		if (has('GET', '/api/admin/figures')) await load(figures, async () => drawFigures(figures, await get('/api/admin/figures')));
	});
	return { title: 'Server', element: h('div', h('h1', { tabindex: '-1' }, 'Server'), health, figures, has('GET', '/metrics') && h('p.hint', 'Counters for a monitor are at ', h('a', { href: '/metrics' }, '/metrics'), '.')), close: turning.close };
}

function drawHealth(place, { status, version, uptime_seconds: uptime, scheduler_running: scheduler, queue }) {
	const facts = [
		['State', badge(status === 'ok' ? { tone: 'ok', ico: 'done', word: HEALTH.ok } : { tone: 'bad', ico: 'cross', word: HEALTH[status] || status })], ['Version', version], ['Running for', duration(uptime)],
		['Scheduler', scheduler ? 'running' : 'not running'], ['Jobs', `${num(queue.processing)} in work, ${num(queue.pending)} waiting${queue.paused ? '; paused' : ''}`],
	];
	fill(place, h('section.panel', h('h2', 'Health'), h('dl.facts', facts.map(([name, value]) => h('div', h('dt', name), h('dd', value))))));
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
	fill(place, h('section.panel', h('h2', 'The last 24 hours'),
		h('div.scroll', { tabindex: '0', role: 'group', 'aria-label': 'Chart' }, svg('svg', { class: 'chart', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label },
			[0, 1].map((share) => [svg('line', { class: 'line', x1: left, x2: width - left, y1: y(share), y2: y(share) }), words(left - 6, y(share) + 4, num(most * share), 'end'), words(width - left + 6, y(share) + 4, `${num(Math.round(longest * share))} s`, 'start')]),
			hours.map((hour, i) => [bar(i, 0, hour.completed, 'done'), bar(i, hour.completed, hour.other, 'not'), i % 4 === 3 && words(x(i) + step / 2, height - 4, new Date(hour.from).toTimeString().slice(0, 5))]),
			line.length > 1 && svg('polyline', { class: 'wait', points: line.join(' ') }))),
		h('p.hint', h('span.key.ok', `${num(day.completed)} done`), ' · ', h('span.key.warn', `${num(day.other)} failed or cancelled`), ' · ', h('span.key.info', `waiting time, ${duration(day.wait_seconds)} on average`), ` · ${num(day.rows)} rows`)));
}

export function auditView() {
	const place = loading();
	const more = h('div.foot');
	const seen = [];
	const draw = (cursor) => load(place, async () => {
		const { entries, next_cursor: next } = await get(`/api/admin/audit${query({ limit: 100, cursor })}`);
		seen.push(...entries);
		fill(place, seen.length ? table('Who did what', ['When', 'Who', 'What', 'To whom or what', 'From'], seen.map((e) => [time(e.at), e.who, e.action.replace(/-/g, ' '), e.target || '–', e.address || 'the server itself'])) : h('p.empty', 'Nothing has happened yet.'));
		fill(more, next && button('Show older', () => draw(next)));
	});
	draw();
	return { title: 'Audit', element: h('div', h('h1', { tabindex: '-1' }, 'Audit'), h('p.lead', 'Sign-ins, changes of users, deletions and undone imports, newest first.'), place, more) };
}
