// "Jobs": what each job is and does: plan, tasks, workers, dead letters, SQL.

import {h} from './dom.js';
import {count, duration, percent, rate, time} from './format.js';
import {ask, live} from './live.js';
import {jobLevel} from './page_now.js';
import {planView, sqlView} from './plan_view.js';
import {badge, card, empty, failure, loading, table, tile} from './widgets.js';

const LETTERS_PERIOD_MS = 5000;
let chosen = '', redraw = () => {}, timer = null;
let description = null, descriptionOf = null, wrong = null;
let letters = null, lettersOf = null;

function current() {
  const jobs = live.state.jobs?.jobs ?? [];
  return jobs.find((job) => job.job === chosen) ?? (chosen === '' ? jobs[0] : undefined);
}

// What a job is changes when it is started anew; it is asked for once.
async function describe() {
  const job = current()?.job;
  if (!job || descriptionOf === job) return;
  descriptionOf = job;
  description = wrong = letters = lettersOf = null;
  try {
    description = await ask(`/job?job=${encodeURIComponent(job)}`);
  } catch (failed) {
    wrong = failed;
  }
  redraw();
  fetchLetters();
}

async function fetchLetters() {
  const job = current();
  if (!job || job.rows_dead === 0 || !description || document.hidden) return;
  const topics = description.sources.map((source) => source.topic).filter(Boolean);
  const found = [];
  for (const topic of topics) {
    try {
      found.push(...(await ask(`/records?topic=${encodeURIComponent(`${topic}.dead-letter`)}&limit=20`)).records);
    } catch {
      // Another of the job's topics has them.
    }
  }
  letters = found.sort((a, b) => b.at_ms - a.at_ms).slice(0, 20);
  lettersOf = job.job;
  redraw();
}

function list(jobs, job) {
  return h('nav', {class: 'tabs', 'aria-label': 'Jobs', 'data-key': 'tabs'}, jobs.map((each) => {
    const [level, words] = jobLevel(each);
    return h('a', {href: `#/jobs/${encodeURIComponent(each.job)}`, 'aria-current': each === job ? 'true' : null, 'data-key': each.job},
      h('span', {class: `dot dot-${level}`, 'aria-hidden': 'true'}), each.job, h('span', {class: 'hidden'}, ` (${words})`));
  }));
}

function mean(workers, name) {
  const alive = workers.filter((worker) => worker.silent_ms <= 10000);
  return alive.length === 0 ? null : alive.reduce((sum, worker) => sum + worker[name], 0) / alive.length;
}

function tiles(job) {
  const all = job.commits + job.commits_failed;
  return h('div', {class: 'tiles tiles-four', 'data-key': 'tiles'},
    tile('Rows in', rate(job.rows_in_per_second), `${count(job.rows_in, 'row')} since it started`, live.values(`in ${job.job}`)),
    tile('Rows out', rate(job.rows_out_per_second), `${count(job.rows_out, 'row')} since it started`, live.values(`out ${job.job}`)),
    tile('Lag', count(job.lag_records, 'record'), 'behind the topics’ ends', live.values(`lag ${job.job}`)),
    tile('Busy', percent(mean(job.workers, 'busy_share')), `and ${percent(mean(job.workers, 'commit_share'))} of the time committing`),
    tile('Workers', count(job.workers.length), `${count(job.workers.reduce((sum, worker) => sum + worker.tasks, 0), 'task')}, ${count(job.workers.reduce((sum, worker) => sum + worker.takeovers, 0), 'takeover')}`),
    tile('Late rows', count(job.rows_late, 'row'), 'their windows had fired'),
    tile('Dead letters', count(job.rows_dead, 'record'), 'could not be read; kept raw'),
    tile('Commits', count(job.commits), all > 0 ? `${duration(live.values(`commit ${job.job}`).at(-1) ?? job.commit_seconds / all * 1000)} each now, ${duration(job.commit_seconds / all * 1000)} on average; ${count(job.commits_failed)} came to nothing` : 'none yet', live.values(`commit ${job.job}`)));
}

// Over the seconds over which those of its operators are taken.
function lately(name, job) {
  const values = live.values(`${name} ${job.job}`).slice(-5);
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}

function plan(job) {
  if (wrong) return failure('What the job is cannot be said:', wrong);
  if (!description || descriptionOf !== job.job) return loading('the plan');
  if (!description.plan) return empty('The job’s processes do not say what it is');
  const upsertTables = new Set(description.sources.filter((source) => source.connector === 'upsert-kafka').map((source) => source.table));
  return planView(description.plan, {in: lately('in', job), out: lately('out', job), flows: live.flowRates(job.job), tables: [...description.sources, ...description.sinks], upsertTables});
}

