// Every state of the page as a picture, at two widths and in both schemes.
// node shots.js FOLDER [PART OF A NAME]

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { walk } from './gallery.js';

const [folder = 'shots', part = ''] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
await walk(part, async (name, page) => {
  for (const [width, height, dark] of [[1280, 900, false], [1280, 900, true], [360, 740, false], [360, 740, true]]) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    await page.screenshot({ path: join(folder, `${name}-${width}${dark ? '-dark' : ''}.png`), fullPage: true });
  }
  process.stdout.write(`${[name, ...page.complaints].join('\n    ')}\n`);
});
