// Numbers for people, each with its unit. "–" is what is not known.

const UNKNOWN = '–';

function isNumber(value) {
  return typeof value === 'number' && Number.isFinite(value);
}

export function count(value, noun = '') {
  if (!isNumber(value)) return UNKNOWN;
  const unit = noun === '' ? '' : ` ${value === 1 ? noun : plural(noun)}`;
  return value.toLocaleString('en', {maximumFractionDigits: 0}) + unit;
}

export function plural(noun) {
  return noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`;
}

// 12.3 k, 4.56 M: three digits that matter.
export function short(value) {
  if (!isNumber(value)) return UNKNOWN;
  const size = Math.abs(value);
  for (const [unit, limit] of [['G', 1e9], ['M', 1e6], ['k', 1e3]]) {
    if (size >= limit * 0.9995) return `${digits(value / limit)} ${unit}`;
  }
  return digits(value);
}

export function digits(value) {
  const size = Math.abs(value);
  const places = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en', {maximumFractionDigits: places});
}

export function rate(value, noun = 'row') {
  return `${short(value)} ${plural(noun)}/s`;
}

export function bytes(value) {
  if (!isNumber(value)) return UNKNOWN;
  for (const [unit, limit] of [['TB', 1e12], ['GB', 1e9], ['MB', 1e6], ['kB', 1e3]]) {
    if (value >= limit * 0.9995) return `${digits(value / limit)} ${unit}`;
  }
  return `${value} B`;
}

export function percent(share) {
  return isNumber(share) ? `${digits(share * 100)} %` : UNKNOWN;
}

export function duration(ms) {
  if (!isNumber(ms)) return UNKNOWN;
  if (ms < 1) return `${digits(ms)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${digits(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

// Event times have no zone of their own: all are shown as UTC.
export function time(ms) {
  return isNumber(ms) ? new Date(ms).toISOString().replace('T', ' ').slice(0, 19) : UNKNOWN;
}

// A label for an axis that spans so much time.
export function axisTime(ms, span) {
  const text = new Date(ms).toISOString();
  if (span <= 10 * 60e3) return text.slice(11, 19);
  if (span <= 26 * 3600e3) return text.slice(11, 16);
  if (span <= 8 * 86400e3) return text.slice(5, 16).replace('T', ' ');
  return text.slice(0, 10);
}
