// What can be done with a job: begin it, stop it, try it again, take away what it made.

import { has, post } from './api.js';
import { markStopping, poke } from './live.js';

/** The job that this page has started or seen at work; its card stays when it has ended. */
export const watched = { id: null, focus: false };

export function watch(id) {
  Object.assign(watched, { id, focus: true });
  poke();
}

/** Processes a file that was stored before. */
export async function processStored(id, options = {}) {
  watch((await post(`/api/files/${id}/process`, options)).job_id);
}

export async function retry(job) {
  watch((await post(`/api/jobs/${job.job_id}/retry`)).job_id);
}

export async function cancel(job) {
  try {
    await post(`/api/jobs/${job.job_id}/cancel`);
    markStopping(job.job_id);
  } catch (problem) {
    if (problem.code !== 'not-active') throw problem; // it has ended by itself meanwhile
  }
  poke();
}

/** What a job made, for taking away, the most useful first: [label, address]. */
export function downloads(job) {
  if (job.status !== 'completed') return [];
  return [
    job.counts?.invalid > 0 && ['Rows to fix (.xlsx)', 'repair.xlsx'], ['Clean list (.xlsx)', 'records.xlsx'], ['Clean list (.csv)', 'records.csv'],
    !job.file_deleted && ['Marked copy (.xlsx)', 'annotated.xlsx'], ['JSON', 'records.json'], ['JSON, a record a line', 'records.ndjson'],
  ].filter((one) => one && has('GET', `/api/jobs/{id}/${one[1]}`)).map(([label, name]) => [label, `/api/jobs/${job.job_id}/${name}`]);
}
