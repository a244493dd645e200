// Who somebody is: set-up, sign-in (as a page or over it), profile.

import { fieldsOf, get, known, post, remove, titlesOf } from './api.js';
import { acts, askForm, button, confirmed, field, fill, focus, form, h, icon, input, loaded, note, panel, sample, say, select, small, table, view, wrong } from './dom.js';
import { ago, dots, time } from './words.js';

const LENGTH = 'At least 10 characters.';
export const nameInput = (value = '', autocomplete = 'username') => input('text', { autocomplete, autocapitalize: 'none', spellcheck: 'false', required: true, maxlength: '200', value });
const passwordInput = (autocomplete) => input('password', { autocomplete, required: true, maxlength: '1000' });

// Twice; `check` before it is sent.
function newPassword(label, hint) {
	const [password, again] = [1, 2].map(() => passwordInput('new-password'));
	const check = () => { if (password.value !== again.value) throw wrong('The two passwords are not the same.', again); };
	return { password, again, check, fields: [field(label, password, hint), field(`${label} again`, again)] };
}

async function signIn(name, password) {
	try { return (await post('/api/auth/login', { username: name.value.trim(), password: password.value }, { gate: false })).user_info; } catch (problem) {
		if (problem.code === 'invalid-credentials') password.value = '';
		throw problem;
	}
}

function signInForm(then, known) {
	const name = nameInput(known);
	const password = passwordInput('current-password');
	return { fields: [field('Name', name), field('Password', password)], yes: 'Sign in', at: { 'invalid-credentials': password }, submit: async () => then(await signIn(name, password)) };
}

const door = (title, ...children) => h('div.door', h('h1', h('span.mark', icon('file')), title), ...children);

export function signInPage({ done, message }) {
	return door('Sign in to Sheetline', message && note('info', message), form(signInForm(done)),
		h('details', h('summary', 'Cannot get in?'),
			h('p', 'An administrator can give you a new password under Users. If nobody can get in: on the server, run ', h('code', 'sheetline user passwd NAME'), '.')));
}

// The first administrator; `code` is from the link that the server printed.
export function setUpPage({ code, done }) {
	const token = input('text', { autocapitalize: 'characters', spellcheck: 'false', required: true, value: code });
	const name = nameInput();
	const { password, check, fields } = newPassword('Password', LENGTH);
	const where = ['It is in the server’s window, in ', h('code', 'setup-code.txt'), ' in the data folder, or: ', h('code', 'journalctl -u sheetline | grep SETUP')];
	return door('Set up Sheetline', h('p', 'You make the first account here, an administrator.'), form({
		fields: [field('Setup code', token, where), field('Name', name), fields],
		yes: 'Make the account',
		submit: async () => {
			check();
			await post('/api/auth/setup', { token: token.value.trim(), username: name.value.trim(), password: password.value }, { gate: false });
			done(await signIn(name, password));
		},
		at: { 'wrong-setup-code': token, 'weak-password': password },
	}));
}

export const ownPasswordPage = ({ user, done, leave }) => door('Choose your own password', h('p', `You are signed in as ${user.username} with a password that somebody else chose.`),
	passwordForm('Use this password', LENGTH, () => done({ ...user, must_change: false }), button('Sign out', leave, { kind: 'plain' })));

let open = null;
// Over the page, which stays. Resolves when the same person is back.
export function signInOver(user, words) {
	open ||= askForm('Sign in again', {
		...signInForm((back) => back, user.username), body: words, firm: true,
		after: button('Leave this page', () => location.reload(), { kind: 'plain' }),
	}).then((back) => {
		open = null;
		if (back.id !== user.id || back.must_change) { onbeforeunload = null; location.reload(); return new Promise(() => {}); } // nothing of somebody else's page may stay
		say('Signed in');
		return true;
	});
	return open;
}

export const profileView = ({ user }) => view('Profile', null,
	h('p.lead', user.username, ` · ${user.role === 'admin' ? 'Administrator' : 'Member'}`, user.email && ` · ${user.email}`),
	passwordSection(), loaded(sessionSection), loaded(mappingSection), loaded(tokenSection));

function passwordSection() {
	const result = h('div');
	return panel('Password', passwordForm('Change the password', `${LENGTH} Your other sessions end.`, () => focus(fill(result, note('ok', 'The password is changed.')).firstChild)), result);
}

function passwordForm(yes, hint, done, after) {
	const current = passwordInput('current-password');
	const { password, again, check, fields } = newPassword('New password', hint);
	return form({
		fields: [field('Current password', current), fields], yes, after, at: { 'invalid-credentials': current, 'weak-password': password },
		submit: async () => {
			check();
			await post('/api/auth/password', { current: current.value, new: password.value });
			for (const control of [current, password, again]) control.value = '';
			done();
		},
	});
}

