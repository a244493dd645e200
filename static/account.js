// Who somebody is: set up, sign in (as a page, and over the page in mid-work), the profile.

import { call, get, has, post, remove, Problem } from './api.js';
import { ask, attr, button, copy, field, fill, formDialog, h, icon, newId, note, say, show, table, text } from './dom.js';
import { ago, explain, time } from './words.js';

const MIN_PASSWORD = 10;
const nameInput = (value = '') => h('input', { type: 'text', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: true, maxlength: '200', value });
const passwordInput = (autocomplete) => h('input', { type: 'password', autocomplete, required: true, maxlength: '1000' });

/** A form that shows what went wrong beside itself, counts a throttle down, and can't be sent twice at once. */
function form({ fields, yes, submit, after }) {
  const message = h('div');
  const go = h('button.primary', { type: 'submit' }, yes);
  let timer = 0;
  const fail = (problem, input) => {
    clearInterval(timer);
    const words = problem instanceof Problem ? explain(problem) : problem.message;
    const box = note('bad', h('p', words));
    show(message, box);
    if (input) { input.setAttribute('aria-invalid', 'true'); input.focus(); }
    say(words, true);
    if (problem.code !== 'too-many-attempts') return;
    let left = problem.retryAfter || 30;
    attr(go, 'aria-disabled', 'true');
    timer = setInterval(() => {
      left -= 1;
      if (left > 0) { text(box.querySelector('p'), `Too many tries. Wait ${left} ${left === 1 ? 'second' : 'seconds'}.`); return; }
      clearInterval(timer);
      attr(go, 'aria-disabled', null);
      fill(message);
    }, 1000);
  };
  const element = h('form', {
    novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      if (go.getAttribute('aria-disabled')) return;
      for (const input of element.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
      const empty = [...element.querySelectorAll('input[required]')].find((input) => !input.value);
      if (empty) { fail(new Error(`Fill in “${element.querySelector(`label[for="${empty.id}"]`).textContent}”.`), empty); return; }
      attr(go, 'aria-disabled', 'true');
      fill(message);
      try {
        await submit();
        attr(go, 'aria-disabled', null);
      } catch (problem) {
        attr(go, 'aria-disabled', null);
        fail(problem, problem.input);
      }
    },
  }, fields, message, h('div.actions', go), after);
  return element;
}

const wrong = (sentence, input) => Object.assign(new Error(sentence), { input });
function checkNew(password, again) {
  if ([...password.value].length < MIN_PASSWORD) throw wrong(`Use at least ${MIN_PASSWORD} characters.`, password);
  if (password.value !== again.value) throw wrong('The two passwords are not the same.', again);
}

const signIn = (username, password) => post('/api/auth/login', { username, password }, { gate: false });

const door = (title, ...children) => h('div.door', h('h1', { tabindex: '-1' }, h('span.mark', icon('file')), title), ...children);

/** The sign-in page. `done(user)` when somebody is in; `message` says why it is shown, if there is a reason. */
export function signInPage({ done, setUp, message }) {
  const name = nameInput();
  const password = passwordInput('current-password');
  return door('Sign in to Sheetline', message && note('info', h('p', message)),
    form({
      fields: [field('Name', name), field('Password', password)], yes: 'Sign in',
      submit: async () => {
        try { done((await signIn(name.value, password.value)).user_info); } catch (problem) { password.value = ''; throw Object.assign(problem, { input: password }); }
      },
    }),
    h('details.quiet', h('summary', 'Cannot get in?'),
      h('p', 'An administrator can give you a new password under Users. If nobody can get in: on the server, run ', h('code', 'sheetline user passwd NAME'), '.'),
      h('p', 'First start, and no users yet? ', button('Set up Sheetline', setUp, { kind: 'plain' }))));
}

