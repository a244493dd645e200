// Starts the page: who is here, the frame around the views, the address after #, the title, the connection.

import { get, has, loadFeatures, onSignedOut } from './api.js';
import { ownPasswordPage, profileView, setUpPage, signInOver, signInPage, signOut } from './account.js';
import { acceptDrops, addView, hasFile, isSending, sendingTitle } from './add.js';
import { queueView, usersView } from './admin.js';
import { button, fill, h, icon, link, menu, note, say } from './dom.js';
import { live, onChange, onConnection, poke, start, stop } from './live.js';
import { recordsView } from './records.js';
import { reportView } from './report.js';
import { fileView, uploadsView } from './uploads.js';
import { explain } from './words.js';

const top = document.getElementById('top');
const main = document.getElementById('main');
const foot = document.getElementById('foot');
const offline = document.getElementById('offline');

let user = null;
let view = null;
let title = '';

// ---- Appearance: the system's, or one's own choice, kept in this browser

const LOOKS = [['', 'System'], ['light', 'Light'], ['dark', 'Dark']];
const stored = (key, value) => {
  try { if (value === undefined) return localStorage.getItem(key) || ''; localStorage.setItem(key, value); } catch { /* private windows may refuse */ }
  return '';
};
function look(value) {
  if (value) document.documentElement.dataset.theme = value; else delete document.documentElement.dataset.theme;
}
look(stored('sheetline.look'));
fill(foot, h('span', 'Sheetline'), h('fieldset.looks', h('legend.vh', 'Appearance'), LOOKS.map(([value, label]) => h('label', h('input', {
  type: 'radio', name: 'look', value, checked: stored('sheetline.look') === value, onchange: () => { stored('sheetline.look', value); look(value); },
}), h('span', label)))));

// ---- The frame

document.getElementById('skip').addEventListener('click', (event) => { event.preventDefault(); main.focus(); });

const PLACES = [
  ['', 'Uploads', () => true], ['records', 'Records', () => has('GET', '/api/records')],
  ['queue', 'Queue', () => user.role === 'admin' && has('GET', '/api/admin/queue')], ['users', 'Users', () => user.role === 'admin' && has('GET', '/api/users')],
];
function frame() {
  const links = PLACES.filter(([, , offered]) => offered()).map(([path, label]) => link(label, `#/${path}`, { 'data-path': path }));
  fill(top, h('div.bar', h('a.brand', { href: '#/' }, h('span.mark', icon('file')), 'Sheetline'), h('nav', { 'aria-label': 'Main' }, links),
    menu('Account', () => [link('Profile', '#/profile'), button('Sign out', leave)], { visible: [h('span.who', user.username), icon('open')], cls: 'plain' })));
  top.hidden = false;
}

async function leave() {
  stop();
  try { await signOut(); } catch { /* the session may have ended already */ }
  location.hash = '';
  location.reload();
}

// ---- The views, by the address after #

function home() {
  const uploads = uploadsView({ user });
  const add = addView({ onUploaded: () => uploads.reload() });
  return { title: 'Uploads', element: h('div', welcome(), add.element, uploads.element), close: () => { add.close(); uploads.close(); } };
}
const VIEWS = { '': home, job: reportView, file: fileView, records: recordsView, profile: profileView, queue: queueView, users: usersView };

