
// The form that runs a plug-in, what came of it, and the same as a line for a shell.
const TEXT_SHOWN_MAX = 262144;
const HEX_SHOWN_MAX = 1024;
let waiting = null;

const HINTS = {
  numeric: 'Numbers separated by spaces, or a JSON array.',
  command: 'The body of the request: the stdin of the program.',
};

function showFunctions() {
  const chosen = plugin($('plugin').value);
  $('go').disabled = !chosen || waiting !== null;
  if (!chosen) return showCurl();
  const before = $('func').value;
  const all = callable(chosen);
  options('func', all.map((f) => [f.name, `${shownTyped(f)}, ${f.convention}`]));
  if (!all.some((f) => f.name === before)) {
    const best = all.find((f) => f.name === 'greet') || all.find((f) => f.convention !== 'numeric') || all[0];
    $('func').value = best ? best.name : '';
  }
  $('func-field').hidden = chosen.program;
  for (const field of document.querySelectorAll('.program')) field.hidden = !chosen.program;
  showHint();
}

function showHint() {
  const chosen = plugin($('plugin').value);
  const func = chosen?.functions.find((f) => f.name === $('func').value);
  const convention = chosen?.program ? 'command' : func?.convention;
  const bodyless = chosen?.program && ['GET', 'HEAD'].includes($('method').value);
  $('input').disabled = $('file').disabled = Boolean(bodyless);
  $('no-file').hidden = !$('file').files.length;
  text('input-hint', bodyless ? 'This method sends no body.' : HINTS[convention] ?? 'Any text.', 'hint');
  showCurl();
}

function choose(name) {
  $('plugin').value = name;
  showFunctions();
  $('run').scrollIntoView();
  $(plugin(name)?.program ? 'path' : 'input').focus({preventScroll: true});
}

