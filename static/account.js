// Who somebody is: set up, sign in (as a page, and over the page in mid-work), the profile.

import { get, has, post, remove } from './api.js';
import { act, acts, ask, askForm, attempt, button, field, fill, form, h, icon, input, load, loading, note, say, select, table, wrong } from './dom.js';
import { ago, time } from './words.js';

const MIN_PASSWORD = 10;
const LENGTH = `At least ${MIN_PASSWORD} characters.`;
export const nameInput = (value = '') => input('text', { autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: true, maxlength: '200', value });
const passwordInput = (autocomplete) => input('password', { autocomplete, required: true, maxlength: '1000' });

function checkNew(password, again) {
	if ([...password.value].length < MIN_PASSWORD) throw wrong(`Use at least ${MIN_PASSWORD} characters.`, password);
	if (password.value !== again.value) throw wrong('The two passwords are not the same.', again);
}

async function signIn(name, password) {
	try { return (await post('/api/auth/login', { username: name.value.trim(), password: password.value }, { gate: false })).user_info; } catch (problem) {
		if (problem.code === 'invalid-credentials') { problem.input = password; password.value = ''; }
		throw problem;
	}
}

const door = (title, ...children) => h('div.door', h('h1', { tabindex: '-1' }, h('span.mark', icon('file')), title), ...children);

/** The sign-in page. `done(user)` when somebody is in; `message` says why it is shown, if there is a reason. */
export function signInPage({ done, setUp, message }) {
	const name = nameInput();
	const password = passwordInput('current-password');
	return door('Sign in to Sheetline', message && note('info', message),
		form({ fields: [field('Name', name), field('Password', password)], yes: 'Sign in', submit: async () => done(await signIn(name, password)) }),
		h('details', h('summary', 'Cannot get in?'),
			h('p', 'An administrator can give you a new password under Users. If nobody can get in: on the server, run ', h('code', 'sheetline user passwd NAME'), '.'),
			h('p', 'First start, and no users yet? ', button('Set up Sheetline', setUp, { kind: 'link' }))));
}

/** The first administrator. The code comes from the server's window, or in the link that it printed. */
export function setUpPage({ code, done, back }) {
	const token = input('text', { autocapitalize: 'characters', spellcheck: 'false', required: true, value: code });
	const name = nameInput();
	const password = passwordInput('new-password');
	const again = passwordInput('new-password');
	const where = ['It is in the server’s window, in ', h('code', 'setup-code.txt'), ' in the data folder, or: ', h('code', 'journalctl -u sheetline | grep SETUP')];
	return door('Set up Sheetline', h('p', 'You make the first account here. It is an administrator and can add the others.'), form({
		fields: [field('Setup code', token, where), field('Name', name), field('Password', password, LENGTH), field('Password again', again)],
		yes: 'Make the account',
		submit: async () => {
			checkNew(password, again);
			try { await post('/api/auth/setup', { token: token.value.trim(), username: name.value.trim(), password: password.value }, { gate: false }); } catch (problem) {
				throw Object.assign(problem, { input: { 'wrong-setup-code': token, 'weak-password': password }[problem.code] });
			}
			done(await signIn(name, password));
		},
		after: button('I have an account: sign in', back, { kind: 'link' }),
	}));
}

/** Somebody else chose the password: an own one comes before everything else. */
export const ownPasswordPage = ({ user, done, leave }) => door('Choose your own password', h('p', `You are signed in as ${user.username} with a password that somebody else chose.`),
	passwordForm('Use this password', LENGTH, () => done({ ...user, must_change: false }), button('Sign out', leave, { kind: 'link' })));