// One's own things. `ending`: (one) → button, whom it is about, question.
function section(place, { title, hint, below, path, columns, row, ending, done, none }) {
	// To the successor of what has ended.
	const next = (i) => {
		const ends = place.querySelectorAll('td button');
		focus(ends[Math.min(i, ends.length - 1)] || place.querySelector('.actions button') || place.querySelector('h2'));
	};
	const draw = async (...above) => {
		const found = (await get(`/api/${path}?limit=1000`))[path.split('/').pop()];
		const end = (one, i) => {
			const [label, of, question] = ending(one) || [];
			return label && small(label, of, (event) => confirmed(event.target, question, async () => { await remove(`/api/${path}/${one.id}`); await draw(); next(i); }, done));
		};
		fill(place, panel(title, hint && h('p.hint', hint), above, table(title, [...columns, acts], found.map((one, i) => [...row(one), end(one, i)]), { none }), below?.(draw)));
	};
	return draw();
}

const sessionSection = (place) => section(place, {
	title: 'Where you are signed in', path: 'auth/sessions', columns: [sample('Session'), 'From', 'Signed in', 'Last used'], done: 'Session ended',
	row: (one) => [[browser(one.device || 'A program'), one.current && h('strong', ' · this one')], one.address || '–', time(one.created_at), time(one.last_seen_at)],
	ending: (one) => !one.current && ['End', `the session from ${ago(one.created_at)}`, ['End this session?', `It was last used ${ago(one.last_seen_at)}. Whoever uses it has to sign in again.`, 'End the session']],
});

// "Firefox · Windows".
function browser(agent) {
	const one = (...names) => names.find((name) => agent.includes(name));
	return h('span', { title: agent }, dots(one('Edg', 'Firefox', 'Chrome', 'Safari')?.replace('Edg', 'Edge') || agent.split(/[/ ]/)[0], one('Windows', 'Android', 'iPhone', 'iPad', 'Mac OS', 'Linux')));
}

const mappingSection = (place) => section(place, {
	title: 'Remembered columns', path: 'mappings', columns: [sample('Columns → fields'), 'Template', 'By', 'Since'], done: 'Forgotten', none: 'Nothing is remembered yet.',
	hint: 'Fields that somebody chose by hand, for files with the same headers.',
	row: (one) => [
		Object.entries(one.mapping).map(([column, to]) => h('div', `${column} → ${to ? titlesOf(fieldsOf(one.template))(to) : 'left out'}`)),
		titlesOf(known.templates)(one.template), one.created_by, time(one.created_at),
	],
	ending: (one) => ['Forget', one.headers.join(', '), ['Forget these columns?', 'A file with the same headers is understood by their names again, for everybody.', 'Forget them']],
});

const when = (iso) => (iso ? time(iso) : 'never');
const tokenSection = (place) => section(place, {
	title: 'API tokens', path: 'auth/tokens', columns: ['Name', 'Made', 'Last used', 'Ends'], done: 'Token revoked', none: 'No tokens.',
	hint: 'For scripts: send it as “Authorization: Bearer TOKEN”. It may do what you may, except manage users and passwords.',
	row: (one) => [one.name, time(one.created_at), when(one.last_used_at), when(one.expires_at)],
	ending: ({ name }) => ['Revoke', name, [`Revoke “${name}”?`, 'Scripts that use it stop working at once.', `Revoke ${name}`]],
	below: (draw) => h('div.actions', button('Make a token', async () => {
		const made = await newToken();
		if (!made) return;
		await draw(note('ok', h('p', `“${made.name}” is made. Copy it now: it is shown only this once.`), secret(made.token)));
		place.querySelector('.secret').focus();
	})),
});

// To be copied, also without TLS.
function secret(words) {
	const box = input('text', { readonly: true, value: words, label: 'The token', class: 'secret', onfocus: () => box.select() });
	const copy = () => { box.focus(); box.select(); say(document.execCommand('copy') ? 'Copied' : 'Copying is not allowed here: press Ctrl+C'); };
	return h('div.head', box, button('Copy', copy));
}

function newToken() {
	const name = input('text', { required: true, maxlength: '100' });
	const days = select(['30', '90', '365'].map((n) => [n, `${n} days`]), '90');
	return askForm('Make an API token', {
		fields: [field('Name', name, 'What it is for, so that you know it again.'), field('Works for', days)], yes: 'Make it',
		submit: () => post('/api/auth/tokens', { name: name.value.trim(), expires_in_days: Number(days.value) }),
	});
}
