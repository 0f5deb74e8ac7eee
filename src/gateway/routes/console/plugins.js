
// The list of plug-ins. A row is made anew only if what it shows has changed, so that the focus stays where it is.
let plugins = [];
let listed = null;
let health = new Map();
const rows = new Map();

const plugin = (name) => plugins.find((plugin) => plugin.name === name);
// Those that a convention or a compiler needs are for no caller: nobody looks for them.
const listable = (plugin) => {
  const isPacked = plugin.functions.some((f) => f.convention === 'packed');
  return plugin.functions.filter(({name}) => !/^(_start|_initialize|memory|cabi_.*|__.*)$/.test(name)
    && !(isPacked && /^(de)?allocate$/.test(name)));
};
const callable = (plugin) => listable(plugin).filter((f) => f.convention !== null && f.convention !== 'command');

// Outcomes that are the client's mistake or its will.
const OF_CLIENTS = new Set(['bad-request', 'input-mismatch', 'token-needed', 'forbidden', 'no-such-route', 'no-such-plugin',
  'no-such-version', 'no-such-function', 'method-not-allowed', 'slow-client', 'no-folder', 'precondition-failed',
  'input-too-large', 'target-too-long', 'expectation-failed', 'would-not-serve', 'head-too-large', 'client-gone']);

async function pollPlugins() {
  const answer = await look('/plugins');
  if (!answer.ok) throw new Error(`/plugins: ${answer.status}`);
  const tag = answer.headers.get('etag');
  if (tag !== null && tag === listed) return;
  const {plugins: all, refused, more_refused: more} = await answer.json();
  listed = tag;
  plugins = all;
  showPlugins();
  showRefused(refused, more);
  showChoices();
}

function showPlugins() {
  const names = new Set(plugins.map((plugin) => plugin.name));
  for (const [name, row] of rows) {
    if (!names.has(name)) {
      row.made.remove();
      rows.delete(name);
    }
  }
  const wanted = $('search').value.trim().toLowerCase();
  let found = 0;
  let after = null;
  for (const plugin of sorted()) {
    const state = JSON.stringify([plugin, mayDeploy]);
    let row = rows.get(plugin.name);
    if (!row || row.state !== state) {
      const made = rowOf(plugin);
      if (row) {
        const had = row.made.contains(document.activeElement) ? document.activeElement.dataset.act : null;
        row.made.replaceWith(made);
        if (had) made.querySelector(`[data-act=${had}]`)?.focus();
      }
      row = {made, state};
      rows.set(plugin.name, row);
    }
    const isFound = [plugin, ...listable(plugin)].some(({name}) => name.toLowerCase().includes(wanted));
    found += isFound;
    row.made.hidden = !isFound;
    const place = after ? after.nextSibling : $('plugin-rows').firstChild;
    if (place !== row.made) $('plugin-rows').insertBefore(row.made, place);
    after = row.made;
  }
  $('plugins-caption').textContent = (wanted ? `${found.toLocaleString('en')} of ` : '') + counted(plugins.length, 'plug-in');
  $('plugin-table').hidden = $('tools').hidden = plugins.length === 0;
  $('empty').hidden = plugins.length > 0;
  showHealth();
}

// What came of the requests for a plug-in: ok, faults, and mistakes of clients.
function outcomesOf(name) {
  const {ok = 0, ...others} = health.get(name) ?? {};
  const all = Object.entries(others);
  const ofClients = all.filter(([what]) => OF_CLIENTS.has(what));
  const faults = all.filter(([what]) => !OF_CLIENTS.has(what));
  const sum = (found) => found.reduce((sum, [, n]) => sum + n, 0);
  return {ok, ofClients, faults, failures: sum(faults), requests: ok + sum(all)};
}

// By name, as they come, or by a number, the highest first.
function sorted() {
  const by = $('sort').value;
  if (by === 'name') return plugins;
  const value = (plugin) => by === 'bytes' ? plugin.bytes : outcomesOf(plugin.name)[by];
  return plugins.map((plugin) => [plugin, value(plugin)]).sort(([, a], [, b]) => b - a).map(([plugin]) => plugin);
}