function tasks(job) {
  const own = (live.state.tasks?.tasks ?? []).filter((task) => task.job === job.job);
  if (own.length === 0) return empty('No tasks', 'A worker that joins takes partitions over in a few seconds.');
  const newest = Math.max(...own.map((task) => task.watermark_ms ?? -Infinity));
  const behind = (task) => (task.watermark_ms === undefined ? 'none yet' : task.watermark_ms >= newest ? 'the newest' : `${duration(newest - task.watermark_ms)} behind`);
  own.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
  return table('Tasks', [
    {name: 'Topic', cell: (task) => task.topic}, {name: 'Partition', cell: (task) => task.partition, isNumber: true},
    {name: 'Position', cell: (task) => count(task.position), isNumber: true}, {name: 'Lag, records', cell: (task) => count(task.lag_records), isNumber: true},
    {name: 'Watermark, UTC', cell: (task) => (task.watermark_ms === undefined ? '–' : time(task.watermark_ms))}, {name: 'Against the others', cell: behind},
    {name: 'Busy', cell: (task) => percent(task.busy_share), isNumber: true}, {name: 'Held back', cell: (task) => percent(task.held_back_share), isNumber: true},
    {name: 'State', cell: (task) => (task.is_done ? badge('idle', 'done') : task.is_idle ? badge('idle', 'idle') : badge('ok', 'active'))},
  ], own, (task) => `${task.topic} ${task.partition}`);
}

function copies(worker) {
  if (worker.standbys === 0) return '–';
  return `${count(worker.standbys)}, ${worker.standby_lag_records === undefined ? 'catching up' : `${count(worker.standby_lag_records, 'record')} behind`}`;
}

function workers(job) {
  return table('Workers', [
    {name: 'Worker', cell: (worker) => worker.worker.slice(-12)}, {name: 'Host', cell: (worker) => worker.host},
    {name: 'State', cell: (worker) => (worker.silent_ms > 10000 ? badge('bad', `silent for ${duration(worker.silent_ms)}`) : worker.waiting_for ? badge('warn', `waits for ${worker.waiting_for}`) : badge(worker.state === 'running' ? 'ok' : 'idle', worker.state))},
    {name: 'Rows in', cell: (worker) => rate(worker.rows_in_per_second), isNumber: true}, {name: 'Rows out', cell: (worker) => rate(worker.rows_out_per_second), isNumber: true},
    {name: 'Busy', cell: (worker) => percent(worker.busy_share), isNumber: true}, {name: 'Committing', cell: (worker) => percent(worker.commit_share), isNumber: true},
    {name: 'Commits', cell: (worker) => count(worker.commits), isNumber: true},
    {name: 'A commit takes', cell: (worker) => (worker.commits > 0 ? duration(worker.commit_seconds / (worker.commits + worker.commits_failed) * 1000) : '–'), isNumber: true},
    {name: 'Takeovers', cell: (worker) => count(worker.takeovers), isNumber: true},
    ...(job.workers.some((worker) => worker.standbys > 0) ? [{name: 'Copies of others’ tasks', cell: copies}] : []),
  ], job.workers, (worker) => worker.worker);
}

function deadLetters(job) {
  if (job.rows_dead === 0) return empty('No dead letters', 'Every record that came could be read.');
  if (lettersOf !== job.job || letters === null) return loading('the records');
  if (letters.length === 0) return empty('They are not in the usual topic', 'The job names another one for them.');
  return [h('p', {class: 'note', 'data-key': 'note'}, 'The newest of the topics that the job reads; other jobs that read them add theirs.'), table('Dead letters, the newest first', [
    {name: 'Came at, UTC', cell: (letter) => time(letter.at_ms)},
    {name: 'From', cell: (letter) => `${letter.headers['slipstream.topic'] ?? '–'}, partition ${letter.headers['slipstream.partition'] ?? '–'}, offset ${letter.headers['slipstream.offset'] ?? '–'}`},
    {name: 'Why', cell: (letter) => letter.headers['slipstream.error'] ?? '–'}, {name: 'Record', cell: (letter) => h('code', {class: 'cut', title: letter.value}, letter.value ?? '(no value)')},
  ], letters, (letter) => `${letter.partition} ${letter.offset}`)];
}

export const jobsPage = {
  name: 'jobs',
  title: 'Jobs',
  open(draw) {
    redraw = draw;
    timer = setInterval(fetchLetters, LETTERS_PERIOD_MS);
  },
  close() {
    clearInterval(timer);
    redraw = () => {};
    descriptionOf = null;
  },
  go(rest) {
    chosen = rest;
  },
  draw() {
    const jobs = live.state.jobs?.jobs;
    const head = h('h1', {'data-key': 'head'}, 'Jobs');
    if (!jobs) return [head, live.link === 'live' ? h('section', {class: 'card'}, empty('Nothing is known of jobs', 'The gateway has no --brokers, or Kafka does not answer.')) : loading('the jobs')];
    if (jobs.length === 0) return [head, h('section', {class: 'card'}, empty('No job is running', h('p', {}, 'Start one: ', h('code', {}, 'processor run jobs/flights_delays.sql'))))];
    const job = current();
    if (!job) return [head, list(jobs, null), h('section', {class: 'card', 'data-key': 'gone'}, empty(`${chosen} does not run`, 'It has ended, or was never started here.'))];
    describe();
    const [level, words] = jobLevel(job);
    return [head, list(jobs, job),
      h('div', {class: 'job-head', 'data-key': 'job head'}, h('h2', {}, job.job), badge(level, words)),
      tiles(job), card('Plan', plan(job)), card('Tasks', tasks(job)), card('Workers', workers(job)), card('Dead letters', deadLetters(job)),
      card('SQL', description?.sql && descriptionOf === job.job ? sqlView(description.sql) : wrong ? failure('No SQL:', wrong) : loading('the SQL'))];
  },
};
