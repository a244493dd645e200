// For administrators: the users, and the queue with everybody's active jobs.

import { get, has, patch, post, remove } from './api.js';
import { act } from './account.js';
import { ask, badge, button, field, fill, formDialog, h, menu, note, say, table } from './dom.js';
import { onChange } from './live.js';
import { about, count, duration, explain, num, phaseWord, stateOf, time } from './words.js';

const refused = async (work) => { try { return await work(); } catch (problem) { throw new Error(explain(problem)); } };

// ---- Users

export function usersView({ user }) {
  const place = h('div', h('p.empty', 'Loading…'));
  const element = h('div', h('div.head', h('h1', { tabindex: '-1' }, 'Users'), h('div.tools', button('Add a user', () => addUser(load), { kind: 'primary' }))), place);
  async function load() {
    try {
      const { users } = await get('/api/users?limit=200');
      fill(place, table('Users', [{ label: 'Name' }, { label: 'Role' }, { label: 'E-mail' }, { label: 'Added' }, { label: 'State' }, { label: h('span.vh', 'Actions') }],
        users.map((u) => [h('strong', u.username), u.role === 'admin' ? 'Administrator' : 'User', u.email || '–', time(u.created_at),
          badge(u.disabled ? { tone: 'calm', ico: 'ban', word: 'Disabled' } : { tone: 'ok', ico: 'done', word: 'Active' }),
          h('td.acts', menu(`Change ${u.username}`, () => userActions(u, user, load), { cls: 'small', visible: 'Change' }))]), { hideCaption: true, cls: 'roomy' }));
    } catch (problem) { fill(place, note('bad', explain(problem))); }
  }
  load();
  return { title: 'Users', element };
}

function userActions(u, me, reload) {
  const path = `/api/users/${encodeURIComponent(u.id)}`;
  const self = u.id === me.id;
  const near = (event) => event.target.closest('td').querySelector('.menu > button');
  const change = (event, json, done) => act(near(event), () => patch(path, json), reload, done);
  return [
    button('Set a password', () => setPassword(u, path, self, reload)),
    button(u.role === 'admin' ? 'Make a plain user' : 'Make an administrator', async (event) => {
      const row = event.target;
      const yes = await ask(u.role === 'admin' ? { title: `Make ${u.username} a plain user?`, body: 'They can no longer manage users and the queue.', yes: `Make ${u.username} a plain user`, no: 'Leave it' }
        : { title: `Make ${u.username} an administrator?`, body: 'They can manage users, and see and cancel everybody’s files.', yes: `Make ${u.username} an administrator`, no: 'Leave it', danger: false });
      if (yes) await change({ target: row }, { role: u.role === 'admin' ? 'member' : 'admin' }, 'Role changed');
    }),
    !self && button(u.disabled ? 'Enable' : 'Disable', async (event) => {
      const row = event.target;
      const yes = u.disabled || await ask({ title: `Disable ${u.username}?`, body: 'They are signed out at once and can no longer sign in. Their files stay.', yes: `Disable ${u.username}`, no: 'Leave it' });
      if (yes) await change({ target: row }, { disabled: !u.disabled }, u.disabled ? `${u.username} is enabled` : `${u.username} is disabled`);
    }),
    !self && button('Delete…', (event) => deleteUser(u, me, path, near(event), reload), { kind: 'danger-text' }),
  ].filter(Boolean);
}

