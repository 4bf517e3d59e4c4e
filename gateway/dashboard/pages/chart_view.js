// A chart of the gateway's as Chart.js draws it, or as gauges.

import {h} from './dom.js';
import {axisTime, digits, short, time} from './format.js';

const LIGHT = ['#0b63c4', '#d9480f', '#0c8a5f', '#8a3ffc', '#b0246a', '#7a6000', '#0a7f9a', '#c92a2a', '#5c677d', '#4c6ef5', '#66800b', '#9c36b5'];
const DARK = ['#6cb2ff', '#ff9d66', '#56cf94', '#bd93ff', '#ff85b8', '#e3c04c', '#5fd4ea', '#ff8a80', '#a9b6c6', '#91a7ff', '#bcd657', '#e08cf2'];

const darkness = matchMedia('(prefers-color-scheme: dark)');
const stillness = matchMedia('(prefers-reduced-motion: reduce)');

function theme() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {text: of('--text'), muted: of('--muted'), line: of('--line'), surface: of('--surface'), bad: of('--bad'), colors: darkness.matches ? DARK : LIGHT};
}

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [[1, 2, 5, 10, 15, 30].map((n) => n * SECOND), [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  [1, 2, 3, 6, 12].map((n) => n * HOUR), [1, 2, 5, 7, 14, 30, 60, 120, 365].map((n) => n * DAY)].flat();

// Round times, at most five of them.
function timeTicks({min, max}) {
  const step = STEPS.find((each) => (max - min) / each <= 5) ?? (max - min) / 4;
  const ticks = [];
  for (let at = Math.ceil(min / step) * step; at <= max; at += step) ticks.push({value: at});
  return ticks;
}

function valueAxis(data, colors) {
  return {
    beginAtZero: data.type === 'bars', suggestedMin: data.min, suggestedMax: data.max,
    title: {display: data.unit !== '', text: data.unit, color: colors.muted},
    grid: {color: colors.line, drawBorder: false},
    ticks: {color: colors.muted, maxTicksLimit: 6, callback: (value) => short(value)},
  };
}

function bars(data, colors) {
  const isByHour = data.groups.length > 0 && data.groups.every((group) => /^\d\d:00$/.test(group.name));
  const isFlat = !isByHour && data.groups.length > 8;
  const color = (i) => (isByHour ? colors.colors[0] : colors.colors[i % colors.colors.length]);
  const category = {grid: {display: false}, ticks: {color: colors.muted, autoSkip: isByHour, maxRotation: isByHour ? 0 : 50, font: {size: data.groups.length > 16 ? 10 : 12}}};
  return {
    type: 'bar',
    data: {labels: data.groups.map((group) => group.name || 'all'),
      datasets: [{label: data.title, data: data.groups.map((group) => group.value), borderRadius: 4, maxBarThickness: 46,
        backgroundColor: isFlat ? colors.colors[0] : data.groups.map((_, i) => color(i))}]},
    options: {indexAxis: isFlat ? 'y' : 'x', scales: isFlat ? {x: valueAxis(data, colors), y: category} : {x: category, y: valueAxis(data, colors)},
      plugins: {legend: {display: false}, tooltip: {callbacks: {label: (item) => `${digits(item.raw)} ${data.unit}`}}}},
  };
}

function lines(data, colors) {
  const span = data.to_ms - data.from_ms;
  const few = Math.max(...data.groups.map((group) => group.points.length), 0) <= 30;
  const datasets = data.groups.map((group, i) => ({
    label: group.name || 'all', data: group.points.map(([x, y]) => ({x, y})), borderColor: colors.colors[i % colors.colors.length],
    backgroundColor: colors.colors[i % colors.colors.length], borderWidth: 2, pointRadius: few ? 2.5 : 0, pointHitRadius: 8, tension: .25, spanGaps: true, order: 2,
  }));
  if (data.marks) {
    datasets.push({label: 'anomaly', type: 'scatter', order: 1, data: data.marks.map((mark) => ({x: mark.at_ms, y: mark.value, group: mark.group})),
      pointStyle: 'triangle', radius: 6, hoverRadius: 8, backgroundColor: colors.bad, borderColor: colors.surface, borderWidth: 1});
  }
  return {
    type: 'line', data: {datasets},
    options: {
      interaction: {mode: 'nearest', intersect: false},
      scales: {y: valueAxis(data, colors),
        x: {type: 'linear', min: data.from_ms, max: data.to_ms, afterBuildTicks: (axis) => { axis.ticks = timeTicks(axis); }, grid: {display: false}, title: {display: true, text: 'event time, UTC', color: colors.muted},
          ticks: {color: colors.muted, maxRotation: 0, callback: (value) => axisTime(value, span)}}},
      plugins: {legend: {display: datasets.length > 1, position: 'bottom', labels: {color: colors.text, usePointStyle: true, boxWidth: 8, boxHeight: 8}},
        tooltip: {callbacks: {title: (items) => (items.length ? time(items[0].parsed.x) : ''),
          label: (item) => `${item.raw.group ?? item.dataset.label}: ${digits(item.parsed.y)} ${data.unit}${item.raw.group ? ' (anomaly)' : ''}`}}},
    },
  };
}

// ChartView: one canvas in `box`, drawn anew with each show(data).
export class ChartView {
  constructor(box) {
    this.canvas = h('canvas', {role: 'img'});
    box.replaceChildren(this.canvas);
  }

  show(data) {
    const colors = theme();
    const config = data.type === 'bars' ? bars(data, colors) : lines(data, colors);
    Object.assign(config.options, {responsive: true, maintainAspectRatio: false, animation: {duration: stillness.matches ? 0 : 350}});
    this.canvas.setAttribute('aria-label', summary(data));
    const shape = `${data.type} ${config.options.indexAxis} ${darkness.matches}`;
    if (this.chart && this.shape === shape && this.chart.data.datasets.length === config.data.datasets.length) {
      this.chart.data.labels = config.data.labels;
      config.data.datasets.forEach((set, i) => Object.assign(this.chart.data.datasets[i], set));
      this.chart.options = config.options;
      this.chart.update(data.type === 'bars' ? undefined : 'none');
      return;
    }
    this.close();
    this.shape = shape;
    this.chart = new window.Chart(this.canvas, config);
  }

  close() {
    this.chart?.destroy();
    this.chart = null;
  }
}

export function summary(data) {
  const largest = [...data.groups].sort((a, b) => b.value - a.value).slice(0, 3);
  return `${data.title}: ${data.groups.length} ${data.type}; ` + largest.map((group) => `${group.name || 'all'} ${digits(group.value)} ${data.unit}`).join(', ');
}

export function gauges(data) {
  const low = data.min ?? 0, high = data.max ?? Math.max(...data.groups.map((group) => group.value), 1);
  const arc = (share) => {
    const angle = Math.PI * (1 - Math.min(Math.max(share, 0), 1));
    return `M 10 60 A 50 50 0 0 1 ${(60 + 50 * Math.cos(angle)).toFixed(2)} ${(60 - 50 * Math.sin(angle)).toFixed(2)}`;
  };
  return h('ul', {class: 'gauges'}, data.groups.map((group) => h('li', {class: 'gauge', 'data-key': group.name},
    h('svg', {viewBox: '0 0 120 66', 'aria-hidden': 'true'}, h('path', {class: 'gauge-track', d: arc(1)}),
      h('path', {class: 'gauge-value', d: arc((group.value - low) / (high - low || 1))})),
    h('span', {class: 'gauge-number'}, `${group.value.toFixed(1)} ${data.unit}`), h('span', {class: 'gauge-name'}, group.name || 'all'))));
}
