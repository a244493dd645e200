// Starts the page: who is here, the frame around the views, the address after #, the title.

import { get, learn, onSignedOut } from './api.js';
import { ownPasswordPage, profileView, setUpPage, signInOver, signInPage, signOut } from './account.js';
import { acceptDrops, addView, chosenName, isSending, reconnected, sendingTitle } from './add.js';
import { auditView, queueView, serverView, usersView } from './admin.js';
import { attr, button, failure, fill, focus, h, icon, link, menu, say, select, view as plainView } from './dom.js';
import { live, onChange, onConnection, poke, start, stop } from './jobs.js';
import { fileView, recordsView, reportView } from './report.js';
import { uploadsView } from './uploads.js';
import { dots, explain } from './words.js';

const [top, main, foot, offline] = ['top', 'main', 'foot', 'offline'].map((id) => document.getElementById(id));

let user = null;
let view = null;

// ---- Appearance: the system's, or one's own choice, kept in this browser

const LOOK = 'sheetline.look';
const look = (value) => attr(document.documentElement, 'data-theme', value || null);
let chosen = '';
try { chosen = localStorage.getItem(LOOK); } catch { /* private windows may refuse */ }
look(chosen);
fill(foot, 'Sheetline', select([['', 'Colours of the system'], ['light', 'Light'], ['dark', 'Dark']], chosen, (value) => {
	look(value);
	try { localStorage.setItem(LOOK, value); } catch { /* then it holds for this page */ }
}, { label: 'Appearance' }));

// ---- The frame

document.getElementById('skip').addEventListener('click', (event) => { event.preventDefault(); main.focus(); });

const VIEWS = { '': home, job: reportView, file: fileView, records: recordsView, profile: profileView, queue: queueView, users: usersView, server: serverView, audit: auditView };
// What the bar offers: place, name, whether it is for administrators.
const PLACES = [['', 'Uploads'], ['records', 'Records'], ['queue', 'Queue', true], ['users', 'Users', true], ['server', 'Server', true], ['audit', 'Audit', true]];
const offered = ([, , admin]) => !admin || user.role === 'admin';

function frame() {
	fill(top, h('div.bar', h('a.brand', { href: '#/' }, h('span.mark', icon('file')), 'Sheetline'),
		h('nav', { label: 'Main' }, PLACES.filter(offered).map(([path, label]) => link(label, `#/${path}`, { 'data-path': path }))),
		menu('', () => [link('Profile', '#/profile'), button('Sign out', leave)], { visible: [h('span.who', user.username), icon('open')], kind: 'plain' })));
	top.hidden = false;
}

async function leave() {
	stop();
	try { await signOut(); } catch { /* the session may have ended already */ }
	history.replaceState(null, '', location.pathname);
	location.reload();
}

function home() {
	const uploads = uploadsView({ user });
	const add = addView({ onUploaded: uploads.added });
	return { title: 'Uploads', element: h('div', add.element, uploads.element), close: () => { add.close(); uploads.close(); } };
}

function route(first = false) {
	if (!user) return;
	const [name, id] = location.hash.replace(/^#\/?/, '').split('?')[0].split('/');
	const place = PLACES.find(([path]) => path === name);
	view?.close?.();
	view = VIEWS[name] && (!place || offered(place)) ? VIEWS[name]({ user }, id) : plainView('Nothing here', null, h('p', 'This address leads nowhere. ', link('Uploads', '#/')));
	main.className = view.wide ? 'wide' : '';
	document.title = `${view.title} – Sheetline`;
	fill(main, view.element);
	for (const at of top.querySelectorAll('nav a')) {
		attr(at, 'aria-current', at.dataset.path === (['job', 'file'].includes(name) ? '' : name) && 'page');
	}
	entitle();
	if (first) return;
	scrollTo(0, 0);
	focus(main.querySelector('h1'));
}

// "61 % · clients.xlsx" while something is under way; the view's own title else.
let own = '';
function entitle() {
	const { job, queue } = live;
	const working = job?.status === 'processing' && dots(job.progress?.percent > 0 && `${job.progress.percent} %`, job.filename);
	const busy = sendingTitle() || working || (queue?.user_has_active_job && `Waiting · ${job.filename}`);
	if (!/ · /.test(document.title)) own = document.title;
	document.title = busy || own;
}

// ---- Coming in

function door(page) {
	top.hidden = true;
	fill(main, page);
	document.title = `${main.querySelector('h1').textContent} – Sheetline`;
	[...main.querySelectorAll('input')].find((control) => !control.value).focus();
}
const showSetUp = (code) => door(setUpPage({ code, done: enter }));

async function enter(who) {
	if (who.must_change) { door(ownPasswordPage({ user: who, done: enter, leave })); return; }
	user = who;
	await learn();
	frame();
	route(true);
	focus(main.querySelector('h1'), { preventScroll: true });
	start();
}

onSignedOut((problem) => (user ? signInOver(user, explain(problem, { file: chosenName() })) : false));

// ---- Connection: a banner over the page, so that nothing moves

onConnection((online) => {
	if (offline.hidden === online) return;
	say(online ? 'Connected again' : NO_ANSWER);
	if (online) reconnected();
	offline.hidden = online;
});
const NO_ANSWER = 'No answer from the server';
fill(offline, icon('warn'), h('span', `${NO_ANSWER}. Trying again…`), button('Try now', poke, { kind: 'small' }));

addEventListener('beforeunload', (event) => { if (isSending()) event.preventDefault(); });
addEventListener('hashchange', () => { if (/^#setup=/.test(location.hash)) location.reload(); else route(); });
onChange(entitle);
addEventListener('sending', entitle);
acceptDrops(() => Boolean(user) && !document.querySelector('dialog[open]'));

async function begin() {
	const code = /^#setup=(.+)$/.exec(location.hash)?.[1];
	if (code) {
		history.replaceState(null, '', location.pathname); // the code stays in no history
		showSetUp(decodeURIComponent(code));
		return;
	}
	try { await enter((await get('/api/auth/session', { gate: false })).user_info); } catch (problem) {
		if (problem.signedOut || problem.code === 'account-disabled') {
			const { setup_needed: first } = await get('/api/health', { gate: false }).catch(({ body }) => body || {});
			if (first) showSetUp('');
			else door(signInPage({ done: enter, message: problem.code !== 'session-missing' && explain(problem) }));
		} else fill(main, h('h1', 'Sheetline'), failure(problem, () => location.reload()));
	}
}
begin();
