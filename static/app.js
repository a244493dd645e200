// The start: who is here, the frame around the views, addresses, the title.

import { get, learn, onSignedOut, others, post } from './api.js';
import { ownPasswordPage, profileView, setUpPage, signInOver, signInPage } from './account.js';
import { acceptDrops, addView, chosenName, sendingTitle } from './add.js';
import { auditView, queueView, serverView, usersView } from './admin.js';
import { attr, button, failure, fill, focus, h, icon, link, menu, on, say, select, view } from './dom.js';
import { live, poke, start, stop } from './jobs.js';
import { fileView, recordsView, reportView } from './report.js';
import { uploadsView } from './uploads.js';
import { dots, explain } from './words.js';

const [top, main, foot, offline] = ['top', 'main', 'foot', 'offline'].map((id) => document.getElementById(id));

let user = null;
let gone = new AbortController(); // of the view
let from = ''; // the list that one came from

const look = (value = '') => { document.documentElement.style.colorScheme = value; };
let chosen;
try { chosen = localStorage.look; } catch { /* private windows may refuse */ }
look(chosen);
fill(foot, 'Sheetline', select([['', 'Colours of the system'], ['light', 'Light'], ['dark', 'Dark']], chosen, (value) => {
	look(value);
	try { localStorage.look = value; } catch { /* then it holds for this page */ }
}, { label: 'Appearance' }));

document.getElementById('skip').onclick = () => { main.focus(); return false; };

// Address, view, name in the bar, for administrators.
const PLACES = [
	['', home, 'Uploads'], ['job', reportView], ['file', fileView], ['records', recordsView, 'Records'], ['profile', profileView],
	['queue', queueView, 'Queue', true], ['users', usersView, 'Users', true], ['server', serverView, 'Server', true], ['audit', auditView, 'Audit', true],
];
const isFor = (admin) => !admin || user.role === 'admin';

function frame() {
	fill(top, h('div.bar', h('a.brand', { href: '#/' }, h('span.mark', icon('file')), 'Sheetline'),
		h('nav', { label: 'Main' }, PLACES.map(([path, , label, admin]) => label && isFor(admin) && link(label, `#/${path}`, { 'data-path': path }))),
		menu('', () => [link('Profile', '#/profile'), button('Sign out', leave)], { visible: [h('span.who', user.username), icon('open')], kind: 'plain' })));
	top.hidden = false;
}

async function leave() {
	stop();
	try { await post('/api/auth/logout', {}, { gate: false }); } catch { /* the session may have ended already */ }
	history.replaceState(null, '', location.pathname);
	location.reload();
}

function home(at) {
	const { element, added } = uploadsView(at);
	return { element: h('div', addView(added), element) };
}

function route(first = false) {
	if (!user) return;
	const [name, id] = location.hash.replace(/^#\/?/, '').split('?')[0].split('/');
	const [, make, label, admin] = PLACES.find(([path]) => path === name) || [];
	gone.abort();
	gone = new AbortController();
	const list = ['job', 'file'].includes(name) ? from : name;
	from = list === 'records' ? list : '';
	const shown = make && isFor(admin) ? make({ user, signal: gone.signal, from }, id) : view(label || 'Nothing here', null, h('p', make ? 'Only administrators can do this. ' : 'This address leads nowhere. ', link('Uploads', '#/')));
	main.className = shown.wide ? 'wide' : '';
	fill(main, shown.element);
	for (const at of top.querySelectorAll('nav a')) {
		attr(at, 'aria-current', at.dataset.path === list && 'page');
	}
	entitle();
	if (first) return;
	scrollTo(0, 0);
	focus(main.querySelector('h1'));
}

// "61 % · clients.xlsx" while something is under way, else the heading.
function entitle() {
	const { job, queue } = live;
	const working = job?.status === 'processing' && dots(job.progress?.percent > 0 && `${job.progress.percent} %`, job.filename);
	document.title = sendingTitle() || working || (queue?.user_has_active_job ? `Waiting · ${job.filename}` : `${main.querySelector('h1').textContent} – Sheetline`);
}

function door(page) {
	top.hidden = true;
	fill(main, page);
	entitle();
	[...main.querySelectorAll('input')].find((control) => !control.value).focus();
}

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

// A banner over the page: nothing moves.

on('connection', () => {
	const { online } = live;
	if (offline.hidden === online) return;
	say(online ? 'Connected again' : NO_ANSWER);
	offline.hidden = online;
});
const NO_ANSWER = 'No answer from the server';
fill(offline, icon('warn'), h('span', `${NO_ANSWER}. Trying again…`), button('Try now', poke));

onbeforeunload = (event) => { if (sendingTitle()) event.preventDefault(); };
onhashchange = () => { if (/^#setup=/.test(location.hash)) location.reload(); else route(); };
on('job', entitle);
on('drawn', entitle);
others.addEventListener('message', ({ data }) => { if (/logout$/.test(data)) location.reload(); });
acceptDrops(() => Boolean(user) && !document.querySelector('dialog[open]'));

async function begin() {
	const code = /^#setup=(.+)$/.exec(location.hash)?.[1] || '';
	if (code) history.replaceState(null, '', location.pathname); // it stays in no history
	try { await enter((await get('/api/auth/session', { gate: false })).user_info); } catch (problem) {
		if (problem.signedOut || problem.code === 'account-disabled') {
			const { setup_needed: first } = await get('/api/health', { gate: false }).catch(({ body }) => body || {});
			if (first) door(setUpPage({ code: decodeURIComponent(code), done: enter }));
			else door(signInPage({ done: enter, message: code ? 'Sheetline is set up already.' : problem.code !== 'session-missing' && explain(problem) }));
		} else {
			const told = failure(problem, begin);
			fill(main, h('h1', 'Sheetline'), told);
			if (problem.code === 'offline') setTimeout(() => told.isConnected && begin(), 5000);
		}
	}
}
begin();