let open = null;
/** Sign-in over the page: everything behind it stays as it is. Resolves to true when the same person is back. */
export function signInOver(user, words) {
	const name = nameInput(user.username);
	const password = passwordInput('current-password');
	password.autofocus = true;
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

export function profileView({ user }) {
	const sessions = loading();
	const tokens = loading();
	load(sessions, () => sessionSection(sessions));
	if (has('GET', '/api/auth/tokens')) load(tokens, () => tokenSection(tokens)); else tokens.remove();
	return {
		title: 'Profile',
		element: h('div', h('h1', { tabindex: '-1' }, user.username), h('p.lead', user.role === 'admin' ? 'Administrator' : 'Member', user.email && ` · ${user.email}`), passwordSection(), sessions, tokens),
	};
}

function passwordSection() {
	const result = h('div');
	return h('section.panel', h('h2', 'Password'), passwordForm('Change the password', `${LENGTH} Your other sessions end.`, () => fill(result, note('ok', 'The password is changed.')).firstChild.focus()), result);
}

function passwordForm(yes, hint, done, after) {
	const current = passwordInput('current-password');
	const password = passwordInput('new-password');
	const again = passwordInput('new-password');
	return form({
		fields: [field('Current password', current), field('New password', password, hint), field('New password again', again)], yes, after,
		submit: async () => {
			checkNew(password, again);
			try { await post('/api/auth/password', { current: current.value, new: password.value }); } catch (problem) {
				throw Object.assign(problem, { input: problem.code === 'invalid-credentials' ? current : password });
			}
			for (const control of [current, password, again]) control.value = '';
			done();
		},
	});
}

async function sessionSection(place) {
	const { sessions } = await get('/api/auth/sessions');
	const end = async (event, one) => {
		if (!await ask('End this session?', `It was last used ${ago(one.last_seen_at)}. Whoever uses it has to sign in again.`, 'End the session')) return;
		await act(event.target, async () => { await remove(`/api/auth/sessions/${one.id}`); await sessionSection(place); }, 'Session ended');
	};
	fill(place, h('section.panel', h('h2', 'Where you are signed in'), table('Your sessions', ['Session', 'From', 'Signed in', 'Last used', acts], sessions.map((one) => [
		[browser(one.device || 'A program'), one.current && h('strong', ' · this one')], one.address || '–', time(one.created_at), time(one.last_seen_at),
		!one.current && button('End', (event) => end(event, one), { kind: 'small', 'aria-label': `End the session from ${ago(one.created_at)}` }),
	]))));
}

/** "Firefox on Windows" is what people know; the whole text is on hover. */
function browser(agent) {
	const find = (names) => names.find(([pattern]) => pattern.test(agent))?.[1];
	const name = find([[/Edg\//, 'Edge'], [/Firefox\//, 'Firefox'], [/Chrom(e|ium)\//, 'Chrome'], [/Safari\//, 'Safari']]) || agent.split(/[/ ]/)[0];
	const system = find([[/Windows/, 'Windows'], [/Android/, 'Android'], [/iPhone|iPad/, 'iOS'], [/Mac OS/, 'macOS'], [/Linux/, 'Linux']]);
	return h('span', { title: agent }, system ? `${name} on ${system}` : name);
}

async function tokenSection(place, made) {
	const { tokens } = await get('/api/auth/tokens');
	const revoke = async (event, one) => {
		if (!await ask(`Revoke “${one.name}”?`, 'Scripts that use it stop working at once.', `Revoke ${one.name}`)) return;
		await act(event.target, async () => { await remove(`/api/auth/tokens/${one.id}`); await tokenSection(place); }, 'Token revoked');
	};
	const when = (iso) => (iso ? time(iso) : 'never');
	fill(place, h('section.panel', h('h2', 'API tokens'), h('p.hint', 'For scripts: send it as “Authorization: Bearer TOKEN”. It may do what you may, except manage users and passwords.'),
		made && madeToken(made),
		tokens.length ? table('Your API tokens', ['Name', 'Made', 'Last used', 'Ends', acts], tokens.map((one) => [
			one.name, time(one.created_at), when(one.last_used_at), when(one.expires_at), button('Revoke', (event) => revoke(event, one), { kind: 'small', 'aria-label': `Revoke ${one.name}` }),
		])) : h('p.empty', 'No tokens.'),
		h('div.actions', button('Make a token', () => newToken(place)))));
	if (made) place.querySelector('.note').focus();
}

async function newToken(place) {
	const name = input('text', { required: true, maxlength: '100' });
	const days = select(['30', '90', '365'].map((n) => [n, `${n} days`]), '90');
	const made = await askForm('Make an API token', {
		fields: [field('Name', name, 'What it is for, so that you know it again.'), field('Works for', days)], yes: 'Make it',
		submit: () => post('/api/auth/tokens', { name: name.value.trim(), expires_in_days: Number(days.value) }),
	});
	if (made) await attempt(place, () => tokenSection(place, made));
}

function madeToken({ name, token }) {
	return note('ok', h('p', `“${name}” is made. Copy it now: it is shown only this once. A click selects all of it.`), h('code.secret', token));
}

export const signOut = () => post('/api/auth/logout', {}, { gate: false });
