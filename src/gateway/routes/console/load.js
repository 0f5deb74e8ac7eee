
// Charts of the load, from the differences between two scrapes of the metrics.
const SPAN_S = 120;
const WIDTH = 120;
let before = null;
let points = [];

const CHARTS = [
  {title: 'Requests for plug-ins', of: ['rate'], say: (v) => `${short(v)}/s`},
  {title: 'Time in the function', of: ['mean', 'within'], names: ['mean', '┄ 99 % within'], none: 'no runs', say: seconds},
  {title: 'Fuel', of: ['fuel'], say: (v) => `${short(v)}/s`},
  {title: 'Busy workers', of: ['running', 'queued'], names: ['busy', '┄ queued'], say: short},
];

function drawing(tag, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function makeCharts() {
  for (const chart of CHARTS) {
    const svg = drawing('svg', {viewBox: `0 0 ${WIDTH} 50`, preserveAspectRatio: 'none', 'aria-hidden': 'true'});
    chart.lines = chart.of.map((_, i) => drawing('path', i > 0 ? {class: 'second'} : {}));
    chart.mark = drawing('path', {class: 'mark'});
    svg.append(drawing('path', {class: 'grid', d: `M0 25.5H${WIDTH}`}), ...chart.lines, chart.mark);
    // The chart as text, for screen readers too.
    chart.said = el('span', {class: 'said'}, 'Nothing yet');
    [chart.top, chart.middle] = [el('span', {}, ''), el('span', {}, '')];
    chart.at = null;
    const plot = el('div', {class: 'plot', tabindex: '0', role: 'group',
      'aria-label': `${chart.title}: the arrow keys show earlier values`}, svg);
    plot.addEventListener('pointermove', (event) => {
      const box = svg.getBoundingClientRect();
      pick(chart, nearest(SPAN_S * (1 - (event.clientX - box.left) / box.width)));
    });
    plot.addEventListener('pointerleave', () => pick(chart, null));
    plot.addEventListener('blur', () => {
      chart.said.removeAttribute('aria-live');
      pick(chart, null);
    });
    plot.addEventListener('keydown', (event) => step(chart, event));
    $('charts').append(el('figure', {}, el('figcaption', {}, el('b', {}, chart.title), chart.said),
      el('div', {class: 'values', 'aria-hidden': 'true'}, chart.top, chart.middle, el('span', {}, '0')), plot,
      el('div', {class: 'times', 'aria-hidden': 'true'}, el('span', {}, '2 min ago'), el('span', {}, 'now'))));
  }
}

const age = (point) => (performance.now() - point.at) / 1e3;

function nearest(ago) {
  const away = (point) => Math.abs(age(point) - ago);
  return points.reduce((best, point) => best && away(best) <= away(point) ? best : point, null);
}

// Has the values of this point shown, or with none those of now.
function pick(chart, point) {
  chart.at = point;
  sayChart(chart);
}

function step(chart, event) {
  const now = chart.at === null ? points.length : points.indexOf(chart.at);
  const to = {ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: points.length - 1, Escape: -1}[event.key];
  if (to === undefined) return;
  event.preventDefault();
  chart.said.setAttribute('aria-live', 'polite');
  pick(chart, event.key === 'Escape' ? null : points[Math.min(Math.max(to, 0), points.length - 1)] ?? null);
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
  const now = {at: performance.now(), requests: 0, fuel: 0, sum: 0, buckets: new Map(), gauges: {}};
  health = new Map();
  for (const [name, labels, value] of samples(page)) {
    if (name === 'fuelbox_requests_total' && labels.plugin) {
      now.requests += value;
      health.set(labels.plugin, {...health.get(labels.plugin), [labels.outcome]: value});
    } else if (name === 'fuelbox_fuel_used_total') {
      now.fuel += value;
    } else if (name === 'fuelbox_run_seconds_sum') {
      now.sum += value;
    } else if (name === 'fuelbox_run_seconds_bucket') {
      const bound = labels.le === '+Inf' ? Infinity : Number(labels.le);
      now.buckets.set(bound, (now.buckets.get(bound) ?? 0) + value);
    } else if (name === 'fuelbox_build_info') {
      $('version').textContent = `${labels.version} on ${labels.arch}`;
    } else if (name === 'fuelbox_host_info') {
      showHost(shown(labels.nodename));
    } else {
      now.gauges[name] = value;
    }
  }
  return now;
}

function showHost(host) {
  if ($('host').textContent === host) return;
  $('host').textContent = host;
  document.title = `${host} - fuelbox`;
}

// How long the gateway is up, and what it and its guests take.
function showVitals(gauges) {
  const said = [`up ${duration(gauges.fuelbox_uptime_seconds ?? 0)}`];
  if (gauges.process_resident_memory_bytes) said.push(`${bytes(gauges.process_resident_memory_bytes)} of memory`);
  if (gauges.fuelbox_guest_memory_bytes) {
    said.push(`guests ${bytes(gauges.fuelbox_guest_memory_bytes)} in ${counted(gauges.fuelbox_guest_processes, 'process', 'processes')}`);
  }
  $('vitals').textContent = said.join(' · ');
}

function duration(s) {
  const [days, hours, minutes] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (days) return `${counted(days, 'day')} ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min` : `${Math.floor(s)} s`;
}

// A time that `share` of the runs took no longer than, for certain. Those that took at least as long cannot together have
// taken more than all did, less the least that the others took.
function within(share, from, to) {
  const bounds = [...to.buckets.keys()].sort((a, b) => a - b);
  const made = bounds.map((bound) => to.buckets.get(bound) - (from.buckets.get(bound) ?? 0));
  const [all, sum] = [made.at(-1), to.sum - from.sum];
  if (!(all > 0 && sum >= 0)) return null;
  const others = Math.ceil(share * all) - 1;
  let least = 0;
  bounds.forEach((_, i) => {
    if (i > 0) least += bounds[i - 1] * Math.max(0, Math.min(made[i], others) - made[i - 1]);
  });
  const bound = bounds[made.findIndex((count) => count > others)];
  return Math.min(bound, (sum - least) / (all - others));
}

async function pollMetrics() {
  const answer = await look('/metrics');
  if (!answer.ok) throw new Error(`/metrics: ${answer.status}`);
  const now = lookAt(await answer.text());
  showVitals(now.gauges);
  // An order by what came of requests changes with them, but not beneath whoever uses the table.
  if (['requests', 'failures'].includes($('sort').value) && !$('plugin-rows').contains(document.activeElement)) showPlugins();
  else showHealth();
  if (before) {
    const time = (now.at - before.at) / 1e3;
    const rate = (what) => Math.max(0, now[what] - before[what]) / time;
    const runs = (now.buckets.get(Infinity) ?? 0) - (before.buckets.get(Infinity) ?? 0);
    points = points.filter((point) => age(point) < SPAN_S);
    points.push({at: now.at, values: {
      rate: rate('requests'), fuel: rate('fuel'), within: within(0.99, before, now),
      mean: runs > 0 && now.sum >= before.sum ? (now.sum - before.sum) / runs : null,
      running: now.gauges.fuelbox_workers_busy ?? null, queued: now.gauges.fuelbox_queue_length ?? null,
    }});
    CHARTS[3].more = now.gauges.fuelbox_workers_limit ? ` of ${now.gauges.fuelbox_workers_limit}` : '';
    CHARTS.forEach(draw);
  }
  before = now;
}

// The end of an axis: 1, 2 or 5 with zeros, that the values pass by next to nothing.
function roundUp(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  return size * ([1, 2, 5].find((times) => times * size >= value * 0.98) ?? 10);
}

const xOf = (point) => Math.max(0, WIDTH * (1 - age(point) / SPAN_S));

function draw(chart) {
  chart.most = Math.max(...points.flatMap(({values}) => chart.of.map((name) => values[name] ?? 0)), 0);
  const top = chart.most > 0 ? roundUp(chart.most) : 1;
  [chart.top.textContent, chart.middle.textContent] = chart.most > 0 ? [chart.say(top), chart.say(top / 2)] : ['', ''];
  chart.of.forEach((name, i) => {
    let last = null;
    const parts = points.map((point) => {
      const value = point.values[name];
      if (value === null) {
        last = null;
        return '';
      }
      // A point alone is drawn as a dash, for a line needs two; nothing is drawn over a time in which nobody looked.
      const isNext = last !== null && point.at - last.at < 3 * ROUND_MS;
      last = point;
      return `${isNext ? 'L' : 'M'}${xOf(point).toFixed(1)} ${Math.max(.5, 49 - 48 * value / top).toFixed(1)}${isNext ? '' : 'h.5'}`;
    });
    chart.lines[i].setAttribute('d', parts.join(''));
  });
  sayChart(chart);
}

function sayChart(chart) {
  const point = points.includes(chart.at) ? chart.at : points.at(-1);
  if (!point) return;
  chart.mark.setAttribute('d', point === chart.at ? `M${xOf(point).toFixed(1)} 0V50` : '');
  const isNone = chart.of.every((name) => point.values[name] === null);
  const values = isNone ? chart.none ?? 'none' : chart.of.map((name, i) =>
    `${chart.names?.[i] ?? ''} ${chart.say(point.values[name])}${i ? '' : chart.more ?? ''}`.trim()).join(', ');
  chart.said.textContent = point === chart.at ? `${Math.round(age(point))} s ago: ${values}`
    : `${values}; highest ${chart.say(chart.most)}`;
}
