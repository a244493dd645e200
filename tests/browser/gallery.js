// Brings the page into each state of states.js, one after the other.

import { launch, open, signIn } from './browser.js';
import { server } from './server.js';
import { STATES } from './states.js';

/** Calls `look(name, page)` for each state whose name has `part`; what went wrong on the way is in `page.complaints`. */
export async function walk(part, look) {
  const browser = await launch();
  const empty = await server();
  const office = await server({ users: [['maria', true], ['anna', false]] });
  const first = await open(browser, office.url);
  await signIn(first, 'maria');
  await first.getByRole('navigation', { name: 'Main' }).waitFor();
  const storageState = await first.context().storageState();
  try {
    for (const [name, state] of Object.entries(STATES)) {
      if (!name.includes(part)) continue;
      const page = await open(browser, null, { storageState: state.signedIn ? storageState : undefined, reducedMotion: 'reduce' });
      try { await state.reach(page, { empty, office, signIn }); } catch (error) { page.complaints.push(`not reached: ${error.message.split('\n').slice(0, 3).join(' | ')}`); }
      await look(name, page);
      await page.context().close();
    }
  } finally {
    await browser.close();
    await empty.end();
    await office.end();
  }
}