// The request that the form stands for. A path that leads out of the plug-in's own, as by `..`, is none.
function request() {
  const chosen = plugin($('plugin').value);
  if (!chosen) return null;
  const base = '/execute/' + encodeURIComponent(chosen.name);
  const file = $('file').files[0];
  const body = file ?? $('input').value;
  const type = file ? file.type || 'application/octet-stream' : 'text/plain; charset=utf-8';
  const made = {method: 'POST', body, type, file, needsToken: chosen.access === 'token'};
  let url = `${base}?func=${encodeURIComponent($('func').value)}`;
  if (chosen.program) {
    made.method = $('method').value;
    if (['GET', 'HEAD'].includes(made.method)) made.body = made.file = null;
    const path = $('path').value.replace(/[?#\\]/g, encodeURIComponent);
    const query = $('query').value.replace(/^\?/, '').replaceAll('#', '%23');
    url = base + (path && !path.startsWith('/') ? '/' : '') + path + (query ? '?' + query : '');
  }
  made.url = new URL(url, location.origin);
  const out = made.url.pathname;
  return out === base || out.startsWith(base + '/') ? made : null;
}

const quoted = (word) => /^[\w@%+=:,./-]+$/.test(word) ? word : "'" + word.replaceAll("'", "'\\''") + "'";

function curl() {
  const made = request();
  if (!made) return '';
  const words = ['curl'];
  if (/[[\]{}]/.test(made.url.href)) words.push('-g');
  if (made.method === 'HEAD') words.push('-I');
  else if (made.method !== (made.body === null ? 'GET' : 'POST')) words.push('-X', made.method);
  if (made.body !== null) words.push('-H', quoted('Content-Type: ' + made.type));
  if (made.needsToken) words.push('-H', '"Authorization: Bearer $TOKEN"');
  if (made.file) words.push('--data-binary', quoted('@./' + made.file.name));
  else if (made.body !== null) words.push('--data-raw', quoted(made.body));
  return [...words, quoted(made.url.href)].join(' ');
}

function showCurl() {
  $('curl').textContent = curl();
  $('copied').textContent = '';
}

async function copy() {
  try {
    await navigator.clipboard.writeText($('curl').textContent);
    $('copied').textContent = 'Copied';
  } catch {
    // There is no clipboard where the page came without TLS from another machine.
    getSelection().selectAllChildren($('curl'));
    $('copied').textContent = 'Selected: copy it with the keyboard';
  }
}

async function run(event) {
  event.preventDefault();
  const made = request();
  if (!made) return text('said', 'The path leads out of the plug-in');
  const headers = made.body === null ? {} : {'Content-Type': made.type};
  if (made.needsToken && token) headers.Authorization = 'Bearer ' + token;
  waiting = new AbortController();
  $('go').disabled = true;
  $('stop').hidden = false;
  $('result').hidden = true;
  text('said', 'Running…');
  const began = performance.now();
  try {
    const {method, body} = made;
    const answer = await ask(made.url, {method, body, headers, cache: 'no-store', signal: waiting.signal});
    const output = new Uint8Array(await answer.arrayBuffer());
    await showAnswer(answer, output, performance.now() - began);
  } catch (error) {
    text('said', error.name === 'AbortError' ? 'Stopped waiting. The guest runs until its end or deadline'
      : `No response: ${error.message}`, 'bad');
  } finally {
    waiting = null;
    $('stop').hidden = true;
    $('go').disabled = false;
  }
}

const timing = (header, name) => header?.match(new RegExp(`(?:^|,)\\s*${name};dur=([0-9.]+)`))?.[1];

async function showAnswer(answer, output, took) {
  const type = answer.headers.get('content-type') ?? '';
  const header = (name) => answer.headers.get(name);
  const problem = await problemOf(new Response(output, {headers: {'Content-Type': type}}));
  // What is wrong is said once: its title with the status, its detail below. The output of a problem would be the same again.
  $('problem').hidden = !problem;
  $('problem').textContent = problem ? shown(problem.detail) : '';
  $('problem').className = isFault(answer.status) ? 'fault' : '';
  const facts = [
    ['Status', answer.type === 'opaqueredirect' ? 'a redirect, which is not followed' : problem ? '' : `${answer.status} ${shown(answer.statusText)}`],
    ['Fuel', header('fuel-used')?.replace(/\B(?=(\d{3})+$)/g, ',')],
    ['Run time', timing(header('server-timing'), 'run'), ' ms'],
    ['Instantiation time', timing(header('server-timing'), 'instantiate'), ' ms'],
    ['Total time', took.toFixed(1), ' ms'],
    ['Request', header('x-request-id')],
    ['Retry after', header('retry-after'), ' s'],
    ['Type', problem ? '' : type],
    ['Size', problem ? '' : bytes(output.length)],
  ];
  $('facts').replaceChildren(...facts.filter(([, value]) => value).flatMap(([name, value, unit = '']) =>
    [el('dt', {}, name), el('dd', {}, shown(value) + unit)]));
  showOutput(problem ? null : output);
  const fuel = header('fuel-used') ? `, ${short(Number(header('fuel-used')))} fuel` : '';
  const status = answer.type === 'opaqueredirect' ? 'Redirect' : answer.status;
  $('result').hidden = false;
  text('said', `${status} ${problem ? shown(problem.title) : answer.ok ? 'done' : ''}${fuel}`,
    answer.ok ? 'good' : isFault(answer.status) ? 'bad' : '');
}

// A mistake of the client is no fault of the gateway or the plug-in.
const isFault = (status) => status >= 500;

function showOutput(output) {
  $('output').hidden = !output?.length;
  $('output-note').textContent = '';
  if (!output) return;
  let content;
  let note = '';
  try {
    content = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(output);
    if (content.length > TEXT_SHOWN_MAX) {
      content = content.slice(0, TEXT_SHOWN_MAX);
      note = `The first ${bytes(TEXT_SHOWN_MAX)} of the text`;
    }
    if (!output.length) note = 'No output';
  } catch {
    content = hex(output.subarray(0, HEX_SHOWN_MAX));
    note = `Not UTF-8: ${bytes(output.length)}` + (output.length > HEX_SHOWN_MAX ? ', of which the first 1 KiB' : '');
  }
  $('output').textContent = content;
  $('output-note').textContent = note;
}

function hex(output) {
  const lines = [];
  for (let at = 0; at < output.length; at += 16) {
    const line = [...output.subarray(at, at + 16)];
    const digits = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const letters = line.map((byte) => byte > 31 && byte < 127 ? String.fromCharCode(byte) : '.').join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${digits.padEnd(47)}  ${letters}`);
  }
  return lines.join('\n');
}
