// "Results": live charts of topics and stored tables, over a range of time.

import {ChartView, gauges} from './chart_view.js';
import {h} from './dom.js';
import {count, digits, time} from './format.js';
import {ask} from './live.js';
import {empty, failure, loading} from './widgets.js';

const PERIOD_MS = 2000;
const MINUTE = 60e3;
const RANGES = [
  ['all', 'All data'], [String(5 * MINUTE), 'Last 5 minutes'], [String(15 * MINUTE), 'Last 15 minutes'], [String(60 * MINUTE), 'Last hour'],
  [String(6 * 60 * MINUTE), 'Last 6 hours'], [String(24 * 60 * MINUTE), 'Last day'], [String(7 * 1440 * MINUTE), 'Last 7 days'],
  [String(30 * 1440 * MINUTE), 'Last 30 days'], ['between', 'From … to …'],
];

let charts = null, error = null, redraw = () => {}, timer = null, isAsking = false;
let range = 'all', from = '', to = '';
const data = new Map();   // chart → its last answer, or {failure}
const views = new Map();  // chart → ChartView

// "2013-05-01T06:00" as the input has it; UTC, as all times here.
const toMs = (text) => (text === '' ? null : Date.parse(`${text}Z`));

function rangeQuery() {
  if (range === 'all') return '';
  if (range !== 'between') return `&last_ms=${range}`;
  return [['from_ms', toMs(from)], ['to_ms', toMs(to)]].filter(([, ms]) => ms !== null).map(([name, ms]) => `&${name}=${ms}`).join('');
}

async function refresh() {
  if (isAsking || document.hidden) return;
  isAsking = true;
  try {
    charts = (await ask('/charts')).charts;
    error = null;
    const query = rangeQuery();
    await Promise.all(charts.filter((chart) => !chart.error).map(async ({chart}) => {
      try {
        data.set(chart, await ask(`/chart?chart=${encodeURIComponent(chart)}&steps=100${query}`));
      } catch (failed) {
        data.set(chart, {failure: failed});
      }
    }));
  } catch (failed) {
    error = failed;
  } finally {
    isAsking = false;
  }
  redraw();
}

function toolbar() {
  const choose = (event) => { range = event.target.value; redraw(); refresh(); };
  const edge = (label, value, set) => h('label', {}, label, h('input', {type: 'datetime-local', value, 'aria-label': `${label}, UTC`, onchange: (event) => { set(event.target.value); refresh(); }}));
  return h('div', {class: 'toolbar', 'data-key': 'toolbar'},
    h('label', {}, 'Time ', h('select', {id: 'range', onchange: choose, 'data-key': 'range'}, RANGES.map(([value, name]) => h('option', {value, selected: value === range}, name)))),
    range === 'between' && [edge('From', from, (value) => { from = value; }), edge('To', to, (value) => { to = value; })],
    h('p', {class: 'note'}, range === 'all' ? 'Event time, UTC.' : range === 'between' ? 'Event time, UTC; both ends may be left open.' : 'Event time, UTC, back from each chart’s newest row.'));
}

function body(chart, answer) {
  if (chart.error) return h('div', {class: 'alert', 'data-key': 'wrong'}, h('strong', {}, 'This chart’s file is wrong: '), chart.error);
  if (!answer || (!answer.failure && !answer.is_read)) return loading('rows');
  if (answer.failure) return failure('No data.', answer.failure);
  if (answer.groups.length === 0) {
    const place = chart.source.topic ? `the topic ${chart.source.topic}` : `files below ${chart.source.files}`;
    if (answer.trouble) return empty('Nothing to show yet', `It waits for ${place}: ${answer.trouble}.`);
    return answer.rows === 0 ? empty('No rows yet', `As soon as there are any in ${place}, they appear here.`) : empty('No rows in this range', 'Choose a longer time.');
  }
  if (chart.type === 'gauges') return gauges(answer);
  return h('div', {class: 'chart-box', 'data-own': true, 'data-chart': chart.chart, 'data-key': 'canvas'});
}

function foot(answer) {
  if (!answer?.groups?.length) return null;
  const notes = [`${count(answer.rows, 'row')}`, `newest ${time(answer.newest_ms)} UTC`];
  if (!answer.is_at_end) notes.push('reading on …');
  if (answer.is_cut) notes.push('older rows are left out');
  if (answer.groups_left_out > 0) notes.push(`${count(answer.groups_left_out, 'smaller one')} left out`);
  if (answer.trouble) notes.push(answer.trouble);
  return h('div', {class: 'chart-foot', 'data-key': 'foot'}, h('p', {class: 'note'}, notes.join(' · ')),
    h('details', {}, h('summary', {}, 'Numbers'), h('ul', {class: 'numbers'}, answer.groups.map((group) =>
      h('li', {}, h('span', {}, group.name || 'all'), h('span', {}, `${digits(group.value)} ${answer.unit}`))))));
}

function panel(chart) {
  const answer = data.get(chart.chart);
  return h('section', {class: `card chart chart-${chart.type}`, 'data-key': `chart ${chart.chart}`, 'aria-label': chart.title},
    h('h3', {}, chart.title), h('p', {class: 'note'}, chart.about ?? ''), body(chart, answer), foot(answer));
}

function sections() {
  const names = [...new Set(charts.map((chart) => chart.section ?? ''))].sort();
  return names.map((name) => h('section', {class: 'section', 'data-key': `section ${name}`},
    name !== '' ? h('h2', {}, name) : h('h2', {class: 'hidden'}, 'Charts'),
    h('div', {class: 'charts'}, charts.filter((chart) => (chart.section ?? '') === name).map(panel))));
}

export const resultsPage = {
  name: 'results',
  title: 'Results',
  open(draw) {
    redraw = draw;
    timer = setInterval(refresh, PERIOD_MS);
    refresh();
  },
  close() {
    clearInterval(timer);
    redraw = () => {};
    for (const view of views.values()) view.close();
    views.clear();
  },
  draw() {
    return [
      h('div', {class: 'page-head', 'data-key': 'head'}, h('h1', {}, 'Results'), toolbar()),
      error && failure('The charts cannot be asked for:', error),
      charts === null && !error && loading('the charts'),
      charts?.length === 0 && h('section', {class: 'card', 'data-key': 'none'}, empty('There are no charts',
        h('p', {}, 'A chart is a small JSON file in the folder that ', h('code', {}, 'gateway --dashboards'), ' names.'))),
      charts && sections()];
  },
  drawn(root) {
    for (const box of root.querySelectorAll('[data-chart]')) {
      const name = box.dataset.chart;
      let view = views.get(name);
      if (!view || view.canvas.parentNode !== box) {
        view?.close();
        view = new ChartView(box);
        views.set(name, view);
      }
      const answer = data.get(name);
      if (view.shown !== answer) view.show(answer);
      view.shown = answer;
    }
  },
};
