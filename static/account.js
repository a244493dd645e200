// Who somebody is: set up, sign in (as a page, and over the page in mid-work), the profile.

import { get, known, post, remove, titlesOf } from './api.js';
import { acts, askForm, button, confirmed, field, fill, focus, form, h, icon, input, load, loaded, note, panel, roomy, say, select, small, table, view, wrong } from './dom.js';
import { ago, time } from './words.js';

const MIN_PASSWORD = 10;
const LENGTH = `At least ${MIN_PASSWORD} characters.`;
export const nameInput = (value = '') => input('text', { autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: true, maxlength: '200', value });
const passwordInput = (autocomplete) => input('password', { autocomplete, required: true, maxlength: '1000' });

/** A new password, twice: its fields, `check` before it is sent. */
function newPassword(label, hint) {
	const [password, again] = [1, 2].map(() => passwordInput('new-password'));
	const check = () => {
		if ([...password.value].length < MIN_PASSWORD) throw wrong(`Use at least ${MIN_PASSWORD} characters.`, password);
		if (password.value !== again.value) throw wrong('The two passwords are not the same.', again);
	};
	return { password, again, check, fields: [field(label, password, hint), field(`${label} again`, again)] };
}

async function signIn(name, password) {
	try { return (await post('/api/auth/login', { username: name.value.trim(), password: password.value }, { gate: false })).user_info; } catch (problem) {
		if (problem.code === 'invalid-credentials') { problem.input = password; password.value = ''; }
		throw problem;
	}
}

const door = (title, ...children) => h('div.door', h('h1', h('span.mark', icon('file')), title), ...children);

/** `done(user)` when somebody is in; `message`: why it is shown. */
export function signInPage({ done, setUp, message }) {
	const name = nameInput();
	const password = passwordInput('current-password');
	return door('Sign in to Sheetline', message && note('info', message),
		form({ fields: [field('Name', name), field('Password', password)], yes: 'Sign in', submit: async () => done(await signIn(name, password)) }),
		h('details', h('summary', 'Cannot get in?'),
			h('p', 'An administrator can give you a new password under Users. If nobody can get in: on the server, run ', h('code', 'sheetline user passwd NAME'), '.'),
			h('p', 'First start, and no users yet? ', button('Set up Sheetline', setUp, { kind: 'link' }))));
}

/** The first administrator; the code is in the link that the server printed. */
export function setUpPage({ code, done, back }) {
	const token = input('text', { autocapitalize: 'characters', spellcheck: 'false', required: true, value: code });
	const name = nameInput();
	const { password, check, fields } = newPassword('Password', LENGTH);
	const where = ['It is in the server’s window, in ', h('code', 'setup-code.txt'), ' in the data folder, or: ', h('code', 'journalctl -u sheetline | grep SETUP')];
	return door('Set up Sheetline', h('p', 'You make the first account here. It is an administrator and can add the others.'), form({
		fields: [field('Setup code', token, where), field('Name', name), fields],
		yes: 'Make the account',
		submit: async () => {
			check();
			try { await post('/api/auth/setup', { token: token.value.trim(), username: name.value.trim(), password: password.value }, { gate: false }); } catch (problem) {
				throw Object.assign(problem, { input: { 'wrong-setup-code': token, 'weak-password': password }[problem.code] });
			}
			done(await signIn(name, password));
		},
		after: button('I have an account: sign in', back, { kind: 'link' }),
	}));
}

export const ownPasswordPage = ({ user, done, leave }) => door('Choose your own password', h('p', `You are signed in as ${user.username} with a password that somebody else chose.`),
	passwordForm('Use this password', LENGTH, () => done({ ...user, must_change: false }), button('Sign out', leave, { kind: 'link' })));

let open = null;
/** Sign-in over the page, which stays as it is. Resolves to true when the same person is back. */
export function signInOver(user, words) {
	const name = nameInput(user.username);
	const password = passwordInput('current-password');
	open ||= askForm('Sign in again', {
		body: words, fields: [field('Name', name), field('Password', password)], yes: 'Sign in', firm: true,
		submit: () => signIn(name, password),
		after: button('Leave this page', () => location.reload(), { kind: 'link' }),
	}).then((back) => {
		open = null;
		if (back.id !== user.id || back.must_change) { location.reload(); return new Promise(() => {}); } // somebody else: nothing of the page before may stay
		say('Signed in');
		return true;
	});
	return open;
}

// ---- Profile

export const profileView = ({ user }) => view('Profile', null,
	h('p.lead', user.username, ` · ${user.role === 'admin' ? 'Administrator' : 'Member'}`, user.email && ` · ${user.email}`),
	passwordSection(), loaded(sessionSection), loaded((place) => mappingSection(place, user)), loaded(tokenSection));

