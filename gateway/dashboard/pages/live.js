// What the gateway sends once a second, the last minutes of it, and whether it still comes.

const STALE_MS = 4000;
const HISTORY = 120;  // samples, one a second
const RETRY_MS = 3000;

class Live {
  state = {};           // cluster, datanodes, jobs, tasks: the documents of /api/v1
  history = new Map();  // name of a series → [{at, value}]
  heardAt = null;
  listeners = new Set();
  ends = new Map();     // topic → [{at, end}]
  operators = new Map(); // job → [{at, rows: by operator}]
  commits = new Map();  // job → {count, seconds}: of all that it made

  start() {
    this.connect();
    setInterval(() => this.notify(), 1000);  // so that silence shows, too
    // A page that nobody sees needs nothing, and browsers have few connections for all tabs together.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.source.close();
      else if (this.source.readyState === EventSource.CLOSED) { this.heardAt = null; this.connect(); }
    });
  }

  connect() {
    this.source = new EventSource('/api/v1/events');
    for (const name of ['cluster', 'datanodes', 'jobs', 'tasks']) {
      this.source.addEventListener(name, (event) => this.take(name, JSON.parse(event.data)));
    }
    // Browsers try again by themselves, but not after an answer that is an error.
    this.source.addEventListener('error', ({target}) => {
      if (target.readyState === EventSource.CLOSED && !document.hidden) setTimeout(() => this.source === target && this.connect(), RETRY_MS);
    });
  }

  take(name, document) {
    this.state[name] = document;
    this.heardAt = Date.now();
    if (name === 'jobs') this.noteJobs(document.jobs);
    if (name === 'tasks') this.noteTasks(document.tasks);
    if (name === 'cluster') this.note('raw_bytes', document.raw_bytes);
    if (!this.isScheduled) {
      this.isScheduled = true;
      setTimeout(() => { this.isScheduled = false; this.notify(); }, 0);
    }
  }

  note(series, value) {
    const samples = this.history.get(series) ?? [];
    samples.push({at: Date.now(), value});
    if (samples.length > HISTORY) samples.shift();
    this.history.set(series, samples);
  }

  noteJobs(jobs) {
    let rowsIn = 0, rowsOut = 0, lag = 0;
    for (const job of jobs) {
      this.note(`in ${job.job}`, job.rows_in_per_second);
      this.note(`out ${job.job}`, job.rows_out_per_second);
      this.note(`lag ${job.job}`, job.lag_records);
      const samples = this.operators.get(job.job) ?? [];
      samples.push({at: Date.now(), operators: job.operators, inputs: job.inputs, outputs: job.outputs, exchanges: job.exchanges});
      if (samples.length > 6) samples.shift();
      this.operators.set(job.job, samples);
      this.noteCommits(job);
      rowsIn += job.rows_in_per_second;
      rowsOut += job.rows_out_per_second;
      lag += job.lag_records;
    }
    this.note('in', rowsIn);
    this.note('out', rowsOut);
    this.note('lag', lag);
  }

  // How long those took that came since the last time, each.
  noteCommits(job) {
    const now = {count: job.commits + job.commits_failed, seconds: job.commit_seconds};
    const before = this.commits.get(job.job);
    this.commits.set(job.job, now);
    if (before && now.count > before.count) this.note(`commit ${job.job}`, (now.seconds - before.seconds) / (now.count - before.count) * 1000);
  }

  // How fast a topic grows is seen from its end, which the tasks that read it know.
  noteTasks(tasks) {
    const partitions = new Map();
    for (const task of tasks) {
      if (task.end === undefined) continue;
      const key = `${task.topic}\n${task.partition}`;
      partitions.set(key, Math.max(task.end, partitions.get(key) ?? 0));
    }
    const ends = new Map();
    for (const [key, end] of partitions) {
      const topic = key.split('\n')[0];
      ends.set(topic, (ends.get(topic) ?? 0) + end);
    }
    for (const [topic, end] of ends) {
      const samples = this.ends.get(topic) ?? [];
      samples.push({at: Date.now(), end});
      if (samples.length > 10) samples.shift();
      this.ends.set(topic, samples);
    }
  }

  topicRate(topic) {
    const samples = this.ends.get(topic);
    if (!samples || samples.length < 2) return null;
    const first = samples[0], last = samples[samples.length - 1];
    return Math.max((last.end - first.end) / Math.max((last.at - first.at) / 1000, 0.5), 0);
  }

  // Rows and bytes a second through a job: {inputs: by topic, outputs: by topic or path, exchanges: by number, operators: into each, by number}.
  flowRates(job) {
    const samples = (this.operators.get(job) ?? []).filter((sample, _, all) => sample.operators.length === all.at(-1).operators.length);
    const first = samples[0], last = samples.at(-1);
    if (!last) return {inputs: {}, outputs: {}, exchanges: [], operators: []};
    const seconds = Math.max((last.at - first.at) / 1000, 0.5);
    const rise = (now, before) => (name) => Math.max(now[name] - (before?.[name] ?? 0), 0) / seconds;
    const rates = (now, before) => Object.entries(now ?? {}).map(([place, flow]) => {
      const of = rise(flow, before?.[place]);
      return [place, {rows: of('rows'), bytes: of('bytes')}];
    });
    return {
      inputs: Object.fromEntries(rates(last.inputs, first.inputs)), outputs: Object.fromEntries(rates(last.outputs, first.outputs)),
      exchanges: rates(last.exchanges, first.exchanges).map(([, flow]) => flow),
      operators: rates(last.operators, first.operators).map(([, flow]) => flow),
    };
  }

  values(series) {
    return (this.history.get(series) ?? []).map((sample) => sample.value);
  }

  // 'waiting' (nothing came yet), 'live', 'lost'.
  get link() {
    if (this.heardAt === null) return this.source?.readyState === EventSource.OPEN ? 'silent' : 'waiting';
    return Date.now() - this.heardAt > STALE_MS ? 'lost' : 'live';
  }

  get silentMs() {
    return this.heardAt === null ? null : Date.now() - this.heardAt;
  }

  notify() {
    for (const listener of this.listeners) listener();
  }
}

export const live = new Live();

// The JSON document at that path of /api/v1; throws an Error with the server's words.
export async function ask(path) {
  const answer = await fetch(`/api/v1${path}`);
  const document = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(document?.error?.message ?? `the gateway answered ${answer.status}`);
  return document;
}
