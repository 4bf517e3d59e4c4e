// A job's plan, as EXPLAIN has it, as a graph; and SQL with its words told apart.

import {h} from './dom.js';
import {bytes, rate} from './format.js';

// Lines indented by two blanks a level → [{text, inputs: […]}].
export function parsePlan(text) {
  const roots = [], path = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const depth = Math.floor((line.length - line.trimStart().length) / 2);
    const node = {text: line.trim(), inputs: []};
    path.length = depth;
    (depth === 0 ? roots : path[depth - 1]?.inputs ?? roots).push(node);
    path[depth] = node;
  }
  return roots;
}

const KIND = /^((?:Insert|Scan|Filter|Project|\w*Aggregate|Exchange|Join|Union ?All|Union|Top-?N|Sort|Limit|Over|Values|Window|Expand|Unnest)\b(?: by\b)?)\s*(.*)$/i;

const is = (node, ...kinds) => kinds.some((kind) => node.text.toLowerCase().startsWith(kind));

// Gives each step the number of its operator, by which the job counts rows: operators are numbered
// as they stand in the plan; scans, constants and exchanges are none, but the scan of an upsert topic
// and an INSERT that converts its rows are. What does not add up stays without numbers.
export function numberOperators(roots, upsertTables, operatorCount) {
  for (const withInserts of [false, true]) {
    let next = 0;
    const number = (node) => {
      const isOne = is(node, 'insert') ? withInserts
        : is(node, 'scan') ? upsertTables.has(node.text.split(' ')[1]) : !is(node, 'values', 'exchange');
      node.number = isOne ? next++ : null;
      node.inputs.forEach(number);
    };
    roots.forEach(number);
    if (next === operatorCount) return true;
  }
  return false;
}

// What came into a step, and what it gave: what came into the one behind it. {rows, bytes} a second, without bytes where only
// the whole job's rows are known.
function flowsOf(node, behind, job) {
  const into = (each) => (each?.number === null || each === undefined ? null : job.flows.operators[each.number]);
  const next = behind.find((each) => !is(each, 'exchange'));
  const out = next === undefined ? {rows: job.out} : next.inputs.length > 1 ? null : is(next, 'insert') && next.number === null ? {rows: job.out} : into(next);
  if (is(node, 'scan')) return [null, out ?? {rows: job.in}];
  if (is(node, 'insert')) return [into(node), {rows: job.out}];
  return [is(node, 'exchange') ? null : into(node), out];
}

// What crosses an edge of the job at this step, {rows, bytes} a second; null where nothing is counted.
function flowOf(node, job) {
  if (is(node, 'exchange')) return job.flows.exchanges[node.exchange] ?? null;
  if (!is(node, 'scan', 'insert')) return null;
  const name = is(node, 'scan') ? node.text.split(' ')[1] : node.text.match(/^Insert\s+(?:into\s+)?(\S+)/i)?.[1];
  const table = job.tables.find((each) => each.table === name);
  const flows = is(node, 'scan') ? job.flows.inputs : job.flows.outputs;
  const own = [...(table?.topic ?? '').split(';'), table?.path].map((place) => flows[place]).filter(Boolean);
  return own.length === 0 ? null : own.reduce((sum, flow) => ({rows: sum.rows + flow.rows, bytes: sum.bytes + flow.bytes}));
}

// Exchanges are numbered as they stand in the plan.
function numberExchanges(roots) {
  let next = 0;
  const number = (node) => {
    if (is(node, 'exchange')) node.exchange = next++;
    node.inputs.forEach(number);
  };
  roots.forEach(number);
}

function said(word, flow) {
  if (flow === null || flow === undefined) return null;
  return `${word} ${rate(flow.rows)}${flow.bytes === undefined ? '' : `, ${bytes(Math.round(flow.bytes))}/s`}`;
}

function operator(node, behind, job) {
  const [, kind = 'Step', rest = node.text] = node.text.match(KIND) ?? [];
  const name = kind.replace(/ by$/i, '');
  const detail = kind.endsWith(' by') ? `by ${rest}` : rest;
  const [into, out] = job.isNumbered ? flowsOf(node, behind, job) : is(node, 'scan') ? [null, {rows: job.in}] : is(node, 'insert') ? [null, {rows: job.out}] : [null, null];
  // Of an edge of the job the bytes are those of its records or encoded rows.
  const edge = flowOf(node, job);
  const given = edge === null ? out : {rows: is(node, 'exchange') ? edge.rows : out?.rows ?? edge.rows, bytes: edge.bytes};
  const words = [said('in', into), said('out', given)].filter(Boolean);
  return h('div', {class: `op ${is(node, 'scan') ? 'op-scan' : is(node, 'insert') ? 'op-insert' : is(node, 'exchange') ? 'op-exchange' : ''}`},
    h('span', {class: 'op-kind'}, name), h('span', {class: 'op-detail', title: detail}, detail), words.length > 0 && h('span', {class: 'op-rows'}, words.map((each) => h('span', {}, each))));
}

function tree(node, behind, job) {
  return h('div', {class: 'plan-tree'},
    node.inputs.length > 0 && h('div', {class: 'plan-inputs'}, node.inputs.map((input) => tree(input, [node, ...behind], job))), operator(node, behind, job));
}

// `job`: {in, out: rows a second of the whole job, flows: Live.flowRates, tables, upsertTables}.
export function planView(text, job) {
  const roots = parsePlan(text);
  numberExchanges(roots);
  const isNumbered = roots.length === 1 && numberOperators(roots, job.upsertTables, job.flows.operators.length);
  return h('div', {class: 'plan', tabindex: 0, role: 'region', 'aria-label': 'The plan, from its sources on the left to where its rows go'},
    roots.map((root) => tree(root, [], {...job, isNumbered})));
}

const WORDS = new Set(('SELECT FROM WHERE GROUP BY ORDER HAVING INSERT INTO CREATE TABLE VIEW TEMPORARY WITH AS ON JOIN LEFT RIGHT FULL INNER OUTER CROSS UNION ALL DISTINCT CASE WHEN THEN ELSE END AND OR NOT NULL IS IN ' +
  'BETWEEN LIKE INTERVAL TUMBLE HOP CUMULATE SESSION DESCRIPTOR WATERMARK FOR PRIMARY KEY ENFORCED PARTITIONED PARTITION OVER WINDOW ROWS RANGE PRECEDING FOLLOWING CURRENT ROW SET CAST TRY_CAST LIMIT OFFSET VALUES ' +
  'STRING INT BIGINT DOUBLE FLOAT DECIMAL BOOLEAN TIMESTAMP DATE TIME SECOND MINUTE HOUR DAY MONTH YEAR EXPLAIN FILTER DESC ASC').split(' '));
const TOKEN = /(--[^\n]*)|('(?:[^']|'')*')|([A-Za-z_][A-Za-z_0-9]*)|([^A-Za-z_'-]+|.)/g;

export function sqlView(text) {
  const parts = [];
  for (const [token, comment, string, word] of text.matchAll(TOKEN)) {
    const kind = comment ? 'sql-comment' : string ? 'sql-string' : word && WORDS.has(word.toUpperCase()) ? 'sql-word' : null;
    parts.push(kind ? h('span', {class: kind}, token) : token);
  }
  return h('pre', {class: 'code', tabindex: 0, role: 'region', 'aria-label': 'SQL'}, h('code', {}, parts));
}
