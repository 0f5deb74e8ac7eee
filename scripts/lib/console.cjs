// What scripts/test-console.sh has a browser do: BROWSER SITE PLAIN EMPTY MODULE [SCREENSHOTS]. SITE is a gateway
// with a token file, PLAIN is one without, EMPTY has no plug-ins, MODULE is uploaded. Each step throws if the page does not do as it should.
const assert = require('node:assert/strict');
const {readFileSync} = require('node:fs');
const {join} = require('node:path');
const {chromium} = require('playwright-core');

const [browserPath, site, plain, empty, moduleFile, screenshots] = process.argv.slice(2);
const axe = readFileSync(join(process.env.NODE_PATH, 'axe-core/axe.min.js'), 'utf8');
const HOSTILE = '<img src=x onerror=alert(1)>';
const DEPLOY = 'deploy-0123456789';
const CALL = 'call-0123456789abc';

// What the browser complained of, but for the answers that are no success, which it calls errors too.
const complaints = [];
const asked = [];

async function open(browser, url, options = {}) {
  const context = await browser.newContext({viewport: {width: 1200, height: 900}, ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.on('console', (message) => {
    const isStatus = message.text().startsWith('Failed to load resource: the server responded with a status of');
    const about = new URL(message.location().url || url).pathname;
    if (['error', 'warning'].includes(message.type()) && !(isStatus && /^\/(execute|plugins)\//.test(about))) {
      complaints.push(message.text());
    }
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('request', (request) => asked.push([request.method(), request.url()]));
  await page.addInitScript(() => addEventListener('securitypolicyviolation', (event) => {
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
  }));
  await page.goto(url);
  await page.locator('#plugin-rows tr, #empty:not([hidden])').first().waitFor();
  return page;
}

const said = (page, id) => page.locator(id).innerText();
const row = (page, name) => page.getByRole('row').filter({has: page.getByRole('rowheader', {name, exact: false})});

async function runs(page, {plugin, func, input = '', method, path}, expected) {
  await page.selectOption('#plugin', plugin);
  if (func) await page.selectOption('#func', func);
  if (method) await page.selectOption('#method', method);
  if (path) await page.fill('#path', path);
  if (await page.isEnabled('#input')) await page.fill('#input', input);
  await page.click('#go');
  await page.locator('#said').filter({hasText: expected}).waitFor();
}

async function accessible(page, where) {
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  const found = violations.map(({id, nodes}) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
  assert.deepEqual(found, [], `axe finds in ${where}`);
}

async function fits(page, width) {
  const found = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(found <= width, `the page is ${found} px wide at ${width} px`);
}

const steps = {
  async 'loads, and shows plug-ins, functions, limits, health and refusals'(page) {
    await page.locator('#state', {hasText: 'Ready'}).waitFor();
    const greet = row(page, /^greet/);
    assert.match(await greet.innerText(), /greet\(i32, i32\) -> i64/);
    assert.match(await greet.innerText(), /packed/);
    assert.match(await greet.innerText(), /1T fuel, 500 ms/);
    assert.match(await greet.innerText(), /serving/);
    assert.match(await said(page, '#refused'), /<b>bad\.wasm/);
    assert.match(await row(page, /^cgi-rust/).innerText(), /program/);
    assert.match(await said(page, '#version'), /^\d+\.\d+\.\d+ on /);
  },
  async 'has the roles and names that a screen reader tells'(page) {
    const tree = await page.locator('body').ariaSnapshot();
    for (const part of ['banner', 'main', 'contentinfo', 'navigation "Sections"', 'heading "Plug-ins" [level=2]',
      'region "Run"', 'table "', 'columnheader "Functions"', 'rowheader "greet', 'button "Run greet"',
      'combobox "Plug-in"', 'combobox "Function"', 'textbox "Input"', 'textbox "Token"', 'status: Ready']) {
      assert.ok(tree.includes(part), `${part} is not in\n${tree}`);
    }
    await accessible(page, 'the page as it opens');
  },
  async 'runs greet'(page) {
    await runs(page, {plugin: 'greet', input: 'World'}, '200 done');
    assert.equal(await said(page, '#output'), 'Hello, World');
    const facts = await said(page, '#facts');
    for (const part of [/Fuel\s+\d/, /Run time\s+[\d.]+ ms/, /Request\s+[0-9a-f]{32}/, /Size\s+12 bytes/]) {
      assert.match(facts, part);
    }
  },
  async 'gives the line for curl, whatever is in it'(page) {
    const input = "it's $HOME `id` \\ \"q\"\n!@#";
    await page.selectOption('#plugin', 'greet');
    await page.fill('#input', input);
    const line = await page.locator('#curl').textContent();
    // A shell is asked what words these are.
    const script = `curl() { printf '%s\\0' "$@"; }; ${line}`;
    const {execFileSync} = require('node:child_process');
    const words = execFileSync('bash', ['-c', script], {encoding: 'utf8'}).split('\0').slice(0, -1);
    assert.equal(words[words.indexOf('--data-raw') + 1], input);
    assert.equal(words.at(-1), `${site}/execute/greet?func=greet`);
    const answer = execFileSync('bash', ['-c', line.replace(/^curl /, 'curl -sS ')], {encoding: 'utf8'});
    assert.equal(answer, `Hello, ${input}`);
    await page.selectOption('#plugin', 'redirect');
    const withToken = await page.locator('#curl').textContent();
    assert.match(withToken, /-H "Authorization: Bearer \$TOKEN"/);
  },
  async 'shows a trap'(page) {
    await runs(page, {plugin: 'trap'}, '500 Guest trapped');
    assert.match(await said(page, '#problem'), /unreachable/);
    const whole = await said(page, '#run');
    for (const once of ['Guest trapped', 'unreachable']) {
      assert.equal(whole.split(once).length, 2, `${once} is said once in\n${whole}`);
    }
    assert.equal(await page.locator('#said').getAttribute('class'), 'bad');
  },
  async 'shows a 504'(page) {
    await runs(page, {plugin: 'infinite-loop', func: 'greet'}, '504 Deadline passed');
    assert.match(await said(page, '#problem'), /deadline of 500ms passed/);
  },
  async 'shows input that does not fit'(page) {
    await runs(page, {plugin: 'add', input: '1 2 3'}, '400 Input does not fit the function');
    // A mistake of whoever asks is not shown as a fault.
    assert.notEqual(await page.locator('#said').getAttribute('class'), 'bad');
    await row(page, /^add/).filter({hasText: '1 input-mismatch'}).waitFor();
    assert.equal(await row(page, /^add/).locator('.bad').count(), 0);
    assert.equal(await row(page, /^trap/).locator('.bad').innerText(), '1 trap');
    await runs(page, {plugin: 'add', input: '10 20'}, '200 done');
    assert.equal(await said(page, '#output'), '30\n');
  },
  async 'runs a program by method, path and query'(page) {
    await page.selectOption('#plugin', 'cgi-rust');
    await page.fill('#query', 'x=1');
    await runs(page, {plugin: 'cgi-rust', path: '/some/path', input: 'body'}, '201 done');
    assert.match(await said(page, '#output'), /POST \/some\/path\?x=1/);
    await runs(page, {plugin: 'cgi-rust', method: 'GET', path: '/../../plugins/greet'}, 'leads out');
    await page.fill('#path', '');
    await page.fill('#query', '');
  },
  async 'shows bytes in hexadecimal, and markup as text'(page) {
    await runs(page, {plugin: 'bytes', func: 'raw'}, '200 done');
    assert.match(await said(page, '#output'), /^0000 {2}ff 00 66 75 65 6c fe +\.\.fuel\.$/);
    assert.match(await said(page, '#output-note'), /Not UTF-8: 7 bytes/);
    await runs(page, {plugin: 'bytes', func: 'page'}, '200 done');
    assert.match(await said(page, '#output'), /^<script>alert\(1\)<\/script><img/);
  },
  async 'shows hostile names as text'(page) {
    assert.match(await row(page, /^<img/).innerText(), /^<img src=x onerror=alert\(1\)>/);
    assert.match(await row(page, /^hostile/).innerText(), /<img src=x onerror=alert\(1\)>\(\) -> i32/);
    await runs(page, {plugin: HOSTILE, input: 'you'}, '200 done');
    assert.equal(await said(page, '#output'), 'Hello, you');
    await runs(page, {plugin: 'hostile', func: HOSTILE}, '200 done');
    assert.equal(await said(page, '#output'), '7\n');
    assert.equal(await page.locator('img, section script').count(), 0);
  },
  async 'counts what came of the runs'(page) {
    await row(page, /^trap/).filter({hasText: '1 trap'}).waitFor();
    await page.locator('figcaption').filter({hasText: 'Requests for plug-ins'}).filter({hasText: '/s'}).waitFor();
    assert.equal(await page.locator('figure svg').count(), 4);
  },
  async 'lists no functions of conventions and compilers'(page) {
    assert.deepEqual(await row(page, /^plumbing/).locator('li').allInnerTexts(), ['own(i32, i32) -> i64 packed']);
    await page.selectOption('#plugin', 'plumbing');
    assert.deepEqual(await page.locator('#func option').allInnerTexts(), ['own(i32, i32) -> i64, packed']);
  },
  async 'finds and sorts plug-ins'(page) {
    const visible = () => page.locator('#plugin-rows tr:visible .name').allInnerTexts();
    const all = await visible();
    await page.fill('#search', 'GREET');
    // By its function too, and what is hostile is text here as well.
    assert.deepEqual(await visible(), [HOSTILE, 'greet', 'infinite-loop']);
    assert.match(await said(page, '#plugins-caption'), /^3 of \d+ plug-ins$/);
    await page.fill('#search', '<img');
    assert.deepEqual(await visible(), [HOSTILE, 'hostile']);
    await page.fill('#search', 'nothing has this');
    assert.deepEqual(await visible(), []);
    await page.fill('#search', '');
    await page.selectOption('#sort', 'bytes');
    assert.equal((await visible())[0], 'cgi-rust');
    await page.selectOption('#sort', 'failures');
    assert.deepEqual((await visible()).slice(0, 2).sort(), ['infinite-loop', 'trap']);
    await page.selectOption('#sort', 'name');
    assert.deepEqual(await visible(), all);
  },
  async 'names the machine, and says how long it is up and what it takes'(page) {
    const host = require('node:os').hostname();
    assert.equal(await said(page, '#host'), host);
    assert.equal(await page.title(), `${host} - fuelbox`);
    assert.match(await said(page, '#vitals'), /^up \d+ (s|min) · [\d.]+ MiB of memory( · guests [\d.]+ MiB in \d+ processes)?$/);
  },
  async 'shows values of the charts by mouse and by keyboard'(page) {
    const plot = page.locator('.plot').first();
    const caption = page.locator('figcaption .said').first();
    await plot.hover();
    await caption.filter({hasText: /^\d+ s ago: [\d.k]+\/s$/}).waitFor();
    await page.mouse.move(0, 0);
    await caption.filter({hasText: 'highest'}).waitFor();
    await plot.focus();
    await page.keyboard.press('ArrowLeft');
    await caption.filter({hasText: /^\d s ago: /}).waitFor();
    assert.equal(await caption.getAttribute('aria-live'), 'polite');
    await page.keyboard.press('Home');
    await page.keyboard.press('Escape');
    await caption.filter({hasText: 'highest'}).waitFor();
    // Values, and times.
    assert.match(await page.locator('.values').first().innerText(), /^[\d.]+\/s\s+[\d.]+\/s\s+0$/);
    assert.match(await page.locator('.times').first().innerText(), /^2 min ago\s+now$/);
  },
  async 'says what a token is good for'(page) {
    assert.equal(await page.locator('#deploy-forms').isVisible(), false);
    for (const [token, says, isKept] of [['wrong-0123456789', 'does not know', false], [CALL, 'can call', true]]) {
      await page.fill('#token', token);
      await page.getByRole('button', {name: 'Use token'}).click();
      await page.locator('#token-said').filter({hasText: says}).waitFor();
      assert.equal(await page.inputValue('#token'), '');
      assert.equal(await page.locator('#forget').isVisible(), isKept);
      assert.equal(await page.locator('#deploy-forms').isVisible(), false);
    }
    await page.fill('#token', DEPLOY);
    await page.getByRole('button', {name: 'Use token'}).click();
    await page.locator('#token-said').filter({hasText: 'This token can deploy'}).waitFor();
    await page.locator('#deploy-forms').waitFor();
    assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);
    assert.equal(await page.evaluate(() => document.cookie), '');
    assert.ok(asked.every(([, url]) => !url.includes('0123456789')), 'a token is in an address');
  },
  async 'shows the last failures with request and stderr, for the token'(page) {
    await runs(page, {plugin: 'talker'}, '500 Guest trapped');
    const id = (await said(page, '#facts')).match(/[0-9a-f]{32}/)[0];
    const failure = page.locator('#failure-rows tr').filter({hasText: id});
    await failure.filter({hasText: '<img src=x onerror=alert(2)> cannot see a sensor'}).waitFor();
    assert.equal(await page.locator('img').count(), 0);
  },
  async 'follows no redirect, least of all with the token'(page) {
    await runs(page, {plugin: 'redirect', method: 'DELETE'}, 'Redirect');
    assert.match(await said(page, '#facts'), /a redirect, which is not followed/);
    // It says `DELETE /plugins/greet`. The browser's own tools tell of that request as if it were made.
    const answer = await fetch(`${site}/plugins/greet`, {headers: {Authorization: `Bearer ${DEPLOY}`}});
    assert.equal(answer.status, 200, 'greet is there');
  },
  async 'uploads a module, which appears without a reload'(page) {
    await page.evaluate(() => { window.isTheSame = true; });
    await page.setInputFiles('#module', moduleFile);
    assert.equal(await page.inputValue('#name'), 'fibonacci');
    await page.fill('#name', 'uploaded');
    await page.getByRole('button', {name: 'Upload', exact: true}).click();
    await page.locator('#deploy-said').filter({hasText: 'uploaded serves now'}).waitFor();
    await row(page, /^uploaded/).waitFor();
    await runs(page, {plugin: 'uploaded', func: 'fibonacci', input: '20'}, '200 done');
    assert.equal(await said(page, '#output'), '6765\n');
    assert.equal(await page.evaluate(() => window.isTheSame), true);
    // One that comes from elsewhere is seen too.
    const answer = await fetch(`${site}/plugins/elsewhere`, {
      method: 'PUT', body: readFileSync(moduleFile), headers: {Authorization: `Bearer ${DEPLOY}`},
    });
    assert.equal(answer.status, 201);
    await row(page, /^elsewhere/).waitFor();
    await page.setInputFiles('#module', {name: 'bad.wasm', mimeType: 'application/wasm', buffer: Buffer.from('rubbish')});
    await page.fill('#name', 'bad');
    await page.getByRole('button', {name: 'Upload', exact: true}).click();
    await page.locator('#deploy-said').filter({hasText: '422'}).waitFor();
  },
  async 'rolls back, and back again'(page) {
    await page.setInputFiles('#module', {name: 'uploaded.wasm', mimeType: 'application/wasm', buffer: readFileSync(join(moduleFile, '../add.wasm'))});
    await page.fill('#name', 'uploaded');
    await page.getByRole('button', {name: 'Upload', exact: true}).click();
    await page.getByRole('dialog').getByRole('button', {name: 'Replace'}).click();
    await row(page, /^uploaded/).filter({hasText: 'add('}).waitFor();
    for (const func of ['fibonacci(', 'add(']) {
      await page.getByRole('button', {name: 'Versions uploaded'}).click();
      assert.equal(await page.evaluate(() => document.activeElement.id), 'versions-title');
      await page.locator('#version-list li').nth(1).waitFor();
      assert.match(await said(page, '#version-list'), /^in place [0-9a-f]{12}\s.*\s+number \d [0-9a-f]{12}\s/);
      await accessible(page, 'the list of versions');
      await page.getByRole('button', {name: 'Roll back uploaded'}).click();
      await page.getByRole('dialog', {name: /^Put version \d/}).getByRole('button', {name: 'Roll back'}).click();
      await page.locator('#deploy-said').filter({hasText: 'uploaded is rolled back to version'}).waitFor();
      await row(page, /^uploaded/).filter({hasText: func}).waitFor();
    }
    await page.getByRole('button', {name: 'Roll back uploaded'}).click();
    await page.getByRole('dialog').getByRole('button', {name: 'Roll back'}).click();
    await row(page, /^uploaded/).filter({hasText: 'fibonacci('}).waitFor();
  },
  async 'writes, reads and removes a policy'(page) {
    await page.getByRole('button', {name: 'Policy uploaded'}).click();
    await page.locator('#deploy-said').filter({hasText: 'no policy yet'}).waitFor();
    await page.fill('#policy', 'limits.fule = 1');
    await page.getByRole('button', {name: 'Save'}).click();
    await page.locator('#deploy-said').filter({hasText: '1:8: unknown field `fule`'}).waitFor();
    await page.fill('#policy', 'limits.fuel = 100');
    await page.getByRole('button', {name: 'Save'}).click();
    await page.locator('#deploy-said').filter({hasText: 'under this policy now'}).waitFor();
    await row(page, /^uploaded.*has a policy/).filter({hasText: '100 fuel'}).waitFor();
    await runs(page, {plugin: 'uploaded', func: 'fibonacci', input: '20'}, '504 Out of fuel');
    // Somebody else changes it: what is written here is not put over it unseen.
    const answer = await fetch(`${site}/plugins/uploaded/policy`, {
      method: 'PUT', body: 'limits.fuel = 200', headers: {Authorization: `Bearer ${DEPLOY}`},
    });
    assert.equal(answer.status, 204);
    await page.getByRole('button', {name: 'Save'}).click();
    await page.locator('#deploy-said').filter({hasText: 'somebody else has changed it'}).waitFor();
    await page.getByRole('button', {name: 'Load', exact: true}).click();
    await page.waitForFunction(() => document.querySelector('#policy').value === 'limits.fuel = 200');
    await page.getByRole('button', {name: 'Delete the policy'}).click();
    await page.getByRole('dialog').getByRole('button', {name: 'Delete'}).click();
    await page.locator('#deploy-said').filter({hasText: 'without a policy'}).waitFor();
  },
  async 'asks before it replaces and deletes, and gives the focus back'(page) {
    await page.setInputFiles('#module', moduleFile);
    await page.fill('#name', 'elsewhere');
    await page.getByRole('button', {name: 'Upload', exact: true}).click();
    await page.getByRole('dialog').getByRole('button', {name: 'Replace'}).click();
    await page.locator('#deploy-said').filter({hasText: 'elsewhere serves now'}).waitFor();
    for (const name of ['elsewhere', 'uploaded']) {
      const button = page.getByRole('button', {name: `Delete ${name}`});
      await button.focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', {name: `Delete the plug-in ${name}`});
      await dialog.waitFor();
      assert.equal(await page.evaluate(() => document.activeElement.id), 'ask-no');
      await page.keyboard.press('Escape');
      await dialog.waitFor({state: 'hidden'});
      assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), `Delete ${name}`);
      await page.keyboard.press('Enter');
      await dialog.getByRole('button', {name: 'Delete'}).click();
      await row(page, new RegExp(`^${name}`)).waitFor({state: 'detached'});
      assert.equal(await page.evaluate(() => document.activeElement.id), 'plugins-title');
    }
    await accessible(page, 'the page in use');
  },
  async 'forgets the token'(page) {
    await page.getByRole('button', {name: 'Forget'}).click();
    assert.equal(await page.locator('#deploy-forms').isVisible(), false);
    await runs(page, {plugin: 'redirect', method: 'POST'}, '401 Token needed');
  },
  async 'asks nothing while nobody looks'(page) {
    const set = (hidden) => page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    await set(true);
    await page.waitForTimeout(500);
    const before = asked.length;
    await page.waitForTimeout(4500);
    assert.equal(asked.length, before);
    await set(false);
    await page.waitForRequest(/\/metrics$/);
  },
};

// From the first key to the answer, without a mouse.
async function byKeyboard(browser) {
  const page = await open(browser, site);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.keyboard.press('Enter');
  const focused = () => page.evaluate(() => {
    const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);
    return {id: document.activeElement.id, outline: `${outlineStyle} ${outlineWidth}`};
  });
  const to = async (id) => {
    for (let n = 0; n < 100; n++) {
      await page.keyboard.press('Tab');
      const {id: now, outline} = await focused();
      assert.equal(outline, 'solid 3px', `the focus on ${now} is seen`);
      if (now === id) return;
    }
    assert.fail(`no way to #${id}`);
  };
  await to('plugin');
  await page.keyboard.type('greet');
  await to('func');
  await to('input');
  await page.keyboard.type('keyboard');
  await to('go');
  await page.keyboard.press('Enter');
  await page.locator('#said').filter({hasText: '200 done'}).waitFor();
  assert.equal(await said(page, '#output'), 'Hello, keyboard');
  await page.context().close();
}

async function onPhone(browser) {
  const options = {viewport: {width: 320, height: 640}, isMobile: true, hasTouch: true, colorScheme: 'dark', reducedMotion: 'reduce'};
  const page = await open(browser, site, options);
  await fits(page, 320);
  await page.fill('#token', DEPLOY);
  await page.getByRole('button', {name: 'Use token'}).click();
  await page.locator('#deploy-forms').waitFor();
  for (const input of ['World', 'W'.repeat(2000)]) {
    await runs(page, {plugin: 'greet', input}, '200 done');
    await fits(page, 320);
  }
  await page.locator('#deploy-forms button', {hasText: 'Save'}).scrollIntoViewIfNeeded();
  await fits(page, 320);
  const tree = await page.locator('#plugins').ariaSnapshot();
  assert.ok(tree.includes('rowheader "greet'), `a table is still one:\n${tree}`);
  await accessible(page, 'the page on a phone, in the dark');
  await page.context().close();
}

// At 390 px, the links to the sections stay in view, and lead to where a heading is not beneath them.
async function sticks(browser) {
  const page = await open(browser, site, {viewport: {width: 390, height: 800}, isMobile: true, hasTouch: true, reducedMotion: 'reduce'});
  for (const name of ['Deploy', 'Load', 'Failures', 'Run', 'Plug-ins']) {
    await page.getByRole('navigation').getByRole('link', {name}).click();
    await page.waitForTimeout(100);
    const nav = await page.locator('nav').boundingBox();
    const title = await page.locator(`#${name.toLowerCase().replace("-", "")} h2`).boundingBox();
    assert.ok(nav.y >= 0 && nav.y + nav.height <= title.y, `${name}: ${JSON.stringify([nav, title])}`);
    assert.ok(name === 'Plug-ins' || nav.y < 1, `${name}: the links are at ${nav.y}`);
    await fits(page, 390);
  }
  await page.context().close();
}

// What one run took is what the chart says, not what the bounds of a bucket suggest.
async function honest(browser) {
  const page = await open(browser, plain);
  await page.locator('figcaption .said').nth(1).filter({hasText: 'no runs'}).waitFor();
  await runs(page, {plugin: 'infinite-loop', func: 'spin'}, '504 Deadline passed');
  const caption = page.locator('figcaption .said').nth(1);
  await caption.filter({hasText: /highest 5 s/}).waitFor();
  assert.match(await page.locator('.values').nth(1).innerText(), /^5 s\s+2\.5 s\s+0$/);
  await page.context().close();
}

async function saysWhatToDo(browser) {
  const page = await open(browser, empty);
  assert.match(await said(page, '#empty'), /no plug-ins yet[^]*--plugins[^]*fuelbox deploy/);
  assert.equal(await page.locator('#plugin-table').isVisible(), false);
  await accessible(page, 'the page without plug-ins');
  await page.fill('#token', DEPLOY);
  await page.getByRole('button', {name: 'Use token'}).click();
  await page.locator('#deploy-forms').waitFor();
  await page.setInputFiles('#module', moduleFile);
  await page.getByRole('button', {name: 'Upload', exact: true}).click();
  await row(page, /^fibonacci/).waitFor();
  assert.equal(await page.locator('#empty').isVisible(), false);
  // What is deleted can come back.
  await page.getByRole('button', {name: 'Delete fibonacci'}).click();
  await page.getByRole('dialog').getByRole('button', {name: 'Delete'}).click();
  await page.locator('#empty').waitFor();
  await page.getByRole('button', {name: 'Roll back fibonacci'}).click();
  await page.getByRole('dialog').getByRole('button', {name: 'Roll back'}).click();
  await row(page, /^fibonacci/).waitFor();
  await page.context().close();
}

async function withoutTokens(browser) {
  const page = await open(browser, plain);
  await page.fill('#token', DEPLOY);
  await page.getByRole('button', {name: 'Use token'}).click();
  await page.locator('#token-said').filter({hasText: 'without --token-file'}).waitFor();
  assert.equal(await page.locator('#forget').isVisible(), false);
  await page.context().close();
}

// All guests and the console have one host, and a browser sends what the host has given it.
async function fullOfCookies(browser) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  for (const name of ['baker', 'butcher', 'baker']) {
    assert.equal((await page.goto(`${site}/execute/${name}`)).status(), 200);
    assert.equal(await page.title(), 'SecurityError', 'no script of a guest sets a cookie');
  }
  const cookies = await context.cookies();
  assert.deepEqual(cookies.map(({name, path}) => `${name} ${path}`).sort(),
    [1, 2, 3].map((n) => `baker${n} /execute/baker`).concat([1, 2, 3].map((n) => `butcher${n} /execute/butcher`)));
  assert.ok(cookies.reduce((sum, {value}) => sum + value.length, 0) >= 24000);
  assert.equal((await page.goto(site)).status(), 200);
  await page.locator('#plugin-rows tr').first().waitFor();
  await runs(page, {plugin: 'greet', input: 'World'}, '200 done');
  await context.close();
}

// Pictures of the page at work: traffic that comes and goes for as long as the charts show a good part of.
async function picture(browser) {
  const viewport = {width: 1000, height: 780};
  const pages = {
    light: await open(browser, plain, {viewport}),
    dark: await open(browser, plain, {viewport, colorScheme: 'dark'}),
    phone: await open(browser, plain, {viewport: {width: 320, height: 640}, colorScheme: 'dark'}),
  };
  const begin = Date.now();
  const send = (path, body) => fetch(plain + path, {method: 'POST', body}).then((answer) => answer.arrayBuffer());
  for (let n = 0; Date.now() - begin < 80000; n++) {
    await Promise.all([
      send('/execute/greet', 'World'), send('/execute/fibonacci?func=fibonacci', String(10 + n % 14)),
      send('/execute/wordcount', 'one two'), send('/execute/fibonacci?func=fibonacci_recursive', String(14 + n % 11)),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 20 + 25 * (1 + Math.sin((Date.now() - begin) / 9000))));
  }
  for (const [name, page] of Object.entries(pages)) {
    await runs(page, {plugin: 'greet', input: 'World'}, '200 done');
    const [place, block] = {light: ['body', 'start'], dark: ['#load', 'end'], phone: ['#run', 'start']}[name];
    await page.locator(place).evaluate((part, block) => part.scrollIntoView({block, behavior: 'instant'}), block);
    await page.screenshot({path: join(screenshots, `console-${name}.png`)});
    await page.context().close();
  }
}

(async () => {
  const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({executablePath: browserPath, args});
  try {
    console.log(`Chromium ${browser.version()}`);
    const page = await open(browser, site);
    for (const [name, step] of Object.entries(steps)) {
      await step(page).catch(async (error) => {
        console.error(`the page says: ${await said(page, '#state')} | ${await said(page, '#said')} | ${await page.locator('#deploy-said').textContent()}`);
        console.error(asked.slice(-5));
        throw error;
      });
      assert.deepEqual(complaints, [], `the browser complains when the page ${name}`);
      console.log(`ok: ${name}`);
    }
    const others = {'is used by keyboard alone': byKeyboard, 'fits 320 px, in the dark': onPhone,
      'keeps its links in view at 390 px': sticks, 'says in its chart what one run took': honest,
      'says what to do without plug-ins': saysWhatToDo,
      'says that there is no token file': withoutTokens, 'bears a browser full of guests\' cookies': fullOfCookies};
    for (const [name, step] of Object.entries(others)) {
      await step(browser);
      assert.deepEqual(complaints, [], `the browser complains when the page ${name}`);
      console.log(`ok: ${name}`);
    }
    const elsewhere = asked.filter(([, url]) => ![site, plain, empty].includes(new URL(url).origin));
    assert.deepEqual(elsewhere, [], 'something was asked of somebody else');
    console.log(`ok: all of ${asked.length} requests went to the gateway`);
    if (screenshots) await picture(browser);
  } finally {
    await browser.close();
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