function passwordSection() {
	const result = h('div');
	return panel('Password', passwordForm('Change the password', `${LENGTH} Your other sessions end.`, () => focus(fill(result, note('ok', 'The password is changed.')).firstChild)), result);
}

function passwordForm(yes, hint, done, after) {
	const current = passwordInput('current-password');
	const { password, again, check, fields } = newPassword('New password', hint);
	return form({
		fields: [field('Current password', current), fields], yes, after,
		submit: async () => {
			check();
			try { await post('/api/auth/password', { current: current.value, new: password.value }); } catch (problem) {
				throw Object.assign(problem, { input: problem.code === 'invalid-credentials' ? current : password });
			}
			for (const control of [current, password, again]) control.value = '';
			done();
		},
	});
}

/** Ends what `path` names, once confirmed, and draws its section again. */
const drop = (event, path, question, done, draw) => confirmed(event.target, question, async () => { await remove(path); await draw(); }, done);

async function sessionSection(place) {
	const { sessions } = await get('/api/auth/sessions');
	const end = (event, one) => drop(event, `/api/auth/sessions/${one.id}`, ['End this session?', `It was last used ${ago(one.last_seen_at)}. Whoever uses it has to sign in again.`, 'End the session'], 'Session ended', () => sessionSection(place));
	fill(place, panel('Where you are signed in', table('Your sessions', [roomy('Session'), 'From', 'Signed in', 'Last used', acts], sessions.map((one) => [
		[browser(one.device || 'A program'), one.current && h('strong', ' · this one')], one.address || '–', time(one.created_at), time(one.last_seen_at),
		!one.current && small('End', `the session from ${ago(one.created_at)}`, (event) => end(event, one)),
	]))));
}

/** "Firefox on Windows" is what people know; the whole text is on hover. */
function browser(agent) {
	const find = (names) => names.find((name) => agent.includes(name));
	const system = find(['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS', 'Linux']);
	const program = find(['Edg', 'Firefox', 'Chrome', 'Safari']) || agent.split(/[/ ]/)[0];
	return h('span', { title: agent }, `${program.replace('Edg', 'Edge')}${system ? ` on ${system}` : ''}`);
}

async function mappingSection(place, user) {
	const { mappings } = await get('/api/mappings?limit=1000');
	const forget = (event, one) => drop(event, `/api/mappings/${one.id}`, ['Forget these columns?', 'A file with the same headers is understood by their names again, for everybody.', 'Forget them'], 'Forgotten', () => mappingSection(place, user));
	fill(place, panel('Remembered columns', h('p.hint', 'When somebody chooses the field of a column by hand, the office remembers it for files with the same headers.'),
		table('Remembered columns', [roomy('Columns → fields'), 'Template', 'By', 'Since', acts], mappings.map((one) => [
			Object.entries(one.mapping).map(([column, to]) => h('div', `${column} → ${to ? titlesOf(one.template)(to) : 'left out'}`)), known.templates.find((t) => t.name === one.template)?.title || one.template, one.created_by, time(one.created_at),
			(one.created_by === user.username || user.role === 'admin') && small('Forget', one.headers.join(', '), (event) => forget(event, one)),
		]), { none: 'Nothing is remembered yet.' })));
}

async function tokenSection(place, made) {
	const { tokens } = await get('/api/auth/tokens');
	const revoke = (event, one) => drop(event, `/api/auth/tokens/${one.id}`, [`Revoke “${one.name}”?`, 'Scripts that use it stop working at once.', `Revoke ${one.name}`], 'Token revoked', () => tokenSection(place));
	const when = (iso) => (iso ? time(iso) : 'never');
	fill(place, panel('API tokens', h('p.hint', 'For scripts: send it as “Authorization: Bearer TOKEN”. It may do what you may, except manage users and passwords.'),
		made && note('ok', h('p', `“${made.name}” is made. Copy it now: it is shown only this once. A click selects all of it.`), h('code.secret', made.token)),
		table('Your API tokens', ['Name', 'Made', 'Last used', 'Ends', acts], tokens.map((one) => [one.name, time(one.created_at), when(one.last_used_at), when(one.expires_at), small('Revoke', one.name, (event) => revoke(event, one))]), { none: 'No tokens.' }),
		h('div.actions', button('Make a token', () => newToken(place)))));
	if (made) focus(place.querySelector('.note'));
}

async function newToken(place) {
	const name = input('text', { required: true, maxlength: '100' });
	const days = select(['30', '90', '365'].map((n) => [n, `${n} days`]), '90');
	const made = await askForm('Make an API token', {
		fields: [field('Name', name, 'What it is for, so that you know it again.'), field('Works for', days)], yes: 'Make it',
		submit: () => post('/api/auth/tokens', { name: name.value.trim(), expires_in_days: Number(days.value) }),
	});
	if (made) load(place, () => tokenSection(place, made));
}

export const signOut = () => post('/api/auth/logout', {}, { gate: false });
