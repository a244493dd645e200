// For administrators.

import { get, known, learn, patch, post, put, query, remove } from './api.js';
import { nameInput } from './account.js';
import { act, acts, askForm, badge, button, confirmed, download, every, field, fill, folded, growing, h, input, load, loaded, loading, note, panel, sample, say, select, small, svg, table, view, wrong } from './dom.js';
import { cancel } from './jobs.js';
import { about, bytes, clock, count, duration, held, num, stage, stateOf, time } from './words.js';

const ROLES = [['member', 'Member'], ['admin', 'Administrator']];

export function usersView({ user }) {
	const place = loading();
	const draw = () => load(place, async () => {
		const { users } = await get('/api/users?limit=1000');
		fill(place, table('Users', ['Name', 'Role', sample('E-mail'), 'Added', 'State', acts], users.map((u) => [
			h('strong', u.username), ROLES.find(([role]) => role === u.role)?.[1], u.email || '–', time(u.created_at),
			badge(u.disabled ? { tone: 'calm', ico: 'ban', word: 'Disabled' } : { tone: 'ok', ico: 'done', word: 'Active' }),
			[small('Change', u.username, () => editUser(user, draw, u)), u.id !== user.id && small('Delete…', u.username, (event) => deleteUser(event.target, u, user, users, draw))],
		])));
	});
	draw();
	return view('Users', button('Add a user', () => editUser(user, draw), { kind: 'primary' }), place);
}

async function editUser(me, draw, u) {
	const self = u?.id === me.id;
	const own = 'they choose their own when they next sign in';
	const name = nameInput('', 'off'); // somebody else's
	const role = select(ROLES, u?.role || 'member');
	const email = input('email', { value: u?.email || '' });
	const password = input('text', { autocapitalize: 'none', spellcheck: 'false', required: !u });
	const state = select([['', 'May sign in'], ['disabled', 'Disabled: signed out at once, files stay']], u?.disabled ? 'disabled' : '');
	const done = await askForm(u ? `Change ${u.username}` : 'Add a user', {
		fields: [
			!u && field('Name', name), field('Role', role), field('E-mail (optional)', email),
			u ? field('New password', password, `Leave it empty to keep the old one. A new one ${self ? 'ends your other sessions' : `signs ${u.username} out everywhere, and ${own}`}.`) : field('First password', password, `At least 10 characters. Tell it to them; ${own}.`),
			u && !self && field('State', state),
		],
		yes: u ? 'Save' : 'Add the user', at: { 'name-taken': name, 'weak-password': password },
		submit: () => {
			const given = { email: email.value.trim(), ...(role.value !== u?.role && { role: role.value }), ...(password.value && { password: password.value, must_change: !self }) };
			if (!u) return post('/api/users', { ...given, username: name.value.trim() });
			return patch(`/api/users/${u.id}`, { ...given, ...(Boolean(state.value) !== u.disabled && { disabled: Boolean(state.value) }) });
		},
	});
	if (done) { say(u ? `${u.username} is changed` : `${name.value} is added`); await draw(); }
}

const deleteUser = (near, u, me, users, draw) => confirmed(near, [`Delete ${u.username}?`, 'Their sessions and tokens end. This cannot be undone.', `Delete ${u.username}`], async () => {
	const path = `/api/users/${u.id}`;
	try { await remove(path); } catch (problem) {
		if (problem.code !== 'has-uploads') throw problem;
		const heir = select(users.filter((one) => one.id !== u.id).map((one) => [String(one.id), one.username]), String(me.id));
		const done = await askForm(`${u.username} has uploads`, { fields: field('Hand them over to', heir), yes: `Hand over and delete ${u.username}`, submit: () => remove(`${path}${query({ transfer_to: heir.value })}`) });
		if (!done) return;
	}
	say(`${u.username} is deleted`);
	await draw();
});

export function queueView({ signal }) {
	const place = loading();
	let drawn = '';
	const turn = () => load(place, async () => {
		const answer = await get('/api/admin/queue');
		const key = JSON.stringify(answer);
		// A button about to be pressed stays.
		if ((key === drawn && !place.querySelector('.note.bad')) || place.querySelector('[aria-disabled]')) return;
		drawn = key;
		fill(place, pauseNote(answer.paused, turn), queueTable(answer.jobs, turn));
	});
	every(3, turn, signal);
	return view('Queue', null, h('p.lead', 'Everybody’s files in work, first come, first served.'), place);
}

