
// Changes, for whoever has a token. It is in this variable and in no storage, address or log.
let token = '';
let mayDeploy = false;
let policyTag = null;

const BEARER = () => ({Authorization: 'Bearer ' + token});
const at = (name, part = '') => `/plugins/${encodeURIComponent(name)}${part}`;

function forget() {
  token = '';
  setMayDeploy(false);
  $('token').value = '';
  $('policy').value = '';
  $('forget').hidden = $('versions').hidden = true;
  forgetPolicy();
  text('deploy-said', '');
}

function setMayDeploy(may) {
  mayDeploy = may;
  $('deploy-forms').hidden = !may;
  showPlugins();
}

// Asks for something small, to learn what the token is good for.
async function useToken(event) {
  event.preventDefault();
  const given = $('token').value.trim();
  forget();
  text('token-said', 'Asking…');
  try {
    token = given;
    const answer = await ask(at('a', '/policy'), {headers: BEARER(), cache: 'no-store'});
    const problem = await problemOf(answer);
    const [says, isKept, may] = whatTokenMay(answer, problem);
    if (!isKept) token = '';
    $('forget').hidden = !isKept;
    setMayDeploy(may);
    text('token-said', says, isKept ? 'good' : 'bad');
  } catch (error) {
    forget();
    text('token-said', `No response: ${error.message}`, 'bad');
  }
}

function whatTokenMay(answer, problem) {
  switch (problem?.slug) {
    case 'no-such-route':
      return ['The server was started without --token-file, so deployment over HTTP is off.', false, false];
    case 'token-needed': return ['The server does not know this token.', false, false];
    case 'forbidden': return ['This token can call plug-ins, but not change them.', true, false];
    case 'no-folder':
      return ['The token is valid, but the server serves only its built-in guests. Start it with --plugins DIR.', true, false];
    case 'no-such-plugin': return ['This token can deploy.', true, true];
    default:
      return answer.ok ? ['This token can deploy.', true, true] : [problem?.detail ?? `Status ${answer.status}`, false, false];
  }
}

// One change; true if it was made.
async function change(method, url, headers, body, done) {
  text('deploy-said', 'Asking…');
  try {
    const answer = await ask(url, {method, body, headers: {...BEARER(), ...headers}});
    const problem = await problemOf(answer);
    if (answer.ok) text('deploy-said', done, 'good');
    else if (answer.status === 412) text('deploy-said', 'Not done: somebody else has changed it.', 'bad');
    else text('deploy-said', `${answer.status} ${shown(problem?.title ?? '')}: ${shown(problem?.detail ?? '')}`, 'bad');
    if (answer.ok) await pollPlugins();
    return answer.ok ? answer : null;
  } catch (error) {
    text('deploy-said', `No response: ${error.message}`, 'bad');
    return null;
  }
}

async function upload(event) {
  event.preventDefault();
  const [file, name] = [$('module').files[0], $('name').value];
  const old = plugin(name);
  if (old && !await confirmed(`Replace the plug-in ${name} by ${shown(file.name)}?`, 'Replace')) return;
  const condition = old ? {'If-Match': `"${old.sha256}"`} : {'If-None-Match': '*'};
  const headers = {'Content-Type': 'application/wasm', ...condition};
  if (await change('PUT', at(name), headers, file, `${name} serves now.`)) $('upload-form').reset();
}

async function remove(name) {
  if (!await confirmed(`Delete the plug-in ${shown(name)}, with its policy and signature?`, 'Delete')) return;
  const condition = {'If-Match': `"${plugin(name)?.sha256}"`};
  // Its button goes with it.
  if (await change('DELETE', at(name), condition, null, `${shown(name)} is deleted.`)) {
    $('plugins-title').focus();
    showVersions(name, false);
  }
}

function forgetPolicy() {
  policyTag = null;
  $('policy-save').disabled = $('policy-remove').disabled = true;
}

function editPolicy(name) {
  $('policy-of').value = name;
  $('policy-form').scrollIntoView();
  loadPolicy();
}

async function loadPolicy() {
  const name = $('policy-of').value;
  forgetPolicy();
  try {
    const answer = await ask(at(name, '/policy'), {headers: BEARER(), cache: 'no-store'});
    const problem = await problemOf(answer);
    if (!answer.ok && problem?.slug !== 'no-such-plugin') {
      return text('deploy-said', `${answer.status} ${shown(problem?.detail ?? '')}`, 'bad');
    }
    policyTag = answer.ok ? answer.headers.get('etag') : '';
    $('policy').value = answer.ok ? await answer.text() : '';
    $('policy-save').disabled = false;
    $('policy-remove').disabled = !answer.ok;
    text('deploy-said', answer.ok ? `The policy of ${shown(name)}.` : `${shown(name)} has no policy yet.`);
    $('policy').focus();
  } catch (error) {
    text('deploy-said', `No response: ${error.message}`, 'bad');
  }
}

const policyCondition = () => policyTag ? {'If-Match': policyTag} : {'If-None-Match': '*'};

async function savePolicy(event) {
  event.preventDefault();
  const name = $('policy-of').value;
  const headers = {'Content-Type': 'application/toml', ...policyCondition()};
  const answer = await change('PUT', at(name, '/policy'), headers, $('policy').value, `${shown(name)} is under this policy now.`);
  if (!answer) return;
  policyTag = answer.headers.get('etag');
  $('policy-remove').disabled = false;
}

async function removePolicy() {
  const name = $('policy-of').value;
  if (!await confirmed(`Delete the policy of ${shown(name)}? Then only the limits of the server apply to it.`, 'Delete')) return;
  if (!await change('DELETE', at(name, '/policy'), policyCondition(), null, `${shown(name)} is without a policy now.`)) return;
  forgetPolicy();
  $('policy').value = '';
}
