// "Now": the pipeline as a picture, and above it what is wrong.

import {h} from './dom.js';
import {bytes, count, duration, rate, short} from './format.js';
import {problems} from './health.js';
import {live} from './live.js';
import {badge, empty, loading, tile} from './widgets.js';

const INTERNAL = /-(changelog|repartition|time)(-\d+)?$/;

export function jobLevel(job) {
  const alive = job.workers.filter((worker) => worker.silent_ms <= 10000);
  if (alive.length === 0) return ['bad', 'no sign of it'];
  if (alive.length < job.workers.length) return ['warn', 'a worker is gone'];
  if (alive.some((worker) => worker.waiting_for)) return ['warn', `waits for ${alive.find((w) => w.waiting_for).waiting_for}`];
  const states = new Set(alive.map((worker) => worker.state));
  return states.size === 1 && states.has('running') ? ['ok', 'running'] : ['idle', [...states].join(', ')];
}

// ---- The graph: topics, jobs, files, the store, and what leads where ----

function placeOf(table) {
  if (table.topic) return {id: `topic ${table.topic}`, kind: 'topic', name: table.topic};
  if (table['topic-pattern']) return {id: `topic ${table['topic-pattern']}`, kind: 'topic', name: table['topic-pattern']};
  if (table.path) return {id: `path ${table.path}`, kind: 'path', name: table.path.replace(/^dfs:\/\//, '')};
  return {id: `table ${table.table}`, kind: 'other', name: `${table.table} (${table.connector})`};
}

export function graphOf(state) {
  const nodes = new Map(), edges = [];
  const add = (node) => nodes.get(node.id) ?? (nodes.set(node.id, {...node}), nodes.get(node.id));
  const tasks = state.tasks?.tasks ?? [];
  for (const job of state.jobs?.jobs ?? []) {
    const own = add({id: `job ${job.job}`, kind: 'job', name: job.job});
    own.job = job;
    const topics = new Set(tasks.filter((task) => task.job === job.job && !INTERNAL.test(task.topic)).map((task) => task.topic));
    const sources = job.sources ?? [...topics].map((topic) => ({topic}));
    for (const source of sources) edges.push({from: add(placeOf(source)).id, to: own.id, rate: job.rows_in_per_second});
    for (const sink of job.sinks ?? []) {
      const place = add(placeOf(sink));
      edges.push({from: own.id, to: place.id, rate: job.rows_out_per_second});
      place.written = (place.written ?? 0) + job.rows_out_per_second;
      if (sink.path?.startsWith('dfs:')) place.isStored = true;
    }
  }
  if (state.cluster) {
    add({id: 'store', kind: 'store', name: 'Replicated storage'});
    for (const node of nodes.values()) {
      if (node.isStored) edges.push({from: node.id, to: 'store', rate: node.written});
    }
  }
  return {nodes, edges};
}

// How many hops a node is away from what feeds it, the longest way; a circle ends the counting.
export function layersOf({nodes, edges}) {
  const layer = new Map([...nodes.keys()].map((id) => [id, 0]));
  for (let round = 0; round < nodes.size; ++round) {
    let isSettled = true;
    for (const {from, to} of edges) {
      if (layer.get(to) <= layer.get(from) && layer.get(from) + 1 < nodes.size) {
        layer.set(to, layer.get(from) + 1);
        isSettled = false;
      }
    }
    if (isSettled) break;
  }
  const last = Math.max(...layer.values(), 0);
  if (layer.has('store')) layer.set('store', Math.max(layer.get('store'), last, 1));
  const layers = [];
  for (const node of nodes.values()) (layers[layer.get(node.id)] ??= []).push(node);
  return layers.filter(Boolean);
}

// ---- The picture ----

const KINDS = {topic: 'Topic', job: 'Job', path: 'Files', store: 'Store', other: 'Table'};

function lines(node, state) {
  switch (node.kind) {
    case 'topic': {
      const grows = live.topicRate(node.name);
      const lag = (state.tasks?.tasks ?? []).filter((t) => t.topic === node.name).reduce((sum, t) => sum + (t.lag_records ?? 0), 0);
      if (grows !== null) return [rate(grows, 'record') + ' in', `lag ${count(lag, 'record')}`];
      return node.written === undefined ? ['not read yet'] : [rate(node.written, 'record') + ' written'];
    }
    case 'job': {
      const {job} = node;
      const lines = [`${short(job.rows_in_per_second)} → ${rate(job.rows_out_per_second)}`, `lag ${count(job.lag_records, 'record')}`];
      if (job.rows_late > 0) lines.push(`${count(job.rows_late, 'row')} late`);
      return lines;
    }
    case 'path':
      return [node.written === undefined ? 'read' : `${rate(node.written)} written`];
    case 'store': {
      const c = state.cluster;
      const all = c.datanodes.live + c.datanodes.stale + c.datanodes.dead;
      const ratio = c.stored_bytes > 0 ? `, ${(c.raw_bytes / c.stored_bytes).toFixed(1)}× compressed` : '';
      return [`${c.datanodes.live} of ${all} datanodes`, `${bytes(c.raw_bytes)}${ratio}`];
    }
    default:
      return [];
  }
}

function levelOf(node, state) {
  if (node.kind === 'job') return jobLevel(node.job);
  if (node.kind === 'store') {
    const c = state.cluster;
    if (c.missing_blocks > 0 || c.age_ms > 5000) return ['bad', c.missing_blocks > 0 ? 'blocks missing' : 'no answer'];
    if (c.datanodes.dead + c.datanodes.stale > 0) return ['bad', 'a datanode is down'];
    if (c.under_replicated_blocks > 0 || c.is_in_safe_mode) return ['warn', 'repairing'];
    return ['ok', 'healthy'];
  }
  return null;
}

function linkOf(node) {
  if (node.kind === 'job') return `#/jobs/${encodeURIComponent(node.name)}`;
  if (node.kind === 'store') return '#/storage';
  if (node.kind === 'path' && node.name.startsWith('/')) return `#/files${node.name}`;
  return null;
}

function nodeCard(node, state) {
  const level = levelOf(node, state);
  const link = linkOf(node);
  return h(link ? 'a' : 'div', {class: `node node-${node.kind} ${level ? `node-is-${level[0]}` : ''}`, href: link, 'data-key': node.id, 'data-id': node.id},
    h('span', {class: 'node-kind'}, KINDS[node.kind], level && badge(level[0], level[1])),
    h('span', {class: 'node-name'}, node.name),
    lines(node, state).map((line) => h('span', {class: 'node-line'}, line)));
}

// Lines are drawn once the cards have their places: from edge to edge, across or, on a narrow
// screen, downwards.
function drawEdges(root) {
  const flow = root.querySelector('.flow');
  if (!flow) return;
  const svg = flow.querySelector('.flow-lines');
  const box = flow.getBoundingClientRect();
  const {edges} = graphOf(live.state);
  const cards = new Map([...flow.querySelectorAll('[data-id]')].map((card) => [card.dataset.id, card.getBoundingClientRect()]));
  const isDown = getComputedStyle(flow).flexDirection === 'column';
  svg.setAttribute('viewBox', `0 0 ${box.width} ${box.height}`);
  const paths = edges.filter(({from, to}) => cards.has(from) && cards.has(to)).map(({from, to, rate: flowing}) => {
    const a = cards.get(from), b = cards.get(to);
    const [x1, y1, x2, y2] = isDown
      ? [a.left + a.width / 2, a.bottom, b.left + b.width / 2, b.top]
      : [a.right, a.top + a.height / 2, b.left, b.top + b.height / 2];
    const x = (value) => (value - box.left).toFixed(1), y = (value) => (value - box.top).toFixed(1);
    const mid = isDown ? (y1 + y2) / 2 : (x1 + x2) / 2;
    const bend = isDown ? `${x(x1)} ${y(mid)}, ${x(x2)} ${y(mid)}` : `${x(mid)} ${y(y1)}, ${x(mid)} ${y(y2)}`;
    return {d: `M ${x(x1)} ${y(y1)} C ${bend}, ${x(x2)} ${y(y2)}`, isFlowing: flowing > 0};
  });
  while (svg.children.length > paths.length) svg.lastChild.remove();
  paths.forEach(({d, isFlowing}, i) => {
    const path = svg.children[i] ?? svg.appendChild(h('path', {}));
    if (path.getAttribute('d') !== d) path.setAttribute('d', d);
    path.setAttribute('class', isFlowing ? 'edge edge-flows' : 'edge');
  });
}

function health(state) {
  const list = problems(state, live.link, live.silentMs);
  const known = state.cluster !== undefined;
  if (list.length === 0) {
    return h('div', {class: 'health health-ok', role: 'status', 'data-key': 'health'},
      h('p', {class: 'health-title'}, known ? 'All is well' : 'The master has not answered yet'),
      h('p', {}, known ? 'Every datanode is up, every block has its replicas, every job runs.' : 'As soon as it does, it is shown here.'));
  }
  const worst = list[0].level;
  return h('div', {class: `health health-${worst}`, role: 'status', 'data-key': 'health'},
    h('p', {class: 'health-title'}, list.length === 1 ? list[0].what : `${count(list.length, 'thing')} to know`),
    list.length === 1 ? h('p', {}, list[0].why) : h('ul', {}, list.map((each) => h('li', {'data-key': each.key, class: `is-${each.level}`},
      h('strong', {}, `${each.what}. `), each.why))));
}

function tiles(state) {
  const jobs = state.jobs?.jobs;
  const sum = (name) => jobs?.reduce((total, job) => total + job[name], 0);
  const c = state.cluster;
  const commits = sum('commits');
  return h('div', {class: 'tiles', 'data-key': 'tiles'},
    tile('Rows in', rate(sum('rows_in_per_second')), jobs ? `${count(sum('rows_in'), 'row')} since the start` : 'jobs are not known', live.values('in')),
    tile('Rows out', rate(sum('rows_out_per_second')), jobs ? `${count(sum('rows_out'), 'row')} since the start` : '', live.values('out')),
    tile('Lag', count(sum('lag_records'), 'record'), 'behind the topics’ ends', live.values('lag')),
    tile('Commits', count(commits), commits > 0 ? `${duration(sum('commit_seconds') / commits * 1000)} each, exactly once` : 'none yet'),
    tile('Stored', bytes(c?.raw_bytes), c ? `${bytes(c.stored_bytes)} a replica, ${count(c.blocks, 'block')}` : '', live.values('raw_bytes')));
}

function picture(state) {
  if (state.jobs && state.jobs.jobs.length === 0) {
    return empty('No job is running', h('p', {}, 'Start one, and it appears here: ', h('code', {}, 'processor run jobs/flights_delays.sql'), ' or ', h('code', {}, './slipstream demo'), '.'));
  }
  if (!state.jobs && !state.cluster) return loading('the state of cluster and jobs');
  const layers = layersOf(graphOf(state));
  return h('div', {class: 'flow', 'data-key': 'flow'},
    h('svg', {class: 'flow-lines', 'data-own': true, 'aria-hidden': 'true'}),
    layers.map((nodes, i) => h('div', {class: 'flow-layer', 'data-key': `layer ${i}`}, nodes.map((node) => nodeCard(node, state)))));
}

export const nowPage = {
  name: 'now',
  title: 'Now',
  open(redraw) {
    this.resized = () => redraw();
    window.addEventListener('resize', this.resized);
  },
  close() {
    window.removeEventListener('resize', this.resized);
  },
  draw() {
    const {state} = live;
    return [
      h('h1', {class: 'hidden', 'data-key': 'title'}, 'The pipeline now'),
      health(state), tiles(state),
      h('section', {class: 'card', 'data-key': 'pipeline'}, h('h2', {}, 'Pipeline'), picture(state))];
  },
  drawn: drawEdges,
};
