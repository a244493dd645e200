// A page on a bad day, for tests that must not hang on luck: UNSTEADY=SEED makes its processor up to six times
// slower and delays each question and each answer, so that they overtake each other. The seed says how.

const SEED = Number(process.env.UNSTEADY || 0);
const SLOWER_MAX = 6;
const DELAYS_MS = [40, 150, 400]; // at most, a page has one of these
let pages = 0;

/** In the page, before anything of its own. */
function late({ seed, most }) {
  let state = seed;
  const random = () => { // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const later = () => new Promise((resolve) => { setTimeout(resolve, most * random()); });
  const ask = window.fetch;
  window.fetch = async (...what) => { await later(); const answer = await ask(...what); await later(); return answer; };
  Object.defineProperty(XMLHttpRequest.prototype, 'onload', { configurable: true, set(told) { this.addEventListener('load', () => later().then(told)); } });
}

/** Makes a page so, where it is asked for; to be called before it has an address. */
export async function unsteady(page) {
  if (!SEED) return;
  pages += 1;
  const seed = SEED * 1000 + pages;
  await page.context().addInitScript(late, { seed, most: DELAYS_MS[seed % DELAYS_MS.length] });
  const protocol = await page.context().newCDPSession(page);
  await protocol.send('Emulation.setCPUThrottlingRate', { rate: 1 + Math.floor(seed / DELAYS_MS.length) % SLOWER_MAX });
}