async function addUser(reload) {
  const name = h('input', { type: 'text', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', required: true });
  const email = h('input', { type: 'email', autocomplete: 'off' });
  const password = h('input', { type: 'text', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', required: true });
  const role = h('select', h('option', { value: 'member' }, 'User'), h('option', { value: 'admin' }, 'Administrator'));
  const made = await formDialog({
    title: 'Add a user', yes: 'Add the user',
    fields: [field('Name', name), field('E-mail (optional)', email), field('First password', password, 'At least 10 characters. Tell it to them; they choose their own when they first sign in.'), field('Role', role)],
    submit: () => {
      if (!name.value.trim()) throw new Error('Give a name.');
      return refused(() => post('/api/users', { username: name.value.trim(), password: password.value, email: email.value.trim() || null, role: role.value, must_change: true }));
    },
  });
  if (made) { say(`${made.user.username} is added`); await reload(); }
}

async function setPassword(u, path, self, reload) {
  const password = h('input', { type: 'text', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', required: true });
  const done = await formDialog({
    title: `Set a password for ${u.username}`, yes: 'Set the password',
    fields: [field('New password', password, `At least 10 characters. ${u.username} is signed out everywhere${self ? '' : ', and chooses their own when they sign in again'}.`)],
    submit: () => refused(() => patch(path, { password: password.value, must_change: !self })),
  });
  if (done) { say('The password is set'); await reload(); }
}

async function deleteUser(u, me, path, near, reload) {
  if (!await ask({ title: `Delete ${u.username}?`, body: 'Their sessions and tokens end. This cannot be undone.', yes: `Delete ${u.username}` })) return;
  await act(near, async () => {
    try { await remove(path); } catch (problem) {
      if (problem.code !== 'has-uploads') throw problem;
      const yes = await ask({ title: `${u.username} has uploads`, body: `Take over their uploads yourself, and delete ${u.username} then?`, yes: `Take them over and delete ${u.username}` });
      if (yes) await remove(`${path}?transfer_to=${encodeURIComponent(me.id)}`);
    }
  }, reload, '');
}

// ---- Queue

export function queueView() {
  const place = h('div', h('p.empty', 'Loading…'));
  const server = h('div');
  const element = h('div', h('h1', { tabindex: '-1' }, 'Queue'), h('p.lead', 'Everybody’s files in work, in the order in which they came.'), place, server);
  let drawn = '';
  let timer = 0;
  let closed = false;
  async function load() {
    clearTimeout(timer);
    try {
      const answer = await get('/api/admin/queue');
      const jobs = (answer.jobs || answer.queue || []).map((job) => ({ ...job, job_id: job.job_id ?? job.id }));
      const key = JSON.stringify(jobs);
      // An unchanged list is not touched, so that a button about to be pressed stays where it is.
      if (key !== drawn && !place.querySelector('[aria-disabled]')) { drawn = key; draw(jobs); }
    } catch (problem) { drawn = ''; fill(place, note('bad', explain(problem))); }
    try { health(server, await get('/api/health')); } catch (problem) { if (problem.body?.status) health(server, problem.body); }
    if (!closed) timer = setTimeout(load, document.hidden ? 20000 : 3000);
  }
  function draw(jobs) {
    const focused = document.activeElement?.dataset?.job;
    fill(place, jobs.length ? table('Queue', [{ label: 'Place', num: true }, { label: 'File' }, { label: 'User' }, { label: 'State', cls: 'wide' }, { label: 'Added' }, { label: h('span.vh', 'Action') }],
      jobs.map((job, i) => [typeof job.queue_position === 'number' ? (job.queue_position || 'now') : job.status === 'processing' ? 'now' : num(i), job.filename, job.username || job.user || job.processed_by || '–',
        h('span', badge(stateOf(job)), h('span.words', ' ', job.status === 'processing' ? [phaseWord(job.progress?.phase), typeof job.progress?.percent === 'number' && `${job.progress.percent} %`].filter(Boolean).join(' · ') : about(job.estimated_wait_seconds))),
        time(job.queued), h('td.acts', button('Cancel', (event) => stop(event.target, job), { kind: 'small', 'data-job': job.job_id, 'aria-label': `Cancel ${job.filename}` }))]), { hideCaption: true, cls: 'roomy' })
      : h('p.empty', 'Nothing is waiting.'));
    if (focused) place.querySelector(`[data-job="${CSS.escape(focused)}"]`)?.focus();
  }
  async function stop(near, job) {
    const yes = await ask({ title: `Cancel ${job.filename}?`, body: 'Nothing of it is stored. Its owner can process it again.', yes: `Cancel ${job.filename}`, no: 'Let it go on' });
    if (yes) await act(near, () => post(`/api/jobs/${job.job_id}/cancel`), async () => { near.removeAttribute('aria-disabled'); drawn = ''; await load(); }, 'Cancelled');
  }
  load();
  const off = onChange(() => { clearTimeout(timer); timer = setTimeout(load, 400); });
  return { title: 'Queue', element, close: () => { closed = true; clearTimeout(timer); off(); } };
}

const HEALTH = { ok: 'All is well', 'disk-full': 'The disk is full' };

function health(place, h_) {
  const good = h_.status === 'ok';
  const facts = [
    ['Server', badge(good ? { tone: 'ok', ico: 'done', word: HEALTH.ok } : { tone: 'bad', ico: 'cross', word: HEALTH[h_.status] || h_.status })],
    ['Version', h_.version], ['Running for', duration(h_.uptime_seconds)],
    ['Scheduler', h_.scheduler_running ? 'running' : 'not running'],
    ['Jobs', h_.queue && `${count(h_.queue.processing, 'in work', 'in work')}, ${num(h_.queue.pending)} waiting`],
  ].filter(([, value]) => value);
  fill(place, h('section.panel', h('h2', 'Server'), h('dl.facts', facts.map(([name, value]) => h('div', h('dt', name), h('dd', value)))),
    has('GET', '/metrics') && h('p.hint', 'Figures for a monitor are at ', h('a', { href: '/metrics' }, '/metrics'), '.')));
}