function queueTable(jobs, turn) {
	const stop = (near, job) => confirmed(near, [`Cancel ${job.filename}?`, 'Nothing of it is stored. Its owner can process it again.', `Cancel ${job.filename}`, 'Let it go on'], async () => { await cancel(job); turn(); }, 'Cancelled');
	return table('Queue', ['Place', 'File', 'User', sample('State'), 'Added', acts], jobs.map((job) => [
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
	return note('warn', h('p', `The queue is ${held(paused).replace(/\.?$/, '.')} `, h('span.hint', 'Paused ', time(paused.since), '.')), h('div.actions', button('Resume', resume)));
}

export function serverView({ signal }) {
	const place = loading();
	const turn = () => load(place, async () => {
		const figures = await get('/api/admin/figures');
		const health = await get('/api/health').catch((problem) => { if (problem.body?.queue) return problem.body; throw problem; });
		const open = place.querySelector('details')?.open;
		fill(place, checks(health, figures.last_backup), chart(figures));
		place.querySelector('details').open = open;
	});
	every(10, turn, signal);
	return view('Server', null, place, loaded(templateSection));
}

const ROOM_LITTLE = 2 ** 30;
const BACKUP_OLD_MS = 2 * 86_400_000;

function checks({ status, version, uptime_seconds: uptime, scheduler_running: scheduler, database_writable: writable, disk_free_bytes: room, worker, queue }, backup) {
	const is = (good, yes, no = yes, ...more) => [badge(good ? { tone: 'ok', ico: 'done', word: yes } : { tone: 'bad', ico: 'cross', word: no }), ' ', more];
	const well = status === 'ok';
	const rows = [
		['State', is(well, 'All is well', status[0].toUpperCase() + status.slice(1).replace(/-/g, ' '), `version ${version}, running for ${duration(uptime)}`)],
		['Database', is(writable, 'Can be written', 'Cannot be written')],
		['Room on the disk', room === null ? 'not known' : is(status !== 'disk-full' && room > ROOM_LITTLE, `${bytes(room)} free`)],
		['Worker', is(worker.running, 'Works', 'Is gone', `last seen ${about(worker.silent_seconds)} ago; ${num(queue.processing)} in work, ${num(queue.pending)} waiting${queue.paused ? ', paused' : ''}`)],
		['Scheduler', is(scheduler, 'Works', 'Is gone')],
		['Last backup', backup ? is(Date.now() - Date.parse(backup) < BACKUP_OLD_MS, 'Made', 'Made', time(backup)) : is(false, '', 'None yet', 'on the server: ', h('code', 'sheetline backup DEST'))],
	];
	return panel('Checks', table('Checks', ['What', 'How it is'], rows));
}

// A column an hour; `kinds`: [class, member].
const columns = (hours, most, kinds) => svg('svg', { class: 'chart', viewBox: '0 0 24 100', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, hours.map((hour, x) => {
	let y = 100;
	return kinds.map(([kind, part]) => {
		const height = hour[part] > 0 ? Math.max(2, (100 * hour[part]) / most) : 0;
		y -= height;
		return svg('rect', { class: kind, x: x + 0.1, width: 0.8, y, height });
	});
}));

function chart({ hours, day }) {
	const ended = (hour) => hour.completed + hour.other;
	const [most, longest] = [ended, (hour) => hour.wait_seconds].map((part) => Math.max(...hours.map(part)));
	return panel('The last 24 hours',
		h('p.hint', h('span.key.ok', `${num(day.completed)} done`), ' · ', h('span.key.warn', `${num(day.other)} failed or cancelled`), ` · ${count(day.rows, 'row')} · at most ${count(most, 'job')} in an hour`),
		columns(hours, most, [['ok', 'completed'], ['warn', 'other']]),
		h('p.hint', h('span.key.info', 'Waiting time'), `: ${duration(day.wait_seconds)} on average, at most ${duration(day.wait_seconds_max)}`),
		columns(hours, longest, [['info', 'wait_seconds']]),
		h('p.head.hint', hours.filter((_, i) => i % 6 === 5).map((hour) => h('span', clock(hour.from)))),
		folded('Hour by hour', ['Hour', 'Done', 'Failed or cancelled', 'Rows', 'Waiting time'], hours.filter(ended).map((hour) => [clock(hour.from), hour.completed, hour.other, hour.rows, duration(hour.wait_seconds)]), { none: 'No job has ended yet.' }));
}

async function templateSection(place) {
	await learn();
	const draw = () => templateSection(place);
	const path = (name) => `/api/templates/${encodeURIComponent(name)}`;
	const drop = (near, { name, title }) => confirmed(near, [`Delete the template ${title}?`, 'Reports that were made with it stay as they are.', `Delete ${title}`], async () => { await remove(path(name)); await draw(); }, `${title} is deleted`);
	const file = input('file', { class: 'vh', accept: '.json', tabindex: '-1', label: 'Template', onchange: () => act(chooser, async () => {
		const [one] = file.files;
		const schema = await one.text().then(JSON.parse).catch(() => { throw wrong('That file holds no JSON.'); });
		await put(path(one.name.replace(/\.json$/i, '')), schema);
		await draw();
	}, 'The template is stored') });
	const chooser = button('Upload a template', () => file.click());
	fill(place, panel('Templates', h('p.hint', 'What files are checked against: a Table Schema as JSON, named as its file. The same name again makes a new version.'),
		table('Templates', ['Template', 'Version', 'Fields', acts], known.templates.map((one) => [
			one.title, one.version, one.fields.length,
			[download('JSON', `data:application/json,${encodeURIComponent(JSON.stringify(one.schema, null, 2))}`, { kind: 'button small', download: `${one.name}.json`, label: `JSON of ${one.title}` }), !one.built_in && small('Delete…', one.title, (event) => drop(event.target, one))],
		])),
		h('div.actions', file, chooser)));
}

export const auditView = () => view('Audit', null, h('p.lead', 'Who did what, newest first.'), growing(loading(), '/api/admin/audit', { limit: 100 }, 'entries', (entries) =>
	table('Who did what', ['When', 'Who', 'What', 'To whom or what', 'From'], entries.map((e) => [time(e.at), e.who === '-' ? 'an unknown name' : e.who, e.action.replace(/-/g, ' '), e.target || '–', e.address || 'the server itself']))));
