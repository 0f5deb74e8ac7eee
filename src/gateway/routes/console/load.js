
// Charts of the load, from the differences between two scrapes of the metrics.
const POINTS = 60;
let before = null;

const CHARTS = [
  {title: 'Requests for plug-ins', of: ['rate'], say: (v) => `${short(v)}/s`},
  {title: 'Time in the function', of: ['p50', 'p99'], names: ['p50', 'p99'], say: seconds},
  {title: 'Fuel', of: ['fuel'], say: (v) => `${short(v)}/s`},
  {title: 'Busy workers', of: ['running', 'queued'], names: ['busy', 'queued'], say: short},
];

function makeCharts() {
  for (const chart of CHARTS) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    for (const [name, value] of [['viewBox', '0 0 118 50'], ['preserveAspectRatio', 'none'], ['aria-hidden', 'true']]) {
      svg.setAttribute(name, value);
    }
    chart.lines = chart.of.map((_, i) => {
      const path = document.createElementNS(svg.namespaceURI, 'path');
      if (i > 0) path.setAttribute('class', 'second');
      svg.append(path);
      return path;
    });
    chart.values = chart.of.map(() => []);
    // The chart as text, for screen readers.
    chart.said = el('span', {}, 'Nothing yet');
    $('charts').append(el('figure', {}, el('figcaption', {}, el('b', {}, chart.title), chart.said), svg));
  }
}

// Lines of the classic format; a backslash escapes in a label.
function samples(page) {
  const found = [];
  for (const line of page.split('\n')) {
    const parts = line.match(/^(\w+)(?:\{(.*)\})? (\S+)$/);
    if (!parts) continue;
    const labels = {};
    for (const [, name, value] of (parts[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels[name] = value.replace(/\\(.)/g, (_, c) => c === 'n' ? '\n' : c);
    }
    found.push([parts[1], labels, parts[3] === '+Inf' ? Infinity : Number(parts[3])]);
  }
  return found;
}

function lookAt(page) {
  const now = {at: performance.now(), requests: 0, fuel: 0, buckets: new Map(), gauges: {}};
  health = new Map();
  for (const [name, labels, value] of samples(page)) {
    if (name === 'fuelbox_requests_total' && labels.plugin) {
      now.requests += value;
      health.set(labels.plugin, {...health.get(labels.plugin), [labels.outcome]: value});
    } else if (name === 'fuelbox_fuel_used_total') {
      now.fuel += value;
    } else if (name === 'fuelbox_run_seconds_bucket') {
      const bound = labels.le === '+Inf' ? Infinity : Number(labels.le);
      now.buckets.set(bound, (now.buckets.get(bound) ?? 0) + value);
    } else if (name === 'fuelbox_build_info') {
      $('version').textContent = `${labels.version} on ${labels.arch}`;
    } else {
      now.gauges[name] = value;
    }
  }
  return now;
}

// The time that `share` of the runs took no longer than, with even spread inside a bucket.
function quantile(share, from, to) {
  const bounds = [...to.keys()].sort((a, b) => a - b);
  const made = bounds.map((bound) => to.get(bound) - (from.get(bound) ?? 0));
  const all = made.at(-1);
  if (!(all > 0)) return null;
  const at = made.findIndex((count) => count >= share * all);
  const [low, under] = at > 0 ? [bounds[at - 1], made[at - 1]] : [0, 0];
  if (bounds[at] === Infinity) return low;
  return low + (bounds[at] - low) * (share * all - under) / (made[at] - under);
}

async function pollMetrics() {
  const answer = await look('/metrics');
  if (!answer.ok) throw new Error(`/metrics: ${answer.status}`);
  const now = lookAt(await answer.text());
  showHealth();
  if (before) {
    const time = (now.at - before.at) / 1e3;
    const rate = (what) => Math.max(0, now[what] - before[what]) / time;
    const values = {
      rate: rate('requests'), fuel: rate('fuel'),
      p50: quantile(0.5, before.buckets, now.buckets), p99: quantile(0.99, before.buckets, now.buckets),
      running: now.gauges.fuelbox_workers_busy ?? null, queued: now.gauges.fuelbox_queue_length ?? null,
    };
    for (const chart of CHARTS) add(chart, values);
    const limit = now.gauges.fuelbox_workers_limit;
    if (limit) CHARTS[3].said.append(` of ${limit} workers`);
  }
  before = now;
}

function add(chart, values) {
  chart.of.forEach((name, i) => {
    chart.values[i].push(values[name]);
    if (chart.values[i].length > POINTS) chart.values[i].shift();
  });
  const most = Math.max(...chart.values.flat().filter((value) => value !== null), 0);
  chart.values.forEach((line, i) => {
    let pen = 'M';
    const parts = line.map((value, x) => {
      const to = value === null ? '' : `${pen}${(POINTS - line.length + x) * 2} ${(48 - 44 * value / (most || 1)).toFixed(1)}`;
      // A point alone is drawn as a dash, for a line needs two.
      const dash = to && pen === 'M' ? 'h.5' : '';
      pen = value === null ? 'M' : 'L';
      return to + dash;
    });
    chart.lines[i].setAttribute('d', parts.join(''));
  });
  const now = chart.of.map((name, i) => [chart.names?.[i] ?? 'now', values[name]]);
  chart.said.textContent = now.map(([name, value]) => `${name} ${value === null ? 'none' : chart.say(value)}`).join(', ')
    + `; most ${chart.say(most)}`;
}