function rowOf(plugin) {
  const facts = [bytes(plugin.bytes), plugin.built_in ? 'built in' : 'sha256 ' + plugin.sha256.slice(0, 12)];
  if (plugin.access === 'token') facts.push('needs a token');
  if (plugin.has_policy) facts.push('has a policy');
  const functions = plugin.program ? [el('li', {}, 'program ', el('small', {}, 'run by any method and path'))]
    : listable(plugin).map((f) => el('li', {class: 'fn'}, `${shownTyped(f)} `,
      el('small', {}, f.convention ?? 'fits no convention')));
  if (!plugin.program && plugin.more_functions) functions.push(el('li', {}, `and ${plugin.more_functions.toLocaleString('en')} more`));
  const limits = plugin.limits;
  const most = [`${short(limits.fuel)} fuel`, limits.timeout_ms === null ? 'no deadline' : seconds(limits.timeout_ms / 1e3),
    bytes(limits.memory_pages * 65536) + ' memory',
    `${bytes(limits.input_bytes)} in, ${bytes(limits.output_bytes)} out`];
  if (plugin.workers !== null) most.push(counted(plugin.workers, 'run') + ' at once');
  if (plugin.warm) most.push(`${plugin.warm} warm`);
  const actions = [action('run', 'Run', plugin, () => choose(plugin.name))];
  if (mayDeploy && !plugin.built_in) {
    actions.push(action('policy', 'Policy', plugin, () => editPolicy(plugin.name)),
      action('versions', 'Versions', plugin, () => showVersions(plugin.name)),
      action('delete', 'Delete', plugin, () => remove(plugin.name)));
  }
  return el('tr', {role: 'row'},
    el('th', {role: 'rowheader', scope: 'row'}, el('span', {class: 'name'}, shown(plugin.name)),
      el('small', {}, facts.join(' · '))),
    cell('Functions', el('ul', {}, ...functions)),
    cell('Limits', most.slice(0, 2).join(', '), el('small', {}, most.slice(2).join(', '))),
    cell('Health'),
    el('td', {role: 'cell', class: 'actions'}, ...actions));
}

const cell = (of, ...children) => el('td', {role: 'cell', 'data-of': of}, ...children);

function action(act, label, plugin, done) {
  const button = el('button', {type: 'button', 'data-act': act, 'aria-label': `${label} ${shown(plugin.name)}`}, label);
  button.addEventListener('click', done);
  return button;
}

// What came of the requests for each plug-in since the gateway began.
function showHealth() {
  for (const [name, {made}] of rows) {
    const {ok, ofClients, faults} = outcomesOf(name);
    const listed = (all) => all.map(([what, n]) => `${n.toLocaleString('en')} ${what}`).join(', ');
    const [failed, mistaken] = [listed(faults), listed(ofClients)];
    const state = [ok, failed, mistaken].join('|');
    const place = made.children[3];
    if (place.dataset.state === state) continue;
    place.dataset.state = state;
    place.replaceChildren(el('span', {class: 'good'}, 'serving'), el('small', {}, `${ok.toLocaleString('en')} ok`));
    if (failed) place.append(el('small', {class: 'bad'}, failed));
    if (mistaken) place.append(el('small', {}, mistaken));
  }
}

function showRefused(refused, more) {
  $('refused').hidden = refused.length === 0;
  $('refused-list').replaceChildren(...refused.flatMap(({file, reason}) =>
    [el('dt', {class: 'name'}, shown(file ?? '?')), el('dd', {class: 'bad'}, shown(reason))]));
  if (more) $('refused-list').append(el('dt', {}, `and ${more.toLocaleString('en')} more`));
}

// The choices are kept where they still are some.
function options(id, choices) {
  const select = $(id);
  const before = select.value;
  select.replaceChildren(...choices.map(([value, label]) => el('option', {value}, label)));
  if (choices.some(([value]) => value === before)) select.value = before;
}

function showChoices() {
  const before = $('plugin').value;
  options('plugin', plugins.map(({name}) => [name, shown(name)]));
  options('policy-of', plugins.filter((p) => !p.built_in).map(({name}) => [name, shown(name)]));
  if (before === '' && plugin('greet')) $('plugin').value = 'greet';
  showFunctions();
}
