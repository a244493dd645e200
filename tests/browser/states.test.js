// Every state that people can see: no complaint, nothing for axe-core in either scheme, no scrolling sideways.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axe, sideways } from './browser.js';
import { walk } from './gallery.js';

test('every state is accessible in both colour schemes and fits a telephone', async (t) => {
  await walk('', (name, page) => t.test(name, async () => {
    assert.deepEqual(page.complaints, []);
    assert.deepEqual(await axe(page), [], 'light');
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).colorScheme), name === 'print' ? 'light' : 'light dark', 'the scheme is the system’s');
    await page.setViewportSize({ width: 360, height: 740 });
    assert.deepEqual(await axe(page, ['color-contrast', 'target-size']), [], 'dark, 360 px'); // the rest does not depend on either
    if (name !== 'print') assert.equal(await sideways(page), 0, 'nothing scrolls sideways at 360 px');
    assert.deepEqual(page.complaints, []);
  }));
});