function route(first = false) {
  if (!user) return;
  const [name, id] = location.hash.replace(/^#\/?/, '').split('/');
  const make = VIEWS[name];
  view?.close?.();
  view = make ? make({ user }, id && decodeURIComponent(id)) : { title: 'Nothing here', element: h('div', h('h1', { tabindex: '-1' }, 'Nothing here'), h('p', 'This address leads nowhere. ', link('Uploads', '#/'))) };
  title = view.title;
  document.title = '';
  main.className = view.wide ? 'wide' : '';
  fill(main, view.element);
  for (const place of top.querySelectorAll('nav a')) {
    if (place.dataset.path === name || (!place.dataset.path && ['job', 'file'].includes(name))) place.setAttribute('aria-current', 'page'); else place.removeAttribute('aria-current');
  }
  entitle();
  if (first) return;
  scrollTo(0, 0);
  main.querySelector('h1')?.focus();
}

/** "61 % · clients.xlsx" while something is under way. */
function entitle() {
  const job = live.job;
  const busy = sendingTitle() || (job?.status === 'processing' ? [typeof job.progress?.percent === 'number' && `${job.progress.percent} %`, job.filename].filter(Boolean).join(' · ') : job?.status === 'pending' ? `Waiting · ${job.filename}` : '');
  const words = busy || `${title} – Sheetline`;
  if (busy || !document.title || / · /.test(document.title)) document.title = words;
}

/** Three steps for a new office, gone once dismissed. */
function welcome() {
  if (stored('sheetline.new') !== 'yes') return null;
  const box = h('section.welcome', { 'aria-labelledby': 'welcome' }, h('div.head', h('h2', { id: 'welcome' }, 'Your office can start'), button('Done', () => { stored('sheetline.new', ''); box.remove(); main.querySelector('h1').focus(); }, { kind: 'small' })),
    h('ol', has('GET', '/api/users') && h('li', h('strong', 'Add a colleague'), h('p', 'Everybody has their own name and sees their own files. ', link('Users', '#/users'))),
      h('li', h('strong', 'Try a file'), h('p', has('GET', '/api/templates/{name}/sample.xlsx') ? [link('Take the sample', '/api/templates/companies/sample.xlsx', { download: true }), ' and drop it below.'] : 'Drop one below; “Upload & Process Now” shows what it makes of it.')),
      h('li', h('strong', 'Set up a backup'), h('p', 'Every night on the server: ', h('code', 'sheetline backup DEST')))));
  return box;
}

// ---- Coming in

function door(page) {
  view?.close?.();
  view = null;
  top.hidden = true;
  main.className = '';
  fill(main, page);
  document.title = `${main.querySelector('h1').textContent} – Sheetline`;
  (main.querySelector('input:not([value])') || main.querySelector('input')).focus();
}
const showSignIn = (message) => door(signInPage({ done: enter, setUp: () => showSetUp(''), message }));
const showSetUp = (code) => door(setUpPage({ code, back: () => showSignIn(), done: (who) => { stored('sheetline.new', 'yes'); enter(who); } }));

async function enter(who) {
  if (who.must_change) {
    door(ownPasswordPage({ user: who, done: enter, leave: async () => { try { await signOut(); } finally { location.reload(); } } }));
    return;
  }
  user = who;
  await loadFeatures();
  frame();
  route(true);
  main.querySelector('h1')?.focus({ preventScroll: true });
  start();
}

onSignedOut(async (problem) => {
  if (!user) return false;
  return signInOver(user, explain(problem, { file: hasFile() }));
});

// ---- Connection: a banner that lies over the page, so that nothing below it moves

let countdown = 0;
onConnection((online, seconds) => {
  clearInterval(countdown);
  if (online) { if (!offline.hidden) say('Connected again'); offline.hidden = true; return; }
  const words = h('span');
  let left = seconds;
  const tick = () => { words.textContent = left > 0 ? `No answer from the server. Trying again in ${left} s.` : 'No answer from the server. Trying…'; left -= 1; };
  tick();
  countdown = setInterval(tick, 1000);
  if (offline.hidden) say('No answer from the server');
  const focused = offline.contains(document.activeElement);
  fill(offline, icon('warn'), words, button('Try now', poke, { kind: 'small' }));
  offline.hidden = false;
  if (focused) offline.querySelector('button').focus();
});

addEventListener('beforeunload', (event) => { if (isSending()) event.preventDefault(); });
addEventListener('hashchange', () => { if (/^#setup=/.test(location.hash)) location.reload(); else route(); });
onChange(entitle);
setInterval(() => { if (isSending()) entitle(); }, 500);
acceptDrops(() => Boolean(user) && !document.querySelector('dialog[open]'));

async function begin() {
  const code = /^#setup=(.+)$/.exec(location.hash)?.[1];
  if (code) {
    history.replaceState(null, '', location.pathname); // the code stays in no history
    showSetUp(decodeURIComponent(code));
    return;
  }
  try {
    await enter((await get('/api/auth/session', { gate: false })).user_info);
  } catch (problem) {
    if (problem.signedOut) { showSignIn(problem.code === 'session-missing' ? '' : explain(problem)); return; }
    if (problem.code === 'account-disabled') { showSignIn(explain(problem)); return; }
    fill(main, h('h1', { tabindex: '-1' }, 'Sheetline'), note('bad', h('p', explain(problem)), h('p', button('Try again', () => location.reload()))));
  }
}
begin();
