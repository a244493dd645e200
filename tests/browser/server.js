// Starts the built executable on a free port with a database of its own, as a person would.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
export const EXECUTABLE = process.env.SHEETLINE_BIN || join(root, 'target', 'debug', 'sheetline');
export const PASSWORD = 'correct horse battery';

/** A running server: {url, code, add(name, admin), stop(), start()}. `code` is the setup code, while there is no user. */
export async function server({ args = [], users = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sheetline-browser-'));
  const db = join(folder, 'test.db');
  let child = null;
  let port = 0;
  const it = {
    url: '', code: '', folder, log: '',
    /** Adds a user with PASSWORD. */
    add(name, admin = false) {
      const done = spawnSync(EXECUTABLE, ['user', 'add', name, '--db', db, '--password-stdin', ...(admin ? ['--admin'] : [])], { input: `${PASSWORD}\n`, encoding: 'utf8' });
      if (done.status !== 0) throw new Error(`user add ${name}: ${done.stderr}`);
    },
    start() {
      child = spawn(EXECUTABLE, ['serve', '--db', db, '--listen', `127.0.0.1:${port}`, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      child.stderr.on('data', (bytes) => { it.log += bytes; });
      return new Promise((resolve, reject) => {
        let out = '';
        child.on('exit', (status) => reject(new Error(`the server ended with ${status}\n${out}${it.log}`)));
        child.stdout.on('data', (bytes) => {
          out += bytes;
          it.code = /#setup=(\S+)/.exec(out)?.[1] || it.code;
          const ready = /^listening on (http:\/\/[^\s]+:(\d+))$/m.exec(out);
          if (!ready) return;
          [, it.url] = ready;
          port = Number(ready[2]);
          resolve(it);
        });
      });
    },
    /** Ends the process: SIGTERM as an administrator would, SIGKILL as a power cut would. */
    stop(signal = 'SIGTERM') {
      if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
      return new Promise((resolve) => { child.removeAllListeners('exit'); child.on('exit', resolve); child.kill(signal); });
    },
    async end() {
      await it.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (const [name, admin] of users) it.add(name, admin);
  return it.start();
}