/** The first admin. The code comes from the server's window, or in the link that it printed. */
export function setUpPage({ code, done, back }) {
  const token = h('input', { type: 'text', autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', required: true, value: code });
  const name = nameInput();
  const password = passwordInput('new-password');
  const again = passwordInput('new-password');
  return door('Set up Sheetline',
    h('p', 'You make the first account here. It is an administrator and can add the others.'),
    form({
      fields: [
        field('Setup code', token, 'The server printed it when it started with no users.'),
        field('Name', name), field('Password', password, `At least ${MIN_PASSWORD} characters.`), field('Password again', again),
      ],
      yes: 'Make the account',
      submit: async () => {
        checkNew(password, again);
        await post('/api/auth/setup', { token: token.value.trim(), username: name.value.trim(), password: password.value }, { gate: false });
        try { done((await get('/api/auth/session', { gate: false })).user_info); } catch {
          done((await signIn(name.value.trim(), password.value)).user_info);
        }
      },
      after: button('I have an account: sign in', back, { kind: 'plain' }),
    }));
}

/** Somebody else chose the password: an own one comes before everything else. */
export function ownPasswordPage({ user, done, leave }) {
  const current = passwordInput('current-password');
  const password = passwordInput('new-password');
  const again = passwordInput('new-password');
  return door('Choose your own password',
    h('p', `You are signed in as ${user.username} with a password that somebody else chose.`),
    form({
      fields: [field('Current password', current), field('New password', password, `At least ${MIN_PASSWORD} characters.`), field('New password again', again)],
      yes: 'Use this password',
      submit: async () => {
        checkNew(password, again);
        try { await post('/api/auth/password', { current: current.value, new: password.value }, { gate: false }); } catch (problem) {
          throw problem.code === 'invalid-credentials' ? wrong('The current password is wrong.', current) : problem;
        }
        done({ ...user, must_change: false });
      },
      after: button('Sign out', leave, { kind: 'plain' }),
    }));
}

let open = null;
/** Sign-in over the page: everything behind it stays as it is. Resolves to true when the same person is back. */
export function signInOver(user, words) {
  open ||= new Promise((resolve) => {
    const id = newId('again');
    const name = nameInput(user.username);
    const password = passwordInput('current-password');
    const dialog = h('dialog', { 'aria-labelledby': id }, h('h2', { id }, 'Sign in again'), h('p', words), form({
      fields: [field('Name', name), field('Password', password)], yes: 'Sign in',
      submit: async () => {
        let info;
        try { info = (await signIn(name.value, password.value)).user_info; } catch (problem) { password.value = ''; throw Object.assign(problem, { input: password }); }
        open = null;
        dialog.close();
        dialog.remove();
        if (info.id !== user.id || info.must_change) { location.reload(); return; } // somebody else: nothing of the page before may stay
        say('Signed in');
        resolve(true);
      },
      after: button('Leave this page', () => location.reload(), { kind: 'plain' }),
    }));
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
    password.focus();
  });
  return open;
}

// ---- Profile

export function profileView({ user }) {
  const sessions = h('section');
  const tokens = h('section');
  const element = h('div', h('h1', { tabindex: '-1' }, user.username),
    h('p.lead', user.role === 'admin' ? 'Administrator' : 'User', user.email && ` · ${user.email}`),
    passwordSection(), sessions, tokens);
  loadInto(sessions, () => sessionSection(sessions));
  if (has('GET', '/api/auth/tokens')) loadInto(tokens, () => tokenSection(tokens));
  return { title: 'Profile', element };
}

async function loadInto(place, make) {
  try { await make(); } catch (problem) { fill(place, note('bad', explain(problem))); }
}

function passwordSection() {
  const current = passwordInput('current-password');
  const password = passwordInput('new-password');
  const again = passwordInput('new-password');
  const result = h('div');
  return h('section.panel', h('h2', 'Password'), form({
    fields: [field('Current password', current), field('New password', password, `At least ${MIN_PASSWORD} characters. Your other sessions end.`), field('New password again', again)],
    yes: 'Change the password',
    submit: async () => {
      fill(result);
      checkNew(password, again);
      try { await post('/api/auth/password', { current: current.value, new: password.value }); } catch (problem) {
        throw problem.code === 'invalid-credentials' ? wrong('The current password is wrong.', current) : problem;
      }
      for (const input of [current, password, again]) input.value = '';
      show(result, note('ok', 'The password is changed.'));
      say('The password is changed');
    },
  }), result);
}

async function sessionSection(place) {
  const { sessions } = await get('/api/auth/sessions');
  const list = sessions.map((s) => [
    h('span', s.device ? browser(s.device) : `Session ${String(s.id).slice(0, 8)}`, s.current && h('strong', ' · this one')),
    s.address || '–', time(s.created_at), time(s.last_seen_at),
    s.current ? '' : button('End', async (event) => {
      if (!await ask({ title: 'End this session?', body: `It was last used ${ago(s.last_seen_at)}. Whoever uses it has to sign in again.`, yes: 'End the session', no: 'Leave it' })) return;
      await act(event.target, () => remove(`/api/auth/sessions/${encodeURIComponent(s.id)}`), () => sessionSection(place), 'Session ended');
    }, { kind: 'small', 'aria-label': `End the session from ${ago(s.created_at)}` }),
  ]);
  fill(place, h('section.panel', h('h2', 'Where you are signed in'),
    table('Your sessions', [{ label: 'Session' }, { label: 'From' }, { label: 'Signed in' }, { label: 'Last used' }, { label: h('span.vh', 'Action') }], list, { hideCaption: true })));
}

/** "Firefox on Windows" is what people know; the whole text is on hover. */
function browser(agent) {
  const name = /Edg\//.test(agent) ? 'Edge' : /Firefox\//.test(agent) ? 'Firefox' : /Chrom(e|ium)\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : agent.split(/[/ ]/)[0];
  const system = /Windows/.test(agent) ? 'Windows' : /Android/.test(agent) ? 'Android' : /iPhone|iPad/.test(agent) ? 'iOS' : /Mac OS/.test(agent) ? 'macOS' : /Linux/.test(agent) ? 'Linux' : '';
  return h('span', { title: agent }, system ? `${name} on ${system}` : name);
}

async function tokenSection(place, made) {
  const { tokens } = await get('/api/auth/tokens');
  const list = tokens.map((t) => [
    t.name, time(t.created_at), t.last_used_at ? time(t.last_used_at) : 'never', t.expires_at ? time(t.expires_at) : 'never',
    button('Revoke', async (event) => {
      if (!await ask({ title: `Revoke “${t.name}”?`, body: 'Scripts that use it stop working at once.', yes: `Revoke ${t.name}`, no: 'Leave it' })) return;
      await act(event.target, () => remove(`/api/auth/tokens/${encodeURIComponent(t.id)}`), () => tokenSection(place), 'Token revoked');
    }, { kind: 'small', 'aria-label': `Revoke ${t.name}` }),
  ]);
  fill(place, h('section.panel', h('h2', 'API tokens'), h('p.hint', 'For scripts: send it as “Authorization: Bearer TOKEN”. It may do what you may, except manage users and passwords.'),
    made && madeToken(made),
    tokens.length ? table('Your API tokens', [{ label: 'Name' }, { label: 'Made' }, { label: 'Last used' }, { label: 'Ends' }, { label: h('span.vh', 'Action') }], list, { hideCaption: true }) : h('p.empty', 'No tokens.'),
    h('div.actions', button('Make a token', () => newToken(place)))));
  if (made) place.querySelector('.note').focus();
}

async function newToken(place) {
  const name = h('input', { type: 'text', required: true, maxlength: '100', autocomplete: 'off' });
  const days = h('select', ['30', '90', '365'].map((d) => h('option', { value: d, selected: d === '90' }, `${d} days`)));
  const made = await formDialog({
    title: 'Make an API token', yes: 'Make it',
    fields: [field('Name', name, 'What it is for, so that you know it again.'), field('Works for', days)],
    submit: async () => {
      if (!name.value.trim()) throw new Error('Give it a name.');
      try { return await post('/api/auth/tokens', { name: name.value.trim(), expires_in_days: Number(days.value) }); } catch (problem) { throw new Error(explain(problem)); }
    },
  });
  if (made) await loadInto(place, () => tokenSection(place, made));
}

function madeToken({ name, token }) {
  const said = h('span.hint');
  return note('ok', h('p', `“${name}” is made. Copy it now: it is shown only this once.`), h('p', h('code.secret', token)),
    h('p', button('Copy', () => { text(said, copy(token) ? ' Copied.' : ' Select it and copy it by hand.'); say(said.textContent); }, { kind: 'small' }), said));
}

/** Does something behind a button, then loads anew; a failure stands beside the button. */
export async function act(near, work, after, done) {
  attr(near, 'aria-disabled', 'true');
  try {
    await work();
    await after();
    if (done) say(done);
  } catch (problem) {
    attr(near, 'aria-disabled', null);
    const words = explain(problem);
    near.parentElement.querySelector('.beside')?.remove();
    near.after(h('span.beside', icon('cross'), words));
    say(words, true);
  }
}

export const signOut = async () => { await call('POST', '/api/auth/logout', { json: {}, gate: false }); };
