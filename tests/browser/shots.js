// Every state of the page as a picture, at two widths and in both schemes, with what axe-core says of it.
// node shots.js FOLDER [PART OF A NAME]

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { axe, launch, open, sideways, signIn } from './browser.js';
import { server } from './server.js';
import { STATES } from './states.js';

const [folder = 'shots', part = ''] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const browser = await launch();
const empty = await server();
const office = await server({ users: [['maria', true], ['anna', false]] });
let bad = 0;
const states = Object.entries(STATES).filter(([name]) => name.includes(part));
for (const [name, state] of states) {
  const page = await open(browser);
  page.setDefaultTimeout(4000);
  const complaints = [];
  try {
    await state.reach(page, { empty, office, signIn });
    await page.waitForTimeout(150);
  } catch (error) { complaints.push(`NOT REACHED: ${error.message.split('\n').slice(0, 3).join(' | ')}`); }
  for (const [width, height, dark] of [[1280, 900, false], [1280, 900, true], [360, 740, false], [360, 740, true]]) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' });
    await page.screenshot({ path: join(folder, `${name}-${width}${dark ? '-dark' : ''}.png`), fullPage: true });
    const off = await sideways(page);
    if (off > 0) complaints.push(`${width} px: ${off} px sideways`);
    for (const line of await axe(page)) complaints.push(`${width}${dark ? ' dark' : ''}: ${line}`);
  }
  complaints.push(...page.complaints);
  bad += complaints.length;
  console.log(`${complaints.length ? 'BAD' : 'ok '} ${name}${complaints.map((c) => `\n      ${c}`).join('')}`);
  await page.context().close();
}
// One sheet a state, so that all four can be seen side by side.
const sheet = await open(browser, null, { width: 1640, height: 1000 });
const { readFileSync } = await import('node:fs');
for (const [name] of states) {
  const img = (file, width) => `<img width="${width}" src="data:image/png;base64,${readFileSync(join(folder, file)).toString('base64')}">`;
  await sheet.setContent(`<body style="margin:0;display:flex;gap:8px;align-items:start;background:#888">${img(`${name}-1280.png`, 740)}${img(`${name}-1280-dark.png`, 420)}${img(`${name}-360.png`, 232)}${img(`${name}-360-dark.png`, 232)}</body>`);
  await sheet.screenshot({ path: join(folder, `${name}.sheet.png`), fullPage: true });
}
await browser.close();
await empty.end();
await office.end();
process.exitCode = bad ? 1 : 0;
